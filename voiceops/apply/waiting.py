"""Waiting during an apply: for objects that the API's own checks don't know yet, and for what Vapi still works on."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from voiceops.apply.apply_events import Event
from voiceops.apply.session import Session
from voiceops.errors import NotFound, ProviderError, Rejected
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Resource
from voiceops.model.state import Entry
from voiceops.model.values import JSON, refs_in
from voiceops.net.until import until

READY_TIMEOUT = 30.0  # seconds within which a new object answers by its id
USABLE_TIMEOUT = 300.0  # seconds within which an uploaded file is taken to be worked through
ATTRIBUTE_TIMEOUT = 30.0


async def when_visible(
    session: Session, call: Callable[[], Awaitable[tuple[dict[str, Any], float]]], body: JSON
) -> tuple[dict[str, Any], float]:
    """Send `body` by `call`, again while the API does not know yet what it refers to and this apply has just made.

    Raises what `call` raises: at once where it is about anything else, else when `settle` seconds have passed.
    """
    settle = session.options.settle
    refusal: ProviderError | None = None

    async def sent() -> tuple[dict[str, Any], float] | None:
        nonlocal refusal
        try:
            return await call()
        except (Rejected, NotFound) as error:
            if not _is_about_new(session, error, body, settle):
                raise
            refusal = error
            return None

    answer = await until(sent, limit=settle)
    if answer is None:
        assert refusal is not None
        raise refusal
    return answer


def _is_about_new(session: Session, error: ProviderError, body: JSON, settle: float) -> bool:
    """Is it refused because something that it names is not there, which was made a moment ago?"""
    now, text = time.monotonic(), str(body)
    young = [id_ for id_, (_, at) in session.fresh.items() if now - at < settle and id_ in text]
    return bool(young) and (error.names_missing or any(id_ in error.summary for id_ in young))


async def wait_until_ready(session: Session, user: Resource, keys: Sequence[str]) -> None:
    """What these keys of a resource name answers GET by its id. Raises ProviderError after 30 s.

    A number is bound only to what is there for callers.
    """
    for address in {ref.address for ref in refs_in({key: user.body.get(key) for key in keys})}:
        entry = session.target(address)
        if entry is not None:
            await _wait_until_known(session, user, address, entry)


async def _wait_until_known(session: Session, user: Resource, address: str, entry: Entry) -> None:
    kind, told = KINDS[entry.kind], False

    async def known() -> dict[str, Any] | None:
        nonlocal told
        live = await session.accounts.of(kind).get(kind, entry.id)
        if live is None and not told:
            told = True
            session.emit(Event(type="apply_progress", address=user.address, message=_waiting_for(address)))
        return live

    if await until(known, limit=READY_TIMEOUT) is None:
        raise ProviderError(
            f"{address} does not become ready: Vapi still does not know {entry.id}",
            hint="The number was not bound. Run apply again.",
        )


async def wait_until_usable(session: Session, resource: Resource) -> None:
    """What the API works on after its creation (files) is done before anything else uses it. Raises ProviderError."""
    refs = {ref for ref in refs_in(resource.body) if ref.address != resource.address}
    for address, attribute in sorted((ref.address, ref.attribute) for ref in refs):
        entry = session.entry(address)
        if entry is None:
            continue
        if KINDS[entry.kind].pending:
            await _wait_until_worked_through(session, resource, entry)
        if attribute in KINDS[entry.kind].attributes and session.attribute(entry, attribute) is None:
            await _learn(session, resource, entry, attribute)


async def _learn(session: Session, user: Resource, entry: Entry, attribute: str) -> None:
    """What the server gives an object only after its creation is asked for, and kept. Raises ProviderError."""
    kind = KINDS[entry.kind].at(entry.owned)

    async def given() -> dict[str, Any] | None:
        live = await session.accounts.of(kind).get(kind, entry.id)
        return live if live is not None and live.get(attribute) else None

    live = await until(given, limit=ATTRIBUTE_TIMEOUT)
    if live is None:
        raise ProviderError(
            f"{entry.address} has no {attribute}: Vapi gave {entry.id} none yet",
            hint=f"{user.address} was not changed. Run apply again.",
        )
    session.fresh[entry.id] = (kind.completed(live, entry.owned), time.monotonic())
    # Read again: a step of the object's own may have recorded it meanwhile.
    now = session.entry(entry.address) or entry
    learnt = replace(now, attributes={**now.attributes, **kind.attributes_of(live)})
    await session.ledger.record("", now.address, learnt)


async def _wait_until_worked_through(session: Session, user: Resource, entry: Entry) -> None:
    kind = KINDS[entry.kind].at(entry.owned)
    told = False

    def done(live: dict[str, Any] | None) -> dict[str, Any] | None:
        """Too new to be seen counts as being worked on."""
        return None if live is None or live.get("status") in kind.pending else live

    async def looked_at() -> dict[str, Any] | None:
        nonlocal told
        live = await session.accounts.of(kind).get(kind, entry.id)
        if live is not None:
            session.fresh[entry.id] = (kind.completed(live, entry.owned), time.monotonic())
        if done(live) is None and not told:
            told = True
            session.emit(Event(type="apply_progress", address=user.address, message=_waiting_for(entry.address)))
        return done(live)

    live = done(session.seen(entry)) or await until(looked_at, limit=USABLE_TIMEOUT, at_once=False)
    if live is None:
        raise ProviderError(
            f"{entry.address} does not become ready: Vapi still works on {entry.id}",
            hint=f"{user.address} was not changed. Run apply again.",
        )
    if live.get("status") in kind.failed:
        raise ProviderError(
            f"Vapi could not process {entry.address} ({entry.id})",
            hint="Is it a format that Vapi reads? Delete it there and apply again, or give another file.",
        )


def _waiting_for(address: str) -> str:
    return f"waiting for {address} to be ready"
