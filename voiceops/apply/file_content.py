"""The bytes that an uploaded file stands for: read from the project, kept in the state."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from voiceops.apply.session import Session
from voiceops.errors import StateError, VoiceopsError
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Resource


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
