"""Counts and lists in a sentence."""

from __future__ import annotations

from voiceops.model.wording import cut, many, some_of


def test_many() -> None:
    assert [many(count, "call") for count in (0, 1, 2, 1200)] == ["0 calls", "1 call", "2 calls", "1,200 calls"]


def test_some() -> None:
    assert some_of([], 2) == ""
    assert some_of(["a", "b"], 2) == "a, b"
    assert some_of(["a", "b", "c"], 2) == "a, b and 1 more"
    assert some_of(["a", "b", "c", "d"], 1, "; ") == "a and 3 more"


def test_cut() -> None:
    assert [cut("four", longest) for longest in (5, 4, 3)] == ["four", "four", "fo…"]
