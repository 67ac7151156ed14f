"""What an audit finds in an account that people clicked together, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, Ran, bench, shop

GONE = "5b6d2d1e-8a4f-4d55-9d0c-2a4b3c1f7e90"
MODEL = {"provider": "openai", "model": "gpt-4.1-mini"}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Bench]:
    """With one Twilio number, which its line uses."""
    with bench(tmp_path, numbers=("+14155550100",)) as made:
        yield made


@pytest.fixture
def desk(live: Bench) -> Bench:
    """A clean project, applied two minutes ago: a line, its agent, the agent's tool."""
    live.control.switches(clock_skew=-120)
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    live.apply()
    live.control.switches(clock_skew=0)
    return live


def found(bench: Bench, code: int = 2, *arguments: str) -> list[dict[str, Any]]:
    """Findings and notes: only a finding makes it end with 2."""
    ran = bench.run("audit", "--format", "json", *arguments, code=code)
    assert bool(ran.data["findings"]) is (code == 2)
    assert sum(ran.data["summary"].values()) == len(ran.data["findings"])
    listed: list[dict[str, Any]] = [*ran.data["findings"], *ran.data["notes"]]
    return listed


def of(listed: list[dict[str, Any]], code: str, grade: str = "finding") -> list[dict[str, Any]]:
    return [one for one in listed if (one["code"], one["grade"]) == (code, grade)]


def agent(**more: Any) -> dict[str, Any]:
    return {"name": "Their Desk", "model": MODEL} | more


def test_a_clean_project_audits_clean(desk: Bench) -> None:
    assert found(desk, 0) == []
    assert "nothing is wrong" in desk.run("audit").out


def test_the_example_project_audits_clean(live: Bench) -> None:
    live.control.add_number("+14155550101")
    shop(live)
    live.apply()
    assert found(live, 0) == []


def test_it_writes_nothing(desk: Bench) -> None:
    before = desk.state()
    desk.control.create("/assistant", agent())
    desk.control.reset_requests()
    desk.run("audit", code=2)
    assert desk.writes() == []
    assert desk.state() == before


def test_each_list_is_read_once(desk: Bench) -> None:
    desk.control.reset_requests()
    desk.run("audit")
    asked = [r["path"] for r in desk.control.requests()]
    assert len(asked) == len(set(asked))


# what is wrong


def test_what_nobody_manages(desk: Bench) -> None:
    made = desk.control.create("/assistant", agent())
    (one,) = of(found(desk), "unmanaged")
    assert (one["kind"], one["id"], one["name"]) == ("Agent", made["id"], "Their Desk")
    assert one["next"] == f"`voiceops pull --id {made['id']}`"


def test_a_manifest_that_waits_for_it_is_named(desk: Bench) -> None:
    made = desk.control.create("/assistant", agent(name="back"))
    desk.write("agents/back.yaml", AGENT.replace("name: desk", "name: back"))
    (one,) = of(found(desk), "unmanaged")
    assert one["next"] == f"`voiceops import Agent/back {made['id']}`"


def test_two_of_one_name(desk: Bench) -> None:
    first = desk.control.create("/assistant", agent())
    second = desk.control.duplicate(first["id"])
    (one,) = of(found(desk), "double")
    assert first["id"] in one["what"]
    assert second["id"] in one["what"]


def test_a_copy_of_a_managed_one(desk: Bench) -> None:
    copy = desk.control.duplicate(desk.id_of("Agent/desk"))
    (one,) = of(found(desk), "double")
    assert "Agent/desk" in one["what"]
    assert copy["id"] in one["next"]


LEFT_OVER: dict[str, tuple[str, dict[str, Any]]] = {
    "Tool": ("/tool", {"type": "function", "function": {"name": "old"}}),
    "StructuredOutput": ("/structured-output", {"name": "old", "schema": {"type": "object"}}),
    "Scorecard": ("/observability/scorecard", {"name": "old", "metrics": []}),
    "Credential": ("/credential", {"provider": "custom-credential", "name": "old"}),
    "File": ("/file", {"name": "old.txt", "status": "done"}),
    "KnowledgeBase": ("/v2/knowledge-base", {"name": "old"}),
    "Dictionary": (
        "/provider/11labs/pronunciation-dictionary",
        {"name": "old", "provider": "11labs", "resourceId": "their-own-id"},
    ),
    "Personality": ("/eval/simulation/personality", {"name": "old", "assistant": {"model": MODEL}}),
    "Scenario": ("/eval/simulation/scenario", {"name": "old", "instructions": "Call."}),
}


