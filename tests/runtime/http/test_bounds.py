"""What strangers may send: every bound, tried by somebody who wants to get past it, and what vendors notice of it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runtime.http.test_protocol import answers, call, connected, request
from tests.runtime.runtime_bench import DASHBOARD, ORDER, Serving, serving, spec_of, tool, wait_for
from voiceops.runtime.http.bounds import Bounds

SPEC = spec_of(tool("lookupOrder", "h:lookup", parameters=ORDER), tool("slow", "h:slow"))
HANDLERS = """
import asyncio
def lookup(orderNumber): return f"order {orderNumber} is on its way"
async def slow():
    await asyncio.sleep(0.5)
    return "at last"
"""


# Times that a test can wait for.
QUICK = Bounds(silent_seconds=0.4, head_seconds=0.4, body_seconds=0.4, linger_seconds=0.2, send_seconds=0.5)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path, SPEC, HANDLERS, max_body=200_000) as made:
        yield made


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Serving]:
    """One with times that a test can wait for."""
    with serving(tmp_path, SPEC, HANDLERS, max_body=200_000, bounds=QUICK) as made:
        yield made


def ended(server: Serving) -> dict[str, int]:
    """How often each bound was broken, as /metrics tells."""
    found = {}
    for line in server.get("/metrics").text.splitlines():
        if line.startswith("voiceops_connections_ended_total{"):
            found[line.split('"')[1]] = int(float(line.rpartition(" ")[2]))
    return found


def gone(connection: socket.socket, seconds: float = 8.0) -> bytes:
    """What comes until the server hangs up, which it does in time."""
    connection.settimeout(seconds)
    found = b""
    try:
        while data := connection.recv(65536):
            found += data
    except ConnectionError:
        pass
    return found


def good(server: Serving, id_: str) -> None:
    assert server.tool("lookupOrder", {"orderNumber": "1"}, id=id_)["result"] == "order 1 is on its way"


POST = b"POST /vapi/events HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize(
    ("head", "status", "reason"),
    [
        (b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414, "url"),
        (b"GET /healthz?" + b"x" * 9_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414, "url"),
        (b"POST /vapi/events?" + b"x" * 9_000 + b" HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n", 414, "url"),
        (POST + b"x-vapi-signature: " + b"a" * 17_000 + b"\r\n\r\n", 431, "head"),
        (POST + b"".join(b"x-%d: y\r\n" % number for number in range(101)) + b"\r\n", 431, "head"),
        (POST + (b"x: " + b"y" * 15_000 + b"\r\n") * 3 + b"\r\n", 431, "head"),
        (POST + b"x" * 33_000 + b": y\r\n\r\n", 431, "head"),
        (POST + b"a: " + b" " * 33_000 + b"b\r\n" * 0 + b"\r\nnot a header\r\n\r\n", 400, "malformed"),
        (b"CONNECT /vapi/events HTTP/1.1\r\nhost: x\r\n\r\n", 405, "connect"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed"),
    ],
    ids=range(10),
)
def test_heads_that_are_too_large(server: Serving, head: bytes, status: int, reason: str) -> None:
    with connected(server) as connection:
        connection.sendall(head)
        assert gone(connection).startswith(b"HTTP/1.1 %d " % status)
    assert ended(server) == {reason: 1}
    good(server, "after")


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (POST + b"x-vapi-signature: ", b"a" * 4096),
        (b"GET /", b"x" * 4096),
        (POST, b"a: b\r\n" * 700),
        (POST + b"transfer-encoding: chunked\r\n\r\n0\r\nx: ", b"a" * 4096),
        (POST + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n" * 700),
        (POST + b"transfer-encoding: chunked\r\n\r\n5;x=", b"a" * 4096),
        (POST + b"transfer-encoding: chunked\r\n\r\n", b"0" * 4096),
        (POST + b"connection: upgrade\r\nupgrade: ", b"a" * 4096),
    ],
    ids=range(8),
)
def test_what_does_not_end_costs_no_one_else_time(server: Serving, begin: bytes, piece: bytes) -> None:
    with connected(server) as connection:
        connection.settimeout(5)
        sent = 0
        try:
            connection.sendall(begin)
            while sent < 60_000_000:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:  # the server has hung up
            pass
        assert sent < 20_000_000
        good(server, "while")
    assert sum(ended(server).values()) == 1


@pytest.mark.parametrize(
    ("begin", "drip", "reason"),
    [
        (b"", b"", "silent"),
        (b"", b"\r\n", "silent"),
        (b"G", b"", "slow-head"),
        (POST + b"x: ", b"y", "slow-head"),
        (POST, b"a: b\r\n", "slow-head"),
        (POST + b"content-length: 1000\r\n\r\n", b"y", "slow-body"),
        (POST + b"transfer-encoding: chunked\r\n\r\n", b"1\r\ny\r\n", ""),
        (POST + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n", ""),
        (b"GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n", b"y", "slow-body"),
        (b"POST /twilio/voice/x HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n", b"y", ""),
        (POST + b"upgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 1000\r\n\r\n", b"y", "slow-body"),
        (b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET", b"y", ""),
    ],
    ids=range(12),
)
def test_what_comes_by_drops_ends(hasty: Serving, begin: bytes, drip: bytes, reason: str) -> None:
    with connected(hasty) as connection:
        started = time.monotonic()
        try:
            connection.sendall(begin)
            while time.monotonic() - started < 6:
                connection.sendall(drip)
                connection.settimeout(0.05)
                try:
                    if not connection.recv(1000):
                        break
                except TimeoutError:
                    continue
        except OSError:
            pass
        assert time.monotonic() - started < 4
    if reason:
        assert ended(hasty)[reason] == 1
    good(hasty, "after")


def test_an_answer_that_nobody_reads_is_waited_for_no_longer(hasty: Serving) -> None:
    with connected(hasty) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asked = b"GET /dashboard HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %s\r\n\r\n" % DASHBOARD.encode()
        until = time.monotonic() + 30
        stream, at = asked * 20_000, 0
        connection.settimeout(0.2)
        while time.monotonic() < until:
            try:
                at += connection.send(stream[at : at + len(asked)])
            except TimeoutError:
                continue  # full
            except OSError:
                break  # reset
        assert ended(hasty) in ({"unread": 1}, {"pipelined": 1})
    good(hasty, "after")


def test_more_requests_at_once_than_anybody_sends(server: Serving) -> None:
    with connected(server) as connection:
        connection.sendall(request(server, call("slow", id_="p")) + b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n" * 500)
        found = answers(connection, 500)
        assert 1 <= len(found) <= Bounds().pipelined + 2
        assert b"at last" in found[0][2]
    assert ended(server) == {"pipelined": 1}


def fill(server: Serving, count: int, first: bytes = b"") -> list[socket.socket]:
    found = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        connection.sendall(first)
        found.append(connection)
    return found


@pytest.mark.parametrize(
    "first",
    [b"", b"GET", POST + b"content-length: 99\r\n\r\nx", POST + b"transfer-encoding: chunked\r\n\r\n", b"\r\n"],
    ids=range(5),
)
def test_when_all_places_are_taken_strangers_go_first(tmp_path: Path, first: bytes) -> None:
    few = Bounds(connections=20)
    with serving(tmp_path, SPEC, HANDLERS, bounds=few) as server, connected(server) as kept, connected(server) as busy:
        kept.sendall(request(server, call(id_="k1")))
        assert answers(kept, 1)[0][0] == 200
        busy.sendall(request(server, call("slow", id_="b1")))
        crowd = fill(server, 60, first)
        good(server, "new")  # on a new connection
        assert b"at last" in answers(busy, 1)[0][2]
        kept.sendall(request(server, call(id_="k2")))
        assert answers(kept, 1)[0][0] == 200
        wait_for(lambda: len(server.served.connections) <= 20)
        assert ended(server)["full"] >= 40
        for connection in crowd:
            connection.close()


def test_bodies_together_hold_no_more_than_they_may(tmp_path: Path) -> None:
    with serving(tmp_path, SPEC, HANDLERS, bounds=Bounds(held_bytes=1_000_000)) as server, connected(server) as kept:
        kept.sendall(request(server, call(id_="k1")))
        assert answers(kept, 1)[0][0] == 200
        whole = request(server, call(id_="k2", filler=300_000))
        kept.sendall(whole[:-10])
        crowd = fill(server, 10, POST + b"content-length: 400000\r\n\r\n" + b"x" * 300_000)
        wait_for(lambda: ended(server).get("held", 0) >= 7)
        kept.sendall(whole[-10:])
        assert answers(kept, 1)[0][0] == 200, "a vendor's is none of those that go"
        good(server, "after")
        for connection in crowd:
            connection.close()
        wait_for(lambda: server.served.connections.held == 0)


UPGRADES = [
    ("connection: upgrade", "upgrade: h2c"),
    ("connection: Upgrade", "upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: x"),
    ("connection: keep-alive, Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__"),
    ("connection: upgrade",),
    ("upgrade: h2c",),
    ("upgrade: h2c", "upgrade: x", "connection: upgrade", "connection: close"),
    ("connection: upgrade", "upgrade: h2c", "expect: 100-continue"),
]


@pytest.mark.parametrize("lines", UPGRADES, ids=range(len(UPGRADES)))
@pytest.mark.parametrize("pieces", [1, 7, 400])
def test_a_wish_for_another_protocol_changes_no_answer(server: Serving, lines: tuple[str, ...], pieces: int) -> None:
    with connected(server) as connection:
        whole = request(server, call(id_=f"u{pieces}"), *lines)
        if "connection: close" not in lines:
            whole += request(server, call(number="13", id_=f"v{pieces}"), *lines)
        size = len(whole) // pieces + 1
        for start in range(0, len(whole), size):
            connection.sendall(whole[start : start + size])
            if pieces > 1:
                time.sleep(0.001)
        wanted = ["order 12", "order 13"] if "connection: close" not in lines else ["order 12"]
        found = [body.decode() for _, _, body in answers(connection, len(wanted))]
        assert [text in body for text, body in zip(wanted, found, strict=True)] == [True] * len(wanted)
    assert ended(server) == {}


def test_an_upgrade_with_a_body_in_chunks(server: Serving) -> None:
    body = call(id_="chunked")
    whole = request(server, body, "connection: upgrade", "upgrade: h2c")
    head = whole[: -len(body)].replace(b"content-length: %d" % len(body), b"transfer-encoding: chunked")
    with connected(server) as connection:
        connection.sendall(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        assert b"order 12" in answers(connection, 1)[0][2]


def test_a_refusal_waits_for_the_answers_before_it(server: Serving) -> None:
    with connected(server) as connection:
        connection.sendall(request(server, call("slow", id_="r")) + b"\x00\x01 nonsense\r\n\r\n")
        found = gone(connection)
        assert found.startswith(b"HTTP/1.1 200 ")
        assert b"at last" in found
        assert b"connection: close" in found


@pytest.mark.parametrize("path", ["/vapi/events", "/twilio/voice/main", "/healthz"])
def test_a_body_that_is_too_large_is_answered_once(server: Serving, path: str) -> None:
    method = "GET" if path == "/healthz" else "POST"
    head = f"{method} {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    with connected(server) as connection:
        try:
            connection.sendall(head)
            for _ in range(300):
                connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        except OSError:
            pass
        found = gone(connection)
        assert found.count(b"HTTP/1.1 ") <= 1
    good(server, "after")


def blocked(work: Callable[[], None]) -> float:
    """The longest time for which a loop of this process did not turn while that went on, in seconds."""
    worst = 0.0
    ready, done = threading.Event(), threading.Event()

    def watch() -> None:
        async def turn() -> None:
            nonlocal worst
            last = time.perf_counter()
            ready.set()
            while not done.is_set():
                await asyncio.sleep(0.002)
                now = time.perf_counter()
                worst, last = max(worst, now - last - 0.002), now

        asyncio.run(turn())  # a loop of its own, in a thread of its own: it is what is measured

    thread = threading.Thread(target=watch)
    thread.start()
    ready.wait()
    work()
    done.set()
    thread.join()
    return worst


def test_the_log_does_not_grow_with_what_strangers_do(server: Serving, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(60):
        with connected(server) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            gone(connection)
        server.raw(b"{}", {"x-vapi-signature": "wrong"})
    assert "Invalid HTTP" not in capfd.readouterr().err
    assert ended(server) == {"malformed": 60}
