"""Where every value comes from, what was applied, and what is live: through the real command, against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, shop

DESK = "Agent/desk"


@pytest.fixture
def desk(live: Bench) -> Bench:
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    return live


def explained(bench: Bench, target: str, *arguments: str, **environ: str | None) -> dict[str, Any]:
    found: dict[str, Any] = bench.run("explain", target, "--format", "json", *arguments, **environ).data
    return found


def places(found: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Which layer, where, and whether it counts: the weakest first."""
    return [(one["layer"], f"{one.get('file')}:{one.get('line')}", one["wins"]) for one in found["sources"]]


# where it comes from


def test_defaults_manifest_and_patch(desk: Bench) -> None:
    desk.write(
        "voiceops.yaml",
        "version: 1\nproject: shop\nenvironments: [live]\ndefaults:\n  Agent:\n    voice: {speed: 0.8}\n",
    )
    desk.write("environments/live.yaml", "patches:\n  - target: Agent/desk\n    merge: {voice: {speed: 1.2}}\n")
    found = explained(desk, f"{DESK}.voice.speed", "--offline")
    assert found["value"] == 1.2
    assert places(found) == [
        ("defaults", "voiceops.yaml:6", False),
        ("manifest", "agents/agent.yaml:12", False),
        ("patch", "environments/live.yaml:3", True),
    ]
    assert [one["written"] for one in found["sources"]] == [0.8, 1.0, 1.2]
    out = desk.run("explain", f"{DESK}.voice.speed", "--offline").out
    assert "✓ environments/live.yaml:3  patch of Agent/desk: voice.speed: 1.2" in out
    assert out.count("(overridden)") == 2


PARTS = """\
kind: Voice
name: base
spec:
  provider: 11labs
  voiceId: sarah
  speed: 0.9
---
kind: Voice
name: warm
spec:
  from: base
  stability: 0.4
"""


def test_a_part_by_name(desk: Bench) -> None:
    desk.write("agents/parts.yaml", PARTS)
    desk.edit("agents/agent.yaml", "voice: {provider: 11labs, voiceId: sarah, speed: 1.0}", "voice: warm")
    stability, speed = (explained(desk, f"{DESK}.voice.{key}", "--offline") for key in ("stability", "speed"))
    assert places(stability) == [("manifest", "agents/agent.yaml:12", False), ("part", "agents/parts.yaml:12", True)]
    assert stability["sources"][0]["names"] == "Voice/warm"
    assert places(speed)[-1] == ("part", "agents/parts.yaml:6", True)
    assert speed["sources"][-1]["name"] == "Voice/base"
    assert speed["value"] == 0.9


def test_a_field_beside_from(desk: Bench) -> None:
    desk.write("agents/parts.yaml", PARTS)
    desk.edit("agents/agent.yaml", "{provider: 11labs, voiceId: sarah, speed: 1.0}", "{from: warm, speed: 1.1}")
    found = explained(desk, f"{DESK}.voice.speed", "--offline")
    assert places(found) == [("part", "agents/parts.yaml:6", False), ("manifest", "agents/agent.yaml:12", True)]


def test_defaults_and_patches_of_a_part(desk: Bench) -> None:
    desk.write("agents/parts.yaml", PARTS)
    desk.edit("agents/agent.yaml", "{provider: 11labs, voiceId: sarah, speed: 1.0}", "warm")
    desk.write("environments/live.yaml", "patches:\n  - target: Voice/base\n    merge: {speed: 1.15}\n")
    found = explained(desk, f"{DESK}.voice.speed", "--offline")
    assert found["value"] == 1.15
    assert places(found)[-2:] == [("part", "agents/parts.yaml:6", False), ("patch", "environments/live.yaml:3", True)]


TENANTS = "acme:\n  greeting: Welcome to Acme\nbolt:\n  greeting: Bolt here\n"


def test_a_value_of_a_for_each(desk: Bench) -> None:
    desk.write("agents/tenants.yaml", TENANTS)
    text = AGENT.replace("kind: Agent\n", "kind: Agent\nforEach: ${file:tenants.yaml}\n")
    desk.write("agents/agent.yaml", text.replace("firstMessage: Hello", "firstMessage: ${each:value.greeting}!"))
    desk.remove("agents/line.yaml")
    found = explained(desk, "Agent/desk[bolt].firstMessage", "--offline")
    assert found["value"] == "Bolt here!"
    (brought,) = found["sources"][-1]["brings"]
    assert (brought["text"], brought["file"], brought["line"]) == ("${each:value.greeting}", "agents/tenants.yaml", 4)
    assert brought["value"] == "Bolt here"
    assert "bolt" in found["facts"]["instance"]


