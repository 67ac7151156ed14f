#!/bin/sh
# Plans $VOICEOPS_ENV for a reviewer: .voiceops/plan.md to read, .voiceops/plan.json for `voiceops apply`.
# Whatever comes out is one comment, which later runs update: the plan, or why there is none. A plan that can't be
# applied is posted, too, and fails the job.
set -eu
mkdir -p .voiceops
if ! sh ci/validate.sh "$VOICEOPS_ENV"; then
  python3 ci/forge.py failed validate .voiceops/validate.txt
  exit 1
fi
set --
if [ -n "${VOICEOPS_PLAN_KEY:-}" ]; then # signs the plan; `apply` asks for it where it has VOICEOPS_PLAN_SIGNERS
  key=$VOICEOPS_PLAN_KEY # a file, or the key itself
  if [ ! -f "$key" ]; then
    key=$(mktemp)
    trap 'rm -f "$key"' EXIT
    printf '%s\n' "$VOICEOPS_PLAN_KEY" > "$key"
  fi
  unset VOICEOPS_PLAN_KEY
  set -- --sign "$key"
fi
code=0
voiceops plan "$@" --format markdown --out .voiceops/plan.json > .voiceops/plan.md 2> .voiceops/plan.txt || code=$?
cat .voiceops/plan.txt
if [ -s .voiceops/plan.md ]; then
  python3 ci/forge.py comment .voiceops/plan.md
else
  python3 ci/forge.py failed plan .voiceops/plan.txt
fi
[ "$code" -eq 0 ] || exit "$code"
python3 ci/forge.py applyable .voiceops/plan.json # 5 also for what only --force passes: no pipeline gives it
