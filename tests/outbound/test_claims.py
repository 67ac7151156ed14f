"""Claims on SQLite and PostgreSQL: one owner each, within the bounds, also of several at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.places import place_of
from voiceops.calls.store import CallStore
from voiceops.model.privacy import Privacy
from voiceops.outbound.batches_over import drop_old_batches, over_since
from voiceops.outbound.claims import FORGOTTEN, SINGLE, UNKNOWN, CallBounds, Claims
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.records import Backend

NOW = 1_793_500_000.0
WIDE = CallBounds(per_minute=1000, at_once=1000)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return place_of(request.param, tmp_path)


@pytest.fixture
def database(place: str) -> Iterator[Backend]:
    backend = backend_of(place, worker=False)
    backend.open()
    CallStore(backend).prepare()
    Claims(backend).prepare()
    yield backend
    backend.close()


@pytest.fixture
def claims(database: Backend) -> Claims:
    return Claims(database)


def test_a_claim_is_one_owners_until_it_is_settled(claims: Claims) -> None:
    assert claims.claim("a", "b", "one", NOW, WIDE).mine is not None
    there = claims.claim("a", "b", "two", NOW + 1, WIDE).claim
    assert there is not None
    assert (there.token, there.state) == ("one", "sending")
    assert not claims.settle("a", "two", "placed", call="x")
    assert claims.settle("a", "one", "placed", call="x")
    assert claims.of(["a", "z"])["a"].call == "x"


def test_a_lost_claim_is_taken_over_as_it_was_seen_and_keeps_its_beginning(claims: Claims) -> None:
    mine = claims.claim("a", "b", "one", NOW, WIDE).mine
    assert mine is not None
    lost = claims.lose(mine, NOW + 5, "reset")
    assert claims.of(["a"])["a"] == lost
    assert claims.claim("a", "b", "two", NOW + 9, None, known=mine).mine is None  # as it was before
    taken = claims.claim("a", "b", "two", NOW + 9, None, known=lost).mine
    assert taken is not None
    assert (taken.since, taken.at) == (NOW, NOW + 9)
    assert claims.claim("a", "b", "three", NOW + 9, None, known=lost).mine is None
    claims.release("a", "one")
    assert claims.of(["a"])
    claims.release("a", "two")
    assert not claims.of(["a"])


def test_what_was_refused_is_taken_up_anew(claims: Claims) -> None:
    claims.claim("a", "b", "one", NOW, WIDE)
    claims.settle("a", "one", "refused", reason="no")
    assert claims.claim("a", "b", "two", NOW + 1, WIDE).mine is None
    taken = claims.claim("a", "b", "two", NOW + 1, WIDE, known=claims.of(["a"])["a"]).mine
    assert taken is not None
    assert taken.since == NOW + 1


def test_so_many_begin_in_a_minute(claims: Claims) -> None:
    bounds = CallBounds(per_minute=2, at_once=100)
    assert claims.claim("a", "b", "t", NOW, bounds).mine
    assert claims.claim("b", "b", "t", NOW + 20, bounds).mine
    asked = claims.claim("c", "b", "t", NOW + 30, bounds)
    assert (asked.mine, asked.full, asked.wait) == (None, False, 30.0)
    assert claims.claim("later", "b", "t", NOW + 30, None, due=NOW + 999).mine  # is no call of this minute
    assert claims.claim("c", "b", "t", NOW + 60.5, bounds).mine


def test_so_many_are_under_way(claims: Claims) -> None:
    bounds = CallBounds(per_minute=100, at_once=2)
    for n, key in enumerate("ab"):
        assert claims.claim(key, "b", "t", NOW + n, bounds).mine
        claims.settle(key, "t", "placed", call=f"id-{key}")
    assert claims.claim("c", "b", "t", NOW + 5, bounds).full
    assert claims.under_way(NOW + 5) == ["id-a", "id-b"]
    claims.ended(["id-a", ""])
    assert claims.claim("c", "b", "t", NOW + 6, bounds).mine
    assert claims.claim("d", "b", "t", NOW + 7, bounds).full
    assert claims.claim("d", "b", "t", NOW + 6 + UNKNOWN + 1, bounds).mine  # of c nobody heard again
    assert claims.claim("e", "b", "t", NOW + 200 + FORGOTTEN, bounds).mine


def test_a_call_that_never_rang_may_be_made_again(claims: Claims) -> None:
    claims.claim("a", "b", "t", NOW, WIDE)
    claims.settle("a", "t", "placed", call="x")
    claims.not_started("x", "call.start.error-get-transport")
    assert claims.of(["a"])["a"].state == "refused"


def test_several_at_once_share_the_people_and_the_bounds(place: str, database: Backend) -> None:
    keys, bounds, mine = [f"k{n}" for n in range(60)], CallBounds(per_minute=40, at_once=1000), []

    def work(name: str) -> None:
        backend = backend_of(place, worker=False)
        backend.open()
        claims = Claims(backend)
        for key in keys:
            if claims.claim(key, "b", name, NOW, bounds).mine:
                mine.append(key)
        backend.close()

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mine) == len(set(mine)) == 40


def called(claims: Claims, key: str, batch: str, at: float, **more: float) -> None:
    claims.claim(key, batch, "t", at, None, **more)
    claims.settle(key, "t", "placed", call=f"id-{key}")


def test_who_is_forgotten_is_in_no_batch_once_the_call_is_over(claims: Claims) -> None:
    called(claims, "old", "one", NOW - 2 * FORGOTTEN)
    called(claims, "over", "two", NOW - 60)
    claims.ended(["id-over"])
    called(claims, "talks", "three", NOW - 60)
    called(claims, "to-come", "four", NOW - 2 * FORGOTTEN, due=NOW + 60)
    claims.claim("refused", "five", "t", NOW, None)
    claims.settle("refused", "t", "refused")
    called(claims, "other", "one", NOW - 2 * FORGOTTEN)
    assert sorted(claims.batches()) == ["five", "four", "one", "three", "two"]
    assert claims.forget(["old", "over", "talks", "to-come", "refused", "nobody"], NOW) == 2
    everybody = ["old", "over", "talks", "to-come", "refused", "other"]
    assert sorted(claims.of(everybody)) == ["other", "talks", "to-come"]
    assert claims.forget(["talks", "to-come"], NOW + 2 * FORGOTTEN) == 0


def test_a_batch_is_kept_whole_for_as_long_as_its_calls(claims: Claims, database: Backend) -> None:
    store, day = CallStore(database), 86_400.0
    called(claims, "first", "long", NOW - 40 * day)
    called(claims, "last", "long", NOW - 10 * day)
    called(claims, "gone", "short", NOW - 40 * day)
    called(claims, "planned", "later", NOW - 40 * day, due=NOW - 20 * day)
    called(claims, "typed", f"{SINGLE}0a", NOW - 40 * day)
    drop_old_batches(database, Privacy(), NOW)
    assert len(claims.batches()) == 4, "without a setting all of it is kept"
    drop_old_batches(database, Privacy(calls=30), NOW)
    assert sorted(claims.of(["first", "last", "gone", "planned", "typed"])) == ["first", "last", "planned"]
    assert [bool(over_since(store, batch)) for batch in ("long", "short", f"{SINGLE}0a")] == [False, True, False]
