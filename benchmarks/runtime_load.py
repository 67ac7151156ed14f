"""The load generator, a process of its own: signed requests over kept connections, no two alike.

`python -m benchmarks.runtime_load URL KIND …` prints one JSON object with what it saw.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import os
import random
import time
from collections import deque
from typing import cast

SECRET = b"benchmark-secret"


class Bodies:
    """Messages of Vapi's size and shape; each has an id of its own."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._number = 0
        self._parts = {"tool": _template("tool-calls", 4_000), "report": _template("end-of-call-report", 60_000)}

    def make(self, kind: str) -> bytes:
        self._number += 1
        before, after = self._parts[kind]
        return before + b"%d" % int(time.time() * 1000) + f"{self._seed}-{self._number}".encode().join(after)


def _template(kind: str, size: int) -> tuple[bytes, list[bytes]]:
    """A message as the bytes before its timestamp, and the parts between its ids."""
    call = {"id": "@ID@", "function": {"name": "lookupOrder", "arguments": {"orderNumber": "12345"}}}
    turns: list[dict[str, object]] = []
    message: dict[str, object] = {
        "timestamp": "@NOW@",
        "type": kind,
        "call": {"id": "@ID@", "type": "inboundPhoneCall", "customer": {"number": "+14155550123"}},
        "phoneNumber": {"number": "+14155550100"},
        "assistant": {"name": "front-desk"},
        **(
            {"toolCallList": [call], "toolWithToolCallList": [{"type": "function", "toolCall": call}]}
            if kind == "tool-calls"
            else {"endedReason": "customer-ended-call"}
        ),
        "artifact": {"messages": turns},
    }
    while len(json.dumps(message)) < size - 120:
        turns.append({"role": "user", "message": "where is my order, I have been waiting " * 2, "time": len(turns)})
    before, after = json.dumps({"message": message}).encode().split(b'"@NOW@"')
    return before, after.split(b"@ID@")


def request_of(body: bytes) -> bytes:
    timestamp = b"%d" % int(time.time() * 1000)
    signature = hmac.digest(SECRET, timestamp + b"." + body, "sha256").hex().encode()
    return (
        b"POST /vapi/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nx-vapi-timestamp: %s\r\n"
        b"x-vapi-signature: %s\r\ncontent-length: %d\r\n\r\n%s" % (timestamp, signature, len(body), body)
    )


class Connection(asyncio.Protocol):
    """One kept connection; `done` is called with each answer's status and body."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result((0, b""))

    def data_received(self, data: bytes) -> None:
        held = self._held + data if self._held else data
        end = held.find(b"\r\n\r\n")
        if end >= 0:
            head = held[:end].lower()
            at = head.find(b"content-length: ")
            length = int(head[at + 16 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(held) >= end + 4 + length:
                self._held = b""
                if self.waiting is not None and not self.waiting.done():
                    self.waiting.set_result((int(held[9:12]), held[end + 4 :]))
                return
        self._held = held

    def send(self, data: bytes) -> asyncio.Future[tuple[int, bytes]]:
        self.waiting = asyncio.get_running_loop().create_future()
        if self.transport is None:
            self.waiting.set_result((0, b""))
        else:
            self.transport.write(data)
        return self.waiting


async def _connect(port: int) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


async def closed(port: int, kind: str, connections: int, seconds: float) -> dict[str, object]:
    """As fast as the answers come."""
    bodies = Bodies(f"{os.getpid()}-{random.getrandbits(32):x}")
    times: list[float] = []
    wrong = 0
    until = time.perf_counter() + seconds

    async def one() -> None:
        nonlocal wrong
        connection = await _connect(port)
        while (began := time.perf_counter()) < until:
            status, body = await connection.send(request_of(bodies.make(kind)))
            times.append(time.perf_counter() - began)
            if status != 200 or (kind == "tool" and b'"result"' not in body):
                wrong += 1
                if status == 0:
                    connection = await _connect(port)
        if connection.transport is not None:
            connection.transport.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return _figures(times, wrong, time.perf_counter() - began)


async def opened(port: int, rate: float, share: float, connections: int, seconds: float) -> dict[str, object]:
    """Arrivals at random moments, whatever the answers take; times count from the planned moment."""
    bodies = Bodies(f"{os.getpid()}-{random.getrandbits(32):x}")
    idle = deque([await _connect(port) for _ in range(connections)])
    times: list[float] = []
    wrong = late = 0
    tasks: set[asyncio.Task[None]] = set()

    async def one(due: float, kind: str) -> None:
        nonlocal wrong
        connection = idle.popleft() if idle else await _connect(port)
        status, body = await connection.send(request_of(bodies.make(kind)))
        times.append(time.perf_counter() - due)
        wrong += status != 200 or (kind == "tool" and b'"result"' not in body)
        idle.append(connection)

    began = time.perf_counter()
    due = began
    while due < began + seconds:
        due += random.expovariate(rate)
        pause = due - time.perf_counter()
        if pause > 0.0005:
            await asyncio.sleep(pause)
        elif pause < -0.05:
            late += 1
        task = asyncio.get_running_loop().create_task(one(due, "report" if random.random() < share else "tool"))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return {**_figures(times, wrong, time.perf_counter() - began), "late": late}


def _figures(times: list[float], wrong: int, seconds: float) -> dict[str, object]:
    times.sort()
    at = lambda q: round(times[min(len(times) - 1, int(len(times) * q))] * 1000, 2)  # noqa: E731
    return {
        "requests": len(times),
        "rate": round(len(times) / seconds, 1),
        "wrong": wrong,
        "seconds": seconds,
        "p50": at(0.5),
        "p99": at(0.99),
        "p999": at(0.999),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("kind", choices=("tool", "report", "open"))
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=2000.0)
    parser.add_argument("--share", type=float, default=0.1)
    given = parser.parse_args()
    if given.kind == "open":
        work = opened(given.port, given.rate, given.share, given.connections, given.seconds)
    else:
        work = closed(given.port, given.kind, given.connections, given.seconds)
    try:
        import uvloop

        run = uvloop.run
    except ImportError:
        run = asyncio.run
    cpu = time.process_time()
    found = run(work)
    found["generator"] = round((time.process_time() - cpu) / float(str(found["seconds"])), 2)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
