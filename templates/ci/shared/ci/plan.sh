#!/bin/sh
# Plans $VOICEOPS_ENV for a reviewer: .voiceops/plan.md to read, .voiceops/plan.json for `voiceops apply`.
# The plan is posted as one comment, which later runs update; a plan that can't be applied fails after that.
set -eu
mkdir -p .voiceops
voiceops -e "$VOICEOPS_ENV" validate
code=0
voiceops -e "$VOICEOPS_ENV" plan --format markdown --out .voiceops/plan.json > .voiceops/plan.md || code=$?
case $code in 0 | 5) ;; *) exit "$code" ;; esac # 5: it can't be applied, which the comment says
python3 ci/forge.py comment .voiceops/plan.md
python3 ci/forge.py applyable .voiceops/plan.json # 5 also for what only --force passes: no pipeline gives it
