"""Before an object is sent: what it refers to can be used, and the bytes of its file are at hand."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import replace
from pathlib import Path

from voiceops.apply.apply_events import Event
from voiceops.apply.session import Session
from voiceops.errors import ProviderError, StateError, VoiceopsError
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Resource
from voiceops.model.state import Entry
from voiceops.model.values import refs_in

USABLE_TIMEOUT = 300.0  # seconds within which an uploaded file is taken to be worked through
ATTRIBUTE_TIMEOUT = 30.0
_POLL = (0.1, 0.2, 0.5, 1.0, 2.0)


async def wait_until_usable(session: Session, resource: Resource) -> None:
    """What the API works on after its creation (files) is done before anything else uses it. Raises ProviderError."""
    refs = {ref for ref in refs_in(resource.body) if ref.address != resource.address}
    for address, attribute in sorted((ref.address, ref.attribute) for ref in refs):
        entry = session.entry(address)
        if entry is None:
            continue
        if KINDS[entry.kind].pending:
            await _wait(session, resource, entry)
        if attribute in KINDS[entry.kind].attributes and session.attribute(entry, attribute) is None:
            await _learn(session, resource, entry, attribute)


async def _learn(session: Session, user: Resource, entry: Entry, attribute: str) -> None:
    """What the server gives an object only after its creation is asked for, and kept. Raises ProviderError."""
    kind = KINDS[entry.kind].at(entry.owned)
    deadline, attempt = time.monotonic() + ATTRIBUTE_TIMEOUT, 0
    while True:
        live = await session.accounts.vapi.get(kind, entry.id)
        if live is not None and live.get(attribute):
            break
        if time.monotonic() > deadline:
            raise ProviderError(
                f"{entry.address} has no {attribute}: Vapi gave {entry.id} none yet",
                hint=f"{user.address} was not changed. Run apply again.",
            )
        await asyncio.sleep(_POLL[min(attempt, len(_POLL) - 1)])
        attempt += 1
    session.fresh[entry.id] = (kind.completed(live, entry.owned), time.monotonic())
    # Read again: a step of the object's own may have recorded it meanwhile.
    entry = session.entry(entry.address) or entry
    learnt = replace(entry, attributes={**entry.attributes, **kind.attributes_of(live)})
    await session.ledger.record("", entry.address, learnt)


async def _wait(session: Session, user: Resource, entry: Entry) -> None:
    kind = KINDS[entry.kind].at(entry.owned)
    live = session.seen(entry)
    deadline, attempt = time.monotonic() + USABLE_TIMEOUT, 0
    # Too new to be seen counts as being worked on.
    while live is None or live.get("status") in kind.pending:
        if time.monotonic() > deadline:
            raise ProviderError(
                f"{entry.address} does not become ready: Vapi still works on {entry.id}",
                hint=f"{user.address} was not changed. Run apply again.",
            )
        if attempt == 1:
            session.emit(
                Event(type="apply_progress", address=user.address, message=f"waiting for {entry.address} to be ready")
            )
        await asyncio.sleep(_POLL[min(attempt, len(_POLL) - 1)])
        attempt += 1
        live = await session.accounts.vapi.get(kind, entry.id)
        if live is not None:
            session.fresh[entry.id] = (kind.completed(live, entry.owned), time.monotonic())
    if live.get("status") in kind.failed:
        raise ProviderError(
            f"Vapi could not process {entry.address} ({entry.id})",
            hint="Is it a format that Vapi reads? Delete it there and apply again, or give another file.",
        )


async def content_of(session: Session, resource: Resource) -> bytes:
    """The bytes that a resource stands for, also kept in the state: a rollback has no file to read them from.

    Raises VoiceopsError.
    """
    kind = KINDS[resource.kind]
    if kind.upload is None:
        return b""
    wanted, store = str(resource.body[kind.upload.digest]), session.ledger.store
    try:
        content = await asyncio.to_thread(Path(resource.upload).read_bytes) if resource.upload else b""
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() == wanted:
        await store.put_blob(content)
        return content
    try:
        return await store.get_blob(wanted)
    except StateError:
        raise VoiceopsError(
            f"{resource.address}: the bytes to upload (SHA-256 {wanted[:12]}…) are in neither project nor state",
            hint="Did the file change while this ran? Run apply again.",
        ) from None