@pytest.mark.parametrize("kind", LEFT_OVER)
def test_what_nothing_refers_to(desk: Bench, kind: str) -> None:
    made = desk.control.create(*LEFT_OVER[kind])
    (one,) = of(found(desk), "unused")
    assert (one["kind"], one["id"]) == (kind, made["id"])


def test_a_managed_tool_that_no_agent_uses(desk: Bench) -> None:
    desk.write("agents/other.yaml", TOOL.replace("lookup", "other"))
    desk.apply()
    (one,) = of(found(desk), "unused")
    assert one["address"] == "Tool/other"
    assert "Tool/other" in one["next"]


OVERRIDES = {"model": MODEL | {"toolIds": [GONE]}}
DANGLING: dict[str, tuple[str, dict[str, Any], str]] = {
    "tool": ("/assistant", agent(model=MODEL | {"toolIds": [GONE]}), "model.toolIds[0]"),
    "output": (
        "/assistant",
        agent(artifactPlan={"structuredOutputIds": [GONE]}),
        "artifactPlan.structuredOutputIds[0]",
    ),
    "credential": ("/assistant", agent(credentialIds=[GONE]), "credentialIds[0]"),
    "server": ("/assistant", agent(server={"url": "https://x.example", "credentialId": GONE}), "server.credentialId"),
    "hook": (
        "/assistant",
        agent(hooks=[{"on": "call.ending", "do": [{"type": "tool", "toolId": GONE}]}]),
        "hooks[0].do[0].toolId",
    ),
    "inline tool": (
        "/assistant",
        agent(
            model=MODEL
            | {"tools": [{"type": "transferCall", "destinations": [{"type": "assistant", "assistantName": "Nobody"}]}]}
        ),
        "model.tools[0].destinations[0].assistantName",
    ),
    "member": ("/squad", {"name": "s", "members": [{"assistantId": GONE}]}, "members[0].assistantId"),
    "overrides": (
        "/squad",
        {"name": "s", "members": [{"assistant": agent(), "assistantOverrides": OVERRIDES}]},
        "members[0].assistantOverrides.model.toolIds[0]",
    ),
    "all members": (
        "/squad",
        {"name": "s", "members": [{"assistant": agent()}], "membersOverrides": OVERRIDES},
        "membersOverrides.model.toolIds[0]",
    ),
    "append": (
        "/squad",
        {
            "name": "s",
            "members": [
                {
                    "assistant": agent(),
                    "assistantOverrides": {
                        "tools:append": [{"type": "query", "knowledgeBases": [{"fileIds": [GONE]}]}],
                    },
                }
            ],
        },
        "members[0].assistantOverrides.tools:append[0].knowledgeBases[0].fileIds[0]",
    ),
    "destination": (
        "/squad",
        {
            "name": "s",
            "members": [
                {"assistant": agent(), "assistantDestinations": [{"type": "assistant", "assistantName": "Nobody"}]}
            ],
        },
        "members[0].assistantDestinations[0].assistantName",
    ),
    "handoff": (
        "/tool",
        {"type": "handoff", "destinations": [{"type": "assistant", "assistantId": GONE}]},
        "destinations[0].assistantId",
    ),
    "other side": ("/structured-output", {"name": "o", "assistantIds": [GONE]}, "assistantIds[0]"),
    "simulation": ("/eval/simulation", {"name": "x", "scenarioId": GONE}, "scenarioId"),
    "suite": ("/eval/simulation/suite", {"name": "x", "simulationIds": [GONE]}, "simulationIds[0]"),
    "line": ("/phone-number", {"provider": "vapi", "number": "+14155550177", "assistantId": GONE}, "assistantId"),
    "trunk": (
        "/phone-number",
        {"provider": "byo-phone-number", "number": "+14155550178", "credentialId": GONE},
        "credentialId",
    ),
}


@pytest.mark.parametrize("name", DANGLING)
def test_references_to_nothing(desk: Bench, name: str) -> None:
    collection, body, path = DANGLING[name]
    made = desk.control.create(collection, body)
    (one,) = of(found(desk), "dangling")
    assert (one["id"], one["path"]) == (made["id"], path)
    assert "does not exist" in one["what"]


