#!/bin/sh
# Validates environment $1 (or `all`); what is wrong is kept in .voiceops/validate.txt, and printed: on GitHub as
# annotations at its lines. Runs nothing of what it reads, and needs no key.
set -eu
mkdir -p .voiceops
code=0
voiceops validate -e "$1" > .voiceops/validate.txt 2>&1 || code=$?
[ -z "${GITHUB_ACTIONS:-}" ] || voiceops validate -e "$1" --format github || true
sed 's/^/| /' .voiceops/validate.txt # no line of it is a command to the pipeline
exit "$code"
