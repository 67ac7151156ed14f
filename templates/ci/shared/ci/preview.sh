#!/bin/sh
# Previews of pull requests. $1 is what to do:
#   up N     makes the preview of pull request N, or brings it to what the branch says now, and tests what changed. The number
#            to call and what failed stand in the plan's comment; .voiceops/tests.xml is for readers of JUnit files. A test
#            that fails fails the job. Nothing is made where voiceops.yaml has no `previews:`.
#   down N   takes it down
#   sweep    takes down those that are past their time
# With VOICEOPS_PREVIEW_LINE a free number of `previews.lines` answers as that Phone does.
set -eu
mkdir -p .voiceops
rm -f .voiceops/tests.md .voiceops/tests.xml
if [ -z "${VAPI_API_KEY:-}" ]; then
  echo "No preview: the environment \`preview\` holds no VAPI_API_KEY."
  exit 0
fi
case $1 in
  down)
    voiceops preview down "pr-$2"
    python3 ci/forge.py preview-gone || echo "That it is gone could not be posted."
    exit 0 ;;
  sweep)
    voiceops preview sweep
    exit 0 ;;
esac
if ! grep -q '^previews:' voiceops.yaml; then
  echo "No preview: voiceops.yaml has no \`previews:\`."
  exit 0
fi
set -- "pr-$2"
[ -z "${VOICEOPS_PREVIEW_LINE:-}" ] || set -- "$1" --line "$VOICEOPS_PREVIEW_LINE"
code=0
voiceops preview up "$@" --format json > .voiceops/preview.json 2> .voiceops/preview.txt || code=$?
sed 's/^/| /' .voiceops/preview.txt # no line of it is a command to the pipeline
if [ "$code" -ne 0 ]; then
  python3 ci/forge.py preview-failed .voiceops/preview.txt
  exit "$code"
fi
voiceops -e "preview-$1" test --changed --out .voiceops/tests.md --out .voiceops/tests.xml \
  > .voiceops/tests.txt 2>&1 || code=$?
sed 's/^/| /' .voiceops/tests.txt
[ -s .voiceops/tests.md ] || cp .voiceops/tests.txt .voiceops/tests.failed # there is no report: what it said instead
python3 ci/forge.py preview .voiceops/preview.json
exit "$code"
