"""Spans for OpenTelemetry where the environment asks for them: one a message, one a tool call, and no caller's data.

Imported only where they are asked for: else the hot route pays nothing but a look at an attribute. Everything that
OTEL_… variables say (sampler, exporter, headers, resource) is the SDK's to read.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import sys
import threading
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import msgspec

from voiceops._version import __version__
from voiceops.errors import VoiceopsError
from voiceops.runtime.observe.log import log
from voiceops.runtime.settings import span_exporters

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

    from voiceops.runtime.http.app import Client, Fields, Reply, Runtime
    from voiceops.runtime.spec import LineSpec

_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"
_REFUSED = frozenset({401, 413, 429})  # a stranger's requests leave no spans
_WELL = frozenset({"ok", "repeated", "done"})
_CARRIED = frozenset({b"traceparent", b"tracestate"})
_LAST = 3.0  # seconds for the last spans to leave at the end


class _CallHead(msgspec.Struct, gc=False):
    id: str | None = None


class _MessageHead(msgspec.Struct, gc=False):
    type: str | None = None
    call: _CallHead | None = None


class _Head(msgspec.Struct, gc=False):
    """As much of a message as a span tells."""

    message: _MessageHead | None = None


_decode = msgspec.json.Decoder(_Head).decode


def check(environ: Mapping[str, str]) -> None:
    """Can the spans that these variables ask for be made? Raises VoiceopsError."""
    exporters = span_exporters(environ)
    unknown = [name for name in exporters if name not in ("otlp", "console")]
    if unknown:
        raise VoiceopsError(
            f"OTEL_TRACES_EXPORTER names {unknown[0]!r}, which this version doesn't have",
            hint="There are otlp, console and none.",
        )
    protocol = next((environ[name] for name in _PROTOCOLS if environ.get(name)), _HTTP)
    if "otlp" in exporters and protocol != _HTTP:
        raise VoiceopsError(
            f"spans can't be sent over {protocol}",
            hint=f"Set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL={_HTTP}, and the collector's port for it (4318).",
        )
    for name in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"):
        try:
            found = find_spec(name)
        except ImportError:  # its parent is missing, too
            found = None
        if found is None:
            raise VoiceopsError(
                "OpenTelemetry is asked for by the environment, and not installed",
                hint='Install it: pip install "voiceops-iac[otel]", or set OTEL_SDK_DISABLED=true.',
            )


def begin(runtime: Runtime) -> Tracing | None:
    """Watch a runtime whose parts are made; None where the spans that are asked for can't be made, which is logged.

    A platform may set these variables for everything that runs on it: no reason not to answer the phone.
    """
    environ = runtime.settings.telemetry
    exporters = span_exporters(environ)
    for name, value in environ.items():
        os.environ.setdefault(name, value)  # what stands in .env, too: the SDK reads the process's own
    try:
        check(environ)
        provider, ours = _provider(runtime, exporters)
    except VoiceopsError as error:
        log("tracing", logging.WARNING, error=f"no spans: {error.summary}", hint=error.hint)
        return None
    except Exception as error:
        log("tracing", logging.WARNING, error=f"no spans: {type(error).__name__}: {error}"[:300])
        return None
    tracing = Tracing(provider, ours)
    tracing.watch(runtime)
    log("tracing", exporters=",".join(exporters))
    return tracing


_made: list[Any] = []  # the providers of this process that are ours


def _provider(runtime: Runtime, exporters: list[str]) -> tuple[TracerProvider, bool]:
    """The provider that a handler's module has set up, else one of ours, which handlers then use too."""
    from opentelemetry import trace
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

    there = trace.get_tracer_provider()
    if isinstance(there, TracerProvider) and there not in _made:
        return there, False
    own = {
        "service.name": "voiceops",
        "service.version": __version__,
        "deployment.environment.name": runtime.spec.environment,
        "voiceops.project": runtime.spec.project,
    }
    # What the variables say about the resource comes before what we say.
    given = Resource.create()
    named = bool(
        os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    )
    base = {name: value for name, value in given.attributes.items() if named or name != "service.name"}
    made = TracerProvider(resource=Resource({**own, **base}), shutdown_on_exit=False)
    for name in exporters:
        if name == "console":
            made.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter(out=sys.stderr)))
        else:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _made.append(made)
    if not isinstance(there, TracerProvider):
        trace.set_tracer_provider(made)
    _log_as_we_do()
    return made, True