def test_a_patch_of_one_instance(desk: Bench) -> None:
    desk.write("agents/agent.yaml", AGENT.replace("kind: Agent\n", "kind: Agent\nforEach: [acme, bolt]\n"))
    desk.remove("agents/line.yaml")
    desk.write("environments/live.yaml", "patches: [{target: 'Agent/desk[bolt]', merge: {firstMessage: Hi}}]\n")
    assert places(explained(desk, "Agent/desk[bolt].firstMessage", "--offline"))[-1][0] == "patch"
    assert places(explained(desk, "Agent/desk[acme].firstMessage", "--offline"))[-1][0] == "manifest"


def _brought(desk: Bench, written: str, **environ: str | None) -> dict[str, Any]:
    desk.edit("agents/agent.yaml", "firstMessage: Hello", f"firstMessage: {written}")
    found = explained(desk, f"{DESK}.firstMessage", "--offline", **environ)
    brought: dict[str, Any] = found["sources"][-1]["brings"][-1]
    return brought | {"whole": found["value"]}


def test_a_variable_of_the_environment_file(desk: Bench) -> None:
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nvariables: {greeting: Hi}\n")
    desk.write("environments/live.yaml", "variables:\n  greeting: Good day\n")
    brought = _brought(desk, "${var:greeting} there")
    assert brought["whole"] == "Good day there"
    assert (brought["file"], brought["line"], brought["value"]) == ("environments/live.yaml", 2, "Good day")


@pytest.mark.parametrize(
    ("environ", "dotenv", "told", "value"),
    [
        ({"SHOP": "Fern"}, "SHOP=Other\n", "of the environment", "Fern"),
        ({}, "SHOP=Other\n", "of .env", "Other"),
        ({}, "", "the default", "nobody"),
    ],
)
def test_a_variable_of_the_process(desk: Bench, environ: dict[str, str], dotenv: str, told: str, value: str) -> None:
    desk.write(".env", dotenv)
    brought = _brought(desk, "${env:SHOP:-nobody}", **environ)
    assert told in brought["what"]
    assert (brought["value"], brought["whole"]) == (value, value)


def test_a_prompt_of_a_file(desk: Bench) -> None:
    desk.write("agents/hello.md", "Hello\nthere\n")
    brought = _brought(desk, "${file:hello.md}")
    assert (brought["file"], brought["what"]) == ("agents/hello.md", "the file of 2 lines")


def test_what_a_template_holds(desk: Bench) -> None:
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nvariables: {who: Ann}\n")
    desk.write("agents/hello.md", "Hello\nI am ${var:who}.\n")
    brought = _brought(desk, "${template:hello.md}")
    assert brought["what"] == "in agents/hello.md:2: the variable who"
    assert (brought["file"], brought["line"]) == ("voiceops.yaml", 4)


def test_the_server_of_the_runtime(desk: Bench) -> None:
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nruntime:\n  url: https://v.example\n")
    desk.edit("agents/tool.yaml", "spec:\n", "spec:\n  server: runtime\n")
    found = explained(desk, "Tool/lookup.server.url", "--offline")
    assert found["value"] == "https://v.example/vapi/events"
    assert found["sources"][-1]["brings"][0]["line"] == 5


def test_a_patch_that_takes_a_value_out(desk: Bench) -> None:
    desk.write("environments/live.yaml", "patches:\n  - target: Agent/desk\n    merge: {voice: {speed: null}}\n")
    found = explained(desk, f"{DESK}.voice.speed", "--offline")
    assert "value" not in found
    assert places(found)[-1] == ("patch", "environments/live.yaml:3", True)
    assert "not set" in desk.run("explain", f"{DESK}.voice.speed", "--offline").out


def test_the_default_name(desk: Bench) -> None:
    desk.write("environments/live.yaml", "naming: {suffix: ' (live)'}\n")
    found = explained(desk, f"{DESK}.name", "--offline")
    assert found["value"] == "desk (live)"
    assert "naming:" in found["sources"][-1]["name"]


# how it may be asked


