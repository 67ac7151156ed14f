"""Runs a schedule: every operation as soon as what it needs is done, as many at once as the limit allows.

A failure stops what depends on it, nothing else; everything that was not done is said, and because of what.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from voiceops.apply import creating, numbers, steps
from voiceops.apply.apply_events import Event
from voiceops.apply.session import Session, Unresolved
from voiceops.engine.ordering.schedule import Operation
from voiceops.errors import Refused, VoiceopsError
from voiceops.model.graph import Resource
from voiceops.model.values import Ref, format_path, leaves, parse_path

Step = Callable[[Session, Operation], Awaitable[str]]


async def _create(session: Session, operation: Operation) -> str:
    id_ = await creating.create(session, operation)
    if operation.change.kind == "Phone":
        await numbers.hold(session, operation.change.address)
    return id_


async def _update(session: Session, operation: Operation) -> str:
    id_ = await steps.update(session, operation)
    if operation.change.kind == "Phone":
        await numbers.hold(session, operation.change.address)
    return id_


STEPS: dict[str, Step] = {
    "create": _create,
    "update": _update,
    "link": steps.link,
    "delete": steps.delete,
    "unbind": steps.unbind,
    "state": steps.keep_in_state,
    "buy": numbers.buy,
    "claim": numbers.claim,
    "settings": numbers.set_up,
    "restore": numbers.give_back,
    "release": numbers.release,
}

_SILENT = frozenset({"claim"})  # steps that change nothing live and are no news
_WORDS = {"link": "update", "settings": "update", "restore": "give back", "state": "no-op", "buy": "buy"}


@dataclass(slots=True)
class Result:
    """What happened to what, by operation key."""

    done: list[Operation] = field(default_factory=list)
    failed: dict[str, VoiceopsError] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)  # and because of which address
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        return not self.failed and not self.skipped and not self.interrupted

    @property
    def refused(self) -> Refused | None:
        return next((error for error in self.failed.values() if isinstance(error, Refused)), None)


async def execute(session: Session, operations: list[Operation], parallelism: int, stop: asyncio.Event) -> Result:
    """Run the operations. `stop` lets those under way finish and starts no more."""
    result = Result()
    total = sum(operation.step not in _SILENT for operation in operations)
    waiting = {operation.key: set(operation.needs) for operation in operations}
    by_key = {operation.key: operation for operation in operations}
    session.settings = frozenset(op.change.address for op in operations if op.step == "settings")
    running: dict[asyncio.Task[None], str] = {}
    ended: set[str] = set()

    def ready() -> list[str]:
        return [key for key, needs in waiting.items() if needs <= ended]

    while waiting or running:
        if not stop.is_set():
            for key in ready()[: max(0, parallelism - len(running))]:
                del waiting[key]
                broken = next((n for n in by_key[key].needs if n in result.failed or n in result.skipped), None)
                if broken is not None:
                    cause = result.skipped.get(broken, by_key[broken].change.address)
                    result.skipped[key] = cause
                    ended.add(key)
                    session.emit(
                        Event(
                            type="apply_skipped",
                            address=by_key[key].change.address,
                            action=_word(by_key[key]),
                            message=f"skipped because {cause} failed",
                        )
                    )
                    continue
                running[asyncio.create_task(_run(session, by_key[key], result, total))] = key
        if not running:
            if stop.is_set():
                result.interrupted = bool(waiting)
                break
            if not ready():
                break
            continue
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            ended.add(running.pop(task))
            try:
                task.result()
            except BaseException:
                if running:  # what is under way is recorded before the lock is given back
                    await asyncio.wait(running)
                raise
    for key in waiting:
        result.skipped[key] = "the interruption" if result.interrupted else by_key[key].change.address
    return result


def _word(operation: Operation) -> str:
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
