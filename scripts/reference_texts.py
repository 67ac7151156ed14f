"""What the source can't say of itself, for scripts/make_reference.py: what codes, fields and variables mean."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """`exit` is the exit code of the command that stops for it: "" where none does."""

    exit: str
    means: str
    remedy: str


# Codes that an expression makes: where the source has the expression, these are meant.
COMPUTED = {
    "f'{key}-missing'": ("manifests-missing", "policies-missing"),
    "f'{key}-pattern'": ("manifests-pattern", "policies-pattern"),
}

CODES = {
    # The command as a whole.
    "error": Code("1", "The command can't do what it was asked to.", "The message says why."),
    "invalid-project": Code("1", "Project, manifests or flags can't be used.", "Mend each problem that is listed."),
    "state": Code("1", "The state can't be read or written.", "Follow the hint; see [state.md](state.md)."),
    "provider": Code("1", "Vapi or Twilio answered with an error.", "Read the vendor's message; apply again."),
    "unauthorized": Code("1", "A key is missing, wrong, or may not do this.", "Check the keys: `voiceops doctor`."),
    "not-found": Code("1", "The live object is not there.", "Plan again; check the id and the account."),
    "rejected": Code("1", "The vendor understood the request and refused it.", "Mend the field that is named."),
    "not-sent": Code("1", "A request waited too long and was not sent.", "Apply again, perhaps less at once."),
    "ambiguous": Code(
        "1",
        "A request got no usable answer and may have been executed.",
        "Apply again: it is looked for first. See [never-lost.md](never-lost.md).",
    ),
    "stale": Code("1", "A live object changed after it was planned.", "Plan again."),
    "partial": Code("3", "Some changes were made, others failed.", "Mend the cause and apply again."),
    "locked": Code("4", "Another process holds the state.", "Wait, or `--lock-timeout`; see [state.md](state.md)."),
    "import-line": Code(
        "1", "A line of `import --from` names what can't be adopted.", "Mend the line; nothing was adopted."
    ),
    "refused": Code("5", "A safety rule, or a plan that can't be applied.", "Mend each problem that is listed."),
    # YAML.
    "yaml-alias": Code("1", "An alias without an anchor, or one that makes the document huge.", "Write it out."),
    "yaml-duplicate-key": Code("1", "A key stands twice in one map.", "Take one of them out."),
    "yaml-key": Code("1", "A key is no text.", "Put the key into quotes."),
    "yaml-merge": Code("1", "`<<` merges something that is no map.", "Give it a map, or a list of maps."),
    "yaml-number": Code("1", "A number is too large.", "Write a smaller one, or a text in quotes."),
    "yaml-syntax": Code("1", "The file is not valid YAML.", "Mend the line that is named, or where it was opened."),
    "yaml-tag": Code("1", "A value carries a tag (`!…`).", "Write the value without it."),
    "yaml-too-deep": Code("1", "Maps and lists are nested too deep.", "Flatten the document."),
    "yaml-too-large": Code("1", "The file, or what it holds, is too large.", "Split it."),
    # Files, project, environments.
    "file": Code("1", "A file is missing, empty, too large, unreadable or outside the project.", "Check its path."),
    "path": Code("1", "A text is no path into the object it names.", "Correct the path."),
    "project-missing": Code("1", "There is no project here.", "Change the folder, or `voiceops init`."),
    "project-documents": Code("1", "A project or environment file holds several documents.", "Leave one."),
    "project-url": Code("1", "An address of the project is no http(s) address.", "Write `https://host`, no query."),
    "environment-name": Code("1", "A text can't be an environment's name.", "Use a-z, 0-9 and `-`."),
    "environment-unknown": Code("1", "The project has no such environment.", "Correct it, or add it to the project."),
    "preview-unknown": Code("1", "There is no such preview.", "Make it: `voiceops preview up NAME`."),
    "preview-ttl": Code("1", "`previews.ttl` is no length of time.", "Write it like `24h` or `7d`."),
    "preview-line": Code("1", "`previews.lines` holds no number, or one twice.", "Write it like `+14155550100`."),
    "preview-state": Code("1", "A preview would have no state of its own.", "Put `{environment}` into `state:`."),
    "manifests-missing": Code("1", "`manifests:` names nothing that exists.", "Correct the path or the pattern."),
    "policies-missing": Code("1", "`policies:` names nothing that exists.", "Correct the path or the pattern."),
    "patch-empty": Code("1", "A patch has neither `merge` nor `lifecycle`.", "Give it one of them."),
    "patch-target": Code("1", "A patch's target matches no manifest.", "Correct the address."),
    # Folders that are taken over: `import gitops`, `import json`.
    "gitops-folder": Code("1", "The folder is no VapiAI/gitops checkout.", "Name the one that holds `resources/`."),
    "gitops-org": Code("1", "The checkout has no such organization.", "Take one of those that are named."),
    "payload-folder": Code("1", "The folder holds no payload.", "Name one with a JSON file an object."),
    "payload-kind": Code("1", "Nothing tells what a payload is.", "Put it into a folder that says so: `tools/`."),
    "payload-twice": Code("1", "Two payloads have one id.", "Keep one of them."),
    "reference-id": Code("", "No file stands for an id; it stays as it is.", "Nothing, or adopt its object."),
    "resource-code": Code("1", "A resource is a program.", "Write what it exports as `.yml`."),
    "resource-form": Code("1", "A file is no resource.", "Mend the line that is named."),
    "resource-twice": Code("1", "Two files are one resource.", "Keep one of them."),
    "front-matter": Code("1", "A `.md` has no front matter, or it has no end.", "Put it between two lines `---`."),
    "state-form": Code("1", "A state file is of no known shape.", "Put back the one that git has."),
    "state-id-twice": Code("1", "Two ids of a state file are one object.", "Take out the line that is not its own."),
    # Manifests.
    "manifest-form": Code(
        "1", "A file among the manifests holds none.", "Give it kind and name, name it as `${file:…}`, or move it."
    ),
    "kind-unknown": Code("1", "There is no such kind.", "Take one of [kinds.md](kinds.md)."),
    "manifest-duplicate": Code("1", "Two manifests have the same kind and name.", "Rename one."),
    "address": Code("1", "A text is no address.", "Write `Kind/name`."),
    "each-key": Code("1", "A key of `forEach` is no key, or stands twice.", "Use distinct a-z, 0-9 and `-`."),
    "each-many": Code("1", "All `forEach` together make too many objects.", "Shorten the lists, or split the project."),
    "each-missing": Code("1", "`${each:…}` asks for what an entry doesn't have.", "Add it to every entry."),
    "each-outside": Code("1", "`${each:…}` in a manifest without `forEach`.", "Add `forEach`, or write the value."),
    "each-type": Code("1", "`forEach` is no list or map of entries.", "Give a list, a map, or a file with one."),
    "env-missing": Code("1", "An environment variable is not set.", "Set it, or write `${env:NAME:-default}`."),
    "secret-shown": Code(
        "1", "A manifest would show a secret to everybody.", "Write `${secret:NAME}`, or take it out."
    ),
    "var-missing": Code("1", "There is no such variable.", "Add it to `variables:`."),
    "interpolate-form": Code("1", "An unknown `${…}`, or one that can't stand there.", "Take a form that is listed."),
    "interpolate-large": Code("1", "The substitutions make too much text.", "Bring in smaller files, or fewer."),
    "interpolate-mixed": Code("1", "A secret and a reference stand in one text.", "Put them into two fields."),
    "interpolate-syntax": Code("1", "A `${…}` is malformed.", "Correct it; `$${` is a literal `${`."),
    "interpolate-type": Code("1", "A map or list stands inside a text.", "Make it the whole value."),
    "schema-type": Code("1", "A value has the wrong type.", "Write what the message asks for."),
    "schema-required": Code("1", "A field is missing that must be there.", "Add it."),
    "schema-enum": Code("1", "A value is none of those allowed.", "Take one that is listed."),
    "schema-range": Code("1", "A number, a length or a count is out of range.", "Stay within the range."),
    "calling-hours": Code("1", "`calling.hours` are no hours.", "Write `09:00-20:00`."),
    "calling-timezone": Code("1", "`calling.timezone` is no time zone.", "Write it as `Europe/Berlin`."),
    "do-not-call": Code("1", "A line of the do-not-call list is no number.", "Write one number a line, with its plus."),
    "people-file": Code(
        "1", "The file of people can't be read as CSV.", "Save it as CSV UTF-8, with a column `number`."
    ),
    "people-column": Code("1", "A column of the file of people is missing or can't be used.", "Name it as said."),
    "facts-file": Code(
        "1", "The project's own facts about Vapi's API can't be used.", "Run `voiceops schema update FILE` again."
    ),
    "facts-older": Code(
        "", "They were made with the repairs of another voiceops.", "Run `voiceops schema update FILE` again."
    ),
    "schema-pattern": Code("1", "A text doesn't have the form that is wanted.", "Write it in that form."),
    "schema-unknown-key": Code("1", "There is no such field.", "Correct it, or set `allowUnknown: true`."),
    "schema-unlisted": Code("", "A value that the schema doesn't list yet.", "Check the spelling."),
    "schema-deprecated": Code("", "A field that the vendor gives up.", "Use the successor that is named."),
    "schema-renamed": Code("", "A value in its old spelling.", "Write the one that is named: that is what Vapi keeps."),
    "schema-uncertain": Code("", "A value that was seen live; whether it can be written is not known.", "Try it."),
    "schema-read-only": Code("1", "A field that only Vapi sets.", "Leave it out."),
    "reference": Code("1", "A name leads to no manifest.", "Correct the name, or add the manifest."),
    "reference-kind": Code("1", "A name leads to a manifest of another kind.", "Name one of the kind that is wanted."),
    "part-circle": Code("1", "Parts take themselves in.", "Break the circle of `from`."),
    "circle": Code("1", "Objects need each other to be created.", "Take one of the references out."),
    "prompt-twice": Code("1", "`systemPrompt` beside a system message.", "Keep one of them."),
    "function-twice": Code("1", "Two tools of an agent have one function name.", "Rename one."),
    "tool-mock": Code(
        "1",
        "A scenario mocks a tool that nobody it tests can call, or that is not there.",
        "Name a Tool manifest, or a function name, that the agent under test has.",
    ),
    "member-twice": Code("1", "Two members of a squad have one name.", "Rename one."),
    "number-twice": Code("1", "Two phone lines have one number.", "Correct one."),
    "phone-provider": Code("1", "A setting that only Twilio lines have.", "Set `provider: twilio`, or take it out."),
    "eval-target": Code("1", "An eval names an agent and a squad to run against.", "Keep one of them."),
    "phone-target": Code(
        "1", "A line has no answerer (a warning), or two.", "Name one agent or one squad, or `answer: none`."
    ),
    "transfer-on-runtime": Code(
        "1", "A line answered by the runtime reaches a transfer.", "Set `answer: vapi`, or take the transfer out."
    ),
    "runtime-missing": Code("1", "Something needs the runtime's address.", "Set `runtime.url`."),
    "runtime-credential": Code("1", "A manifest has the name of voiceops's own credential.", "Rename it."),
    "handler": Code("1", "A handler is missing or not valid Python.", "See [handlers.md](handlers.md)."),
    "external": Code("1", "`external:` is malformed, or stands beside `spec`.", "See [concepts.md](concepts.md)."),
    # Policies.
    "name-twice": Code(
        "1", "`agent` and `assistantId`, or another pair of words for one id, name two.", "Write one of them."
    ),
    "policy-time": Code(
        "5", "A rule of the team would take too long with this plan, and was not checked.", "Narrow it."
    ),
    "policy-twice": Code("1", "Two rules have one id.", "Rename one."),
    "policy-empty": Code("1", "A rule would break on every change.", "Add `match`, `when` or `require`."),
    "manifests-pattern": Code("1", "An entry of `manifests:` can't be a path.", "Correct it."),
    "policies-pattern": Code("1", "An entry of `policies:` can't be a path.", "Correct it."),
    "policy-match": Code("1", "A rule matches words that don't exist.", "Correct the word."),
    "policy-expression": Code("1", "A rule's expression is no CEL.", "Correct it; see [policies.md](policies.md)."),
    "policy-library": Code("1", "The package for rules is missing.", 'Run `pip install "voiceops-iac[policy]"`.'),
    "policy": Code("5", "The plan breaks a rule of the team.", "Follow the rule's message."),
    # Plans.
    "exists_unmanaged": Code("5", "A live object has the name, or the line, already.", "`import` it, or `--adopt`."),
    "forget": Code("1", "A part has no live object: there is nothing to let go.", "Take its manifest out."),
    "external-missing": Code("5", "No live object is the one that `external:` means.", "Correct it, or its account."),
    "external-ambiguous": Code("5", "Several live objects fit `external:`.", "Name one by `external: {id: …}`."),
    "number-missing": Code(
        "5", "The Twilio account has no such number; in a rollback only a warning.", "Correct it, or `purchase: true`."
    ),
    "protected": Code("5", "An object with `preventDestroy` would be deleted.", "Take the protection out first."),
    "still-used": Code("5", "A chosen object would go, and one that is not chosen uses it.", "Choose that one, too."),
    "waits": Code("", "A change depends on one that is excluded.", "Plan again without `--exclude`."),
    "destroy-limit": Code("5", "More objects would go than the project allows.", "Look twice, then `--force`."),
    "held": Code("5", "A rollback took these manifests back.", "Change them, or `--release-hold`."),
    "rolled-back": Code("5", "A value would come back that was rolled back.", "Change it, or `--release-hold`."),
    "drift": Code("5", "Live edits would be overwritten, and `drift: refuse` is set.", "`voiceops drift --accept`."),
    "tests-required": Code(
        "5", "What would be applied has not passed its tests.", "Run them in a preview: `voiceops test`."
    ),
    "budget": Code("5", "A turn or a minute exceeds a limit of `safety:`.", "Change the agent or the limit."),
    "plan-changed": Code("5", "A saved plan would come out otherwise now.", "Plan and review again."),
    "secret-lost": Code("5", "A rollback needs a secret that no revision keeps.", "Roll back the rest: `--target`."),
    "secret-missing": Code("1", "A secret has to be sent and is not set here.", "Set it, or put it into `.env`."),
    "shared-name": Code(
        "",
        "Another environment of the same account gives the same live names.",
        "Tell them apart with `naming:`, or give it an account of its own.",
    ),
    "shadowed": Code(
        "",
        "A trunk, an application or fax mode takes the calls of a managed number before its voice URL.",
        "Apply: it sends what clears it. To leave it so, `drift: keep`.",
    ),
    "traffic-split": Code(
        "",
        "An allocation decides which versions of an agent callers get; an update alone reaches none of them.",
        "Give the new version its share at Vapi, or end the split there (follow-latest).",
    ),
    "version-pinned": Code(
        "",
        "A squad or an agent pins an older version of what is updated: no caller gets the update through it.",
        "Name the new version there, or none.",
    ),
    "model-retirement": Code(
        "",
        "Vapi says that a model of a live object is going to be retired, or was.",
        "Choose another model; where Vapi recommends one, the hint names it.",
    ),
    "pull-cut-off": Code("", "A pull was cut off in the middle of its files.", "`voiceops pull` finishes it."),
    "secret-not-checked": Code("", "A secret is not set here, so it was not compared.", "Set it to compare it."),
    "empty-state": Code("", "The state knows nothing, and the manifests' names are live.", "Check `state:`."),
    "state-local": Code("", "A pipeline's checkout holds a live state.", "Use a shared place, or `--local-state`."),
    "state-ignored": Code("", "A live state is in a folder that git ignores.", "Keep it in git or in a shared place."),
    "recovery-ambiguous": Code("5", "Several objects could be what a cut-off apply made.", "`import` the right one."),
    "recovery-waiting": Code("", "What a cut-off apply sent may still turn up.", "Apply: it waits for it."),
    "probable-duplicate": Code("", "An object looks like one given up earlier.", "`import` it, or delete it."),
    # What `plan` asks the runtime that runs.
    "runtime-tool": Code("", "The running runtime serves a tool otherwise.", "Start it from these manifests first."),
    "runtime-environment": Code("", "`runtime.url` serves another environment or project.", "Check `runtime.url`."),
    "runtime-unasked": Code(
        "", "The dashboard's token may not go to `runtime.url`.", "Allow its host, if it is yours."
    ),
    "runtime-token": Code("", "The runtime does not accept `VOICEOPS_DASHBOARD_TOKEN`.", "Give both the same one."),
    "runtime-answer": Code("", "What answers at `runtime.url` is no runtime.", "Check `runtime.url`."),
    # Others.
    "accept": Code("1", "A live edit can't be written back into the files.", "Edit the manifest by hand."),
    "script": Code("1", "A call script can't be used.", "Correct the line that is named."),
}

EXITS = {
    "0": "Done, or nothing to do.",
    "1": "An error; nothing, or nothing more, was done.",
    "2": "Something was found, or is yours to do: `plan` and `diff` with `--detailed-exitcode`, `drift`, `status`, "
    "`secrets rotate`.",
    "3": "Some changes were made, others failed.",
    "4": "Another process holds the state.",
    "5": "Refused: a safety rule, a policy, a plan that can't be applied, another account.",
}

VARIABLES = {
    "VOICEOPS_ENV": "the environment, where `-e` doesn't say it",
    "VOICEOPS_PLAN_SIGNERS": "who may sign the plans that `apply FILE` takes; not from `.env`",
    "VOICEOPS_ALLOWED_HOSTS": "hosts that may have keys beside the vendors' own and this machine; not from `.env`",
    "VOICEOPS_STATE": "where the state lives, instead of `state:`",
    "VOICEOPS_STATE_KEY": "a key that makes fingerprints of secrets useless to whoever reads the state",
    "VOICEOPS_STATE_IDENTITY": "the age identity that opens an encrypted state",
    "VAPI_API_KEY": "Vapi's private key",
    "VAPI_BASE_URL": "another address of Vapi's API",
    "TWILIO_ACCOUNT_SID": "the Twilio account",
    "TWILIO_AUTH_TOKEN": "its token: for the API, and for signatures in the runtime",
    "TWILIO_API_KEY": "a Twilio API key, instead of the token for the API",
    "TWILIO_API_SECRET": "its secret",
    "TWILIO_BASE_URL": "another address of Twilio's API",
    "TWILIO_AUTH_TOKEN_PREVIOUS": "the token before, while tokens change",
    "VAPI_WEBHOOK_SECRET": "the secret by which the runtime knows Vapi's requests",
    "VAPI_WEBHOOK_SECRET_PREVIOUS": "the secret before, while secrets change",
    "VOICEOPS_RUNTIME_DB": "the runtime's database: a file, or `postgresql://…`",
    "VOICEOPS_DASHBOARD_TOKEN": "opens the runtime's dashboard, and lets `plan` ask what the runtime serves",
    "VOICEOPS_METRICS_TOKEN": "the runtime: whoever reads `/metrics` from another machine",
    "VOICEOPS_MAX_BODY": "the runtime: the largest request in bytes",
    "VOICEOPS_RATE_LIMIT": "the runtime: requests a second and source",
    "VOICEOPS_ANSWER_SECONDS": "the runtime: how long Vapi has before a line falls back",
    "VOICEOPS_KEEP_DAYS": "the runtime: how long finished messages are kept",
    "VOICEOPS_SESSION_SECONDS": "the runtime: how long what a call's handlers remember is kept",
    "VOICEOPS_REDACT": "the runtime: what is taken out of stored messages",
    "VOICEOPS_POWER_SAFE": "the runtime: `0` trades safety against power cuts for speed",
    "NO_COLOR": "plain text, also on a terminal; not read from `.env`",
}

# Set by voiceops for its own processes.
INTERNAL = {"VOICEOPS_BOOT", "VOICEOPS_PROJECT", "VOICEOPS_SERVE"}

_SETTINGS = {
    "manifests": "files, folders and globs that hold the manifests; what a manifest names as `${file:…}` is data",
    "state": "where the state lives: [state.md](../state.md)",
    "encryption": "encrypt the state",
    "providers": "`sandbox`, or the accounts",
    "variables": "values for `${var:NAME}`",
    "defaults": "by kind: a spec that every manifest of the kind starts from",
    "runtime": "the webhook runtime: [runtime.md](../runtime.md)",
    "drift": "what apply does with live edits: `revert` (default), `keep` or `refuse`; or a map",
    "safety": "limits that a plan must keep",
    "history": "how long revisions are kept: [history.md](../history.md)",
    "privacy": "what is kept of who called and of what was said: [privacy.md](../privacy.md)",
    "calling": "when and how many people are called by `call`: [outbound.md](../outbound.md)",
    "policies": "files, folders and globs that hold rules: [policies.md](../policies.md)",
    "secrets": "where `${secret:NAME}` is looked for: `[env]`, the environment and `.env`",
    "previews": "environments for a pull request: [previews.md](../previews.md)",
    "tests": "when a test passes, and how long it may take: [testing.md](../testing.md)",
    "estimates": "figures of your own: [estimates.md](../estimates.md)",
    "naming": "what live names begin and end with",
    "allowUnknown": "every manifest may hold keys that the schema does not know and values that it refuses: warnings",
}

FIELDS: dict[str, dict[str, str]] = {
    "Project": {
        "version": "the format of this file",
        "project": "the project's name",
        "defaultEnvironment": "the environment when none is chosen",
        "environments": "names or globs; without it: `dev`",
        **_SETTINGS,
    },
    "Environment": {**_SETTINGS, "patches": "changes to single manifests here"},
    "Privacy": {
        "numbers": "callers' numbers in the table of calls: `keep` (default), `mask` or `hash`",
        "transcripts": "what was said: `keep` (default), `drop`, or days",
        "recordings": "links to recordings in stored messages: `keep` (default) or `drop`",
        "calls": "the calls themselves: `keep` (default), or days",
    },
    "Calling": {
        "hours": "when a phone may ring, by the clock where it is; without it `09:00-20:00`",
        "days": "on which days: `mon` to `sun`; without it all",
        "timezone": "of numbers that don't tell theirs, as `America/New_York`",
        "perMinute": "how many calls begin in a minute at most; without it 30",
        "maxConcurrent": "how many are under way at once at most; without it 5",
        "doNotCall": "a file of numbers that are never called, one a line",
    },
    "Previews": {
        "from": "the environment that one is made of; without it: the project's default",
        "ttl": "how long one stays: `24h` (default), `7d`; from a minute to a year",
        "max": "how many at most: 10 (default)",
        "lines": "numbers at Vapi that stand ready for them, and are no line of an environment",
    },
    "Tests": {
        "minPass": "the share of a test's attempts that has to pass; 1 when not set",
        "repeat": "how often each test is run; 1 when not set",
        "timeoutSeconds": "how long one attempt may take before it is cancelled; 900 when not set",
    },
    "Providers": {"vapi": "the Vapi org", "twilio": "the Twilio account"},
    "VapiProvider": {"apiKey": "a `${secret:NAME}`; else `VAPI_API_KEY`", "baseUrl": "another address of the API"},
    "TwilioProvider": {
        "accountSid": "the account; else `TWILIO_ACCOUNT_SID`",
        "authToken": "a `${secret:NAME}`; else `TWILIO_AUTH_TOKEN`",
        "apiKey": "an API key instead of the token",
        "apiSecret": "the API key's secret",
        "baseUrl": "another address of the API",
    },
    "Runtime": {
        "url": "the public address that Vapi and Twilio call",
        "auth": "how Vapi proves itself; `hmac` when not set",
        "handlers": "the handlers' folder; `agents/handlers` when not set",
        "toolSeconds": "how long a tool may take whose server has no `timeoutSeconds`; 10 when not set",
    },
    "Drift": {"default": "for fields that `fields` doesn't name", "fields": "by field"},
    "History": {"keep": "at most so many revisions; 200 when not set", "days": "and so many days; 400 when not set"},
    "Safety": {
        "maxDestroyPercent": "the share of managed objects that one apply may delete or replace; 20 when not set",
        "maxDestroyMinimum": "so many may go whatever the share; 3 when not set",
        "requireTests": "only what passed tests is applied: [testing.md](../testing.md)",
        "confirm": "apply must be told the environment's name",
        "maxTurnLatencyMs": "the longest estimated turn of an agent",
        "maxCostPerMinute": "the dearest estimated minute of an agent",
    },
    "Estimates": {
        "date": "of the figures",
        "currency": "a name; nothing is converted",
        "conversation": "how calls go: turns, words, shares",
        "network": "to callers and back",
        "platform": "Vapi's own fee",
        "chat": "`costPerMessage`: Vapi's own fee for an answer in a chat; for `test --replay`",
        "endpointing": "waits until a turn is over",
        "transcribers": "by provider",
        "models": "by provider",
        "voices": "by provider",
        "telephony": "by provider",
    },
    "Figures": {
        "latencyMs": "milliseconds",
        "phoneLatencyMs": "milliseconds over the phone network",
        "costPerMinute": "money a minute",
        "inputPerMillion": "money a million input tokens",
        "outputPerMillion": "money a million output tokens",
        "speechPerMinute": "money a minute of speech",
        "perThousandCharacters": "money a thousand characters",
        "perMonth": "rent a month",
        "tollFree": "for toll-free numbers",
        "models": "by the beginning of a model's name",
    },
    "Endpointing": {
        "waitSeconds": "the smallest wait",
        "onPunctuationSeconds": "after punctuation",
        "onNoPunctuationSeconds": "without punctuation",
        "noPunctuationShare": "the share of turns that end without punctuation",
        "smart": "seconds by smart endpointing's provider",
        "builtIn": "seconds of transcribers that find the end of turns by themselves",
        "transcriber": "seconds by transcriber",
    },
    "PolicyRule": {
        "id": "unique",
        "severity": "`error` when not set",
        "message": "what is wrong, in one sentence",
        "hint": "what to do about it",
        "match": "which changes the rule is about",
        "when": "CEL: the rule applies only where this is true",
        "require": "CEL: what must be true then",
    },
    "PolicyMatch": {
        "kinds": "kinds",
        "addresses": "addresses or globs",
        "actions": "create, update, replace, delete, adopt, no-op",
        "environments": "names or globs",
    },
    "Encryption": {"recipients": "age's public keys of everybody who may read"},
    "Naming": {"prefix": "before every live name", "suffix": "after it"},
    "Patch": {
        "target": "an address: `Kind/name`, `Kind/name[key]`, or a pattern: `Kind/*`",
        "merge": "merged into the manifest's spec; null takes a field out",
        "lifecycle": "merged into the manifest's lifecycle: `preventDestroy` of one instance, say",
    },
    "Manifest": {
        "kind": "one of [the kinds](#kinds)",
        "name": "the manifest's name: unique in its kind, and the live name unless `spec.name` says another",
        "spec": "the kind's own fields",
        "description": "for readers of the file",
        "labels": "for `-l`, and for policies",
        "environments": "names or globs: only there; without it: everywhere",
        "forEach": "one object for each entry of a list, a map or a `${file:…}`, which may lie beside the manifests",
        "lifecycle": "how the object may change",
        "handler": "Tool: `module:function` that answers it; Phone: that says who answers",
        "allowUnknown": "keys that the schema doesn't know and values that it refuses are warnings",
        "idempotent": "Tool: the handler may run again after a crash",
        "failureMessage": "Tool: what the caller hears when the handler fails",
        "moved": "the object had another address",
        "external": "instead of `spec`: a live object that somebody else manages; it is never written",
    },
    "External": {
        "name": "its live name",
        "id": "its id",
        "number": "Phone: its number, or its SIP URI",
    },
    "Lifecycle": {
        "preventDestroy": "refuse plans that delete or replace it",
        "ignoreChanges": "fields whose live value stays",
        "adopt": "take over an unmanaged object of the same name",
        "forget": "let the object go: it leaves the state and stays live",
    },
    "Moved": {"from": "the old address"},
}