class _AsWeLog(logging.Handler):
    """What the SDK has to say, as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        log("tracing", record.levelno if record.levelno in (30, 40, 50) else 20, detail=record.getMessage()[:300])


def _log_as_we_do() -> None:
    logger = logging.getLogger("opentelemetry")
    if not any(isinstance(handler, _AsWeLog) for handler in logger.handlers):
        logger.addHandler(_AsWeLog(logging.WARNING))
        logger.propagate = False


class Tracing:
    """Makes the spans. Create it with `begin`."""

    def __init__(self, provider: TracerProvider, ours: bool = True) -> None:
        from opentelemetry import context, trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._ours = ours
        self._context = context
        self._trace = trace
        self._tracer = provider.get_tracer("voiceops", __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._failed = trace.Status(trace.StatusCode.ERROR)

    def watch(self, runtime: Runtime) -> None:
        """Put the spans of messages around a runtime's own methods: where nobody watches, nothing stands there."""
        respond, answer = runtime.respond, runtime.lines.answer

        async def responding(headers: Fields, body: bytes, client: Client) -> Reply:
            span = self._tracer.start_span("message", self._carried(headers), self._trace.SpanKind.SERVER)
            try:
                reply: Reply = await self._inside(span, respond(headers, body, client))
            except Exception as error:
                self._end(span, {"error.type": type(error).__name__}, failed=True)
                raise
            if reply[0] not in _REFUSED:  # a span that is not ended is never sent
                name, attributes = _told(body)
                span.update_name(name)
                self._end(span, {**attributes, "http.response.status_code": reply[0]}, failed=reply[0] >= 500)
            return reply

        async def answering(line: LineSpec, fields: Mapping[str, str], token: str) -> str:
            span = self._tracer.start_span("twilio.voice", kind=self._trace.SpanKind.SERVER)
            twiml: str = await self._inside(span, answer(line, fields, token))
            self._end(span, {"voiceops.line": line.address, "voiceops.call.id": fields.get("CallSid", "")[:100]})
            return twiml

        runtime.respond = responding  # type: ignore[method-assign]
        runtime.lines.answer = answering  # type: ignore[method-assign]
        parts: list[Any] = [runtime.tools, runtime.processor]
        for part in parts:
            part.tracing = self

    def tool(self, name: str, call: str, tool_call: str) -> Work:
        """Begin the span of a tool call; spans that the handler makes are its children. End it with `done`."""
        attributes = {"voiceops.tool": name, "voiceops.call.id": call[:200], "voiceops.tool_call.id": tool_call[:200]}
        return Work(self, f"tool {name}", attributes)

    def event(self, type: str, call: str, id: int, attempt: int) -> Work:
        """Begin the span of one attempt of a stored message's handlers."""
        attributes = {"voiceops.message.type": type, "voiceops.call.id": call, "voiceops.event.id": str(id)}
        return Work(self, f"event {type}", {**attributes, "voiceops.attempt": attempt})

    async def close(self) -> None:
        """Send what is left, for a few seconds at most."""

        def work() -> None:
            self._provider.force_flush(int(_LAST * 1000))
            if self._ours:
                self._provider.shutdown()

        # A daemon: a collector that doesn't answer must not keep the process from ending.
        thread = threading.Thread(target=work, name="voiceops-tracing", daemon=True)
        thread.start()
        await asyncio.to_thread(thread.join, _LAST)

    async def _inside(self, span: Span, work: Any) -> Any:
        """Run a coroutine with the span as its current one, in a task of its own: whoever drives this one needs no
        context for it."""
        context = contextvars.copy_context()
        context.run(self._context.attach, self._trace.set_span_in_context(span))
        return await asyncio.get_running_loop().create_task(work, context=context)

    def _carried(self, headers: Fields) -> Context | None:
        """The trace that a request says it belongs to. https://www.w3.org/TR/trace-context/"""
        found = {name.decode(): value.decode("latin-1") for name, value in headers if name in _CARRIED}
        return self._propagator.extract(found) if found else None

    def _end(self, span: Span, attributes: Mapping[str, str | int], *, failed: bool = False) -> None:
        span.set_attributes(attributes)
        if failed:
            span.set_status(self._failed)
        span.end()


class Work:
    """A span under way, current until `done`, which belongs into the same coroutine."""

    __slots__ = ("_span", "_token", "_tracing")

    def __init__(self, tracing: Tracing, name: str, attributes: Mapping[str, str | int]) -> None:
        self._tracing = tracing
        self._span = tracing._tracer.start_span(name, attributes=attributes)
        self._token = tracing._context.attach(tracing._trace.set_span_in_context(self._span))

    def done(self, outcome: str) -> None:
        """`outcome` is one of the runtime's own words: ok, failed, timeout, …"""
        self._tracing._context.detach(self._token)
        self._tracing._end(self._span, {"voiceops.outcome": outcome}, failed=outcome not in _WELL)


def _told(body: bytes) -> tuple[str, dict[str, str]]:
    """A message's span: its name and what else is known of it."""
    try:
        message = _decode(body).message
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        message = None
    if message is None or not message.type:
        return "message", {}
    kind = message.type.partition("[")[0][:100]
    call = (message.call.id if message.call is not None else None) or ""
    return kind, {"voiceops.message.type": kind, "voiceops.call.id": call[:200]}
