#!/usr/bin/env bash
# Makes sure, before a push, that the repositories of images exist. Every pipeline of this folder calls it.
#
#   IMAGES      names or images, separated by spaces or lines
#   COMPOSE     a compose file
#   BAKE        a file with what `docker buildx bake --print` prints
#   API_URL     the output ApiUrl of the stack; or STACK, the stack's name (default: ecr-steward)
#   DRY_RUN     true: say what would happen, and change nothing
#   RESULTS     a file for the answer, as JSON
#
# AWS credentials and the region come from the environment. Exit code: 0 all are there, 1 some are not, 2 nothing was asked.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

options=() ensure=()
if [ -n "${API_URL:-}" ]; then
  export STEWARD_API_URL=$API_URL
elif [ -n "${STACK:-}" ]; then
  options+=(--stack "$STACK")
fi
if [ -n "${COMPOSE:-}" ]; then ensure+=(--compose "$COMPOSE"); fi
if [ -n "${BAKE:-}" ]; then ensure+=(--bake "$BAKE"); fi
if [ "${DRY_RUN:-false}" = true ]; then ensure+=(--dry-run); fi

code=0
answer=$(tr -s '[:space:]' '\n' <<<"${IMAGES:-}" | "$here/steward" "${options[@]}" --output json ensure "${ensure[@]}" -) || code=$?
if [ -n "${RESULTS:-}" ]; then printf '%s\n' "${answer:-[]}" >"$RESULTS"; fi
printf '%s\n' "$answer"
exit "$code"
