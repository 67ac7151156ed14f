"""The short way for Vapi's messages against uvicorn's own protocol: the same bytes in give the same answers."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.runtime.runtime_bench import ORDER, Serving, serving, spec_of, tool
from voiceops.runtime.http import protocol as module
from voiceops.runtime.http.bounds import Bounds
from voiceops.runtime.http.protocol import RuntimeProtocol
from voiceops.runtime.observe.observer import Observer

SPEC = spec_of(tool("lookupOrder", "h:lookup", parameters=ORDER), tool("slow", "h:slow"))
HANDLERS = """
import asyncio
def lookup(orderNumber): return f"order {orderNumber} is on its way"
async def slow():
    await asyncio.sleep(0.4)
    return "at last"
"""


def call(name: str = "lookupOrder", number: str = "12", id_: str = "c1", filler: int = 0) -> bytes:
    listed = [{"id": id_, "function": {"name": name, "arguments": {"orderNumber": number} if name != "slow" else {}}}]
    message = {"type": "tool-calls", "call": {"id": "call-1"}, "toolCallList": listed, "artifact": "x" * filler}
    return json.dumps({"message": message}).encode()


def request(server: Serving, body: bytes, *more: str, path: str = "/vapi/events", version: str = "1.1") -> bytes:
    """A signed POST as bytes; `more` are header lines."""
    fields = [f"{name}: {value}" for name, value in server.signed(body).items()]
    lines = [f"POST {path} HTTP/{version}", "host: x", f"content-length: {len(body)}", *fields, *more, "", ""]
    return "\r\n".join(lines).encode() + body


GET = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


def chunked(server: Serving, body: bytes) -> bytes:
    whole = request(server, body).replace(b"content-length: %d" % len(body), b"transfer-encoding: chunked")
    head = whole[: -len(body)]
    half = len(body) // 2
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:], b""))


@contextmanager
def connected(server: Serving) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def answers(connection: socket.socket, count: int) -> list[tuple[int, dict[str, str], bytes]]:
    """That many responses, in the order in which they came; fewer when the server hung up."""
    held, found = b"", []
    while len(found) < count:
        end = held.find(b"\r\n\r\n")
        if end >= 0:
            first, *lines = held[:end].decode().split("\r\n")
            fields = dict(line.lower().split(": ", 1) for line in lines)
            size = int(fields.get("content-length", 0))
            if len(held) >= end + 4 + size:
                status = int(first.split()[1])
                if status >= 200:
                    found.append((status, fields, held[end + 4 : end + 4 + size]))
                held = held[end + 4 + size :]
                continue
        if not (data := connection.recv(65536)):
            break
        held += data
    return found


def plain(found: list[tuple[int, dict[str, str], bytes]]) -> list[tuple[int, dict[str, str], bytes]]:
    """Without what differs between any two answers."""
    return [(status, {k: v for k, v in fields.items() if k != "date"}, body) for status, fields, body in found]


@pytest.fixture(params=["ours", "uvicorn's"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serving]:
    chosen = RuntimeProtocol if request.param == "ours" else HttpToolsProtocol
    with serving(tmp_path, SPEC, HANDLERS, protocol=chosen, max_body=200_000) as made:
        yield made


def test_one_request_one_answer_and_the_connection_stays(server: Serving) -> None:
    with connected(server) as connection:
        for index in range(3):
            connection.sendall(request(server, call(number=str(index), id_=f"c{index}")))
            ((status, fields, body),) = answers(connection, 1)
            assert status == 200
            assert f"order {index} is on its way".encode() in body
            assert fields["content-type"] == "application/json"
            assert re.match(r"\w{3}, \d\d \w{3} \d{4} ", fields["date"], re.IGNORECASE)
            assert "connection" not in fields


def test_a_body_in_pieces(server: Serving) -> None:
    whole = request(server, call(filler=150_000))
    with connected(server) as connection:
        for start in range(0, len(whole), 40_000):
            connection.sendall(whole[start : start + 40_000])
            time.sleep(0.02)
        assert b"order 12" in answers(connection, 1)[0][2]
        connection.sendall(request(server, call(id_="c2")))
        assert answers(connection, 1)[0][0] == 200


def test_requests_that_do_not_wait_for_answers_get_them_in_order(server: Serving) -> None:
    parts = [
        request(server, call("slow", id_="p1")),
        request(server, call(number="2", id_="p2")),
        GET,
        request(server, call(number="3", id_="p3")),
    ]
    with connected(server) as connection:
        connection.sendall(b"".join(parts))
        found = answers(connection, 4)
    assert [status for status, _, _ in found] == [200] * 4
    assert [b"at last" in found[0][2], b"order 2" in found[1][2], b"order 3" in found[3][2]] == [True] * 3


def test_what_is_no_plain_post(server: Serving) -> None:
    with connected(server) as connection:
        connection.sendall(chunked(server, call(id_="q1")))
        assert b"order 12" in answers(connection, 1)[0][2]
        whole = request(server, call(id_="q2"), "expect: 100-continue")
        size = len(call(id_="q2"))
        connection.sendall(whole[:-size])
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(whole[-size:])
        assert b"order 12" in answers(connection, 1)[0][2]
        connection.sendall(request(server, call(id_="q3"), path="/vapi/events?x=1"))
        assert answers(connection, 1)[0][0] == 200
        connection.sendall(b"PUT /vapi/events HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
        assert answers(connection, 1)[0][0] == 404


@pytest.mark.parametrize(("version", "line"), [("1.0", ""), ("1.1", "connection: close")])
def test_a_connection_that_ends_with_its_answer(server: Serving, version: str, line: str) -> None:
    with connected(server) as connection:
        more = (line,) if line else ()
        connection.sendall(request(server, call(id_=f"v{version}"), *more, version=version))
        ((status, fields, body),) = answers(connection, 1)
        assert (status, fields["connection"]) == (200, "close")
        assert b"order 12" in body
        assert connection.recv(10) == b""


def test_refusals(server: Serving) -> None:
    with connected(server) as connection:
        connection.sendall(request(server, call()).replace(b"order", b"Order"))
        assert plain(answers(connection, 1)) == [
            (401, {"content-type": "text/plain; charset=utf-8", "content-length": "12"}, b"Unauthorized")
        ]
        connection.sendall(request(server, b"{}"))
        assert answers(connection, 1)[0][0] == 400
    with connected(server) as connection:
        connection.sendall(b"POST /vapi/events HTTP/1.1\r\nhost: x\r\ncontent-length: 200001\r\n\r\n")
        assert answers(connection, 1)[0][0] == 413
    with connected(server) as connection:
        connection.sendall(b"POST /vapi/events HTTP/1.1\r\nno header\r\n\r\n")
        assert answers(connection, 1)[0][0] == 400


def test_a_caller_that_hangs_up_disturbs_nobody(server: Serving) -> None:
    with connected(server) as connection:
        connection.sendall(request(server, call("slow", id_="gone")))
        time.sleep(0.05)
    with connected(server) as connection:
        connection.sendall(request(server, call(id_="there"))[:-10])
    time.sleep(0.5)
    assert server.tool("slow", id="gone")["result"] == "at last"


def test_a_request_under_way_is_answered_when_the_server_ends(tmp_path: Path) -> None:
    got: list[tuple[int, dict[str, str], bytes]] = []
    with serving(tmp_path, SPEC, HANDLERS) as server:

        def ask() -> None:
            with connected(server) as connection:
                connection.sendall(request(server, call("slow", id_="last")))
                got.extend(answers(connection, 1))
                assert connection.recv(10) == b""

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.15)
    thread.join(10)
    ((status, fields, body),) = got
    assert (status, fields["connection"]) == (200, "close")
    assert b"at last" in body


def test_a_body_that_does_not_come_ends_the_connection(tmp_path: Path) -> None:
    with serving(tmp_path, SPEC, HANDLERS, bounds=Bounds(body_seconds=0.3)) as server, connected(server) as connection:
        connection.sendall(request(server, call())[:-1])
        started = time.monotonic()
        assert connection.recv(10) == b""
        assert 0.2 < time.monotonic() - started < 5


def test_idle_connections_are_closed_and_busy_ones_are_not(tmp_path: Path) -> None:
    short = Bounds(idle_seconds=0.6)
    with (
        serving(tmp_path, SPEC, HANDLERS, bounds=short) as server,
        connected(server) as idle,
        connected(server) as busy,
    ):
        for connection in (idle, busy):
            connection.sendall(request(server, call(id_="k")))
            assert answers(connection, 1)[0][0] == 200
        started = time.monotonic()
        for index in range(6):
            time.sleep(0.3)
            busy.sendall(request(server, call("slow" if index == 3 else "lookupOrder", id_=f"k{index}")))
            assert answers(busy, 1)[0][0] == 200
        idle.settimeout(0.1)
        assert idle.recv(10) == b""
        assert time.monotonic() - started > 1.5
        assert busy.recv(10) == b"", "once it is idle too"


class _Broken(Observer):
    """Breaks its promise, once."""

    def __init__(self) -> None:
        self.raised = False

    def message_ended(self, kind: str, outcome: str, seconds: float) -> None:
        if not self.raised:
            self.raised = True
            raise RuntimeError("a bug")


def test_an_error_of_ours_is_no_silence(tmp_path: Path) -> None:
    with serving(tmp_path, SPEC, HANDLERS, observers=(_Broken(),)) as server, connected(server) as connection:
        connection.sendall(request(server, call()))
        assert answers(connection, 1)[0][0] == 500
        connection.sendall(request(server, call()))
        assert answers(connection, 1)[0][0] == 200


def test_another_uvicorn_serves_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.protocol() is RuntimeProtocol
    monkeypatch.delattr(HttpToolsProtocol, "_start_asgi_task")
    assert module.protocol() == "h11"
