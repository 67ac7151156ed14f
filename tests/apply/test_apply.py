"""The main job against the sandbox: manifests become live, and stay as they are until something changes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, bench, shop

DESK, LOOKUP, PHONE = "Agent/desk", "Tool/lookup", "Phone/line"


@pytest.fixture
def desk(live: Bench) -> Bench:
    """One agent with one tool on one line, applied."""
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    live.apply()
    live.control.reset_requests()
    return live


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"adversarial": True, "lag": 1.0, "lag_update": 0.7, "versions": True},
        {"list_order": "random", "created_at": "2026-01-01T00:00:00.000Z", "cleared": "omit", "phone_secrets": "omit"},
        {"credential_secrets": "mask", "phone_secrets": "mask", "list_order": "asc"},
        {"credential_secrets": "echo"},
    ],
    ids=["plain", "adversarial", "random order", "masked", "echoed"],
)
def test_after_an_apply_there_is_nothing_to_do_at_once_and_later(tmp_path: Path, switches: dict[str, object]) -> None:
    with bench(tmp_path, **switches) as made:
        shop(made)
        first = made.apply()
        assert "20 created" in first.out
        assert made.changes() == {}
        made.control.reset_requests()
        assert "Nothing to do" in made.apply().out
        assert made.writes() == []
        time.sleep(1.1)
        assert made.changes() == {}


def test_a_plan_sends_one_list_a_kind_and_nothing_else(desk: Bench) -> None:
    desk.plan()
    asked = [(r["method"], r["path"]) for r in desk.control.requests()]
    assert sorted(asked) == [
        ("GET", f"/2010-04-01/Accounts/{desk.server.account_sid}/IncomingPhoneNumbers.json"),
        ("GET", "/assistant"),
        ("GET", "/phone-number"),
        ("GET", "/tool"),
        ("GET", "/traffic-allocations"),
    ]


def test_one_changed_line_is_one_update_that_keeps_what_the_dashboard_added(desk: Bench) -> None:
    desk.control.edit(desk.id_of(DESK), {"model": {"maxTokens": 321}, "endCallMessage": "Bye."})
    desk.edit("agents/agent.yaml", "Be kind.", "Be brave.")
    plan = desk.plan()
    change = next(c for c in plan["resource_changes"] if c["address"] == DESK)
    assert [(p["path"], p["source"]) for p in change["change"]["paths"]] == [
        ("model.messages[0].content", "spec.model.systemPrompt")
    ]
    assert change["affects"] == [PHONE]
    desk.control.reset_requests()
    desk.apply()
    assert desk.writes() == [("PATCH", f"/assistant/{desk.id_of(DESK)}")]
    live = desk.live(DESK)
    assert live["model"]["messages"][0]["content"] == "Be short.\nBe brave.\n"
    assert live["model"]["toolIds"] == [desk.id_of(LOOKUP)]
    assert (live["model"]["maxTokens"], live["endCallMessage"]) == (321, "Bye.")


def test_a_field_that_leaves_the_manifest_is_reset_and_then_nobodys(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "  firstMessage: Hello\n", "")
    desk.edit("agents/agent.yaml", ", speed: 1.0", "")
    paths = {p["path"] for c in desk.plan()["resource_changes"] for p in c["change"]["paths"]}
    assert paths == {"firstMessage", "voice.speed"}
    desk.apply()
    live = desk.live(DESK)
    assert live.get("firstMessage") is None
    assert "speed" not in live["voice"]
    desk.control.edit(desk.id_of(DESK), {"firstMessage": "Set in the dashboard", "voice": {"speed": 0.8}})
    assert desk.changes() == {}


def test_drift_is_listed_shown_before_and_reverted(desk: Bench) -> None:
    desk.control.edit(desk.id_of(DESK), {"firstMessage": "Hi there", "voice": {"stability": 0.4}})
    plan = desk.plan()
    assert [(d["address"], d["change"]["paths"][0]["after"]) for d in plan["resource_drift"]] == [(DESK, "Hi there")]
    assert desk.run("drift", code=2).out.count("firstMessage") == 1
    desk.apply()
    live = desk.live(DESK)
    assert (live["firstMessage"], live["voice"]["stability"]) == ("Hello", 0.4)
    assert desk.run("show", "2", "--format", "json").data["overwritten"][DESK]["firstMessage"] == "Hi there"


@pytest.mark.parametrize(("policy", "code", "message"), [("keep", 0, "Hi there"), ("refuse", 5, "Hi there")])
def test_drift_can_be_kept_or_refused(desk: Bench, policy: str, code: int, message: str) -> None:
    desk.write("voiceops.yaml", f"version: 1\nproject: shop\nenvironments: [live]\ndrift: {policy}\n")
    desk.control.edit(desk.id_of(DESK), {"firstMessage": "Hi there"})
    desk.edit("agents/agent.yaml", "nova-2", "nova-3")
    desk.apply(code=code)
    assert desk.live(DESK)["firstMessage"] == message
    assert desk.live(DESK)["transcriber"]["model"] == ("nova-3" if policy == "keep" else "nova-2")


def test_another_tool_type_is_a_replacement_made_repointed_deleted(desk: Bench) -> None:
    old = desk.id_of(LOOKUP)
    desk.write("agents/tool.yaml", "kind: Tool\nname: lookup\nspec: {type: dtmf}\n")
    assert desk.changes() == {LOOKUP: ["create", "delete"], DESK: ["update"]}
    desk.apply()
    new = desk.id_of(LOOKUP)
    assert [(m, p) for m, p in desk.writes()] == [
        ("POST", "/tool"),
        ("PATCH", f"/assistant/{desk.id_of(DESK)}"),
        ("DELETE", f"/tool/{old}"),
    ]
    assert desk.live(DESK)["model"]["toolIds"] == [new]
    assert desk.changes() == {}


def test_a_circle_is_made_in_two_steps_and_no_list_is_ever_shortened(live: Bench) -> None:
    shop(live)
    live.apply()
    tools = [r for r in live.control.requests() if r["path"].startswith("/tool") and r["method"] != "GET"]
    sent = [json.loads(r["body"]).get("destinations") for r in tools]
    assert all(destinations is None or len(destinations) == 1 for destinations in sent)
    assert [r["method"] for r in tools].count("PATCH") == 1
    assert live.changes() == {}
    # Deleting all of it works, in spite of the circle.
    live.edit("agents/front-desk.yaml", "preventDestroy: true", "preventDestroy: false")
    live.edit("agents/lines.yaml", "preventDestroy: true", "preventDestroy: false")
    live.apply()
    live.run("destroy", "--auto-approve", "--force")
    assert live.control.objects("/assistant") + live.control.objects("/tool") == []


def test_a_refused_change_stops_what_depends_on_it_and_nothing_else(desk: Bench) -> None:
    desk.write(
        "agents/more.yaml",
        AGENT.replace("desk", "other").replace("lookup", "second")
        + "---\n"
        + TOOL.replace("lookup", "second")
        + "---\nkind: Tool\nname: bye\nspec: {type: endCall}\n",
    )
    fault = desk.control.fault(
        "status",
        method="POST",
        path="^/tool$",
        body="second",
        status=400,
        answer={"statusCode": 400, "message": ["function.name must be shorter"], "error": "Bad Request"},
    )
    ran = desk.apply(code=3)
    assert "✗ Tool/second not created" in ran.out
    assert "function.name must be shorter" in ran.out
    assert "agents/more.yaml:" in ran.out
    assert "Agent/other skipped because Tool/second failed" in ran.out
    assert "✓ Tool/bye created" in ran.out
    desk.control.clear_faults(fault)
    assert set(desk.changes()) == {"Agent/other", "Tool/second"}
    desk.apply()
    assert desk.changes() == {}
    assert len(desk.control.objects("/tool")) == 3


def test_an_api_that_names_a_field_points_at_the_manifests_line(live: Bench) -> None:
    live.write(
        "agents/agent.yaml",
        "kind: Agent\nname: desk\nallowUnknown: true\nspec:\n"
        "  voice:\n    provider: 11labs\n    voiceId: sarah\n    sparkle: 3\n",
    )
    ran = live.apply(code=1)
    assert "voice.property sparkle should not exist" in ran.out
    assert "agents/agent.yaml:8:5" in ran.out


def test_what_the_api_drops_is_said_and_is_no_change_afterwards(tmp_path: Path) -> None:
    with bench(tmp_path, normalise=True) as made:
        made.write("agents/tool.yaml", TOOL)
        made.write(
            "agents/agent.yaml",
            AGENT.replace("tools: [lookup]", "toolIds: [lookup]\n    toolRefs: [{toolId: lookup, version: v1}]"),
        )
        assert "the API did not keep model.toolIds" in made.apply().out
        assert made.changes() == {}


def test_a_line_is_bound_only_when_its_agent_answers(tmp_path: Path) -> None:
    with bench(tmp_path, lag=1.2) as made:
        for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
            made.write(f"agents/{name}.yaml", text)
        made.apply()
        asked = made.control.requests(vendor="vapi")
        bound = next(i for i, r in enumerate(asked) if (r["method"], r["path"]) == ("POST", "/phone-number"))
        agent = made.id_of(DESK)
        answers = [r["status"] for r in asked[:bound] if (r["method"], r["path"]) == ("GET", f"/assistant/{agent}")]
        assert answers[-1] == 200
        assert 404 in answers


def test_targets_and_labels_choose(live: Bench) -> None:
    live.write("agents/agent.yaml", AGENT.replace("kind: Agent\n", "kind: Agent\nlabels: {team: a}\n"))
    live.write("agents/tool.yaml", TOOL + "---\nkind: Tool\nname: bye\nspec: {type: endCall}\n")
    assert set(live.changes("--target", "Tool/bye")) == {"Tool/bye"}
    assert set(live.changes("-l", "team=a")) == {DESK, LOOKUP}
    live.apply("--target", DESK)
    assert set(live.changes()) == {"Tool/bye"}


def test_an_unmanaged_twin_is_never_taken_by_accident(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    twin = live.control.create("/tool", {"type": "function", "function": {"name": "lookup"}})["id"]
    plan = live.plan()
    assert not plan["applyable"]
    assert plan["resource_changes"][0]["action_reason"] == "exists_unmanaged"
    refused = live.apply(code=5)
    assert f"voiceops import Tool/lookup {twin}" in refused.err
    assert live.changes("--adopt") == {LOOKUP: ["update"]}
    live.apply("--adopt")
    assert live.id_of(LOOKUP) == twin
    assert len(live.control.objects("/tool")) == 1


def test_import_adopts_one_object(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    twin = live.control.create("/tool", {"type": "function", "function": {"name": "other"}})["id"]
    live.run("import", LOOKUP, twin)
    assert live.changes() == {LOOKUP: ["update"]}
    live.apply()
    assert live.live(LOOKUP)["function"]["name"] == "lookup"


def test_protection_outlives_the_manifest(desk: Bench) -> None:
    desk.write("agents/agent.yaml", AGENT + "lifecycle: {preventDestroy: true}\n")
    assert desk.changes() == {DESK: ["no-op"]}
    assert desk.run("plan", "--detailed-exitcode", code=2)
    desk.apply()
    desk.remove("agents/agent.yaml")
    desk.remove("agents/line.yaml")
    assert "protected" in desk.apply("--force", code=5).err
    assert "protected" in desk.run("destroy", "--auto-approve", "--force", code=5).err
    desk.write("agents/agent.yaml", AGENT)
    desk.apply()
    desk.remove("agents/agent.yaml")
    desk.apply("--force")
    assert desk.control.objects("/assistant") == []


def test_many_deletes_are_refused_without_force(live: Bench) -> None:
    live.write(
        "agents/tools.yaml",
        "---\n".join(f"kind: Tool\nname: t{n}\nspec: {{type: function, function: {{name: t{n}}}}}\n" for n in range(6)),
    )
    live.apply()
    live.write("agents/tools.yaml", "kind: Tool\nname: t0\nspec: {type: function, function: {name: t0}}\n")
    assert "maxDestroyPercent" in live.apply(code=5).err
    live.apply("--force")
    assert len(live.control.objects("/tool")) == 1


def test_another_account_is_refused_and_both_are_named(desk: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    with bench(tmp_path_factory.mktemp("other")) as other:
        ran = desk.run("plan", code=5, VAPI_BASE_URL=other.server.vapi_url)
    assert desk.server.vapi_url in ran.err
    assert other.server.vapi_url in ran.err


def test_renamed_manifests_move_without_touching_anything_live(desk: Bench) -> None:
    agent = desk.id_of(DESK)
    desk.write(
        "agents/agent.yaml",
        AGENT.replace("name: desk\n", "name: front\nmoved: {from: Agent/desk}\n").replace(
            "spec:\n", "spec:\n  name: desk\n", 1
        ),
    )
    desk.edit("agents/line.yaml", "agent: desk", "agent: front")
    assert desk.changes() == {"Agent/front": ["no-op"]}
    desk.apply()
    assert desk.writes() == []
    assert desk.id_of("Agent/front") == agent
    assert desk.changes() == {}


def test_an_object_deleted_in_the_dashboard_comes_back(desk: Bench) -> None:
    desk.control.delete(desk.id_of(LOOKUP))
    desk.control.switches(clock_skew=20)  # later than a list may lag
    assert desk.changes() == {LOOKUP: ["create"], DESK: ["update"]}
    desk.apply()
    assert desk.changes() == {}


def test_apply_as_json_lines(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    lines = live.apply("--format", "json").lines
    assert [line["type"] for line in lines] == ["planned", "apply_start", "apply_complete", "summary"]
    assert lines[2]["address"] == LOOKUP
    assert lines[2]["action"] == "create"
    assert lines[2]["id"] == live.id_of(LOOKUP)
    assert lines[2]["elapsed_seconds"] >= 0


def test_without_a_terminal_apply_needs_auto_approve(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    assert "--auto-approve" in live.run("apply", code=1).err
    assert not (live.folder / ".voiceops").exists()


def test_a_deletion_names_who_else_uses_the_object(desk: Bench) -> None:
    other = desk.control.create("/assistant", {"name": "By hand", "model": {"toolIds": [desk.id_of(LOOKUP)]}})
    desk.edit("agents/agent.yaml", "    tools: [lookup]\n", "")
    desk.remove("agents/tool.yaml")
    assert f"still used, and not managed here: the assistant By hand ({other['id']})" in desk.run("plan").out


def test_labels_of_instances_choose_one_of_them(live: Bench) -> None:
    live.write(
        "agents/tool.yaml",
        'kind: Tool\nname: lookup\nforEach: [elm, oak]\nlabels: {client: "${each:key}"}\n'
        'spec: {type: function, function: {name: "lookup-${each:key}"}}\n',
    )
    assert set(live.changes("-l", "client=oak")) == {"Tool/lookup[oak]"}