def test_one_missing_thing_in_many_places_is_one_finding(desk: Bench) -> None:
    hooks = [{"on": "call.ending", "do": [{"type": "tool", "toolId": GONE}]}]
    desk.control.create("/assistant", agent(hooks=hooks, model=MODEL | {"toolIds": [GONE]}))
    (one,) = of(found(desk), "dangling")
    assert "and 1 more place" in one["what"]


def test_a_managed_object_that_names_nothing(desk: Bench) -> None:
    desk.control.delete(desk.id_of("Tool/lookup"))
    (one,) = of(found(desk), "dangling")
    assert one["address"] == "Agent/desk"
    assert "plan --target Agent/desk" in one["next"]


def _unbound(bench: Bench) -> str:
    return str(bench.control.create("/phone-number", {"provider": "vapi", "number": "+14155550177"})["id"])


def _bound_to_nothing(bench: Bench) -> str:
    body = {"provider": "vapi", "number": "+14155550177", "assistantId": GONE}
    return str(bench.control.create("/phone-number", body)["id"])


def _twilio_without_url(bench: Bench) -> str:
    bench.control.edit_number("+14155550100", voice_url="")
    return bench.id_of("Phone/line")


def _managed_unbound(bench: Bench) -> str:
    bench.control.edit(bench.id_of("Phone/line"), {"assistantId": None})
    return bench.id_of("Phone/line")


@pytest.mark.parametrize("make", [_unbound, _bound_to_nothing, _twilio_without_url, _managed_unbound])
def test_numbers_that_nobody_answers(desk: Bench, make: Callable[[Bench], str]) -> None:
    id_ = make(desk)
    (one,) = of(found(desk), "unanswered")
    assert one["id"] == id_
    assert "nobody answers it" in one["what"]
    assert one["next"]


def test_models_with_a_retirement_date(desk: Bench) -> None:
    notice = {"provider": "openai", "model": "gpt-4.1-mini", "deprecationDate": "2026-01-01"}
    desk.control.deprecations(notice | {"retirementDate": "2099-06-01", "replacementModel": "gpt-4.1"})
    (one,) = of(found(desk), "retiring")
    assert one["address"] == "Agent/desk"
    assert "2099-06-01" in one["what"]
    assert "gpt-4.1" in one["next"]
    assert "`voiceops upgrade --models`" in one["next"]


def test_a_split_that_gives_nobody_the_newest(desk: Bench) -> None:
    desk.control.switches(traffic_splitting=True)
    desk.edit("agents/agent.yaml", "Hello", "Good morning")
    desk.apply()
    row = {
        "assistantId": desk.id_of("Agent/desk"),
        "allocationIntent": "explicit",
        "targets": [{"assistantVersion": "v1", "position": 0, "percentage": 100}],
    }
    desk.control.create("/traffic-allocations", row)
    (one,) = of(found(desk), "traffic-split")
    assert one["address"] == "Agent/desk"


@pytest.mark.parametrize(("count", "code"), [(0, "external-missing"), (2, "external-ambiguous")])
def test_external_objects_that_are_not_there(desk: Bench, count: int, code: str) -> None:
    for _ in range(count):
        desk.control.create("/assistant", agent())
    desk.write("agents/theirs.yaml", "kind: Agent\nname: theirs\nexternal: {name: Their Desk}\n")
    (one,) = of(found(desk), code)
    assert (one["address"], one["file"], one["line"]) == ("Agent/theirs", "agents/theirs.yaml", 1)


# what is well


def _stock(bench: Bench) -> None:
    body = {"name": "Impatient", "orgId": None, "assistant": {"model": MODEL}}
    bench.control.create("/eval/simulation/personality", body)


def _only_in_overrides(bench: Bench) -> None:
    tool = bench.control.create("/tool", {"type": "function", "function": {"name": "beside"}})
    overrides = {"model": MODEL | {"toolIds": [tool["id"]]}}
    body = {"members": [{"assistantId": bench.id_of("Agent/desk"), "assistantOverrides": overrides}]}
    bench.control.create("/squad", {"name": "team"} | body)


