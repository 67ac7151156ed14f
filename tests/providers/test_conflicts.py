"""Vapi's 409s: the one that is sent again, and a sentence for each of the others."""

from __future__ import annotations

import pytest

from tests.apply.manifests import AGENT, TOOL
from tests.support.bench import Bench


def _conflict(code: str, times: int) -> dict[str, object]:
    return {
        "kind": "status",
        "status": 409,
        "answer": {"error": code, "message": "No."},
        "times": times,
    }


@pytest.fixture
def desk(live: Bench) -> Bench:
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    return live


def test_a_tool_that_somebody_else_writes_too_is_written_again(desk: Bench) -> None:
    desk.apply()
    desk.edit("agents/tool.yaml", "Finds an order.", "Finds every order.")
    desk.control.fault(**_conflict("tool_write_conflict", 2), method="PATCH", path="^/tool/")
    desk.control.reset_requests()
    desk.apply()
    assert [method for method, path in desk.writes() if path.startswith("/tool/")] == ["PATCH"] * 3
    assert desk.live("Tool/lookup")["function"]["description"] == "Finds every order."
    assert desk.changes() == {}


def test_a_creation_that_met_another_write_is_made_once(desk: Bench) -> None:
    desk.control.fault(**_conflict("tool_write_conflict", 1), method="POST", path="^/tool$")
    desk.apply()
    assert len(desk.control.objects("/tool")) == 1


def test_a_conflict_that_stays_ends_with_a_sentence(desk: Bench) -> None:
    desk.apply()
    desk.edit("agents/tool.yaml", "Finds an order.", "Finds every order.")
    desk.control.fault(**_conflict("stale_allocation", 99), method="PATCH", path="^/tool/")
    desk.control.reset_requests()
    ran = desk.apply(code=1)
    assert "409" in ran.out
    assert "Somebody changed the traffic split" in ran.out
    assert len([path for method, path in desk.writes() if method == "PATCH"]) == 1


@pytest.mark.parametrize(
    ("kind", "key", "named"),
    [("personality", "personalityId", "personality"), ("scenario", "scenarioId", "scenario")],
)
def test_what_a_simulation_uses_can_not_be_deleted_and_says_so(live: Bench, kind: str, key: str, named: str) -> None:
    live.write(
        "agents/tests.yaml",
        "kind: Personality\nname: angry\nspec: {assistant: {model: {provider: openai, model: gpt-4o}}}\n---\n"
        "kind: Scenario\nname: refund\nspec:\n  instructions: Ask for a refund.\n  evaluations:\n"
        "    - structuredOutput: {name: done, schema: {type: boolean}}\n      comparator: '='\n      value: true\n",
    )
    live.apply()
    ids = {"personalityId": live.id_of("Personality/angry"), "scenarioId": live.id_of("Scenario/refund")}
    live.control.create("/eval/simulation", {"name": "somebody's", **ids})
    live.remove("agents/tests.yaml")
    ran = live.apply("--force", code=None)
    assert ran.code in (1, 3)
    assert f"uses this {named}" in ran.out
    assert ids[key] in [o["id"] for o in live.control.objects(f"/eval/simulation/{kind}")]
