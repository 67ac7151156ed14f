"""Anything at all over the socket, signed and not: no 5xx, and no effect without a signature.

VOICEOPS_FUZZ=20000 runs it in full, and looks at the memory.
"""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.runtime_bench import ORDER, LineSpec, serving, spec_of, tool
from voiceops.runtime.vapi_messages import KNOWN_TYPES

REQUESTS = int(os.environ.get("VOICEOPS_FUZZ", "400"))

HANDLERS = """
RAN = []
def lookup(orderNumber): RAN.append(orderNumber); return orderNumber
def anything(**given): RAN.append(given); return given
"""

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
TEXT = st.text(max_size=12)
CALL = st.fixed_dictionaries(
    {},
    optional={
        "id": TEXT | JSON,
        "name": st.sampled_from(["lookup", "anything", ""]) | TEXT,
        "arguments": JSON | st.fixed_dictionaries({"orderNumber": JSON}),
        "parameters": JSON,
        "function": st.fixed_dictionaries(
            {}, optional={"name": st.sampled_from(["lookup", "anything"]) | JSON, "arguments": JSON | TEXT}
        ),
    },
)
MESSAGE = st.fixed_dictionaries(
    {"type": st.just("tool-calls") | st.sampled_from(sorted(KNOWN_TYPES)) | TEXT},
    optional={
        "timestamp": JSON,
        "call": st.fixed_dictionaries({}, optional={"id": TEXT | JSON}) | JSON,
        "toolCallList": st.lists(CALL | JSON, max_size=3) | JSON,
        "toolCalls": st.lists(CALL, max_size=3) | JSON,
        "toolWithToolCallList": st.lists(st.fixed_dictionaries({"toolCall": CALL}) | JSON, max_size=2) | JSON,
        "customer": JSON,
        "phoneNumber": st.just({"number": "+1"}) | JSON,
        "assistant": JSON,
        "messages": JSON,
        "parameters": JSON,
        "status": JSON,
        "transcriptType": st.sampled_from(["final", "partial"]) | JSON,
    },
)
BODY = st.binary(max_size=200) | (st.fixed_dictionaries({"message": MESSAGE}) | JSON).map(
    lambda v: json.dumps(v).encode()
)
PATHS = st.sampled_from(["/vapi/events", "/twilio/voice/main", "/twilio/status/x", "/healthz", "/readyz", "/dashboard"])
HEADERS = st.dictionaries(
    st.sampled_from(["x-vapi-signature", "x-vapi-timestamp", "authorization", "x-twilio-signature", "content-type"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
    max_size=4,
)
FIELDS = st.dictionaries(TEXT, TEXT, max_size=5)


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_no_request_breaks_the_runtime(tmp_path: Path) -> None:
    line = LineSpec(address="Phone/main", path="main", number="+1", answer="runtime")
    spec = spec_of(
        tool("lookup", "h:lookup", parameters=ORDER, timeout=5.0), tool("anything", "h:anything"), lines=(line,)
    )
    with serving(tmp_path, spec, HANDLERS, answer_seconds=0.3, vapi_url="http://127.0.0.1:1") as server:
        handler = server.parts.tools.named("lookup")[0].handler
        assert handler is not None
        ran = handler.function.__globals__["RAN"]

        sent: list[tuple[bytes, str, dict[str, str], dict[str, str], str]] = []

        @settings(max_examples=REQUESTS)
        @given(BODY, PATHS, HEADERS, FIELDS, st.sampled_from(["signed", "signed", "twilio", "bare"]))
        def one(body: bytes, path: str, headers: dict[str, str], fields: dict[str, str], way: str) -> None:
            sent.append((body, path, headers, fields, way))
            send(body, path, headers, fields, way)

        def send(body: bytes, path: str, headers: dict[str, str], fields: dict[str, str], way: str) -> None:
            before = len(ran)
            if way == "signed":
                assert server.raw(body).status in (200, 400)
            elif way == "twilio" and path.startswith("/twilio"):
                assert server.twilio(path, fields).status == 200
            else:
                got = server.request("POST", path, body, headers)
                assert got.status in (401, 403, 405), got
                assert len(ran) == before

        one()
        assert server.tool("lookup", {"orderNumber": "good"})["result"] == "good"
        assert "good" in ran
        if REQUESTS >= 10_000:
            # Sent as they are, for what generates them grows, too; twice, because caches fill in the first round.
            held = []
            for _ in range(2):
                for request in sent[:REQUESTS]:
                    send(*request)
                ran.clear()
                gc.collect()
                held.append(_memory())
            assert held[1] - held[0] < 20_000_000, held
