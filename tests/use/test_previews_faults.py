"""Whatever the API answers, or doesn't: a preview comes up whole, and leaves the account as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, bench
from tests.support.faults import FAULTS
from tests.support.quick import quick
from tests.use.preview_children import account

NUMBER = "+14155550191"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """An agent, a tool that looks the same everywhere, a line, and a number in the pool."""
    with bench(tmp_path_factory.mktemp("faults")) as one, quick():
        for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
            one.write(f"agents/{name}.yaml", text)
        one.edit("voiceops.yaml", "environments: [live]", f'environments: [live]\npreviews: {{lines: ["{NUMBER}"]}}')
        one.apply()
        one.control.create("/phone-number", {"provider": "vapi", "number": NUMBER})
        yield one


def ended(made: Bench, *command: str, most: int = 4) -> None:
    """Run it until it is through."""
    for _ in range(most):
        ran = made.run("preview", *command, code=None)
        assert ran.code in (0, 1, 3), ran.err
        if ran.code == 0:
            return
    raise AssertionError(f"no end after {most} runs: {ran.err}")


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_in_each_kind_of_write(made: Bench, fault: str) -> None:
    before = account(made)
    for method in ("POST", "PATCH"):
        made.control.fault(**FAULTS[fault], vendor="vapi", method=method, times=1)
    ended(made, "up", "a", "--line", "line")
    made.control.clear_faults()
    up = made.run("preview", "up", "a", "--format", "json").data
    assert (up["number"], up["changes"]["create"], up["changes"]["update"]) == (NUMBER, 0, 0)
    number = next(o for o in made.control.objects("/phone-number") if o.get("number") == NUMBER)
    assert number["assistantId"] == up["agents"][0]["id"]
    for method in ("PATCH", "DELETE"):
        made.control.fault(**FAULTS[fault], vendor="vapi", method=method, times=1)
    ended(made, "down", "a")
    made.control.clear_faults()
    assert account(made) == before
    assert made.changes() == {}
