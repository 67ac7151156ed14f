"""`POST /vapi/events`, the hot route: who sent it, what it means, what is stored, what is said, in this order."""

from __future__ import annotations

import asyncio
import logging
import time

from voiceops.runtime.auth.vapi_auth import verifier
from voiceops.runtime.http.limits import Attempts, Limiter
from voiceops.runtime.observe.log import log
from voiceops.runtime.observe.observer import Observer
from voiceops.runtime.parts import Parts
from voiceops.runtime.store.inbox import in_time
from voiceops.runtime.store.records import DONE, WAITING
from voiceops.runtime.vapi_messages import Malformed, Message, lenient, strict

OUTCOME_HEADER = b"voiceops-outcome"  # on an answer that no handler gave: failed, timeout, misused
EVENTS_PATH = "/vapi/events"
_STORE_SECONDS = 12.0  # for a message to be stored, before its sender is asked to send it again
_AFTER_ANSWER = 0.3  # for the same where somebody waits for an answer that is there
_SMALL = 16_000  # bytes of an odd message that are mended on the loop
_STALE = frozenset({"speech-update", "user-interrupted"})

Fields = list[tuple[bytes, bytes]]
Client = tuple[str, int] | None
Reply = tuple[int, Fields, bytes]  # status, headers without the length, body

_JSON: Fields = [(b"content-type", b"application/json")]
TEXT: Fields = [(b"content-type", b"text/plain; charset=utf-8")]
_LAST: Fields = [*TEXT, (b"connection", b"close")]


class VapiEvents:
    """Answers Vapi's requests. https://docs.vapi.ai/server-url/events"""

    def __init__(self, parts: Parts, limiter: Limiter, attempts: Attempts) -> None:
        """`limiter` is for requests of the vendor, `attempts` for those that only pretend to be."""
        self._tools = parts.tools
        self._questions = parts.questions
        self._intake = parts.intake
        self._events = parts.events
        self._observer: Observer = parts.observer
        self._stale_seconds = parts.settings.stale_seconds
        self._verify = verifier(parts.spec.auth, parts.settings.vapi_secrets, parts.observer.older_secret_used)
        self._limiter = limiter
        self._attempts = attempts

    async def respond(self, headers: Fields, body: bytes, client: Client) -> Reply:
        """The answer to one request; `headers` as they came, their names in small letters."""
        started = time.monotonic()
        now = time.time()
        if wrong := self._verify(headers, body, now):
            peer = client[0] if client else ""
            self._observer.refused("vapi", wrong, path=EVENTS_PATH, peer=peer)
            # A vendor's request is never held up by strangers': they are only sent away, when they come too often.
            again = self._attempts.failed(peer)
            return 401, TEXT if again else _LAST, b"Unauthorized"
        if not self._limiter.allows(client):
            return 429, TEXT, b"Too many requests"
        with self._observer.message(headers) as watch:
            try:
                message = strict(body) or await _read_loosely(body)
            except Malformed:
                self._observer.message_counted("(malformed)", "refused")
                watch.ended("refused", 400)
                return 400, TEXT, b"No message"
            watch.about(message)
            if message.type == "tool-calls":
                answer = await self._tools.answer(message, body, started)
                self._observer.message_ended("tool-calls", "answered", time.monotonic() - started)
                watch.ended("answered", 200)
                return 200, _JSON, answer
            reply = await self._other(message, body, now, started)
            watch.ended("", reply[0])
            return reply

    async def _other(self, message: Message, body: bytes, now: float, started: float) -> Reply:
        kind, outcome = message.kind, "stored"
        answered = self._questions.knows(kind)
        note, state = "", DONE
        if kind in _STALE and message.sent is not None and now - message.sent > self._stale_seconds:
            note = outcome = "stale"
        elif kind == "transcript" and not message.is_final:
            note = "partial"
        elif not answered and self._events.wants(kind):
            state = WAITING
        stored = self._intake.store(message, body, now, state, note)
        headers, answer = _JSON, b"{}"
        if answered:
            answer, content_type, by = await self._questions.answer(message, body, started)
            headers, outcome = [(b"content-type", content_type.encode())], "answered"
            if by != "ok":  # for whoever tests: nobody can tell a fallback from an answer of the same form
                headers.append((OUTCOME_HEADER, by.encode()))
        try:
            # Somebody on the phone waits for an answer that is there; its sender waits for everything else.
            fresh = await in_time(stored, time.monotonic() + (_AFTER_ANSWER if answered else _STORE_SECONDS))
        except Exception as error:
            # An answer that somebody on the phone waits for is given all the same; everything else is sent again.
            log("store", logging.ERROR, error=type(error).__name__, type=kind)
            if not answered:
                self._observer.message_ended(kind, "not-stored", time.monotonic() - started)
                return 503, [*TEXT, (b"retry-after", b"1")], b"Not stored"
            fresh = True
        if not fresh:
            outcome = "repeated"
        elif state == WAITING:
            self._events.wake()
        self._observer.message_ended(kind, outcome, time.monotonic() - started)
        if kind == "end-of-call-report" and fresh:
            self._observer.call_ended(message.call_id, message.endedReason or "")
        return 200, headers, answer


async def _read_loosely(body: bytes) -> Message:
    """A message that no strict reader takes; a large one beside the loop. Raises Malformed."""
    return lenient(body) if len(body) < _SMALL else await asyncio.to_thread(lenient, body)
