#!/bin/sh
# Applies to $VOICEOPS_ENV the plan that was reviewed with the commit that is checked out, and nothing else.
# Where VOICEOPS_PLAN_SIGNERS names keys, only a plan that one of them signed is taken.
# voiceops plans again: if a reviewed change would come out otherwise now, nothing is applied (exit 5).
# How it ended is a comment on the pull request.
# With VOICEOPS_REQUIRE_TESTS only what passed its tests is applied (exit 5).
set -eu
mkdir -p .voiceops
python3 ci/forge.py reviewed .voiceops/plan.json
set --
[ -z "${VOICEOPS_REQUIRE_TESTS:-}" ] || set -- --require-tests
echo 1 > .voiceops/apply.code
{
  code=0
  voiceops apply .voiceops/plan.json "$@" --confirm "$VOICEOPS_ENV" --lock-timeout 600 \
    -m "$(git log -1 --format=%s)" || code=$?
  echo "$code" > .voiceops/apply.code
} 2>&1 | tee .voiceops/apply.txt
code=$(cat .voiceops/apply.code)
python3 ci/forge.py applied "$code" .voiceops/apply.txt || echo "The result could not be posted."
exit "$code"
