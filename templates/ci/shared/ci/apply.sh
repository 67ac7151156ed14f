#!/bin/sh
# Applies to $VOICEOPS_ENV the plan that was reviewed with the commit that is checked out, and nothing else.
# voiceops plans again: if a reviewed change would come out otherwise now, nothing is applied (exit 5).
set -eu
mkdir -p .voiceops
python3 ci/forge.py reviewed .voiceops/plan.json
voiceops -e "$VOICEOPS_ENV" apply .voiceops/plan.json --confirm "$VOICEOPS_ENV" --lock-timeout 600 \
  -m "$(git log -1 --format=%s)"
