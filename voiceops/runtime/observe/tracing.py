"""Spans for OpenTelemetry where the environment asks for them: one a message, one a tool call, and no caller's data.

Imported only where they are asked for: else nobody pays for them. Everything that OTEL_… variables say (sampler,
exporter, headers, resource) is the SDK's to read.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Mapping
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any

from voiceops._version import __version__
from voiceops.errors import VoiceopsError
from voiceops.runtime.observe.log import log
from voiceops.runtime.observe.observer import Headers, Observer, Watch
from voiceops.runtime.settings import span_exporters
from voiceops.runtime.vapi_messages import Message

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"
_WELL = frozenset({"ok", "repeated", "done"})
_CARRIED = frozenset({b"traceparent", b"tracestate"})
_LAST = 3.0  # seconds for the last spans to leave at the end


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


def begin(environ: Mapping[str, str], project: str, environment: str) -> Tracing | None:
    """The observer that makes the spans that these variables ask for; None where it can't, which is logged.

    A platform may set these variables for everything that runs on it: no reason not to answer the phone.
    """
    exporters = span_exporters(environ)
    for name, value in environ.items():
        os.environ.setdefault(name, value)  # what stands in .env, too: the SDK reads the process's own
    try:
        check(environ)
        provider, ours = _provider(project, environment, exporters)
    except VoiceopsError as error:
        log("tracing", logging.WARNING, error=f"no spans: {error.summary}", hint=error.hint)
        return None
    except Exception as error:
        log("tracing", logging.WARNING, error=f"no spans: {type(error).__name__}: {error}"[:300])
        return None
    log("tracing", exporters=",".join(exporters))
    return Tracing(provider, ours)


_made: list[Any] = []  # the providers of this process that are ours


def _provider(project: str, environment: str, exporters: list[str]) -> tuple[TracerProvider, bool]:
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
        "deployment.environment.name": environment,
        "voiceops.project": project,
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


class Tracing(Observer):
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

    def message(self, headers: Headers) -> Watch:
        """A message's span. What it is about is known when it was read, and so is the span's name."""
        kind = self._trace.SpanKind.SERVER
        return self._watch(self._tracer.start_span("message", self._carried(headers), kind))

    def tool(self, name: str, message: Message, tool_call: str) -> Watch:
        ids = {"voiceops.call.id": message.call_id[:200], "voiceops.tool_call.id": tool_call[:200]}
        attributes = {"voiceops.tool": name, **ids}
        return self._watch(self._tracer.start_span(f"tool {name}", attributes=attributes))

    def event(self, kind: str, call: str, id_: int, attempt: int) -> Watch:
        attributes = {"voiceops.message.type": kind, "voiceops.call.id": call, "voiceops.event.id": str(id_)}
        started = self._tracer.start_span(f"event {kind}", attributes={**attributes, "voiceops.attempt": attempt})
        return self._watch(started)

    def line(self, address: str, call_sid: str) -> Watch:
        attributes = {"voiceops.line": address, "voiceops.call.id": call_sid[:100]}
        kind = self._trace.SpanKind.SERVER
        return self._watch(self._tracer.start_span("twilio.voice", kind=kind, attributes=attributes))

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

    def _watch(self, span: Span) -> Watch:
        return _SpanWatch(span, self._context, self._trace)

    def _carried(self, headers: Headers) -> Context | None:
        """The trace that a request says it belongs to. https://www.w3.org/TR/trace-context/"""
        found = {name.decode(): value.decode("latin-1") for name, value in headers if name in _CARRIED}
        return self._propagator.extract(found) if found else None


class _SpanWatch(Watch):
    """A span, the current one from where it is entered to where it is left; there it ends."""

    __slots__ = ("_context", "_span", "_token", "_trace")

    def __init__(self, span: Span, context: Any, trace: Any) -> None:
        self._span = span
        self._context = context  # OpenTelemetry's modules, which are imported only where there are spans
        self._trace = trace

    def __enter__(self) -> Watch:
        self._token = self._context.attach(self._trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._context.detach(self._token)
        if isinstance(error, Exception):
            self._span.set_attribute("error.type", type(error).__name__)
            self._fail()
        if error is None or isinstance(error, Exception):  # what is cancelled with the server did not end
            self._span.end()

    def about(self, message: Message) -> None:
        kind = message.kind[:100]
        if kind:
            self._span.update_name(kind)
            self._span.set_attributes({"voiceops.message.type": kind, "voiceops.call.id": message.call_id[:200]})

    def ended(self, outcome: str, status: int = 0) -> None:
        if status:
            self._span.set_attribute("http.response.status_code", status)
        else:
            self._span.set_attribute("voiceops.outcome", outcome)
        if status >= 500 or (not status and outcome not in _WELL):
            self._fail()

    def _fail(self) -> None:
        self._span.set_status(self._trace.Status(self._trace.StatusCode.ERROR))
