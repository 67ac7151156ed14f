"""What was deleted a moment after it was made: told from what is only not visible yet."""

from __future__ import annotations

import time

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench


@pytest.fixture
def line(live: Bench) -> Bench:
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    return live


def test_what_was_deleted_right_after_it_was_made_is_made_again(line: Bench) -> None:
    line.apply()
    old = line.id_of("Tool/lookup")
    line.control.delete(old)
    line.edit("agents/tool.yaml", "Finds an order.", "Finds every order.")
    ran = line.apply()
    assert "Tool/lookup created" in ran.out
    assert "waiting up to" in ran.out
    new = line.id_of("Tool/lookup")
    assert new != old
    assert line.live("Agent/desk")["model"]["toolIds"] == [new]
    assert line.changes() == {}


def test_a_deleted_agent_that_a_line_is_to_name_is_made_again(line: Bench) -> None:
    line.write("agents/second.yaml", AGENT.replace("name: desk", "name: second"))
    line.apply()
    line.control.delete(line.id_of("Agent/second"))
    line.edit("agents/line.yaml", "agent: desk", "agent: second")
    line.apply()
    assert line.live("Phone/line")["assistantId"] == line.id_of("Agent/second")
    assert line.changes() == {}


def test_a_number_that_was_deleted_at_once_comes_back(line: Bench) -> None:
    line.apply()
    line.control.delete(line.id_of("Phone/line"))
    line.edit("agents/line.yaml", "agent: desk", "agent: desk, name: other name")
    line.apply()
    assert line.live("Phone/line")["name"] == "other name"
    assert line.changes() == {}


def test_what_is_only_not_visible_yet_is_updated_and_never_made_twice(line: Bench) -> None:
    line.control.switches(lag=1.5)
    line.apply()
    line.edit("agents/tool.yaml", "Finds an order.", "Finds every order.")
    line.apply()
    assert [tool["function"]["description"] for tool in line.control.objects("/tool")] == ["Finds every order."]
    assert line.changes() == {}


def test_an_apply_without_work_waits_for_nothing(line: Bench) -> None:
    line.control.switches(lag=5.0)
    line.apply()
    line.control.reset_requests()
    began = time.monotonic()
    ran = line.apply()
    assert "Nothing to do" in ran.out
    assert line.writes() == []
    assert time.monotonic() - began < 4.0
