"""Whatever a tool call's message looks like: every call that can be told from it gets an answer of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import ORDER, Serving, serving, spec_of, tool
from voiceops.runtime.messages.tool_calls import FAILED, MISUNDERSTOOD

HANDLERS = """
RAN = []
def lookup(orderNumber): return f"order {orderNumber}"
def count(limit=0): RAN.append(1); return f"{type(limit).__name__} {limit}"
def remember(call: Call, item): return call.session.change("items", lambda old: [*old, item], [])
"""
COUNT = {"type": "object", "properties": {"limit": {"type": "integer"}}}
SPEC = spec_of(
    tool("lookup", "h:lookup", parameters=ORDER),
    tool("count", "h:count", parameters=COUNT, failure="The shop's words."),
    tool("remember", "h:remember"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serving(tmp_path_factory.mktemp("odd"), SPEC, HANDLERS) as made:
        yield made


def raw(server: Serving, listed: bytes, *, key: bytes = b"toolCallList", rest: bytes = b"") -> list[dict[str, Any]]:
    body = b'{"message":{"type":"tool-calls","call":{"id":"c-odd"},"%s":%s%s}}' % (key, listed, rest)
    return server.raw(body).results


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (rb'{"orderNumber":"\ud83d"}', "order \ufffd"),
        (rb'{"orderNumber":"\ude00 x"}', "order \ufffd x"),
        (b'{"orderNumber":"\xff"}', "order \ufffd"),
        (b'{"orderNumber":"\xed\xa0\xbd"}', "order \ufffd\ufffd\ufffd"),
        (b'{"orderNumber":"1","orderNumber":"2"}', "order 2"),
        (rb'"{\"orderNumber\": \"\\ud83d\"}"', "order \ufffd"),
        (b'"{\\"orderNumber\\": \\"3\\"}"', "order 3"),
        (b'{"orderNumber":"4","extra":1e999}', "order 4"),
        (b'{"orderNumber":"5","extra":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "order 5"),
        (b'{"orderNumber":"a\nb"}', "order a b"),
    ],
    ids=range(10),
)
def test_what_can_be_mended_is_answered(server: Serving, arguments: bytes, said: str) -> None:
    (entry,) = raw(server, b'[{"id":"%d","name":"lookup","arguments":%s}]' % (hash(arguments), arguments))
    assert entry["result"] == said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (b'{"orderNumber":1e999}', "orderNumber must be string"),
        (b'{"orderNumber":NaN}', "orderNumber"),
        (b'{"orderNumber":12}', "orderNumber must be string"),
        (b"{}", "orderNumber is missing"),
        (b'{"orderNumber":null}', "orderNumber must be string"),
        (b'"no json"', "the arguments are no object"),
        (b"[1]", "the arguments are no object"),
        (b"7", "the arguments are no object"),
        (b"1e999", "the arguments are no object"),
        (b'"' + b"[" * 50_000 + b'"', "the arguments"),
        (b'{"orderNumber":["' + b'","' * 60_000 + b'"]}', "the arguments hold more than 50,000 values"),
    ],
    ids=range(11),
)
def test_what_cannot_be_used_is_said(server: Serving, arguments: bytes, why: str) -> None:
    (entry,) = raw(server, b'[{"id":"w%d","name":"lookup","arguments":%s}]' % (hash(arguments), arguments))
    if entry.get("result") is not None:  # a text in place of a number is a text
        assert arguments in (b'{"orderNumber":1e999}', b'{"orderNumber":NaN}')
        return
    assert entry["message"] == {"type": "request-failed", "content": MISUNDERSTOOD}
    assert entry["error"].startswith(f"{MISUNDERSTOOD} (Wrong arguments: {why}")
    assert len(entry["error"]) < 300


@pytest.mark.parametrize(
    "limit", [b"1e999", b"-1e999", b"NaN", b"Infinity", b"1" * 10_000, b'"many"', b"2.5"], ids=range(7)
)
def test_a_number_that_is_none(server: Serving, limit: bytes) -> None:
    (entry,) = raw(server, b'[{"id":"n%d","name":"count","arguments":{"limit":%s}}]' % (hash(limit), limit))
    assert entry["error"] == "The shop's words. (Wrong arguments: limit must be integer)"
    assert entry["message"]["content"] == "The shop's words."


@pytest.mark.parametrize(("limit", "said"), [(b"2.0", "int 2"), (b"null", "int 0"), (b"2e0", "int 2"), (b"7", "int 7")])
def test_a_number_as_models_write_it(server: Serving, limit: bytes, said: str) -> None:
    (entry,) = raw(server, b'[{"id":"i%d","name":"count","arguments":{"limit":%s}}]' % (hash(limit), limit))
    assert entry["result"] == said


@pytest.mark.parametrize(
    ("key", "listed", "answers"),
    [
        (b"toolCallList", b'[{"name":"count"},{"name":"count"}]', 2),
        (b"toolCalls", b'[{"function":{"name":"count"}},{"function":{"name":"count"}},{"name":"count"}]', 3),
        (b"toolWithToolCallList", b'[{"name":"count","toolCall":{}},{"name":"count","toolCall":{"id":null}}]', 2),
        (b"toolCallList", b'[{"id":"","name":"count"},{"id":{},"name":"count"},{"id":[1],"name":"count"}]', 3),
        (b"toolCallList", b'[{"id":"no-id-1","name":"count"},{"name":"count"}]', 2),
        (b"toolCallList", b'[{"id":1.5,"name":"count"},{"id":true,"name":"count"},{"id":8,"name":"count"}]', 3),
        (b"toolCallList", b'{"id":"alone","name":"count"}', 1),
        (b"functionCall", b'{"name":"count"}', 1),
    ],
)
def test_calls_without_ids_get_an_answer_each(server: Serving, key: bytes, listed: bytes, answers: int) -> None:
    results = raw(server, listed, key=key)
    assert [entry["result"] for entry in results] == ["int 0"] * answers
    assert len({entry["toolCallId"] for entry in results} - {""}) == answers


@pytest.mark.parametrize("listed", [b"[5]", b"[null,{}]", b'["lookup"]', b'[{"id":"x"}]', b'[{"id":"y","name":5}]'])
def test_what_is_no_call_is_answered_too(server: Serving, listed: bytes) -> None:
    results = raw(server, listed)
    assert results
    assert all(entry["error"] == FAILED for entry in results)


def test_one_odd_call_among_good_ones_and_odd_fields_around(server: Serving) -> None:
    listed = rb'[{"id":"g1","name":"count"},7,{"id":"g2","name":"lookup","arguments":{"orderNumber":"\ud83d"}}]'
    rest = rb',"timestamp":1e999,"customer":"x","assistant":[],"artifact":{"messages":[{"t":"\ude00"}]},"status":7'
    results = raw(server, listed, rest=rest)
    assert [entry.get("result") for entry in results] == ["int 0", None, "order \ufffd"]
    assert [entry["toolCallId"] for entry in results] == ["g1", "no-id-1", "g2"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("c", "x" * 200 + "1"), ("c", "x" * 200 + "2")),
        (("c" * 200 + "1", "t"), ("c" * 200 + "2", "t")),
        (("a/b", "c"), ("a", "b/c")),
        (("a", "n\0"), ("a", "n")),
        (("é" * 200 + "1", "t"), ("é" * 200 + "2", "t")),
        (("c", "x" * 100_000 + "1"), ("c", "x" * 100_000 + "2")),
    ],
    ids=range(6),
)
def test_ids_are_compared_whole(server: Serving, first: tuple[str, str], second: tuple[str, str]) -> None:
    for number, (call, id_) in enumerate((first, second, first)):
        entry = server.tool("lookup", {"orderNumber": str(number)}, id=id_, call=call)
        assert entry["toolCallId"] == id_
        assert entry["result"] == f"order {number % 2}"


def test_calls_with_long_ids_have_memories_of_their_own(server: Serving) -> None:
    for last in ("1", "2"):
        entry = server.tool("remember", {"item": last}, call="m" * 200 + last)
        assert json.loads(entry["result"]) == [last]


def test_reports_of_calls_with_long_ids_are_kept_apart(tmp_path: Path) -> None:
    with serving(tmp_path, SPEC, HANDLERS) as made:
        for last in ("1", "2", "2"):
            made.message("end-of-call-report", call={"id": "r" * 200 + last}, timestamp=1_700_000_000_000)
        seen = made.get("/metrics").text
        assert 'voiceops_messages_total{outcome="stored",type="end-of-call-report"} 2' in seen
        assert 'voiceops_messages_total{outcome="repeated",type="end-of-call-report"} 1' in seen
