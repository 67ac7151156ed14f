"""Projects with one line each, in every layout, and what stands for the runtime that some of them need."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.apply.manifests import AGENT, TOOL
from tests.support.bench import Bench

NUMBER = "+14155550100"
OTHER = "+14155550101"
SQUAD = "kind: Squad\nname: team\nspec: {members: [{agent: desk}, {agent: back}]}\n"
BACK = "kind: Agent\nname: back\nspec: {firstMessage: Hi, model: {provider: openai, model: gpt-4.1-mini}}\n"
TRUNK = "kind: Credential\nname: trunk\nspec: {provider: byo-sip-trunk, gateways: [{ip: 203.0.113.7}]}\n"
FALLBACK = "{type: number, number: '+14155550199'}"


def phone(spec: str, more: str = "") -> str:
    return f"kind: Phone\nname: line\nspec: {{{spec}}}\n{more}"


LAYOUTS: dict[str, str] = {
    "vapi": phone(f"number: {NUMBER}, provider: twilio, agent: desk"),
    "squad": phone(f"number: {NUMBER}, provider: twilio, squad: team"),
    "fallback": phone(f"number: {NUMBER}, provider: twilio, agent: desk, fallbackDestination: {FALLBACK}"),
    "runtime": phone(f"number: {NUMBER}, provider: twilio, agent: desk, answer: runtime"),
    "runtime-fallback": phone(
        f"number: {NUMBER}, provider: twilio, agent: desk, answer: runtime, "
        "twilio: {voiceFallbackUrl: 'https://static.example/busy'}"
    ),
    "asks": phone(f"number: {NUMBER}, provider: twilio, server: runtime"),
    "own": phone("provider: vapi, name: own, agent: desk"),
    "byo": phone("provider: byo-phone-number, number: '+14155550123', credentialId: trunk, agent: desk"),
    "vonage": phone("provider: vonage, number: '+14155550124', credentialId: trunk, agent: desk"),
    "telnyx": phone("provider: telnyx, number: '+14155550125', credentialId: trunk, squad: team"),
    "sip": phone("provider: vapi, sipUri: 'sip:Desk@sip.vapi.ai', agent: desk"),
}


class _Runtime(BaseHTTPRequestHandler):
    """As a runtime answers to a stranger: ready, and nothing without a signature."""

    def do_GET(self) -> None:
        self._answer(200, b'{"status": "ready"}')

    def do_POST(self) -> None:
        self._answer(401, b"{}")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def runtime() -> Iterator[str]:
    """The address of something that is as ready as a runtime."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Runtime)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settle_in(bench: Bench, layout: str, runtime_url: str = "http://127.0.0.1:9") -> None:
    """The project of a layout, applied two minutes ago."""
    lay_out(bench, layout, runtime_url)
    bench.apply()
    bench.control.switches(clock_skew=0)


def lay_out(bench: Bench, layout: str, runtime_url: str) -> None:
    bench.write(
        "voiceops.yaml",
        f"version: 1\nproject: shop\nenvironments: [live]\nruntime: {{url: '{runtime_url}'}}\n"
        "safety: {maxDestroyPercent: 100}\n",
    )
    bench.write("agents/agent.yaml", AGENT)
    bench.write("agents/tool.yaml", TOOL)
    bench.write("agents/back.yaml", BACK)
    if "squad: team" in LAYOUTS[layout]:
        bench.write("agents/squad.yaml", SQUAD)
    if "credentialId: trunk" in LAYOUTS[layout]:
        bench.write("agents/trunk.yaml", TRUNK)
    bench.write("agents/line.yaml", LAYOUTS[layout])
