"""One store behind a few methods: the same promises on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.runtime.places import place_of
from tests.runtime.runtime_bench import wait_for
from voiceops.errors import VoiceopsError
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.housekeeping import keep_house
from voiceops.runtime.store.inbox import Inbox
from voiceops.runtime.store.records import DEAD, DONE, WAITING, EventRow
from voiceops.runtime.store.sqlite import SqliteBackend


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return place_of(request.param, tmp_path)


@contextlib.asynccontextmanager
async def opened(place: str, **given: float) -> AsyncIterator[Inbox]:
    inbox = Inbox(backend_of(place), **given)
    await inbox.start()
    try:
        yield inbox
    finally:
        await inbox.close()


def event(inbox: Inbox, key: str, state: int = WAITING, type_: str = "hang") -> EventRow:
    now = time.time()
    return EventRow(inbox.next_id(now), key.encode(), type_, "call", now, 0.0, state, "", b'{"message":{}}')


async def test_a_claim_has_one_owner(place: str) -> None:
    async with opened(place) as one, opened(place) as two:
        claims = await asyncio.gather(*(box.claim(f"k{n % 50}", "t", "c") for n in range(200) for box in (one, two)))
        assert sum(claim.mine for claim in claims) == 50
        assert {claim.owner for claim in claims if not claim.mine} <= {one.owner, two.owner}
        await one.settle("k1", '{"a":"é"}', "ok", 1.0)
        assert (await two.claim("k1", "t", "c")).result == '{"a":"é"}'
        assert await one.run(lambda b: b.alive(two.owner))
    async with opened(place) as three:
        assert not await three.run(lambda b: b.alive(two.owner))
        claim = await three.claim("k2", "t", "c")
        assert not claim.mine
        assert await three.run(lambda b: b.take_over("k2", claim.owner))
        assert not await three.run(lambda b: b.take_over("k2", claim.owner))


async def test_events_are_kept_once_and_worked_on_once(place: str) -> None:
    async with opened(place) as one, opened(place) as two:
        new = await asyncio.gather(*(box.put(event(box, f"e{n % 60}")) for n in range(120) for box in (one, two)))
        assert sum(new) == 60
        taken = []
        while found := [
            item for box in (one, two) for item in await box.run(lambda b: b.take(["hang"], time.time(), 7))
        ]:
            taken += found
        assert len({item.id for item in taken}) == len(taken) == 60
        assert [item.attempts for item in taken] == [1] * 60
        first, second, third, *_ = taken
        await one.run(lambda b: b.finish(first.id))
        await one.run(lambda b: b.put_off(second.id, time.time() + 60, "later"))
        await one.run(lambda b: b.bury(third.id, "dead"))
        assert await one.run(lambda b: b.take(None, time.time(), 7)) == []
        (again,) = await one.run(lambda b: b.take(None, time.time() + 61, 7))
        assert (again.id, again.attempts, again.error) == (second.id, 2, "later")
        stats = await one.run(lambda b: b.stats())
        assert (stats.waiting, stats.working, stats.dead) == (0, 58, 1)
        (dead,) = await one.run(lambda b: b.find(state=DEAD, type_="hang", limit=5))
        assert dead.error == "dead"
        assert await one.run(lambda b: b.replay([dead.id, first.id, second.id])) == 2
    async with opened(place) as three:
        released, until = 0, time.monotonic() + 20
        while released < 58 and time.monotonic() < until:  # PostgreSQL ends a session some moments after its client
            released += await three.run(lambda b: b.release_dead())
            await asyncio.sleep(0.02)
        assert released == 58
        assert (await three.run(lambda b: b.stats())).waiting == 60


async def test_what_is_old_goes_and_what_waits_stays(place: str) -> None:
    async with opened(place) as inbox:
        for n, state in enumerate((DONE, WAITING, DEAD)):
            await inbox.put(event(inbox, f"e{n}", state))
        await inbox.claim("k", "t", "c")
        later = time.time() + 60
        assert await inbox.run(lambda b: b.prune(later, later)) == 1
        assert {e.state for e in await inbox.run(lambda b: b.find(state=None, type_="", limit=9))} == {
            WAITING,
            DEAD,
        }
        assert await inbox.run(lambda b: b.lookup("k")) is None
        (waiting,) = await inbox.run(lambda b: b.find(state=WAITING, type_="", limit=9))
        await inbox.run(lambda b: b.replace_body(waiting.id, b"{}"))
        found = await inbox.run(lambda b: b.get(waiting.id))
        assert found is not None
        assert found.body == b"{}"


async def test_workers_leave_their_counters_for_each_other(place: str) -> None:
    async with opened(place) as one, opened(place) as two:
        await one.run(lambda b: b.publish("boot", "1"))
        await one.run(lambda b: b.publish("boot", "2"))
        await two.run(lambda b: b.publish("boot", "3"))
        assert await one.run(lambda b: b.published("boot")) == ["3"]
        assert await two.run(lambda b: b.published("boot")) == ["2"]
        assert await two.run(lambda b: b.published("other")) == []


def test_numbers_of_events_rise_and_differ() -> None:
    inbox = Inbox(SqliteBackend(Path("unused")))
    numbers = [inbox.next_id(1_800_000_000.0) for _ in range(5_000)]
    assert numbers == sorted(set(numbers))


async def test_numbers_rise_also_where_a_clock_is_behind(place: str) -> None:
    """After it was put back, and on another machine."""
    async with opened(place) as one, opened(place) as beside:
        ahead = one.next_id(time.time() + 3600)
        await one.put(event(one, "ahead")._replace(id=ahead))
        house = asyncio.ensure_future(keep_house(beside, 1e6, 1e6, lambda: None))
        await asyncio.to_thread(wait_for, lambda: beside.next_id(time.time()) > ahead)
        house.cancel()
    async with opened(place) as later:
        assert later.next_id(time.time()) > ahead
        later.follow((1 << 63) - 1)  # a number that leaves none is followed by nobody
        assert await later.put(event(later, "next"))


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("redis://x", "redis"),
        ("postgresql://127.0.0.1:1/none?connect_timeout=1", "can't be opened"),
        ("/proc/none/x.db", "can't be opened"),
    ],
)
def test_a_store_that_can_not_be_opened_is_one_sentence(location: str, said: str) -> None:
    with pytest.raises(VoiceopsError, match=said):
        backend_of(location).open()


async def test_a_number_that_another_worker_chose_too_costs_nothing(place: str) -> None:
    async with opened(place) as one, opened(place) as two:
        first, second = event(one, "a"), event(two, "b")
        assert await one.put(first)
        claim = two.claim("t1", "tool", "call")
        assert await two.put(second._replace(id=first.id))
        assert (await claim).mine
        assert not await two.put(second._replace(id=first.id))  # the same message again
        assert len(await one.run(lambda backend: backend.find(state=None, type_="", limit=9))) == 2


@pytest.mark.parametrize("doubt", [0.0, 60.0])
async def test_a_store_that_only_answers_is_broken_for_a_while(
    place: str, monkeypatch: pytest.MonkeyPatch, doubt: float
) -> None:
    async with opened(place, doubt=doubt) as inbox:

        def fails(*given: object, **named: object) -> None:
            raise OSError("no room")

        with monkeypatch.context() as patch:
            patch.setattr(inbox.backend, "write", fails)
            with pytest.raises(OSError, match="no room"):
                await inbox.put(event(inbox, "a"))
        assert inbox.broken
        await inbox.run(lambda backend: backend.stats())
        assert bool(inbox.broken) is bool(doubt)
        assert await inbox.put(event(inbox, "b"))
        assert not inbox.broken


async def test_a_connection_that_broke_is_replaced_and_nothing_is_refused(tmp_path: Path) -> None:
    import psycopg

    place = place_of("postgres", tmp_path)

    async with opened(place) as inbox:
        assert await inbox.put(event(inbox, "a"))
        with psycopg.connect(place, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert (await inbox.claim("t1", "tool", "call")).mine
        assert await inbox.put(event(inbox, "b"))


async def test_an_old_session_of_ours_does_not_block_the_new_one(tmp_path: Path) -> None:
    """As after a failover: the server has not noticed that the old connection is gone."""
    import psycopg

    from voiceops.runtime.store.postgres import PostgresBackend

    place = place_of("postgres", tmp_path)

    async with opened(place) as inbox:
        backend = inbox.backend
        assert isinstance(backend, PostgresBackend)
        with psycopg.connect(place, autocommit=True) as old:
            await inbox.run(lambda _: backend._connection and backend._connection.close())
            old.execute("SELECT pg_advisory_lock(%s)", (backend.owner,))
            assert await asyncio.wait_for(inbox.put(event(inbox, "a")), 10)
