#!/bin/sh
# Starts the runtime with the handlers that are checked out, on the sandbox environment $VOICEOPS_ENV, and plays a call
# that uses every tool once. It runs those handlers: give this job no secret that a pull request must not read.
set -eu
if [ -z "${VOICEOPS_ENV:-}" ] || ! grep -q '^runtime:' voiceops.yaml; then
  echo "No call: there is no sandbox environment, or no runtime."
  exit 0
fi
mkdir -p .voiceops
: > .voiceops/runtime.log # there before it is read
voiceops serve --port 0 > .voiceops/runtime.log 2>&1 &
server=$!
trap 'kill "$server" 2> /dev/null || true; cat .voiceops/runtime.log' EXIT
url=""
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
  url=$(sed -n 's/^Listening on //p' .voiceops/runtime.log)
  [ -z "$url" ] || break
  kill -0 "$server" 2> /dev/null || break
  sleep 1
done
[ -n "$url" ] || { echo "The runtime did not start."; exit 1; }
voiceops simulate --url "$url"