@pytest.mark.parametrize(
    "path",
    [
        "model.messages[0].content",
        "messages[0].content",
        "systemPrompt",
        "model.systemPrompt",
        "spec.model.systemPrompt",
    ],
)
def test_every_way_to_say_the_prompt(desk: Bench, path: str) -> None:
    found = explained(desk, f"{DESK}.{path}", "--offline")
    assert found["path"] == "model.messages[0].content"
    assert found["value"] == "Be short.\nBe kind.\n"
    assert places(found) == [("manifest", "agents/agent.yaml:8", True)]


@pytest.mark.parametrize(
    ("target", "path", "line"),
    [
        (f"{DESK}.model.tools[0]", "model.toolIds[0]", "agents/agent.yaml:12"),
        ("Phone/line.agent", "assistantId", "agents/line.yaml:3"),
        ("Phone/line.assistantId", "assistantId", "agents/line.yaml:3"),
    ],
)
def test_words_of_the_manifest(desk: Bench, target: str, path: str, line: str) -> None:
    found = explained(desk, target, "--offline")
    assert found["path"] == path
    assert found["sources"][-1]["wins"]


def test_the_side_of_a_line_at_twilio(desk: Bench) -> None:
    desk.edit("agents/line.yaml", "agent: desk}", "agent: desk, twilio: {friendlyName: Main}}")
    desk.apply()
    for path in ("twilio.friendlyName", "friendlyName", "twilio.friendly_name"):
        found = explained(desk, f"Phone/line.{path}")
        assert (found["address"], found["value"]) == ("Phone/line/twilio", "Main")
        assert found["live"]["value"] == "Main"


def test_a_map_tells_of_all_that_is_in_it(desk: Bench) -> None:
    found = explained(desk, f"{DESK}.voice", "--offline")
    assert {one["path"] for one in found["values"]} == {"voice.provider", "voice.voiceId", "voice.speed"}


def test_a_whole_manifest(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "kind: Agent\n", "kind: Agent\nlabels: {team: care}\n")
    found = explained(desk, DESK, "--offline")
    assert found["facts"] == {"labels": "team=care"}
    assert (found["file"], found["line"]) == ("agents/agent.yaml", 1)
    assert {"path": "transcriber.model", "value": "nova-2", "layer": "manifest"}.items() <= {
        k: v for one in found["values"] if one["path"] == "transcriber.model" for k, v in one.items()
    }.items()
    out = desk.run("explain", DESK, "--offline").out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("Agent/dsk", "Did you mean Agent/desk?"),
        (f"{DESK}.voice.sped", "voice.speed"),
        (f"{DESK}.model.systemPromt", "model.systemPrompt"),
        (f"{DESK}.model[", "is no path"),
        ("desk", "is no address\n    Did you mean Agent/desk?"),
        ("desk.voice.speed", "Did you mean Agent/desk.voice.speed?"),
        ("nobody", "is no address\n    Write Kind/name, Kind/name.path, or a line's number."),
        ("+14155550111", "no manifest has the line"),
        ("sip:nobody@sip.vapi.ai", "no manifest has the line"),
        (f"{DESK}.provider", "could be 3 places"),
        ("Agent/elsewhere", "there is no Agent/elsewhere in live"),
    ],
)
def test_what_is_not_there(desk: Bench, target: str, told: str) -> None:
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live, other]\ndefaultEnvironment: live\n")
    desk.write("agents/else.yaml", AGENT.replace("name: desk", "name: elsewhere\nenvironments: [other]"))
    ran = desk.run("explain", target, "--offline", code=1)
    assert told in ran.err


# what was applied, and what is live


def test_the_revision_that_set_it(desk: Bench) -> None:
    desk.apply("-m", "first")
    desk.edit("agents/agent.yaml", "speed: 1.0", "speed: 1.1")
    desk.apply("-m", "quicker")
    desk.edit("agents/agent.yaml", "Hello", "Good morning")
    desk.apply("-m", "greeting")
    speed, greeting, model, whole = (
        explained(desk, target)["applied"]
        for target in (f"{DESK}.voice.speed", f"{DESK}.firstMessage", f"{DESK}.model.model", DESK)
    )
    assert (speed["revision"]["number"], speed["revision"]["message"], speed["value"]) == (2, "quicker", 1.1)
    assert greeting["revision"]["number"] == 3
    assert model["revision"]["number"] == 1
    assert whole["revision"]["number"] == 3
    assert "revision 2" in desk.run("explain", f"{DESK}.voice.speed").out