def _only_in_a_hook(bench: Bench) -> None:
    tool = bench.control.create("/tool", {"type": "function", "function": {"name": "beside"}})
    hooks = [{"on": "call.ending", "do": [{"type": "tool", "toolId": tool["id"]}]}]
    bench.control.create("/assistant", agent(hooks=hooks))


def _inline_member(bench: Bench) -> None:
    members: list[dict[str, Any]] = [
        {
            "assistantId": bench.id_of("Agent/desk"),
            "assistantDestinations": [{"type": "assistant", "assistantName": "In"}],
        },
        {"assistant": agent(name="In")},
    ]
    bench.control.create("/squad", {"name": "team", "members": members})


def _file_of_a_base(bench: Bench) -> None:
    bench.write("agents/hours.txt", "Nine to five.")
    bench.write(
        "agents/base.yaml",
        "kind: File\nname: hours\nspec: {path: hours.txt}\n---\n"
        "kind: KnowledgeBase\nname: facts\nspec: {files: [hours]}\n---\n"
        + AGENT.replace("name: desk", "name: knows").replace("[lookup]", "[KnowledgeBase/facts]"),
    )
    bench.apply()


def _dictionary_by_its_own_id(bench: Bench) -> None:
    body = {"name": "d", "provider": "11labs", "resourceId": "their-own-id", "versionId": "v1"}
    bench.control.create("/provider/11labs/pronunciation-dictionary", body)
    locators = [{"pronunciationDictionaryId": "their-own-id", "versionId": "v1"}]
    voice = {"provider": "11labs", "voiceId": "sarah", "pronunciationDictionaryLocators": locators}
    bench.control.create("/assistant", agent(voice=voice))


def _providers_own_dictionary(bench: Bench) -> None:
    locators = [{"pronunciationDictionaryId": "nobody-here-made-it", "versionId": "v1"}]
    voice = {"provider": "11labs", "voiceId": "sarah", "pronunciationDictionaryLocators": locators}
    bench.control.create("/assistant", agent(voice=voice))


def _key_of_a_provider(bench: Bench) -> None:
    bench.control.create("/credential", {"provider": "openai", "name": "ours"})


def _linked_from_its_own_side(bench: Bench) -> None:
    body = {"name": "o", "schema": {"type": "object"}, "assistantIds": [bench.id_of("Agent/desk")]}
    bench.control.create("/structured-output", body)


def _answered_by_a_hook(bench: Bench) -> None:
    to = {"type": "number", "number": "+14155550199"}
    hooks = [{"on": "call.ringing", "do": [{"type": "transfer", "destination": to}]}]
    bench.control.create("/phone-number", {"provider": "vapi", "number": "+14155550177", "hooks": hooks})


def _only_a_fallback(bench: Bench) -> None:
    to = {"type": "number", "number": "+14155550199"}
    bench.control.create("/phone-number", {"provider": "vapi", "number": "+14155550177", "fallbackDestination": to})


def _asks_a_server(bench: Bench) -> None:
    body = {"provider": "vapi", "number": "+14155550177", "server": {"url": "https://x.example"}}
    bench.control.create("/phone-number", body)


def _number_of_another_account(bench: Bench) -> None:
    body = {"provider": "twilio", "number": "+14155550188", "twilioAccountSid": "AC" + "9" * 32}
    bench.control.create("/phone-number", body | {"assistantId": bench.id_of("Agent/desk")})


def _transfer_destination(bench: Bench) -> None:
    bench.control.create("/assistant", agent())
    to = {"type": "assistant", "assistantName": "Their Desk"}
    bench.control.create("/tool", {"type": "transferCall", "destinations": [to], "function": {"name": "move"}})


WELL = [
    _stock,
    _only_in_overrides,
    _only_in_a_hook,
    _inline_member,
    _file_of_a_base,
    _dictionary_by_its_own_id,
    _providers_own_dictionary,
    _key_of_a_provider,
    _linked_from_its_own_side,
    _answered_by_a_hook,
    _only_a_fallback,
    _asks_a_server,
    _number_of_another_account,
]


@pytest.mark.parametrize("make", WELL)
def test_what_only_looks_wrong(desk: Bench, make: Callable[[Bench], None]) -> None:
    """Nothing of it is managed; apart from that, nothing is wrong with it."""
    make(desk)
    ran = desk.run("audit", "--format", "json", code=None)
    assert [one for one in ran.data["findings"] if one["grade"] == "finding" and one["code"] != "unmanaged"] == []


