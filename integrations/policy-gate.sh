#!/usr/bin/env bash
# Says which access a change adds. Every pipeline of this folder calls it. It needs no credentials and no network of AWS.
#
#   BASE        the revision, folder or file before the change
#   HEAD        the same after the change (default: the working folder)
#   FAIL_ON     broadened, LOW, MEDIUM, HIGH, CRITICAL, escalation or never (default: broadened)
#   ALLOW       a file of accepted additions
#   RESULTS     a folder for gate.json, gate.md, gate.sarif and gate.xml (default: policy-gate)
#
# Exit code: 0 nothing to look at, 1 findings, 2 an input cannot be used.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
results=${RESULTS:-policy-gate}

options=(--head "${HEAD:-.}" --fail-on "${FAIL_ON:-broadened}")
if [ -n "${BASE:-}" ]; then options+=(--base "$BASE"); fi
if [ -n "${ALLOW:-}" ]; then options+=(--allow "$ALLOW"); fi
mkdir -p "$results"
for file in json=gate.json markdown=gate.md sarif=gate.sarif junit=gate.xml; do
  options+=(--write "${file%%=*}=$results/${file#*=}")
done
exec "$here/steward" policy check "${options[@]}"