def test_the_revision_under_another_name(desk: Bench) -> None:
    desk.apply()
    desk.write("agents/agent.yaml", AGENT.replace("name: desk", "name: front\nmoved: {from: Agent/desk}"))
    desk.edit("agents/line.yaml", "agent: desk", "agent: front")
    desk.edit("agents/agent.yaml", "spec:\n", "spec:\n  name: desk\n")
    desk.apply()
    assert explained(desk, "Agent/front.voice.speed")["applied"]["revision"]["number"] == 1


def test_an_object_that_was_adopted(desk: Bench) -> None:
    made = desk.control.create("/assistant", {"name": "desk", "model": {"provider": "openai", "model": "gpt-4.1-mini"}})
    desk.run("import", DESK, made["id"])
    found = explained(desk, f"{DESK}.model.model")
    assert found["applied"]["id"] == made["id"]
    assert found["applied"]["revision"] is None
    assert found["live"]["value"] == "gpt-4.1-mini"


def test_an_edit_in_the_dashboard(desk: Bench) -> None:
    desk.apply()
    desk.control.edit(desk.id_of(DESK), {"voice": {"speed": 1.4}})
    found = explained(desk, f"{DESK}.voice.speed")
    assert (found["value"], found["applied"]["value"], found["live"]["value"]) == (1.0, 1.0, 1.4)
    assert found["live"]["edited"] == ["voice.speed"]
    assert "1.4 · edited live since it was applied" in desk.run("explain", f"{DESK}.voice.speed").out
    assert "edited live: voice.speed" in desk.run("explain", DESK).out
    assert "edited" not in desk.run("explain", f"{DESK}.firstMessage").out


def test_what_was_not_applied_yet(desk: Bench) -> None:
    desk.apply()
    desk.edit("agents/agent.yaml", "Hello", "Good morning")
    found = explained(desk, f"{DESK}.firstMessage")
    assert (found["value"], found["live"]["value"]) == ("Good morning", "Hello")
    assert found["notes"] == [f"not applied yet: `voiceops plan --target {DESK}`"]
    assert explained(desk, f"{DESK}.voice.speed")["notes"] == []


def test_an_object_that_is_gone(desk: Bench) -> None:
    desk.apply()
    desk.control.delete(desk.id_of("Tool/lookup"))
    assert explained(desk, "Tool/lookup.type")["live"]["exists"] is False
    assert "does not exist any more" in desk.run("explain", "Tool/lookup").out


def test_what_the_server_filled_in(desk: Bench) -> None:
    desk.apply()
    found = explained(desk, f"{DESK}.createdAt")
    assert found["live"]["value"]
    assert "no manifest sets it" in found["notes"][0]
    assert "createdAt" in desk.run("explain", f"{DESK}.createdAt", "--offline", code=1).err


def test_without_keys_or_network(desk: Bench) -> None:
    desk.apply()
    for environ, told in (
        ({"VAPI_API_KEY": None}, "VAPI_API_KEY is not set"),
        ({"VAPI_BASE_URL": "http://127.0.0.1:9"}, "127.0.0.1:9"),
    ):
        found = explained(desk, f"{DESK}.voice.speed", **environ)
        assert (found["value"], found["live"]["read"]) == (1.0, False)
        assert told in found["live"]["why"]
    desk.control.reset_requests()
    assert explained(desk, f"{DESK}.voice.speed", "--offline")["applied"]["value"] == 1.0
    assert desk.control.requests() == []


def test_a_state_that_cannot_be_read(desk: Bench) -> None:
    desk.apply()
    desk.write(".voiceops/state/live/state.json", "{")
    found = explained(desk, f"{DESK}.voice.speed")
    assert found["value"] == 1.0
    assert "the state: " in found["notes"][0]


def test_nothing_is_written(desk: Bench) -> None:
    desk.apply()
    before = desk.state()
    desk.control.reset_requests()
    for target in (DESK, f"{DESK}.voice.speed", "Phone/line"):
        explained(desk, target)
    assert desk.writes() == []
    assert desk.state() == before


# what is no resource


def test_parts_externals_and_what_is_let_go(desk: Bench) -> None:
    desk.write("agents/parts.yaml", PARTS)
    desk.edit("agents/agent.yaml", "{provider: 11labs, voiceId: sarah, speed: 1.0}", "warm")
    desk.apply()
    desk.write("agents/theirs.yaml", "kind: Squad\nname: theirs\nexternal: {name: Their Squad}\n")
    assert "used by Agent/desk" in explained(desk, "Voice/warm")["notes"][0]
    assert "used by Agent/desk" in explained(desk, "Voice/base")["notes"][0]
    assert "somebody else's object" in explained(desk, "Squad/theirs")["notes"][0]
    desk.write("agents/line.yaml", "kind: Phone\nname: line\nlifecycle: {forget: true}\n")
    assert "let go here" in explained(desk, "Phone/line")["notes"][0]
    desk.remove("agents/line.yaml")
    assert "in no manifest any more" in explained(desk, "Phone/line")["notes"][0]


