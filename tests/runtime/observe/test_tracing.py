"""Spans, as a collector receives them over OTLP/HTTP, from runtimes in processes and threads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.runtime.runtime_bench import (
    DASHBOARD,
    ORDER,
    Client,
    LineSpec,
    Serving,
    served,
    serving,
    spec_of,
    tool,
    wait_for,
)
from tests.runtime.start.test_commands import AGENTS, PROJECT
from tests.support.bench import Bench, bench
from voiceops.runtime.settings import Settings, span_exporters

HANDLERS = """
import asyncio
from opentelemetry import trace

def current():
    return format(trace.get_current_span().get_span_context().span_id, "016x")

async def find_order(call, orderNumber: str):
    if orderNumber == "0": raise ValueError(orderNumber)
    if orderNumber == "span": return current()
    await asyncio.sleep(0.02)
    return f"Order {orderNumber} is on its way."

def in_thread():
    return current()

@on_end_of_call
async def ended(event): ...
"""
SPEC = spec_of(tool("findOrder", "h:find_order", parameters=ORDER), tool("inThread", "h:in_thread"))
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@dataclass(slots=True)
class Collector:
    """An OTLP/HTTP receiver: every span with its attributes, and the resource that it came from."""

    url: str = ""
    spans: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        self.headers.append(headers)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = _plain(group.resource.attributes)
            for scope in group.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        {
                            "name": span.name,
                            "trace": span.trace_id.hex(),
                            "id": span.span_id.hex(),
                            "parent": span.parent_span_id.hex(),
                            "ms": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
                            "error": span.status.code == 2,
                            "resource": resource,
                            **_plain(span.attributes),
                        }
                    )

    def named(self, name: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["name"] == name]


def _plain(attributes: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            made.take(self.rfile.read(int(self.headers["content-length"])), dict(self.headers))
            body = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield made
        server.shutdown()


@contextmanager
def traced(
    folder: Path, monkeypatch: pytest.MonkeyPatch, url: str, handlers: str = HANDLERS, **variables: str
) -> Iterator[Serving]:
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "100", **variables}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with serving(folder, SPEC, handlers, telemetry=given) as client:
        yield client


def test_a_message_and_its_tool_calls_are_spans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collector: Collector
) -> None:
    with traced(tmp_path, monkeypatch, collector.url, OTEL_EXPORTER_OTLP_HEADERS="api-key=k") as client:
        calls = [
            {"id": f"t{n}", "function": {"name": name, "arguments": {"orderNumber": number}}}
            for n, (name, number) in enumerate([("findOrder", "12"), ("findOrder", "0"), ("nothing", "secret-name")])
        ]
        body = json.dumps(
            {
                "message": {
                    "type": "tool-calls",
                    "call": {"id": "call-1", "customer": {"number": "+14155550123"}},
                    "toolCallList": calls,
                }
            }
        ).encode()
        headers = {**client.signed(body), "traceparent": f"00-{TRACE}-{PARENT}-01"}
        assert len(client.raw(body, headers).results) == 3
        client.message("end-of-call-report", endedReason="done")
        wait_for(lambda: len(collector.spans) >= 6)
    (message,) = collector.named("tool-calls")
    assert (message["trace"], message["parent"]) == (TRACE, PARENT)
    assert message["voiceops.call.id"] == "call-1"
    assert message["http.response.status_code"] == 200
    assert message["ms"] >= 15
    found = {span["voiceops.tool_call.id"]: span for span in collector.spans if span["name"].startswith("tool ")}
    assert {span["parent"] for span in found.values()} == {message["id"]}
    assert {id_: (span["name"], span["voiceops.outcome"], span["error"]) for id_, span in found.items()} == {
        "t0": ("tool findOrder", "ok", False),
        "t1": ("tool findOrder", "failed", True),
        "t2": ("tool (unknown)", "missing", True),
    }
    assert found["t0"]["ms"] >= 15
    (event,) = collector.named("event end-of-call-report")
    assert (event["voiceops.outcome"], event["voiceops.attempt"], event["parent"]) == ("done", 1, "")
    (report,) = collector.named("end-of-call-report")
    assert report["parent"] == ""
    resource = report["resource"]
    assert resource["service.name"] == "voiceops"
    assert (resource["deployment.environment.name"], resource["voiceops.project"]) == ("test", "shop")
    assert collector.headers[0]["api-key"] == "k"
    shown = json.dumps(collector.spans)
    assert "+1415" not in shown
    assert "secret-name" not in shown
    assert "on its way" not in shown


def test_spans_of_a_handler_are_children_of_its_tool_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collector: Collector
) -> None:
    with traced(tmp_path, monkeypatch, collector.url) as client:
        first = client.tool("findOrder", {"orderNumber": "span"})["result"]
        second = client.tool("inThread")["result"]
    (one, other) = (span for span in collector.spans if span["name"].startswith("tool "))
    assert {one["name"]: one["id"], other["name"]: other["id"]} == {"tool findOrder": first, "tool inThread": second}
    assert one["trace"] != other["trace"]


def test_a_line_s_webhook_is_a_span(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collector: Collector) -> None:
    line = LineSpec(address="Phone/main", path="main", number="+14155550100", answer="runtime", target="Agent/x")
    given = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces"}
    monkeypatch.setenv(*next(iter(given.items())))
    closed = {"vapi_url": "http://127.0.0.1:1", "vapi_key": "k"}
    with serving(tmp_path, spec_of(lines=(line,)), telemetry=given, **closed) as client:
        asked = client.twilio("/twilio/voice/main", {"CallSid": "CA1", "From": "+14155550123", "To": line.number})
        assert "<Say>" in asked.text
        assert client.twilio("/twilio/voice/main", {"CallSid": "CA2"}, token="wrong").status == 403
    (span,) = collector.spans
    assert (span["name"], span["voiceops.line"], span["voiceops.call.id"]) == ("twilio.voice", "Phone/main", "CA1")
    assert "+1415" not in json.dumps(span)


def test_strangers_leave_no_spans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collector: Collector) -> None:
    with traced(tmp_path, monkeypatch, collector.url) as client:
        body = b'{"message":{"type":"tool-calls"}}'
        assert client.raw(body, {"traceparent": f"00-{TRACE}-{PARENT}-01"}).status == 401
        assert client.raw(b"nothing").status == 400
        wait_for(lambda: collector.spans)
    assert [span["name"] for span in collector.spans] == ["message"]
    assert collector.spans[0]["http.response.status_code"] == 400


@pytest.mark.parametrize(("ratio", "spans"), [("0", 0), ("1", 20)])
def test_the_sampler_is_the_environment_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collector: Collector, ratio: str, spans: int
) -> None:
    sampler = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    with traced(tmp_path, monkeypatch, collector.url, **sampler, OTEL_SERVICE_NAME="phones") as client:
        for n in range(10):
            client.tool("findOrder", {"orderNumber": str(n)})
    assert len(collector.spans) == spans  # what waits is sent at the end
    assert {span["resource"]["service.name"] for span in collector.spans} <= {"phones"}


def test_a_collector_that_hangs_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as silent:  # accepts, and never answers
        started = time.monotonic()
        with traced(tmp_path, monkeypatch, f"http://127.0.0.1:{silent.server_port}") as client:
            for _ in range(20):
                assert "result" in client.tool("findOrder", {"orderNumber": "1"})
            assert time.monotonic() - started < 5
        assert time.monotonic() - started < 10
    # Its thread tries again with the random module, which the next test may be drawing from.
    wait_for(lambda: not any("Otel" in thread.name for thread in threading.enumerate()))


def test_two_workers_with_what_env_says(tmp_path: Path, collector: Collector) -> None:
    """`serve` as a process, with the variables in .env; and the two share the sessions."""
    with bench(tmp_path / "shop") as shop:
        shop.write("voiceops.yaml", PROJECT)
        shop.write("agents/agents.yaml", AGENTS)
        shop.write(".env", f"OTEL_EXPORTER_OTLP_ENDPOINT={collector.url}\nOTEL_BSP_SCHEDULE_DELAY=100\n")
        shop.write("agents/handlers/orders.py", COUNTING)
        _count(shop, collector)


COUNTING = """
import os

