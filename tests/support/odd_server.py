"""An HTTP server on loopback whose answers a test writes itself, byte by byte if it wants."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(slots=True)
class Asked:
    """One request: how often one came before it, its path, query and content, and where to write the answer."""

    number: int
    path: str
    query: dict[str, str]
    method: str
    handler: BaseHTTPRequestHandler
    stopping: Event
    content: bytes = b""

    def json(self, value: Any, status: int = 200, **headers: str) -> None:
        self.raw(json.dumps(value).encode(), status, **headers)

    def raw(self, content: bytes, status: int = 200, **headers: str) -> None:
        self.head(status, content_length=str(len(content)), **headers)
        self.handler.wfile.write(content)

    def head(self, status: int = 200, **headers: str) -> None:
        self.handler.send_response(status)
        for name, value in ({"content_type": "application/json"} | headers).items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()


Answering = Callable[[Asked], None]


@dataclass(slots=True)
class OddServer:
    url: str
    requests: list[str] = field(default_factory=list)


@contextmanager
def odd_server(answer: Answering) -> Iterator[OddServer]:
    """Every request is answered by `answer`."""
    stopping = Event()
    made = OddServer("")

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that goes away in the middle is no news of the test's."""
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            split = urlsplit(self.path)
            made.requests.append(f"{self.command} {self.path}")
            asked = Asked(
                len(made.requests), split.path, dict(parse_qsl(split.query)), self.command, self, stopping, content
            )
            try:
                answer(asked)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_POST = do_PATCH = do_DELETE = _any

        def log_message(self, format: str, *arguments: Any) -> None:
            return

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield made
    finally:
        stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
