"""Keys are equal for equal ids, and for no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.runtime.json_text import storable
from voiceops.runtime.store.keys import claim_key, request_key, whole

LONG = "x" * 200
PAIRS = [
    ("call", "tool"),
    (LONG, "a"),
    (LONG + "1", "a"),
    (LONG + "2", "a"),
    ("c", LONG + "1"),
    ("c", LONG + "2"),
    ("a/b", "c"),
    ("a", "b/c"),
    ("", "a/b"),
    ("a", "b\0"),
    ("a", "b"),
    ("a\0", "b"),
    ("ä", "b"),
    ("a", "ä"),
    ("twilio", "CA1"),
    ("#a", "b"),
    ("", ""),
]


def test_different_ids_have_different_keys() -> None:
    assert len({claim_key(*pair) for pair in PAIRS}) == len(PAIRS)
    assert claim_key("twilio", "CA1") != request_key("CA1")
    for pair in PAIRS:
        hashed = claim_key(*pair)
        assert claim_key("", hashed) != hashed


IDS = st.text(st.sampled_from("a/#\0é"), max_size=4) | st.text(max_size=3).map(lambda text: LONG + text)


@given(IDS, IDS, IDS, IDS)
def test_keys_are_equal_only_where_both_ids_are(call: str, tool: str, call_2: str, tool_2: str) -> None:
    assert (claim_key(call, tool) == claim_key(call_2, tool_2)) is ((call, tool) == (call_2, tool_2))
    assert (whole(call) == whole(call_2)) is (call == call_2)


@given(st.text())
def test_every_database_takes_a_key(text: str) -> None:
    for key in (whole(text), claim_key(text, text), request_key(text), storable(text)):
        assert "\0" not in key
        assert len(key) <= 250


@pytest.mark.parametrize(("call", "tool"), [("call-1", "toolu_1"), ("0b1c-22", "call_aB3")])
def test_usual_ids_stay_readable(call: str, tool: str) -> None:
    assert claim_key(call, tool) == f"{call}/{tool}"
