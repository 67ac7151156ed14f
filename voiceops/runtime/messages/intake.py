"""Messages on their way into the store: each once, however often it is delivered, without what is not to be kept."""

from __future__ import annotations

import asyncio
from hashlib import blake2b

from voiceops.runtime.json_text import storable
from voiceops.runtime.messages.redaction import redacted
from voiceops.runtime.store.inbox import Busy, Inbox
from voiceops.runtime.store.records import DONE, EventRow
from voiceops.runtime.vapi_messages import Message

_ONCE = frozenset({"end-of-call-report", "status-update"})  # of which a delivery may differ from its repetition


class Intake:
    """Stores messages; `redact` names what is taken out of those that nobody works on."""

    def __init__(self, inbox: Inbox, redact: tuple[str, ...] = ()) -> None:
        self._inbox = inbox
        self._redact = redact

    def store(self, message: Message, body: bytes, now: float, state: int, note: str = "") -> asyncio.Future[bool]:
        """Put a message into the inbox; the future says whether it is new, and is done when it is stored.

        `now` in epoch seconds, `state` one of `records`'. It fails with Busy, and with what the database raises.
        """
        kind, sent = storable(message.kind), message.sent
        call = storable(message.call_id)
        if kind in _ONCE and sent is not None and call:
            told = f"{kind}|{message.call_id}|{message.timestamp!r}|{message.status}".encode("utf-8", "replace")
        else:
            told = body
        if self._redact and state == DONE:  # else when it was worked on
            body = redacted(kind, body, self._redact)
        id_ = self._inbox.next_id(now)
        key = blake2b(told, digest_size=16).digest()
        try:
            return self._inbox.put(EventRow(id_, key, kind, call, now, sent or 0.0, state, note, body))
        except Busy as error:
            failed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            failed.set_exception(error)
            return failed
