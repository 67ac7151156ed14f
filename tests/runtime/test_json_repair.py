"""Bodies that no strict reader takes are mended, and every other one is left as it is."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.runtime.json_repair import DEEP, mend

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.booleans(), st.sampled_from([None, 2]))
def test_good_json_stays_what_it_is(value: Any, escaped: bool, indent: int | None) -> None:
    body = json.dumps(value, ensure_ascii=escaped, indent=indent).encode("utf-8", "replace")
    assert msgspec.json.decode(mend(body)) == msgspec.json.decode(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'{"a": "\ud83d"}', {"a": "\ufffd"}),
        (rb'{"a": "\ude00"}', {"a": "\ufffd"}),
        (rb'{"a": "\ud83d\ud83d\ude00"}', {"a": "\ufffd😀"}),
        (rb'{"a": "\\ud83d"}', {"a": r"\ud83d"}),
        (rb'{"\ud83d": 1}', {"\ufffd": 1}),
        (b'{"a": "\xff\xfe"}', {"a": "\ufffd\ufffd"}),
        (b'{"a": "\xed\xa0\xbd"}', {"a": "\ufffd\ufffd\ufffd"}),
        (b'{"a": 1e999, "b": -1e999}', {"a": "1e999", "b": "-1e999"}),
        (b'{"a": NaN, "b": [Infinity, -Infinity]}', {"a": "NaN", "b": ["Infinity", "-Infinity"]}),
        (b'{"a": "NaN 1e999 ["}', {"a": "NaN 1e999 ["}),
        (b'{"a": "x\ny\tz"}', {"a": "x\ny\tz"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
        (b'{"n": ' + b"7" * 10_000 + b"}", {"n": "7" * 4_000}),
        (b'{"n": ' + b"0." + b"7" * 10_000 + b"}", {"n": "0." + "7" * 3_998}),
    ],
)
def test_what_no_reader_takes(body: bytes, value: Any) -> None:
    assert msgspec.json.decode(mend(body)) == value


@pytest.mark.parametrize("shape", [b"[%s]", b'{"a":%s}', b'[{"a":[%s]}]'])
def test_what_is_nested_too_deeply_is_a_text(shape: bytes) -> None:
    body = b"1"
    for _ in range(5_000):
        body = shape % body
    found = msgspec.json.decode(mend(b'{"deep": ' + body + b', "after": "[1e999"}'))
    assert found["after"] == "[1e999"
    value, levels = found["deep"], 0
    while isinstance(value, (dict, list)):
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
        levels += 1
    assert (value, levels <= DEEP) == ("(nested too deeply)", True)


@given(st.binary(max_size=300) | st.text(st.sampled_from('{}[]",:\\u d83e1N-.0aI'), max_size=80).map(str.encode))
def test_anything_at_all_ends(body: bytes) -> None:
    once = mend(body)
    assert mend(once) == once or len(body) > DEEP


@pytest.mark.parametrize(
    "body",
    [
        b'"\\' * 250_000,
        b"[" * 500_000,
        b'["' + rb"\ud83d" * 80_000 + b'"]',
        b"[" + b"1.5e3," * 80_000 + b"1e999]",
        b'["' + b"\n" * 500_000 + b'"]',
        b"-" * 500_000,
        b"1" * 500_000,
        b'"' * 500_001,
    ],
    ids=lambda body: repr(body[:8]),
)
def test_half_a_megabyte_takes_no_minute(body: bytes) -> None:
    started = time.perf_counter()
    mend(body)
    assert time.perf_counter() - started < 8
