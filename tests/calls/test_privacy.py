"""What is kept of calls, by the project's `privacy:`: on both databases, told in any order, and changed afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runtime.places import place_of
from voiceops.calls.record import CallRecord, Spoken
from voiceops.calls.shown_numbers import shown_number
from voiceops.calls.store import CallFilter, CallStore
from voiceops.model.privacy import Privacy
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.records import Backend

NUMBER, OTHER = "+14155550123", "+14155559923"
NOW = time.time()
DAY = 86_400.0


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    backend = backend_of(place_of(request.param, tmp_path), worker=False)
    backend.open()
    CallStore(backend).prepare()
    yield backend
    backend.close()


def call(id_: str, number: str = NUMBER, days: float = 0.0) -> CallRecord:
    return CallRecord(
        id=id_,
        customer=number,
        started_at=NOW - days * DAY,
        ended_at=NOW - days * DAY + 60,
        summary="An order.",
        turns=(Spoken(role="caller", at=1.0, text="My name is Ada"),),
    )


def customers(store: CallStore) -> list[str]:
    return [one.customer for one in sorted(store.listed(CallFilter(), 100), key=lambda one: one.id)]


def texts(store: CallStore) -> dict[str, bool]:
    return {one.id: bool(one.summary or one.turns[0].text) for one in store.listed(CallFilter(), 100)}


@pytest.mark.parametrize("how", ["mask", "hash"])
def test_a_number_is_not_kept_and_equal_ones_stay_equal(database: Backend, how: str) -> None:
    store = CallStore(database, Privacy(numbers=how))
    store.keep([call("a"), call("b"), call("c", OTHER), call("d", "")])
    one, same, other, none = customers(store)
    assert (one == same, one == other, none) == (True, False, "")
    assert NUMBER not in one
    assert shown_number(one) == ("+14…23" if how == "mask" else one[:9])
    assert store.keep([call("a")]) == 0, "told again, it is as it was"


@pytest.mark.parametrize("how", ["keep", "mask", "hash"])
@pytest.mark.parametrize("later", ["keep", "mask", "hash"])
def test_a_caller_is_forgotten_however_the_number_was_kept(database: Backend, how: str, later: str) -> None:
    CallStore(database, Privacy(numbers=how)).keep([call("a"), call("b", OTHER)])
    store = CallStore(database, Privacy(numbers=later))
    store.keep([call("c")])
    assert store.forget(NUMBER) == 2
    store.keep([call("a"), call("e")])
    assert [one.id for one in store.listed(CallFilter(), 100)] == ["b"]


def test_a_caller_is_forgotten_by_what_is_kept_of_the_number(database: Backend) -> None:
    store = CallStore(database, Privacy(numbers="mask"))
    store.keep([call("a")])
    assert store.forget(customers(store)[0]) == 1
    assert store.keep([call("a")]) == 0


def test_numbers_of_before_are_hidden_when_the_setting_comes(database: Backend) -> None:
    CallStore(database).keep([call(f"c{n:03}") for n in range(450)])
    for how in ("mask", "hash"):
        store = CallStore(database, Privacy(numbers=how))
        store.apply_privacy(NOW)
        assert (len(set(customers(store))), NUMBER in customers(store)) == (1, False)
    assert customers(store)[0].startswith("#")


def test_texts_are_dropped_when_they_are_told(database: Backend) -> None:
    store = CallStore(database, Privacy(transcripts="drop"))
    store.keep([call("a"), call("b", days=40)])
    assert texts(store) == {"a": False, "b": False}


def test_texts_are_dropped_when_their_time_is_over(database: Backend) -> None:
    CallStore(database).keep([call("new", days=1), call("old", days=40)])
    store = CallStore(database, Privacy(transcripts=30))
    store.apply_privacy(NOW)
    assert texts(store) == {"new": True, "old": False}
    store.keep([call("old", days=40), call("late", days=35)])
    assert texts(store) == {"new": True, "old": False, "late": False}, "and a sync does not bring them back"
    store.apply_privacy(NOW + 30 * DAY)
    assert texts(store)["new"] is False
    assert store.listed(CallFilter(), 100)[0].turns, "who spoke when is still known"


def test_a_stricter_setting_reaches_back(database: Backend) -> None:
    store = CallStore(database, Privacy(transcripts=30))
    store.keep([call(f"c{n:03}", days=n / 20) for n in range(450)])
    store.apply_privacy(NOW)
    assert sum(texts(store).values()) == 100
    stricter = CallStore(database, Privacy(transcripts=2))
    stricter.apply_privacy(NOW)
    assert sum(one.turns[0].text != "" for one in stricter.listed(CallFilter(), 1000)) == 41
    CallStore(database, Privacy(transcripts="drop")).apply_privacy(NOW)
    assert not any(one.turns[0].text for one in stricter.listed(CallFilter(), 1000))


def test_calls_are_deleted_when_their_time_is_over_and_stay_away(database: Backend) -> None:
    CallStore(database).keep([call("new", days=1), call("old", days=40)])
    store = CallStore(database, Privacy(calls=30))
    store.apply_privacy(NOW)
    assert store.keep([call("old", days=40)]) == 0
    assert [one.id for one in store.listed(CallFilter(), 10)] == ["new"]


def test_two_stores_use_one_key(database: Backend) -> None:
    first, second = (CallStore(database, Privacy(numbers="hash")) for _ in range(2))
    first.keep([call("a")])
    second.keep([replace(call("b"), cost=1.0)])
    assert len(set(customers(first))) == 1
