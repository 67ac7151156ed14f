"""A creation that was cut off beside other environments of the account that make just the same."""

from __future__ import annotations

from typing import Any

import pytest

from voiceops.apply.recover import recover
from voiceops.model.live import Snapshot
from voiceops.model.state import Intent, State
from voiceops.state.elsewhere import Elsewhere

TOOL = {"type": "transferCall", "function": {"name": "toAPerson"}}
NOW = 10_000.0
OLD, YOUNG = NOW - 500, NOW - 5
STATE = State(lineage="l", project="shop", environment="preview-a", salt="00")


def creation(nonce: str, at: float = OLD, body: dict[str, Any] | None = None) -> Intent:
    entry = {"kind": "Tool", "type": "vapi_tool", "id": "", "name": "toAPerson", "owned": body or TOOL}
    return Intent(
        nonce=nonce,
        address="Tool/person",
        kind="Tool",
        type="vapi_tool",
        action="create",
        name="toAPerson",
        body=body or TOOL,
        sent_at=at,
        entry=entry,
    )


def live(*ids: str, **more: Any) -> Snapshot:
    return Snapshot({"vapi_tool": {id_: {"id": id_, **TOOL, **more} for id_ in ids}}, NOW, 0.0, "org")


def taken(nonce: str, snapshot: Snapshot, others: Elsewhere) -> str | None:
    """The id that an open creation is given; None where it waits or came to nothing."""
    found = recover(STATE, {nonce: creation(nonce)}, snapshot, since=OLD, others=others)
    assert not found.ambiguous
    entry = found.entries.get(nonce)
    return entry.id if entry is not None else None


def test_what_another_holds_is_not_ours() -> None:
    assert taken("m", live("a", "b"), Elsewhere(frozenset({"a"}))) == "b"
    assert taken("m", live("a"), Elsewhere(frozenset({"a"}))) is None


def test_each_takes_one_whoever_looks_first() -> None:
    """Three died at the same place, and each finds the others' creations open, or done."""
    nonces, snapshot = ["k", "m", "z"], live("a", "b", "c")
    alone = {
        nonce: taken(nonce, snapshot, Elsewhere(creations=tuple(creation(n) for n in nonces if n != nonce)))
        for nonce in nonces
    }
    assert sorted(filter(None, alone.values())) == ["a", "b", "c"]
    for first in nonces:
        done = {alone[first]}
        rest = [nonce for nonce in nonces if nonce != first]
        for nonce in rest:
            others = Elsewhere(frozenset(filter(None, done)), tuple(creation(n) for n in rest if n != nonce))
            assert taken(nonce, snapshot, others) not in done
        second = taken(rest[0], snapshot, Elsewhere(frozenset(filter(None, done)), (creation(rest[1]),)))
        third = taken(rest[1], snapshot, Elsewhere(frozenset(filter(None, {*done, second}))))
        assert {*done, second, third} == {"a", "b", "c"}


def test_fewer_than_asked_for_are_taken_once() -> None:
    """One of two requests was never executed: which one, nobody can tell, and nothing depends on it."""
    mine = taken("m", live("a"), Elsewhere(creations=(creation("k"),)))
    theirs = taken("k", live("a"), Elsewhere(creations=(creation("m"),)))
    assert sorted(map(str, (mine, theirs))) == ["None", "a"]


def test_one_that_may_still_get_its_answer_is_waited_for() -> None:
    others = Elsewhere(creations=(creation("k", YOUNG),))
    found = recover(STATE, {"m": creation("m")}, live("a"), since=OLD, others=others)
    assert (found.waiting, found.entries) == (("m",), {})


@pytest.mark.parametrize("same", [True, False])
def test_one_of_the_same_name_and_another_body_is_the_others(same: bool) -> None:
    """Else it is told, since it could be ours, edited by somebody."""
    theirs = {"function": {"name": "toAPerson", "description": "Another branch."}}
    others = Elsewhere(creations=(creation("k", body={**TOOL, **theirs}),)) if same else Elsewhere()
    found = recover(STATE, {"m": creation("m")}, live("a", **theirs), since=OLD, others=others)
    assert not found.entries or not same
    assert not found.ambiguous
