"""The order in which operations run, and how long deciding it takes."""

from __future__ import annotations

import time
from typing import Any

from tests.support.world import agent
from voiceops.apply.execute import _Waiting
from voiceops.engine.ordering.schedule import Operation
from voiceops.model.plan import CREATE, Change


def operation(key: str, *needs: str) -> Operation:
    resource = agent(key)
    change = Change(
        address=resource.address,
        kind=resource.kind,
        type=resource.type,
        name=resource.name,
        id=None,
        actions=CREATE,
        reason="manifest_changed",
    )
    return Operation(key=key, step="create", change=change, needs=frozenset(needs))


def drained(*operations: Operation) -> list[str]:
    """The keys in the order in which one lane takes them."""
    waiting, found = _Waiting(list(operations)), []
    while (taken := waiting.next()) is not None:
        found.append(taken.key)
        waiting.ended(taken.key)
    assert not waiting
    return found


def test_what_others_need_comes_first_and_else_the_schedules_order_stays() -> None:
    assert drained(operation("a", "c"), operation("b"), operation("c"), operation("d")) == ["b", "c", "a", "d"]


def test_an_operation_waits_for_all_of_its_needs() -> None:
    waiting = _Waiting([operation("a"), operation("b"), operation("c", "a", "b")])
    taken = [waiting.next(), waiting.next()]
    assert [one.key for one in taken if one is not None] == ["a", "b"]
    assert waiting.next() is None
    waiting.ended("a")
    assert waiting.next() is None
    assert [one.key for one in waiting] == ["c"]
    waiting.ended("b")
    last: Any = waiting.next()
    assert last.key == "c"


def test_a_long_schedule_is_decided_in_proportion() -> None:
    """Ten times as many operations take about ten times as long, not a hundred times."""

    def seconds(count: int) -> float:
        operations = [operation(f"a{n}", *([f"a{n - 1}"] if n % 3 else [])) for n in range(count)]
        began = time.process_time()
        drained(*operations)
        return time.process_time() - began

    small = min(seconds(1_000) for _ in range(3))
    assert min(seconds(10_000) for _ in range(2)) < 40 * small
