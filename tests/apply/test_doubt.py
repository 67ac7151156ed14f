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


@pytest.mark.parametrize("address", ["Tool/lookup", "Agent/desk", "Phone/line"])
def test_what_is_deleted_at_once_comes_back_though_no_manifest_changed(line: Bench, address: str) -> None:
    line.apply()
    old = line.id_of(address)
    line.control.delete(old)
    assert f"{address} created" in line.apply().out
    assert line.id_of(address) != old
    assert line.changes() == {}


def test_an_apply_without_work_writes_nothing_while_lists_lag(line: Bench) -> None:
    line.control.switches(lag=1.5)
    line.apply()
    line.control.reset_requests()
    ran = line.apply()
    assert "Nothing to do" in ran.out
    assert line.writes() == []


def test_lists_that_show_everything_make_nobody_wait(line: Bench) -> None:
    line.apply()
    began = time.monotonic()
    assert "waiting" not in line.apply().out
    assert time.monotonic() - began < 8.0


@pytest.mark.parametrize("switches", [{"lag": 1.2}, {"lag_update": 1.2}])
def test_a_line_is_well_right_after_its_apply(line: Bench, switches: dict[str, float]) -> None:
    line.apply()
    line.control.switches(**switches)
    line.write("agents/second.yaml", AGENT.replace("name: desk", "name: second"))
    line.edit("agents/line.yaml", "agent: desk", "agent: second")
    line.apply()
    (row,) = line.run("status", "--format", "json").data
    assert (row["target"], row["off"]) == ("Agent/second", [])


def test_a_line_is_well_right_after_its_first_apply(line: Bench) -> None:
    line.control.switches(lag=1.2, lag_update=1.2)
    line.apply()
    (row,) = line.run("status", "--format", "json").data
    assert (row["target"], row["off"]) == ("Agent/desk", [])


@pytest.mark.parametrize("edit", [{"voice_url": "https://other.example/"}, {"voice_receive_mode": "fax"}])
def test_an_edit_in_the_second_of_our_write_is_found(line: Bench, edit: dict[str, str]) -> None:
    line.apply()
    line.control.edit_number("+14155550100", **edit)
    assert line.run("status", code=2).code == 2
    assert line.run("doctor", code=1).code == 1


def test_a_number_that_was_deleted_a_moment_after_the_apply_is_found(line: Bench) -> None:
    line.apply()
    line.control.delete(line.id_of("Phone/line"))
    assert "Vapi has no number" in line.run("status", code=2).out
