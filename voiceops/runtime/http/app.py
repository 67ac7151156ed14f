"""The application: one Starlette app whose hot route, Vapi's messages, is answered before the router looks at it.

Puts the parts together and keeps the order that everything relies on: body, authentication, meaning, store, answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import blake2b
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from voiceops.errors import VoiceopsError
from voiceops.runtime.auth.vapi_auth import verifier
from voiceops.runtime.handlers.invoke import Invoker
from voiceops.runtime.handlers.loading import Handlers
from voiceops.runtime.handlers.sessions import Sessions
from voiceops.runtime.http.body import NO_BODY, read_body, trust
from voiceops.runtime.http.connections import Connections
from voiceops.runtime.http.limits import Attempts, Limiter, Noise
from voiceops.runtime.http.pages import routes
from voiceops.runtime.json_text import storable
from voiceops.runtime.messages.directory import Directory
from voiceops.runtime.messages.event_worker import EventWorker
from voiceops.runtime.messages.questions import Questions
from voiceops.runtime.messages.redaction import redacted
from voiceops.runtime.messages.tool_calls import Tools
from voiceops.runtime.messages.twilio_webhooks import Lines
from voiceops.runtime.messages.vapi_api import Known, VapiApi
from voiceops.runtime.observe.log import flush, log
from voiceops.runtime.observe.metrics import Counter, Histogram, Metrics
from voiceops.runtime.settings import Settings
from voiceops.runtime.spec import RuntimeSpec
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.inbox import Busy, Inbox, in_time
from voiceops.runtime.store.records import DONE, WAITING, Backend, EventRow, Stats
from voiceops.runtime.vapi_messages import Malformed, Message, lenient, strict

if TYPE_CHECKING:
    from voiceops.runtime.observe.tracing import Tracing

OUTCOME_HEADER = b"voiceops-outcome"  # on an answer that no handler gave: failed, timeout, misused
EVENTS_PATH = "/vapi/events"
_STORE_SECONDS = 12.0  # for a message to be stored, before its sender is asked to send it again
_AFTER_ANSWER = 0.3  # for the same where somebody waits for an answer that is there
_SMALL = 16_000  # bytes of an odd message that are mended on the loop
_LOOK_SECONDS = 3.0  # for the store to say how it is
_FRESH = 0.2  # seconds for which that is good
_WATCH_SECONDS = 10.0  # between looks that nobody asks for
_STALE = frozenset({"speech-update", "user-interrupted"})
_ONCE = frozenset({"end-of-call-report", "status-update"})  # of which a delivery may differ from its repetition

Fields = list[tuple[bytes, bytes]]
Client = tuple[str, int] | None
Reply = tuple[int, Fields, bytes]  # status, headers without the length, body

_JSON: Fields = [(b"content-type", b"application/json")]
_TEXT: Fields = [(b"content-type", b"text/plain; charset=utf-8")]
_LAST: Fields = [*_TEXT, (b"connection", b"close")]


class Runtime:
    """Everything behind the routes; made before the loop runs, started with it."""

    def __init__(
        self,
        spec: RuntimeSpec,
        settings: Settings,
        loaded: Handlers,
        *,
        known: Known | None = None,
        backend: Backend | None = None,
        boot: str = "",
        revision: Callable[[], Awaitable[int | None]] | None = None,
    ) -> None:
        """`known` and `revision` ask a state; `boot` is equal for the workers of one start."""
        self.spec = spec
        self.settings = settings
        self.boot = boot
        self.revision: int | None = None
        self._ask_revision = revision
        self.metrics = Metrics()
        self.draining = False
        self.started = time.time()
        self.inbox = Inbox(backend or backend_of(settings.database), power_safe=settings.power_safe)
        self.caller = Invoker()
        self.limiter = Limiter(settings.rate)
        self.attempts = Attempts()  # to be taken for Vapi or Twilio
        self.logins = Attempts()  # to guess the dashboard's token
        self.noise = Noise()
        self.unwell = ""  # what is wrong with the store
        self._looking: asyncio.Task[tuple[str, Stats | None]] | None = None
        self._looked = 0.0
        self.connections = Connections(self.metrics, self.noise)
        self.sessions = Sessions(self.inbox, settings.session_seconds)
        self.tools = Tools(spec, loaded, self.inbox, self.caller, self.metrics, self.sessions)
        self.tracing: Tracing | None = None
        self._bound: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self._loaded = loaded
        self._known = known
        self._verify = verifier(spec.auth, settings.vapi_secrets)
        _describe(self.metrics)

    async def start(self) -> None:
        """Open the store and begin to work on what it holds. Raises VoiceopsError."""
        self.api = VapiApi(self.spec, self.settings.vapi_url, self.settings.vapi_key, self._known)
        self.answers = Questions(
            self.spec,
            self._loaded,
            self.api,
            self.caller,
            self.metrics,
            self.settings.assistant_seconds,
            self.sessions,
        )
        self.tools.whose = Directory(self.spec, self.api)
        self.lines = Lines(self.spec, self.answers, self.api, self.inbox, self.metrics, self.settings.answer_seconds)
        self.processor = EventWorker(
            self._loaded.registry.events, self.inbox, self.caller, self.metrics, self.settings, self.sessions
        )
        await self.inbox.start()
        if self._ask_revision is not None:
            try:
                self.revision = await self._ask_revision()
            except VoiceopsError as error:  # nothing but a number on a page depends on it
                log("state", logging.WARNING, error=error.summary)
        if self.settings.telemetry:
            from voiceops.runtime.observe.tracing import begin

            self.tracing = begin(self)
        self.processor.start()
        self._watcher = asyncio.get_running_loop().create_task(self._watch())
        self._publisher = asyncio.get_running_loop().create_task(self._publish()) if self.boot else None
        # What is there now stays: the collector need not look at it again with every thousand requests.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        if any(line.handler for line in self.spec.lines) and not self.api.can_look:
            log("ids", logging.WARNING, detail="no VAPI_API_KEY and no VOICEOPS_STATE: agents have no ids here")
        log("started", environment=self.spec.environment, tools=len(self.spec.tools), lines=len(self.spec.lines))

    async def stop(self) -> None:
        """Let what is under way end, and store what is waiting."""
        self.draining = True
        for task in (self._publisher, self._watcher, self._looking):
            if task is not None:
                task.cancel()
        await self.processor.close(5.0)
        await self.inbox.close()
        await self.api.close()
        self.caller.close()
        self.tools.close()
        if self.tracing is not None:
            await self.tracing.close()
        log("stopped")
        flush()

    async def vapi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`POST /vapi/events`, as any ASGI server hands it on."""
        body = await read_body(scope, receive, self.settings.max_body)
        if isinstance(body, int):
            status, headers, answer = body, _TEXT, NO_BODY[body].encode()
        else:
            status, headers, answer = await self.respond(scope["headers"], body, scope.get("client"))
            if status != 401:
                trust(scope)
        length = (b"content-length", str(len(answer)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": answer})

    async def respond(self, headers: Fields, body: bytes, client: Client) -> Reply:
        """The answer to one of Vapi's requests: who sent it, what it means, what is stored, what is said."""
        started = time.monotonic()
        now = time.time()
        if wrong := self._verify(headers, body, now):
            self.refused("vapi", wrong, EVENTS_PATH, client)
            # A vendor's request is never held up by strangers': they are only sent away, when they come too often.
            again = self.attempts.failed(client[0] if client else "")
            return 401, _TEXT if again else _LAST, b"Unauthorized"
        if not self.limiter.allows(client):
            return 429, _TEXT, b"Too many requests"
        try:
            message = strict(body) or await _read_loosely(body)
        except Malformed:
            self.metrics.counter("voiceops_messages_total", type="(malformed)", outcome="refused").add()
            return 400, _TEXT, b"No message"
        if message.type == "tool-calls":
            answer = await self.tools.answer(message, body, started)
            self._seen("tool-calls", "answered", started)
            return 200, _JSON, answer
        return await self._other(message, body, now, started)

    async def _other(self, message: Message, body: bytes, now: float, started: float) -> Reply:
        kind, outcome = message.kind, "stored"
        answered = self.answers.knows(kind)
        note, state = "", DONE
        if kind in _STALE and message.sent is not None and now - message.sent > self.settings.stale_seconds:
            note = outcome = "stale"
        elif kind == "transcript" and not message.is_final:
            note = "partial"
        elif not answered and self.processor.wants(kind):
            state = WAITING
        stored = self.store(message, body, now, state, note)
        headers, answer = _JSON, b"{}"
        if answered:
            answer, content_type, by = await self.answers.answer(message, body, started)
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
                self._seen(kind, "not-stored", started)
                return 503, [*_TEXT, (b"retry-after", b"1")], b"Not stored"
            fresh = True
        if not fresh:
            outcome = "repeated"
        elif state == WAITING:
            self.processor.wake()
        self._seen(kind, outcome, started)
        if kind == "end-of-call-report" and fresh:
            log("call-ended", call=message.call_id, reason=message.endedReason or "")
        return 200, headers, answer

    def store(self, message: Message, body: bytes, now: float, state: int, note: str) -> asyncio.Future[bool]:
        """Put a message into the inbox: is it new? Its key is the same for every delivery."""
        kind, sent = storable(message.kind), message.sent
        call = storable(message.call_id)
        if kind in _ONCE and sent is not None and call:
            identity = f"{kind}|{message.call_id}|{message.timestamp!r}|{message.status}".encode("utf-8", "replace")
        else:
            identity = body
        if self.settings.redact and state == DONE:  # else when it was worked on
            body = redacted(kind, body, self.settings.redact)
        id_ = self.inbox.next_id(now)
        row = EventRow(id_, blake2b(identity, digest_size=16).digest(), kind, call, now, sent or 0.0, state, note, body)
        try:
            return self.inbox.put(row)
        except Busy as error:
            failed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            failed.set_exception(error)
            return failed

    async def health(self) -> tuple[str, Stats | None]:
        """What is wrong, empty when nothing is, and how the queue stands. However many ask, one looks."""
        if self._looking is None or (self._looking.done() and time.monotonic() - self._looked > _FRESH):
            self._looking = asyncio.get_running_loop().create_task(self._look())
        wrong, stats = await asyncio.shield(self._looking)
        return "draining" if self.draining else wrong, stats

    async def _look(self) -> tuple[str, Stats | None]:
        stats = None
        try:
            asked = self.inbox.run(lambda backend: (backend.check(), backend.stats()))
            wrong, stats = await in_time(asked, time.monotonic() + _LOOK_SECONDS)
        except Exception:
            wrong = "the store does not answer"
        wrong = self.inbox.damaged or wrong or ("the store does not answer" if self.inbox.broken else "")
        if wrong != self.unwell:
            log("store", logging.ERROR if wrong else logging.INFO, state=wrong or "well")
        self.unwell = wrong
        self._looked = time.monotonic()
        return wrong, stats

    async def _watch(self) -> None:
        """Notice by itself when the store is damaged, gone or another one."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            await self.health()

    def refused(self, vendor: str, why: str, path: str, client: Client) -> None:
        """Count a request that was not the vendor's; log one a second, for there may be many."""
        self.metrics.counter("voiceops_auth_failures_total", vendor=vendor, reason=why).add()
        self.noise.say("refused", vendor=vendor, reason=why, path=path[:100], peer=client[0] if client else "")

    def _seen(self, kind: str, outcome: str, started: float) -> None:
        bound = self._bound.get((kind, outcome))
        if bound is None:
            # Types come from outside: only those that Vapi is known to send become labels.
            shown = kind if kind in KNOWN_TYPES else "(other)"
            counter = self.metrics.counter("voiceops_messages_total", type=shown, outcome=outcome)
            bound = counter, self.metrics.histogram("voiceops_message_seconds", type=shown)
            if shown == kind:
                self._bound[kind, outcome] = bound
        bound[0].add()
        bound[1].observe(time.monotonic() - started)

    async def _publish(self) -> None:
        """Leave the counters where the other workers find them."""
        while True:
            await asyncio.sleep(2)
            with contextlib.suppress(Exception):
                data = self.metrics.snapshot()
                await self.inbox.run(lambda backend: backend.publish(self.boot, data))  # noqa: B023


class RuntimeApp(Starlette):
    """Starlette, with the hot route in front. `runtime` is None until the loop runs."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._prefix = _path_of(runtime.spec.url)
        self.hot = frozenset({EVENTS_PATH, self._prefix + EVENTS_PATH})  # paths of Vapi's messages

        @contextlib.asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            await runtime.start()
            try:
                yield
            finally:
                await runtime.stop()

        super().__init__(routes=routes(runtime, self._prefix), lifespan=lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self.hot and scope["method"] == "POST":
            await self.runtime.vapi(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def _read_loosely(body: bytes) -> Message:
    """A message that no strict reader takes; a large one beside the loop. Raises Malformed."""
    return lenient(body) if len(body) < _SMALL else await asyncio.to_thread(lenient, body)


def _path_of(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).path.rstrip("/") if url else ""


def _describe(metrics: Metrics) -> None:
    for name, kind, text in (
        ("voiceops_messages_total", "counter", "Vapi's messages by type and outcome."),
        ("voiceops_message_seconds", "histogram", "Time from a message's arrival to its answer."),
        ("voiceops_tool_calls_total", "counter", "Tool calls by tool and outcome."),
        ("voiceops_tool_seconds", "histogram", "Time from a tool call's arrival to its result."),
        ("voiceops_auth_failures_total", "counter", "Requests that were not the vendor's, by reason."),
        ("voiceops_connections_ended_total", "counter", "Connections and requests that broke a bound, by which."),
        ("voiceops_answers_total", "counter", "Answers to requests that Vapi waits for."),
        ("voiceops_calls_total", "counter", "Calls of lines that the runtime answers."),
        ("voiceops_events_processed_total", "counter", "Stored messages that handlers worked on."),
        ("voiceops_event_lag_seconds", "histogram", "Time from a message's arrival to the end of its handlers."),
    ):
        metrics.describe(name, kind, text)


KNOWN_TYPES = frozenset(
    [
        "assistant-request",
        "tool-calls",
        "transfer-destination-request",
        "handoff-destination-request",
        "knowledge-base-request",
        "voice-request",
        "call.endpointing.request",
        "campaign.predial",
        "phone-call-control",
        "end-of-call-report",
        "status-update",
        "conversation-update",
        "transcript",
        "speech-update",
        "model-output",
        "user-interrupted",
        "hang",
        "transfer-update",
        "function-call",
        "language-change-detected",
        "voice-input",
        "assistant.started",
        "assistant.speechStarted",
        "chat.created",
        "chat.deleted",
        "session.created",
        "session.updated",
        "session.deleted",
        "call.deleted",
        "call.delete.failed",
        "call.artifact.upload",
    ]
)
