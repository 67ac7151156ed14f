#!/bin/sh
# Looks for edits that were made to $VOICEOPS_ENV in a dashboard: one open issue while there are any.
set -eu
mkdir -p .voiceops
code=0
voiceops drift > .voiceops/drift.txt || code=$?
case $code in
  0) python3 ci/forge.py no-drift ;;
  2) python3 ci/forge.py drift .voiceops/drift.txt ;;
  *) cat .voiceops/drift.txt; exit "$code" ;;
esac