def test_stock_objects_are_nobodys_to_manage(desk: Bench) -> None:
    _stock(desk)
    assert found(desk, 0) == []


def test_a_knowledge_base_brings_its_tool(desk: Bench) -> None:
    desk.control.create("/v2/knowledge-base", {"name": "k"})
    assert {one["kind"] for one in found(desk)} == {"KnowledgeBase"}


def test_an_agent_that_nothing_refers_to_is_a_note(desk: Bench) -> None:
    desk.write("agents/out.yaml", AGENT.replace("name: desk", "name: out"))
    desk.apply()
    (one,) = found(desk, 0)
    assert (one["code"], one["grade"], one["address"]) == ("unused", "note", "Agent/out")
    assert "outgoing" in one["what"]
    assert "Good to know" in desk.run("audit").out


def test_a_transfer_reaches_an_agent_too(desk: Bench) -> None:
    _transfer_destination(desk)
    assert [one["kind"] for one in of(found(desk), "unused", "note")] == []


def test_an_agent_that_the_runtime_routes_to_is_used(live: Bench) -> None:
    live.write(
        "voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nruntime: {url: 'https://voice.example'}\n"
    )
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    live.write("agents/line.yaml", LINE.replace("agent: desk", "agent: desk, answer: runtime"))
    live.apply()
    assert of(found(live, 0), "unused", "note") == []


def test_an_outgoing_line_that_says_so(desk: Bench) -> None:
    desk.write("agents/out.yaml", "kind: Phone\nname: out\nspec: {provider: vapi, name: out, answer: none}\n")
    desk.apply()
    assert of(found(desk, 0), "unanswered") == []


def test_an_external_object_is_managed_by_somebody_else(desk: Bench) -> None:
    theirs = desk.control.create("/assistant", agent())
    desk.write("agents/theirs.yaml", f"kind: Agent\nname: theirs\nexternal: {{id: {theirs['id']}}}\n")
    assert of(found(desk, 0), "unmanaged") == []


def test_what_is_wrong_in_an_external_object_is_a_note(desk: Bench) -> None:
    theirs = desk.control.create("/assistant", agent(model=MODEL | {"toolIds": [GONE]}))
    tool = desk.control.create("/tool", {"type": "function", "function": {"name": "theirs"}})
    for kind, made in (("Agent", theirs), ("Tool", tool)):
        desk.write(f"agents/{kind}.yaml", f"kind: {kind}\nname: theirs\nexternal: {{id: {made['id']}}}\n")
    (one,) = found(desk, 0)
    assert (one["code"], one["grade"], one["id"]) == ("dangling", "note", theirs["id"])
    assert "whoever manages it" in one["next"]


def test_managed_objects_of_equal_names_are_a_note(desk: Bench) -> None:
    desk.write("agents/two.yaml", AGENT.replace("name: desk", "name: two").replace("spec:\n", "spec:\n  name: desk\n"))
    desk.apply()
    (one,) = of(found(desk, 0), "double", "note")
    assert "Agent/two" in one["what"]
    assert "Agent/desk" in one["what"]


# what it can do without


@pytest.mark.parametrize("declared", [True, False])
def test_all_environments_of_the_account_count(desk: Bench, declared: bool) -> None:
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live, stage]\ndefaultEnvironment: live\n")
    desk.write("environments/stage.yaml", "naming: {suffix: ' (stage)'}\n")
    desk.write("agents/line.yaml", LINE + "environments: [live]\n")
    desk.run("-e", "stage", "apply", "--auto-approve")
    if not declared:
        desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\n")
    assert of(found(desk, 0), "unmanaged") == []
    assert of(found(desk, 0, "--kind", "Tool"), "unmanaged") == []
    (one,) = of(found(desk, 0), "unused", "note")
    assert (one["environment"], one["address"]) == ("stage", "Agent/desk")


def test_what_another_environment_calls_external_is_somebodys(desk: Bench) -> None:
    theirs = desk.control.create("/assistant", agent())
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live, stage]\ndefaultEnvironment: live\n")
    desk.write(
        "agents/theirs.yaml",
        f"kind: Agent\nname: theirs\nenvironments: [stage]\nexternal: {{id: {theirs['id']}}}\n",
    )
    assert of(found(desk, 0), "unmanaged") == []


