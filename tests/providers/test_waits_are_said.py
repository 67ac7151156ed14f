"""Nobody stares at a still terminal: a wait for a vendor is said, once for all requests that wait together."""

from __future__ import annotations

import json

import pytest

from tests.apply.manifests import AGENT, TOOL
from tests.support.bench import Bench


@pytest.fixture
def desk(live: Bench) -> Bench:
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    return live


def test_a_plan_says_that_it_waits(desk: Bench) -> None:
    desk.control.fault("status", status=429, headers={"retry-after": "2"}, method="GET", times=2)
    ran = desk.run("plan")
    (said,) = [line for line in ran.err.splitlines() if "next try" in line]
    assert said == "Vapi asks for a pause (429): the next try comes in 2 s (try 2 of 6)"
    assert "next try" not in ran.out


def test_an_apply_says_it_among_its_own_lines(desk: Bench) -> None:
    desk.control.fault("status", status=429, headers={"retry-after": "2"}, method="POST", path="^/tool$", times=1)
    ran = desk.run("apply", "--auto-approve")
    assert "Vapi asks for a pause (429): the next try comes in 2 s" in ran.out


def test_events_have_it_as_progress_and_every_start_its_total(desk: Bench) -> None:
    desk.control.fault("status", status=503, headers={"retry-after": "2"}, method="GET", times=1)
    desk.control.fault("status", status=429, headers={"retry-after": "2"}, method="POST", path="^/tool$", times=1)
    events = [json.loads(line) for line in desk.run("apply", "--auto-approve", "--format", "json").out.splitlines()]
    said = [event["message"] for event in events if event["type"] == "apply_progress" and "message" in event]
    assert any("asks for a pause" in text for text in said)
    starts = [event for event in events if event["type"] == "apply_start"]
    assert {event["of"] for event in starts} == {len(starts)}


def test_short_waits_are_not_worth_a_word(desk: Bench) -> None:
    desk.control.fault("status", status=500, method="GET", times=1)
    assert "next try" not in desk.run("plan").err


def test_refusing_drift_names_the_fields(desk: Bench) -> None:
    desk.edit("voiceops.yaml", "project: shop", "project: shop\ndrift: refuse")
    desk.apply()
    id_ = desk.live("Agent/desk")["id"]
    desk.control.edit(id_, {"firstMessage": "Yo!"})
    ran = desk.run("apply", "--auto-approve", code=5)
    assert "firstMessage was edited live, and this project refuses to overwrite that" in ran.err + ran.out
    assert "field(s)" not in ran.err + ran.out
    assert "voiceops drift --accept Agent/desk" in ran.err + ran.out


def test_the_last_line_of_a_plan_that_only_looks(desk: Bench) -> None:
    desk.apply()
    assert desk.run("plan", "--refresh-only").out.rstrip().endswith("No drift: what is live is what was applied.")
    desk.control.edit(desk.live("Agent/desk")["id"], {"firstMessage": "Yo!"})
    out = desk.run("plan", "--refresh-only").out.rstrip()
    assert out.endswith("Drift: 1 object was edited live since the last apply. Only that was looked at.")
    assert "Nothing to do" not in out
    assert "Drift: 1 object" in desk.run("plan", "--refresh-only", "--format", "markdown").out