async def find_order(call, orderNumber: str):
    return sorted(await call.session.change("workers", lambda seen: sorted({*seen, os.getpid()}), []))
"""


def _count(shop: Bench, collector: Collector) -> None:
    environ = {**shop.environ, "VOICEOPS_DASHBOARD_TOKEN": DASHBOARD}
    with served(shop.folder, environ, "--workers", "2") as client:
        client.secret = environ["VAPI_WEBHOOK_SECRET"]
        sent = 0

        def both() -> bool:
            nonlocal sent
            sent += 1
            return len(json.loads(client.tool("findOrder", {"orderNumber": "1"})["result"])) == 2

        wait_for(both)
        assert client.stop() == 0
    assert len(collector.named("tool findOrder")) == len(collector.named("tool-calls")) == sent


@pytest.mark.parametrize(
    ("environ", "exporters"),
    [
        ({}, []),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, []),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, ["otlp"]),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, ["otlp"]),
        ({"OTEL_TRACES_EXPORTER": "otlp, console"}, ["otlp", "console"]),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, []),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, []),
        ({"OTEL_SERVICE_NAME": "x"}, []),
    ],
)
def test_who_asks_for_spans(environ: dict[str, str], exporters: list[str]) -> None:
    assert span_exporters(environ) == exporters
    secret = {"VAPI_WEBHOOK_SECRET": "s"}
    settings = Settings.from_environ(environ | secret, database="", answers_lines=False)
    assert settings.telemetry == (environ if exporters else {})


MISSING = """
import runpy, sys
sys.modules["opentelemetry"] = None  # as where the extra is not installed
sys.argv = ["voiceops", "-C", {folder!r}, "serve", "--port", "0"]
runpy.run_module("voiceops", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "otlp"}, 'pip install "voiceops-iac[otel]"'),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, 'pip install "voiceops-iac[otel]"'),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "zipkin"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "grpc"),
    ],
)
def test_spans_that_can_not_be_made_stop_no_call(tmp_path: Path, variables: dict[str, str], said: str) -> None:
    with bench(tmp_path / "shop") as shop:
        shop.write("voiceops.yaml", PROJECT)
        shop.write("agents/agents.yaml", AGENTS)
        shop.write("agents/handlers/orders.py", "def find_order(orderNumber: str): ...\n")
        script = MISSING.format(folder=str(shop.folder))
        environ = {**os.environ, **shop.environ, **variables}
        with subprocess.Popen([sys.executable, "-c", script], stdout=PIPE, stderr=PIPE, text=True, env=environ) as ran:
            assert ran.stdout is not None
            found = re.search(r"http://[\w.]+:(\d+)", ran.stdout.readline())
            assert found is not None
            client = Client(int(found[1]), secret=shop.environ["VAPI_WEBHOOK_SECRET"])
            wait_for(lambda: client.get("/healthz").status == 200)
            assert "result" in client.tool("findOrder", {"orderNumber": "1"})
            ran.terminate()
            _, log = ran.communicate(timeout=90)
    assert said in log.replace('\\"', '"')
    assert "Traceback" not in log


def test_nothing_is_imported_where_there_are_no_spans(tmp_path: Path) -> None:
    script = """
import asyncio, sys
from voiceops.runtime.http.app import RuntimeApp
from voiceops.runtime.handlers.loading import Handlers
from voiceops.runtime.parts import Parts, Setup
from voiceops.runtime.settings import Settings
from voiceops.runtime.spec import RuntimeSpec
from pathlib import Path
environ = {"VAPI_WEBHOOK_SECRET": "s", "OTEL_SERVICE_NAME": "x", "OTEL_TRACES_EXPORTER": "none"}
settings = Settings.from_environ(environ, database="x.db", answers_lines=False)
spec = RuntimeSpec(project="p", environment="e", url="https://x.example.com", auth="hmac")
setup = Setup(spec=spec, settings=settings, handlers=Handlers(Path("."), []))
RuntimeApp(setup)
async def begun():
    async with Parts.open(setup):
        pass
asyncio.run(begun())
print([name for name in sys.modules if "opentelemetry" in name or name.endswith("tracing")])
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert ran.stdout == "[]\n"
