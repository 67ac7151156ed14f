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
say "Before a caller hears it, the change gets agents of its own, and tests call them. One fails: it goes no further."
run -q preview up hours
if run -q -e preview-hours test; then echo "the tests should have failed" >&2; exit 1; fi
run -q preview down hours
say "It is open on Saturdays, too: with that corrected the tests pass."
sed -i.bak 's/Monday to Friday, nine to seven/Monday to Saturday, nine to seven/' agents/prompts/front-desk.md
run -q apply --auto-approve -m "open until seven"
run -q test
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
