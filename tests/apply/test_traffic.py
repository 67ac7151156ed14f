"""Versions: what a plan and an apply say where callers don't get what was written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench

PATH = "/traffic-allocations"
TEAM = "kind: Squad\nname: team\nspec:\n  members: [{agent: desk}]\n"


@pytest.fixture
def line(live: Bench) -> Bench:
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    live.control.switches(traffic_splitting=True)
    live.apply()
    return live


def split(bench: Bench, *shares: tuple[str, float], **more: Any) -> None:
    """As somebody splits traffic in the dashboard."""
    targets = [{"assistantVersion": v, "position": n, "percentage": p} for n, (v, p) in enumerate(shares)]
    bench.control.create(
        PATH,
        {"assistantId": bench.id_of("Agent/desk"), "allocationIntent": "explicit", "targets": targets, **more},
    )


def warned(bench: Bench, code: str) -> list[dict[str, Any]]:
    return [d for d in bench.plan()["diagnostics"] if d["code"] == code]


def greet(bench: Bench, text: str) -> None:
    bench.edit("agents/agent.yaml", "firstMessage: Hello", f"firstMessage: {text}")


def test_an_organization_without_splits_has_no_warning(line: Bench) -> None:
    greet(line, "Good morning")
    assert line.plan()["diagnostics"] == []
    assert "Applied" in line.apply().out


def test_one_request_tells_all_allocations_and_a_403_none(line: Bench) -> None:
    for allowed in (True, False):
        line.control.switches(traffic_splitting=allowed)
        line.control.reset_requests()
        line.plan()
        assert [(r["method"], r["path"]) for r in line.control.requests() if r["path"].startswith(PATH)] == [
            ("GET", PATH)
        ]
    line.control.fault("status", path=f"^{PATH}", status=404)
    assert line.plan()["diagnostics"] == []


def test_a_plan_says_what_callers_get_and_whom_it_is_about(line: Bench) -> None:
    split(line, ("v1", 90), ("v2", 10))
    greet(line, "Good morning")
    (found,) = warned(line, "traffic-split")
    assert (found["severity"], found["address"]) == ("warning", "Agent/desk")
    assert "v1 (90 %) and v2 (10 %)" in found["summary"]
    assert "an update alone reaches none of them" in found["summary"]
    assert "Phone/line" in found["summary"]
    (change,) = [c for c in line.plan()["resource_changes"] if c["address"] == "Agent/desk"]
    assert change["affects"] == ["Phone/line"]
    for format_ in ("text", "markdown", "html"):
        assert "v1 (90 %)" in line.run("plan", "--format", format_).out


def test_an_apply_under_a_split_never_says_applied(line: Bench) -> None:
    split(line, ("v1", 100))
    greet(line, "Good morning")
    out = line.apply().out
    assert "Applied" not in out
    assert "Written, but not all callers get it" in out
    assert "callers get v1 (100 %) by a traffic split; the newest is v2, which nobody gets" in out
    greet_again = line.folder / "agents/agent.yaml"
    greet_again.write_text(greet_again.read_text().replace("Good morning", "Good evening"))
    (summary,) = [e for e in line.apply("--format", "json").lines if e["type"] == "summary"]
    assert summary["traffic"] == [
        {
            "address": "Agent/desk",
            "latestVersion": "v3",
            "draft": False,
            "shares": [{"version": "v1", "percentage": 100.0}],
        }
    ]


def test_only_the_newest_row_of_an_assistant_counts(line: Bench) -> None:
    split(line, ("v1", 100), createdAt="2026-01-01T00:00:00.000Z")
    line.control.create(
        PATH,
        {
            "assistantId": line.id_of("Agent/desk"),
            "allocationIntent": "follow-latest",
            "targets": [],
            "createdAt": "2026-02-01T00:00:00.000Z",
        },
    )
    assert warned(line, "traffic-split") == []
    greet(line, "Good morning")
    assert "Applied" in line.apply().out


def test_a_rollback_by_update_reaches_nobody_under_a_split(line: Bench) -> None:
    greet(line, "Good morning")
    line.apply()
    split(line, ("v2", 100))
    out = line.run("rollback", "1", "--auto-approve").out
    assert "callers get v2 (100 %) by a traffic split; the newest is v3, which nobody gets" in out


def test_an_update_of_another_agent_is_applied(line: Bench) -> None:
    line.write("agents/other.yaml", AGENT.replace("name: desk", "name: other"))
    line.apply()
    split(line, ("v1", 100))
    line.edit("agents/other.yaml", "firstMessage: Hello", "firstMessage: Good morning")
    assert "Applied" in line.apply().out


def test_an_update_that_makes_no_version_may_be_a_draft_and_is_said(line: Bench) -> None:
    line.control.switches(drafts=True)
    greet(line, "Good morning")
    ran = line.apply("--format", "json")
    (warning,) = [e for e in ran.lines if e["type"] == "warning"]
    assert "still v1" in warning["message"]
    (summary,) = [e for e in ran.lines if e["type"] == "summary"]
    assert [(t["address"], t["draft"]) for t in summary["traffic"]] == [("Agent/desk", True)]
    text = line.folder / "agents/agent.yaml"
    text.write_text(text.read_text().replace("Good morning", "Good evening"))
    out = line.apply().out
    assert "Applied" not in out
    assert "draft" in out


@pytest.mark.parametrize("where", ["manifest", "dashboard"])
def test_an_update_of_a_pinned_agent_reaches_nobody_through_the_pin(line: Bench, where: str) -> None:
    line.write("agents/team.yaml", TEAM.replace("{agent: desk}", "{agent: desk, assistantVersion: v1}"))
    if where == "dashboard":
        line.write("agents/team.yaml", TEAM)
    line.edit("agents/line.yaml", "agent: desk", "squad: team")
    line.apply()
    if where == "dashboard":
        line.control.edit(line.id_of("Squad/team"), set_={"members[0].assistantVersion": "v1"})
    assert warned(line, "version-pinned") == []
    greet(line, "Good morning")
    (found,) = warned(line, "version-pinned")
    assert (found["address"], found["severity"]) == ("Agent/desk", "warning")
    assert "Squad/team pins it to v1" in found["summary"]
    (change,) = [c for c in line.plan()["resource_changes"] if c["address"] == "Agent/desk"]
    assert change["affects"] == ["Phone/line"]


def test_an_update_of_a_pinned_tool_reaches_nobody_through_the_pin(line: Bench) -> None:
    line.edit("agents/agent.yaml", "    tools: [lookup]\n", "    toolRefs: [{toolId: lookup, version: v1}]\n")
    line.apply()
    line.edit("agents/tool.yaml", "Finds an order.", "Finds every order.")
    (found,) = warned(line, "version-pinned")
    assert (found["address"], "Agent/desk pins it to v1" in found["summary"]) == ("Tool/lookup", True)
    (change,) = [c for c in line.plan()["resource_changes"] if c["address"] == "Tool/lookup"]
    assert change["affects"] == ["Phone/line"]


@pytest.mark.parametrize(("date", "words"), [("2099-01-01", "is retired on"), ("2025-01-01", "was retired on")])
def test_a_model_that_goes_is_said_and_is_no_drift(line: Bench, date: str, words: str) -> None:
    dates = {"deprecationDate": "2024-12-01", "retirementDate": date}
    line.control.deprecations(
        {"provider": "openai", "model": "gpt-4.1-mini", **dates, "replacementModel": "gpt-4.1"},
        {"provider": "openai", "model": "gpt-4.1", **dates},
    )
    (found,) = warned(line, "model-retirement")
    assert (found["address"], found["hint"]) == ("Agent/desk", "Vapi recommends gpt-4.1.")
    assert f"{words} {date}" in found["summary"]
    assert line.changes() == {}
    assert line.run("drift").code == 0
    line.edit("agents/agent.yaml", "model: gpt-4.1-mini", "model: gpt-5")
    assert warned(line, "model-retirement") == []


def test_an_adversarial_notice_without_a_date_says_nothing(line: Bench) -> None:
    line.control.switches(adversarial=True)
    assert warned(line, "model-retirement") == []