# secrets


SECRETS = """\
kind: Tool
name: secretive
spec:
  type: apiRequest
  name: ask
  url: https://x.example
  method: GET
---
kind: Credential
name: crm
spec:
  provider: custom-credential
  name: crm
  authenticationPlan: {type: bearer, token: a-very-plain-secret}
---
kind: Agent
name: calls
spec:
  server:
    url: https://x.example
    headers: {Authorization: Bearer plain-in-header, X-Shop: fern}
"""


@pytest.mark.parametrize(
    "target",
    [
        "Credential/crm",
        "Credential/crm.authenticationPlan",
        "Credential/crm.authenticationPlan.token",
        "Agent/calls",
        "Agent/calls.server",
        "Agent/calls.server.headers",
        "Agent/calls.server.headers.Authorization",
    ],
)
def test_no_secret_is_shown(live: Bench, target: str) -> None:
    live.write("agents/secrets.yaml", SECRETS)
    live.apply()
    for arguments in ((), ("--format", "json"), ("--offline",)):
        out = live.run("explain", target, *arguments).out
        assert "a-very-plain-secret" not in out
        assert "plain-in-header" not in out
        assert "(sensitive)" in out


def test_a_secret_by_name_is_named(live: Bench) -> None:
    live.write("agents/secrets.yaml", SECRETS.replace("a-very-plain-secret", "'${secret:CRM_TOKEN}'"))
    live.write(
        "environments/live.yaml",
        "patches: [{target: Credential/crm, merge: {authenticationPlan: {token: '${secret:OTHER_TOKEN}'}}}]\n",
    )
    found = explained(live, "Credential/crm.authenticationPlan.token", "--offline", OTHER_TOKEN="s3cr3t-of-the-other")
    assert [one["written"] for one in found["sources"]] == ["${secret:CRM_TOKEN}", "${secret:OTHER_TOKEN}"]
    assert found["sources"][-1]["brings"][0]["what"] == "the secret OTHER_TOKEN, set"
    assert "s3cr3t" not in str(found)


def test_an_overridden_secret_is_not_shown_either(live: Bench) -> None:
    live.write("agents/secrets.yaml", SECRETS)
    live.write(
        "environments/live.yaml",
        "patches: [{target: Credential/crm, merge: {authenticationPlan: {token: '${secret:OTHER_TOKEN}'}}}]\n",
    )
    out = live.run("explain", "Credential/crm.authenticationPlan.token", "--offline").out
    assert "a-very-plain-secret" not in out


def test_a_secret_in_a_map_that_counts_no_more(live: Bench) -> None:
    live.write("agents/secrets.yaml", SECRETS)
    live.write(
        "environments/live.yaml",
        "patches: [{target: Agent/calls, merge: {server: {headers: null, url: 'https://y'}}}]\n",
    )
    for arguments in ((), ("--format", "json")):
        out = live.run("explain", "Agent/calls.server", "--offline", *arguments).out
        assert "plain-in-header" not in out
        assert "https://y" in out


# lines


def test_who_answers_a_line(live: Bench) -> None:
    shop(live)
    live.apply()
    found = explained(live, "Phone/main-line")
    steps = "\n".join(found["answers"])
    assert "the manifest means Squad/customer-care (agents/lines.yaml:" in steps
    assert "hands the call to Vapi" in steps
    assert f"Squad/customer-care ({live.id_of('Squad/customer-care')})" in steps
    assert "first speaks Agent/front-desk" in steps
    assert "the runtime answers its tools: Tool/lookup-order" in steps
    assert found["answers"][-1] == "so Vapi answers, for Squad/customer-care"
    through_runtime = "\n".join(explained(live, "+14155550101")["answers"])
    assert "calls the runtime: " in through_runtime
    assert "so the runtime answers, for Agent/reminders" in through_runtime


