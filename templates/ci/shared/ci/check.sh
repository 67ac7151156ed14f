#!/bin/sh
# Checks a pull request without any key, so for forks, too. $1: the commit that it is to be merged into.
# On the sandbox environment $VOICEOPS_ENV: what $1 has is applied there; then the plan says what the pull request
# changes. It is printed, and on GitHub it is the job's summary.
set -eu
if [ "${VOICEOPS_FORK:-}" = true ] ||
  [ "${CI_MERGE_REQUEST_SOURCE_PROJECT_ID:-}" != "${CI_MERGE_REQUEST_PROJECT_ID:-}" ]; then
  echo "From a fork, which gets no keys: no plan against what is live, no preview, no tests at Vapi. This is all."
fi
sh ci/validate.sh "${VOICEOPS_ENV:-all}" # others are validated by their own plan's job, which has their variables
if [ -z "${VOICEOPS_ENV:-}" ]; then
  echo "No plan: VOICEOPS_ENV names no environment with \`providers: sandbox\`."
  exit 0
fi
VOICEOPS_STATE="$PWD/.voiceops/check"
export VOICEOPS_STATE
if git worktree add --quiet --detach .voiceops/base "$1" && voiceops -q -C .voiceops/base apply --auto-approve; then
  cp -R .voiceops/base/.voiceops/sandbox .voiceops/
else
  echo "What it is to be merged into can't be applied: the plan starts from nothing."
  rm -rf .voiceops/check
fi
code=0
voiceops plan --format markdown > .voiceops/check.md || code=$?
sed 's/^/| /' .voiceops/check.md # no line of it is a command to the pipeline
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat .voiceops/check.md >> "$GITHUB_STEP_SUMMARY"
exit "$code"
