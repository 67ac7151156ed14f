"""Whose organization a plan is for: "(empty so far)" only where nothing at all is in it."""

from __future__ import annotations

import pytest

from tests.apply.manifests import AGENT, TOOL
from tests.support.bench import Bench

ORG = "00000000-0000-4000-8000-000000000001"
SLOTS = "/eval/simulation/concurrency"
EMPTY = "(empty so far)"


@pytest.fixture
def desk(live: Bench) -> Bench:
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    return live


def title(bench: Bench, format_: str = "text") -> str:
    return next(line for line in bench.run("plan", "--format", format_).out.splitlines() if "Vapi org" in line)


@pytest.mark.parametrize("format_", ["text", "markdown", "html"])
def test_an_organization_without_any_object_is_empty(desk: Bench, format_: str) -> None:
    assert ORG in title(desk, format_)
    assert EMPTY in title(desk, format_)
    desk.apply()
    assert ORG in title(desk, format_)
    assert EMPTY not in title(desk, format_)


@pytest.mark.parametrize(
    "collection",
    ["/squad", "/phone-number", "/structured-output", "/eval", "/eval/simulation/personality", "/v2/knowledge-base"],
)
@pytest.mark.parametrize("told", [True, False], ids=["slots tell", "slots don't"])
def test_an_object_of_a_kind_that_no_manifest_has_makes_it_known(desk: Bench, collection: str, told: bool) -> None:
    desk.control.create(collection, {"name": "somebody's"})
    if not told:
        desk.control.fault("status", path=f"^{SLOTS}", status=404)
    assert ORG in title(desk)
    assert EMPTY not in title(desk)


def test_an_organization_that_nothing_tells_is_not_called_empty(desk: Bench) -> None:
    desk.control.fault("status", path=f"^{SLOTS}", status=404)
    assert f"Vapi org {EMPTY}" in title(desk)  # every list was read, and none has anything
    desk.control.fault("status", path="^/squad", status=403)
    assert "Vapi org (not known yet)" in title(desk)


def test_the_organization_is_asked_for_only_where_lists_don_t_tell(desk: Bench) -> None:
    desk.apply()
    desk.control.reset_requests()
    desk.plan()
    asked = {r["path"].partition("?")[0] for r in desk.control.requests("vapi")}
    assert asked == {"/assistant", "/tool", "/traffic-allocations"}


def test_a_first_apply_is_bound_to_the_organization_of_other_objects(desk: Bench) -> None:
    desk.control.create("/squad", {"name": "somebody's"})
    desk.apply()
    assert ORG in desk.state()["binding"].values()