def test_a_line_that_nobody_answers(desk: Bench) -> None:
    desk.apply()
    desk.control.edit_number("+14155550100", voice_url="")
    found = explained(desk, "Phone/line")
    assert "has no voice URL" in "\n".join(found["answers"])
    assert found["answers"][-1] == "so nobody answers"
    assert found["off"]
    out = desk.run("explain", "Phone/line").out
    assert "✗" in out


def test_a_line_without_network(desk: Bench) -> None:
    assert explained(desk, "Phone/line", "--offline")["answers"] == [
        "the manifest means Agent/desk (agents/line.yaml:3)",
        "Agent/desk is told what to say in agents/agent.yaml:8",
    ]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("{provider: vapi, name: line, answer: none}", "means nobody: it only calls out"),
        ("{provider: vapi, name: line}", "names nobody"),
        ("{provider: vapi, sipUri: 'sip:Desk@sip.vapi.ai', agent: desk}", "means Agent/desk"),
    ],
)
def test_what_a_line_means(desk: Bench, spec: str, told: str) -> None:
    desk.write("agents/line.yaml", f"kind: Phone\nname: line\nspec: {spec}\n")
    assert told in explained(desk, "Phone/line", "--offline")["answers"][0]
    if "sip" in spec:
        assert explained(desk, "sip:desk@sip.vapi.ai", "--offline")["address"] == "Phone/line"


def test_a_line_of_an_external_agent(desk: Bench) -> None:
    theirs = desk.control.create("/assistant", {"name": "Their Desk"})
    desk.write("agents/theirs.yaml", "kind: Agent\nname: theirs\nexternal: {name: Their Desk}\n")
    desk.edit("agents/line.yaml", "agent: desk", "agent: theirs")
    desk.apply()
    steps = "\n".join(explained(desk, "Phone/line")["answers"])
    assert "the manifest means Agent/theirs" in steps
    assert f"the assistant 'Their Desk' ({theirs['id']}), not managed here" in steps


def test_a_line_that_no_manifest_has(desk: Bench) -> None:
    desk.apply()
    body = {"provider": "vapi", "number": "+14155550177", "assistantId": desk.id_of(DESK)}
    made = desk.control.create("/phone-number", body)
    found = explained(desk, "+14155550177")
    assert found["answers"][0].endswith(f"gives the call to Agent/desk ({desk.id_of(DESK)})")
    assert made["id"] in found["notes"][0]
    assert "Who answers" in desk.run("explain", "+14155550177").out
    assert "Vapi has no such number" in explained(desk, "+14155550101")["answers"]
    assert "no manifest has the line" in desk.run("explain", "+14155550178", code=1).err


def test_a_line_whose_manifest_is_gone(desk: Bench) -> None:
    desk.apply()
    desk.remove("agents/line.yaml")
    found = explained(desk, "+14155550100")
    assert found["address"] == "Phone/line"
    assert "the next apply takes it away" in found["notes"][0]


def test_what_vapi_writes_into_a_number(desk: Bench) -> None:
    desk.apply()
    found = explained(desk, "Phone/line/twilio.voice_url")
    assert found["notes"] == []
    assert found["live"]["value"].startswith("https://api.vapi.ai/")
    assert "voice_url of Phone/line" in desk.run("explain", "Phone/line/twilio.voice_url").out
    assert "Who answers" not in desk.run("explain", "Phone/line/twilio").out


def test_a_secret_that_the_api_does_not_show(live: Bench) -> None:
    live.write("agents/secrets.yaml", SECRETS)
    live.apply()
    out = live.run("explain", "Credential/crm.authenticationPlan.token").out
    assert "live     (sensitive" in out


@pytest.mark.parametrize(
    "target", ["", "Agent/", "Agent/desk.", "..", "+", "☎", f"{DESK}.\x1b[31m", f"{DESK}.{'a.' * 900}b"]
)
def test_odd_questions_have_one_answer(desk: Bench, target: str) -> None:
    ran = desk.run("explain", target, "--offline", code=1)
    assert len(ran.err.splitlines()) <= 2
    assert "\x1b" not in ran.err
    assert len(ran.err) < 500


def test_what_was_pulled(live: Bench) -> None:
    body = {"name": "Their Desk", "model": {"provider": "openai", "model": "gpt-4.1-mini"}}
    live.control.create("/assistant", body)
    live.run("pull")
    found = explained(live, "Agent/their-desk.model.model")
    assert found["value"] == found["live"]["value"] == "gpt-4.1-mini"
    assert found["applied"]["revision"]["number"] == 1
    assert found["notes"] == []
