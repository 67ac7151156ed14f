"""Heads and bodies as no client would write them, over raw sockets: no traceback, no hang, no growth.

VOICEOPS_FUZZ_RAW=50000 runs it in full, and looks at the memory; VOICEOPS_FUZZ_SEED repeats a run.
"""

from __future__ import annotations

import gc
import os
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.runtime_bench import ORDER, LineSpec, Serving, serving, spec_of, tool
from voiceops.runtime.http.bounds import Bounds

COUNT = int(os.environ.get("VOICEOPS_FUZZ_RAW", "400"))
SEED = int(os.environ.get("VOICEOPS_FUZZ_SEED", "0")) or random.randrange(1, 1 << 32)
NUMBER = {"type": "object", "properties": {"n": {"type": ["integer", "null"]}, "x": {"pattern": r"^(\w+\s?)*$"}}}

METHODS = [b"POST", b"POST", b"POST", b"GET", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT", b"PRI", b"post", b"", b"\xff"]
PATHS = [b"/vapi/events"] * 4 + [b"/twilio/voice/main", b"/twilio/status/x", b"/healthz", b"/readyz", b"/metrics"]
PATHS += [
    b"/dashboard",
    b"*",
    b"http://x/vapi/events",
    b"/vapi/events?",
    b"/vapi/../vapi/events",
    b"//vapi/events",
    b"/%",
]
PATHS += [
    b"/vapi/events\x00",
    b"/" + b"a" * 9000,
    b"",
    b"/vapi/events#x",
    b"/twilio/voice/" + b"%2e" * 50,
    b"/\xc3\xa9",
]
VERSIONS = [b"HTTP/1.1"] * 6 + [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/1.", b"", b"HTTP/1.1 x"]
NAMES = [b"host", b"connection", b"upgrade", b"expect", b"x-vapi-signature", b"x-vapi-timestamp", b"authorization"]
NAMES += [
    b"transfer-encoding",
    b"content-length",
    b"content-type",
    b"x-twilio-signature",
    b"te",
    b"a b",
    b"",
    b":",
    b"\xff",
]
VALUES = [
    b"x",
    b"close",
    b"keep-alive",
    b"upgrade",
    b"h2c",
    b"websocket",
    b"100-continue",
    b"chunked",
    b"chunked, x",
    b"0",
]
VALUES += [
    b"5",
    b"-1",
    b"99999999999999999999",
    b"5, 5",
    b"\xff",
    b"a" * 9_000,
    b"Bearer x",
    b"Basic \xff",
    b"",
    b"\x01",
    b"\t",
]
JUNK = [b"\r\n", b"\n", b"\r", b"\x00", b"\xff\xfe", b" ", b"0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"a" * 70_000]
TOKENS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"\\",
    rb"\ud83d",
    rb"\u0000",
    b"1e999",
    b"NaN",
    b"null",
    b"-",
    b"9" * 30,
]
TOKENS += [b'"message"', b'"type"', b'"tool-calls"', b'"toolCallList"', b'"id"', b'"name"', b'"lookup"', b'"arguments"']
TOKENS += [b'"n"', b"2.0", b'"x"', b"\xff", b"[" * 300, b'"' + b"w " * 40 + b'!"', b"true", b'"call"', b'"orderNumber"']


class Fuzzer:
    """Requests from a seed."""

    def __init__(self, seed: int, server: Serving) -> None:
        self.pick = random.Random(seed)
        self.server = server

    def body(self) -> bytes:
        pick = self.pick
        shape = pick.random()
        if shape < 0.3:
            return b"".join(pick.choices(TOKENS, k=pick.randrange(60)))
        if shape < 0.4:
            return pick.randbytes(pick.randrange(400))
        inner = b"".join(pick.choices(TOKENS, k=pick.randrange(12)))
        odd = pick.choice(
            [inner, b"{}", b'{"n":2.0}', b'{"orderNumber":"\\ud83d"}', b'{"n":' + inner + b"}", b'"' + inner + b'"']
        )
        named = pick.choice([b'"lookup"', b'"number"', b'"nobody"', b"5", b"null"])
        id_ = pick.choice([b'"c%d"' % pick.randrange(1 << 40), b"7", b"null", b"{}", b'"' + b"i" * 300 + b'"'])
        call = b'{"id":%s,"name":%s,"arguments":%s}' % (id_, named, odd)
        listed = pick.choice([b"[%s]" % call, call, b"[%s,5,%s]" % (call, call), b"[]", b"null"])
        key = pick.choice([b"toolCallList", b"toolCalls", b"toolWithToolCallList", b"functionCall"])
        made = b'{"message":{"type":"tool-calls","call":{"id":"f"},"%s":%s}}' % (key, listed)
        if pick.random() < 0.3:
            at = pick.randrange(len(made))
            made = made[:at] + pick.choice(TOKENS) + made[at + pick.randrange(3) :]
        return made

    def request(self) -> bytes:
        pick = self.pick
        body = self.body()
        fields = []
        if pick.random() < 0.7:  # so that what is behind the signature is reached as well
            fields += [b"%s: %s" % (k.encode(), v.encode()) for k, v in self.server.signed(body).items()]
        for _ in range(pick.choice([0, 0, 1, 2, 5, 120])):
            fields.append(pick.choice(NAMES) + pick.choice([b": ", b":", b" : ", b""]) + pick.choice(VALUES))
        framing = pick.random()
        if framing < 0.7:
            fields.append(b"content-length: %d" % len(body))
        elif framing < 0.85:
            fields.append(b"transfer-encoding: chunked")
            half = pick.randrange(len(body) + 1)
            parts = [part for part in (body[:half], body[half:]) if part]
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + pick.choice(
                [b"0\r\n\r\n", b"0\r\n", b"g\r\n"]
            )
        plain = pick.random() < 0.6
        first = b"POST /vapi/events HTTP/1.1"
        if not plain:
            first = b" ".join([pick.choice(METHODS), pick.choice(PATHS), pick.choice(VERSIONS)])
        end = b"\r\n" if pick.random() < 0.95 else pick.choice(JUNK)
        pick.shuffle(fields)
        made = end.join([first, b"host: x", *fields, b"", body])
        if pick.random() < 0.15:
            at = pick.randrange(len(made))
            made = made[:at] + pick.choice(JUNK) + made[at:]
        if pick.random() < 0.1:
            made = made[: pick.randrange(len(made))]
        return made

    def talk(self) -> None:
        """One connection with some requests, in some pieces; what comes back is HTTP or nothing."""
        pick = self.pick
        data = b"".join(self.request() for _ in range(pick.choice([1, 1, 1, 2, 4])))
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            try:
                while data:
                    size = pick.choice([len(data), len(data), pick.randrange(1, len(data) + 1)])
                    connection.sendall(data[:size])
                    data = data[size:]
                if pick.random() < 0.7:
                    connection.shutdown(socket.SHUT_WR)
                    answer = b""
                    while part := connection.recv(65_536):
                        answer += part
                    assert not answer or answer.startswith(b"HTTP/1.1 "), answer[:100]
                    assert b"Internal Server Error" not in answer
                    assert b"Traceback" not in answer
            except TimeoutError:
                raise  # it hangs
            except OSError:
                pass  # it was sent away in the middle


def memory() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_nothing_on_the_wire_breaks_it(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    line = LineSpec(address="Phone/main", path="main", number="+1", answer="runtime")
    spec = spec_of(tool("lookup", "h:any", parameters=ORDER), tool("number", "h:any", parameters=NUMBER), lines=(line,))
    handler = "def any(**given): return 'x'"
    given = {"answer_seconds": 0.3, "vapi_url": "http://127.0.0.1:1"}
    with serving(tmp_path, spec, handler, bounds=Bounds(linger_seconds=0.3), **given) as server:
        fuzzer = Fuzzer(SEED, server)
        held = 0
        for number in range(COUNT):
            started = time.monotonic()
            try:
                fuzzer.talk()
            except (AssertionError, OSError) as error:
                raise AssertionError(f"VOICEOPS_FUZZ_SEED={SEED}, connection {number}") from error
            assert time.monotonic() - started < 20
            if number == COUNT // 2:
                held = memory()
        grown = memory() - held
        assert server.tool("lookup", {"orderNumber": "1"})["result"] == "x"
        until = time.monotonic() + 30
        while len(server.served.connections) > 1 and time.monotonic() < until:
            time.sleep(0.1)
        assert len(server.served.connections) <= 1
        assert server.served.connections.held == 0
        assert server.parts.inbox.pending == 0
    said = capfd.readouterr()
    assert "Traceback" not in said.err + said.out
    if COUNT >= 10_000:
        record_property("figure", f"{COUNT} fuzzed connections, seed {SEED}: {grown / 1e6:+.1f} MB in the second half")
        assert grown < 30_000_000
