"""A plan that can't be applied: its exit code, its counts, and that nothing was sent."""

from __future__ import annotations

import pytest

from tests.apply.manifests import AGENT, LINE
from tests.support.bench import Bench

PLAIN = AGENT.replace("    tools: [lookup]\n", "")
MISSING = LINE.replace("0100", "0188")


def _twin(live: Bench) -> None:
    """An agent of the manifests' name that somebody made in the dashboard."""
    live.write("agents/agent.yaml", PLAIN)
    live.apply()
    live.run("state", "rm", "Agent/desk")


@pytest.mark.parametrize("arguments", [(), ("--detailed-exitcode",), ("--format", "json"), ("--format", "markdown")])
def test_plan_of_what_exists_unmanaged_is_exit_5(live: Bench, arguments: tuple[str, ...]) -> None:
    _twin(live)

    assert live.run("plan", *arguments, code=5).out


def test_refused_creations_are_not_counted(live: Bench) -> None:
    _twin(live)
    live.write("agents/other.yaml", PLAIN.replace("name: desk", "name: night"))

    plan = live.plan()
    shown = live.run("plan", code=5).out
    comment = live.run("plan", "--format", "markdown", code=5).out

    assert plan["applyable"] is False
    assert plan["errored"] is True
    assert plan["summary"]["create"] == 1
    assert {c["address"]: c["action_reason"] for c in plan["resource_changes"]} == {
        "Agent/desk": "exists_unmanaged",
        "Agent/night": "manifest_changed",
    }
    assert "1 to create, 1 can't be made" in shown
    assert "Can't make 1 agent; creates 1 agent" in comment


def test_a_line_whose_number_is_missing_is_no_creation(live: Bench) -> None:
    live.write("agents/agent.yaml", PLAIN)
    live.write("agents/line.yaml", MISSING)

    plan = live.plan()

    assert plan["summary"]["create"] == 1, "the agent alone"
    assert plan["errored"] is True


def test_apply_of_it_is_exit_5_and_its_events_count_the_same(live: Bench) -> None:
    _twin(live)
    live.control.reset_requests()

    ran = live.apply("--format", "json", code=5)

    planned = next(line for line in ran.lines if line["type"] == "planned")
    assert planned["summary"]["create"] == 0
    assert planned["applyable"] is False
    assert live.writes() == []


def test_nothing_to_do_is_not_applyable_and_no_error(live: Bench) -> None:
    live.write("agents/agent.yaml", PLAIN)
    live.apply()

    plan = live.plan()

    assert (plan["applyable"], plan["errored"]) == (False, False)
    assert "can't be applied" not in live.run("plan").out
    live.run("plan", "--detailed-exitcode")
    live.apply()


def test_what_is_left_to_look_at_only_is_no_refusal(live: Bench) -> None:
    _twin(live)

    live.run("plan", "--refresh-only")


def test_what_force_passes_is_shown_and_no_exit_5(live: Bench) -> None:
    for name in ("one", "two", "three"):
        live.write(f"agents/{name}.yaml", PLAIN.replace("name: desk", f"name: {name}"))
    live.apply()

    shown = live.run("plan", "--destroy")

    assert "can be applied with --force only" in shown.out
    assert live.plan("--destroy")["applyable"] is False
    live.run("destroy", "--auto-approve", code=5)


def test_a_rollback_that_is_refused_is_exit_5_when_it_is_shown(live: Bench) -> None:
    live.write("agents/agent.yaml", PLAIN)
    live.apply()
    live.write("agents/agent.yaml", PLAIN + "lifecycle: {preventDestroy: true}\n")
    live.write("agents/other.yaml", PLAIN.replace("name: desk", "name: night\nlifecycle: {preventDestroy: true}"))
    live.apply()

    shown = live.run("rollback", "1", "--plan-only", code=5)

    assert "preventDestroy" in shown.out
    live.run("rollback", "1", "--plan-only", "--format", "json", code=5)


def test_a_failed_apply_that_changed_nothing_is_no_revision(live: Bench) -> None:
    live.write("agents/agent.yaml", PLAIN)
    live.apply()
    live.write("agents/other.yaml", PLAIN.replace("name: desk", "name: night"))
    live.control.fault("status", status=400, method="POST", path="^/assistant$")
    live.run("plan", "--out", str(live.folder / "kept.json"))

    live.apply(code=1)
    live.run("apply", str(live.folder / "kept.json"), code=1)

    entries = live.run("history", "--format", "json").data
    assert sorted((e.get("number") or 0, e["result"]) for e in entries) == [(0, "failed"), (0, "failed"), (1, "ok")]
    live.control.clear_faults()
    # The plan that was reviewed was not used up by an apply that did nothing, and no number was.
    assert live.run("apply", str(live.folder / "kept.json"), "--format", "json").lines[-1]["revision"] == 2
    assert "applied already" in live.run("apply", str(live.folder / "kept.json"), code=5).err
