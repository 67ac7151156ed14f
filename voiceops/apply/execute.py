"""Runs a schedule: every operation as soon as what it needs is done, as many at once as the limit allows.

A failure stops what depends on it, nothing else; everything that was not done is said, and because of what.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from heapq import heappop, heappush

from voiceops.apply import creating, numbers, steps
from voiceops.apply.apply_events import Event
from voiceops.apply.result import Result
from voiceops.apply.session import Session, Unresolved
from voiceops.engine.ordering.schedule import Operation
from voiceops.errors import VoiceopsError
from voiceops.kinds.registry import LINES
from voiceops.model.graph import Resource
from voiceops.model.values import Ref, format_path, leaves, parse_path

Step = Callable[[Session, Operation], Awaitable[str]]


async def _create(session: Session, operation: Operation) -> str:
    id_ = await creating.create(session, operation)
    if operation.change.kind in LINES:
        await numbers.hold(session, operation.change.address)
    return id_


async def _update(session: Session, operation: Operation) -> str:
    id_ = await steps.update(session, operation)
    if operation.change.kind in LINES:
        await numbers.hold(session, operation.change.address)
    return id_


STEPS: dict[str, Step] = {
    "create": _create,
    "update": _update,
    "link": steps.link,
    "delete": steps.delete,
    "unbind": steps.unbind,
    "state": steps.keep_in_state,
    **numbers.STEPS,
}

_SILENT = frozenset({"claim"})  # steps that change nothing live and are no news
_WORDS = {"link": "update", "settings": "update", "restore": "give back", "state": "no-op", "buy": "buy"}


class _Waiting:
    """Operations that have not been started, each with how many of its needs have not ended."""

    def __init__(self, operations: list[Operation]) -> None:
        self._operations = operations
        self._left: dict[str, int] = {}
        self._users: dict[str, list[int]] = {}
        self._ready: list[int] = []  # a heap: in the order of the schedule
        for index, operation in enumerate(operations):
            self._left[operation.key] = len(operation.needs)
            for need in operation.needs:
                self._users.setdefault(need, []).append(index)
            if not operation.needs:
                heappush(self._ready, index)

    def __iter__(self) -> Iterator[Operation]:
        return (operation for operation in self._operations if operation.key in self._left)

    def __bool__(self) -> bool:
        return bool(self._left)

    def next(self) -> Operation | None:
        """The first of those whose needs have all ended, taken out; None where there is none."""
        if not self._ready:
            return None
        operation = self._operations[heappop(self._ready)]
        del self._left[operation.key]
        return operation

    def ended(self, key: str) -> None:
        """An operation is over, whatever came of it."""
        for index in self._users.pop(key, ()):
            user = self._operations[index].key
            self._left[user] -= 1
            if not self._left[user]:
                heappush(self._ready, index)


async def execute(session: Session, operations: list[Operation], parallelism: int, stop: asyncio.Event) -> Result:
    """Run the operations. `stop` lets those under way finish and starts no more.

    The accounts let `parallelism` requests be under way; half as many operations more write down meanwhile what they
    are about to send, or what came of it, so that no lane waits for a disk.
    """
    result = Result()
    total = sum(operation.step not in _SILENT for operation in operations)
    by_key = {operation.key: operation for operation in operations}
    session.settings = frozenset(op.change.address for op in operations if op.step == "settings")
    waiting = _Waiting(operations)
    running: dict[asyncio.Task[None], str] = {}
    most = parallelism + parallelism // 2
    while True:
        while not stop.is_set() and len(running) < most and (operation := waiting.next()) is not None:
            if (cause := _broken(operation, result, by_key)) is not None:
                _skip(session, operation, result, cause)
                waiting.ended(operation.key)
            else:
                running[asyncio.create_task(_run(session, operation, result, total))] = operation.key
        if not running:
            break
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            waiting.ended(running.pop(task))
            try:
                task.result()
            except BaseException:
                if running:  # what is under way is recorded before the lock is given back
                    await asyncio.wait(running)
                raise
    result.interrupted = stop.is_set() and bool(waiting)
    for operation in waiting:
        result.skipped[operation.key] = "the interruption" if result.interrupted else operation.change.address
    return result


def _broken(operation: Operation, result: Result, by_key: Mapping[str, Operation]) -> str | None:
    """The address because of which an operation can't be done any more; None where it can."""
    broken = next((need for need in operation.needs if need in result.failed or need in result.skipped), None)
    return None if broken is None else result.skipped.get(broken, by_key[broken].change.address)


def _skip(session: Session, operation: Operation, result: Result, cause: str) -> None:
    result.skipped[operation.key] = cause
    session.emit(
        Event(
            type="apply_skipped",
            address=operation.change.address,
            action=_word(operation),
            message=f"skipped because {cause} failed",
        )
    )


def _word(operation: Operation) -> str:
    if operation.change.is_no_op:
        return "no-op"
    return _WORDS.get(operation.step, operation.step)


async def _run(session: Session, operation: Operation, result: Result, total: int) -> None:
    """One operation, its events and what becomes of it. `total` is how many there are, for whoever shows progress."""
    address, started = operation.change.address, time.monotonic()
    silent = operation.step in _SILENT
    if not silent:
        id_ = operation.change.id or ""
        session.emit(Event(type="apply_start", address=address, action=_word(operation), id=id_, data={"of": total}))
    try:
        id_ = await STEPS[operation.step](session, operation)
    except Unresolved as missing:
        error: VoiceopsError = VoiceopsError(f"{missing.args[0]} is not live", hint="Run apply again.")
    except VoiceopsError as failure:
        error = failure
    else:
        if silent:
            return
        result.done.append(operation)
        session.emit(
            Event(
                type="apply_complete",
                address=address,
                action=_word(operation),
                id=id_,
                elapsed_seconds=time.monotonic() - started,
            )
        )
        return
    result.failed[operation.key] = error
    session.emit(
        Event(
            type="apply_errored",
            address=address,
            action=_word(operation),
            id=operation.change.id or "",
            elapsed_seconds=time.monotonic() - started,
            error=_error_data(session, operation, error),
        )
    )


def _error_data(session: Session, operation: Operation, error: VoiceopsError) -> dict[str, object]:
    """The error with the manifest's place for each field that the API named."""
    data = error.to_data()
    resource = session.graph.resources.get(operation.change.address)
    if resource is None:
        return data
    marks = []
    for path, message in [*getattr(error, "fields", ()), *_named_ids(session, resource, error)]:
        try:
            at = resource.source_of(parse_path(path))
        except ValueError:
            continue
        marks.append({"at": str(at), "path": path, "message": message})
    return data | {"where": marks or [{"at": str(resource.mark), "path": "", "message": ""}]}


def _named_ids(session: Session, resource: Resource, error: VoiceopsError) -> Iterator[tuple[str, str]]:
    """`Assistant with ID … not found` names no field: the place where the id came from does."""
    for path, leaf in leaves(resource.body):
        entry = session.entry(leaf.address) if isinstance(leaf, Ref) else None
        if entry is not None and entry.id in error.summary:
            yield format_path(path), f"{entry.address} is {entry.id}"
