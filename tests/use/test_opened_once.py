"""A plan and a rollback make and connect their store once, and read `.env` and the project's files once."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.apply.manifests import AGENT
from tests.support.bench import Bench, bench
from voiceops import use
from voiceops.state.store import Store
from voiceops.state.wrapper import StoreWrapper

_OPENED: Counter[str] = Counter()  # files by name, while somebody watches: an audit hook can't be taken away
_WATCHED: list[Path] = []


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _WATCHED and str(arguments[0]).startswith(str(_WATCHED[0])):
        _OPENED[Path(str(arguments[0])).name] += 1


sys.addaudithook(_heard)


class Counted(StoreWrapper):
    """Counts what is asked of the store inside."""

    def __init__(self, inner: Store, counts: Counter[str]) -> None:
        super().__init__(inner)
        self.counts = counts
        counts["made"] += 1

    async def __aenter__(self) -> Self:
        self.counts["connected"] += 1
        return await super().__aenter__()

    async def read(self) -> dict[str, Any] | None:
        self.counts["state"] += 1
        return await super().read()

    async def revision(self, number: int) -> dict[str, Any] | None:
        self.counts[f"revision {number}"] += 1
        return await super().revision(number)

    async def revisions(self) -> list[dict[str, Any]]:
        self.counts["all revisions"] += 1
        return await super().revisions()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    """Three revisions of one agent, whose greeting stands in `.env`."""
    with bench(tmp_path) as made:
        made.write(".env", "GREETING=Hello\n")
        for text in ("${env:GREETING}", "Second", "Third"):
            made.write("agents/agent.yaml", AGENT.replace("    tools: [lookup]\n", "").replace("Hello", text))
            made.apply()
        yield made


async def test_a_rollback_opens_everything_once(shop: Bench) -> None:
    counts: Counter[str] = Counter()
    around = use.ProcessContext(environ=shop.environ, pace=0.01, around=lambda store: Counted(store, counts))
    _OPENED.clear()
    _WATCHED.append(shop.folder)
    try:
        ended = await use.rollback(use.open_project(shop.folder, "live", around))
    finally:
        _WATCHED.clear()
    assert ended.goal.name == "revision 2"
    assert shop.live("Agent/desk")["firstMessage"] == "Second"
    assert (counts["made"], counts["connected"]) == (1, 1)
    assert counts["state"] == 2, "once to know where to return to, and once more under the lock"
    assert _OPENED[".env"] == 1
    assert _OPENED["voiceops.yaml"] == 1
    assert {name: count for name, count in counts.items() if name.startswith("revision ")} == {
        "revision 1": 1,  # is the oldest old enough to be forgotten?
        "revision 2": 1,  # where it returns to
        "revision 3": 1,  # what it undoes
    }
    assert counts["all revisions"] == 0, "a history of years is not read for the way back to yesterday"


async def test_a_plan_opens_everything_once(shop: Bench) -> None:
    counts: Counter[str] = Counter()
    around = use.ProcessContext(environ=shop.environ, pace=0.01, around=lambda store: Counted(store, counts))
    _OPENED.clear()
    _WATCHED.append(shop.folder)
    try:
        await use.plan(use.load(shop.folder, "live", around))
    finally:
        _WATCHED.clear()
    assert (counts["made"], counts["connected"], counts["state"]) == (1, 1, 1)
    assert _OPENED[".env"] == _OPENED["voiceops.yaml"] == _OPENED["agent.yaml"] == 1