def test_a_state_that_cannot_be_read_is_said(desk: Bench) -> None:
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live, stage]\ndefaultEnvironment: live\n")
    desk.write("environments/stage.yaml", "state: elsewhere\n")
    desk.write("elsewhere/stage/state.json", "{")
    ran = desk.run("audit", "--format", "json")
    assert "the state of stage could not be read" in ran.data["notLookedAt"][0]


@pytest.mark.parametrize("text", [None, "kind: Agent\nname: x\nspec: {nonsense: 1}\n"])
def test_without_manifests_or_with_broken_ones(desk: Bench, text: str | None) -> None:
    made = desk.control.create("/assistant", agent())
    for name in ("agent", "tool", "line"):
        desk.remove(f"agents/{name}.yaml")
    (desk.folder / "agents").rmdir()
    if text is not None:
        desk.write("agents/x.yaml", text)
    ran = desk.run("audit", "--format", "json", code=2)
    assert [one["id"] for one in of(ran.data["findings"], "unmanaged")] == [made["id"]]
    assert len(ran.data["notLookedAt"]) == (text is not None)


def test_a_kind_that_the_account_may_not_list(desk: Bench) -> None:
    desk.control.fault("status", path="/observability/scorecard", status=403)
    ran = desk.run("audit", "--format", "json")
    assert "scorecards could not be listed" in ran.data["notLookedAt"][0]


@pytest.mark.parametrize("status", [500, 401])
def test_a_list_that_fails_is_an_error(desk: Bench, status: int) -> None:
    desk.control.fault("status", path="/observability/scorecard", status=status)
    assert desk.run("audit", code=1).err


def test_a_key_that_may_list_nothing(live: Bench) -> None:
    live.control.fault("status", status=403, vendor="vapi")
    assert live.run("audit", code=1).err


def test_a_key_that_is_wrong(live: Bench) -> None:
    assert "key" in live.run("audit", code=1, VAPI_API_KEY="another").err


def test_twilio_keys_that_are_not_needed(live: Bench) -> None:
    live.control.fault("status", vendor="twilio", status=403)
    data = live.run("audit", "--format", "json").data
    assert "Twilio numbers could not be listed" in data["notLookedAt"][0]
    assert live.run("audit", TWILIO_AUTH_TOKEN=None).code == 0


def test_a_list_that_the_state_needs_is_an_error(desk: Bench) -> None:
    desk.control.fault("status", path="/assistant", status=403)
    assert desk.run("audit", code=1).err


def test_only_some_kinds(desk: Bench) -> None:
    desk.control.create("/assistant", agent())
    assert found(desk, 0, "--kind", "Tool") == []
    assert {one["kind"] for one in found(desk, 2, "--kind", "Tool", "--kind", "Agent")} == {"Agent"}
    assert "there is no kind 'Agnet'" in desk.run("audit", "--kind", "Agnet", code=1).err


# how it is told


EVIL = "a|b `c` <script>@all \x1b[31m\u202e\n## [x](http://evil.example)"


def _shown(desk: Bench, format_: str) -> Ran:
    desk.control.create("/assistant", agent(name=EVIL))
    desk.control.create("/tool", {"type": "function", "function": {"name": EVIL}})
    return desk.run("audit", "--format", format_, code=2)


def test_names_of_strangers_are_no_markup(desk: Bench) -> None:
    out = _shown(desk, "markdown").out
    assert "\x1b" not in out
    assert "\u202e" not in out
    rows = [line for line in out.splitlines() if line.startswith("| ")]
    assert all(line.replace("\\|", "").count("|") == 4 for line in rows)
    for line in out.splitlines():
        outside = "".join(line.split("``")[::2])  # a name with a backtick stands between two
        assert "<script>" not in outside
        assert "](http" not in outside
        assert "@all" not in outside


def test_the_text_keeps_to_eighty_columns(desk: Bench) -> None:
    out = _shown(desk, "text").out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert max(map(len, out.splitlines())) <= 80
    assert out.splitlines()[0].startswith("shop · live: ")


def test_many_of_a_sort_say_what_helps_once(desk: Bench) -> None:
    desk.control.seed("/assistant", 5, agent(name="Seeded {n}"))
    out = desk.run("audit", code=2).out
    assert out.count("voiceops pull") == 2  # of one, of all
