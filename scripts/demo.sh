#!/bin/sh
# The main job in one minute, on the local sandbox: no account, no keys.
set -eu
voiceops=${VOICEOPS:-voiceops}
python=${PYTHON:-python3}
here=$(cd "$(dirname "$0")/.." && pwd)
shop=$(mktemp -d)
started=""
trap 'for pid in $started; do kill "$pid" 2>/dev/null || true; done; wait; rm -rf "$shop"' EXIT
mkdir "$shop/tests"
cp -R "$here/voiceops.yaml" "$here/agents" "$here/environments" "$shop"
cp "$here"/tests/*.yaml "$shop/tests"
cd "$shop"

say() { printf '\n\033[1m# %s\033[0m\n' "$1"; }
run() { printf '$ voiceops %s\n' "$*"; "$voiceops" "$@"; }
# What has to be refused (exit 5), or has to fail (exit 1).
refused() { ends_with 5 "$@"; }
failing() { ends_with 1 "$@"; }
ends_with() {
  wanted=$1 code=0
  shift
  run "$@" || code=$?
  [ "$code" -eq "$wanted" ] || { echo "exit $code, not $wanted" >&2; exit 1; }
}
# Waits for a line of a log, and prints what follows the last "port " or ":" in it.
port_in() {
  for _ in $(seq 100); do
    found=$(sed -n "s/.*$2\([0-9][0-9]*\).*/\1/p" "$1" | head -n 1)
    [ -n "$found" ] && echo "$found" && return
    sleep 0.1
  done
  cat "$1" >&2
  exit 1
}

say "The manifests of a small shop: agents, tools, a squad, two phone lines."
run validate
say "What would change on Vapi and Twilio?"
run plan
say "Make it so."
run -q apply --auto-approve -m "first apply"
say "A second plan finds nothing to do."
run plan --detailed-exitcode
say "Somebody edits one line of a prompt: exactly one reviewed update."
sed -i.bak 's/Monday to Saturday, nine to six/Monday to Friday, nine to seven/' agents/prompts/front-desk.md
run plan
say "It goes live only with its tests passed. They have not run on it: refused."
refused apply --require-tests --auto-approve
say "The change gets agents of its own, and the tests call them. One fails."
run -q preview up pr-7
failing -q -e preview-pr-7 test
say "The shop is open on Saturdays, too. With that corrected the tests pass there, and the change may go live."
sed -i.bak 's/Monday to Friday, nine to seven/Monday to Saturday, nine to seven/' agents/prompts/front-desk.md
run -q preview up pr-7
run -q -e preview-pr-7 test
run -q apply --require-tests --auto-approve -m "open until seven"
run -q preview down pr-7
run plan --detailed-exitcode
say "Not before spring: back to the revision before."
run -q rollback --auto-approve -m "until six in winter"
run history

say "Nobody starts on an empty account: this folder has no manifests, and its account is the one from above."
mkdir -p adopted/.voiceops adopted/environments
mkdir adopted/.voiceops/sandbox && cp .voiceops/sandbox/dev.db* adopted/.voiceops/sandbox
printf 'version: 1\nproject: adopted\nenvironments: [dev]\n' > adopted/voiceops.yaml
printf 'providers: sandbox\n' > adopted/environments/dev.yaml
run -C adopted pull
run -C adopted plan --detailed-exitcode
cat adopted/agents/front-desk-dev.yaml

say "The runtime that holds the tool handlers takes a call."
# The shop's order service, as one file, and the runtime beside it.
mkdir -p service/orders
printf '{"state": "packed", "deliveryDay": "Thursday"}' > service/orders/1234
"$python" -u -m http.server 0 --bind 127.0.0.1 --directory service > service.log 2>&1 &
started="$!"
ORDERS_URL=http://127.0.0.1:$(port_in service.log "port ") CONTACTS_FILE=$shop/contacts.jsonl \
  "$voiceops" serve --port 0 > runtime.log 2>&1 &
started="$started $!"
run simulate --url "http://127.0.0.1:$(port_in runtime.log "Listening on http:..127.0.0.1:")"

say "Weeks later, here with calls made up by the sandbox: how do they go, and did the newest version help?"
run sandbox calls --n 600 --scenario regression
run calls sync
run report --by tool
run report --compare v1 v2
