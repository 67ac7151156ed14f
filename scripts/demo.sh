#!/bin/sh
# The main job in one minute, on the local sandbox: no account, no keys.
set -eu
voiceops=${VOICEOPS:-voiceops}
here=$(cd "$(dirname "$0")/.." && pwd)
shop=$(mktemp -d)
trap 'rm -rf "$shop"' EXIT
cp -R "$here/voiceops.yaml" "$here/agents" "$here/environments" "$shop"
cd "$shop"

say() { printf '\n\033[1m# %s\033[0m\n' "$1"; }
run() { printf '$ voiceops %s\n' "$*"; "$voiceops" "$@"; }

say "The manifests of a small shop: agents, tools, a squad, two phone lines."
run validate
say "What would change on Vapi and Twilio?"
run plan
say "Make it so."
run apply --auto-approve -m "first apply"
say "A second plan finds nothing to do."
run plan --detailed-exitcode
say "Somebody edits one line of a prompt: exactly one reviewed update."
sed -i.bak 's/Monday to Saturday, nine to six/Monday to Friday, nine to seven/' agents/prompts/front-desk.md
run plan
run apply --auto-approve -m "new opening hours"
run plan --detailed-exitcode
run history
