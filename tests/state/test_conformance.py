"""What every state back end promises (voiceops/state/store.py), through its interface alone."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.state.stores import STORES, WITHOUT_SIBLINGS
from voiceops.errors import Locked, StateError
from voiceops.state.store import Store

Open: TypeAlias = Callable[..., Store]

DATA = {"version": 1, "serial": 1, "resources": {"Agent/ä": {"text": "line\nline\u2028 \U0001f4de", "n": 1.5}}}


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    def make(environment: str = "dev") -> Store:
        return STORES[request.param](tmp_path, environment)

    return make


async def test_an_empty_place_holds_nothing(open_store: Open) -> None:
    store = open_store()
    assert await store.read() is None
    assert await store.journal() == []
    assert await store.revisions() == []
    assert await store.siblings() == []
    assert store.place


async def test_what_was_written_is_read_by_everybody(open_store: Open) -> None:
    await open_store().write(DATA, if_serial=None)
    assert await open_store().read() == DATA
    await open_store().write(DATA | {"serial": 2}, if_serial=1)
    assert (await open_store().read() or {})["serial"] == 2


@pytest.mark.parametrize(
    ("held", "expected"), [(None, 1), (1, None), (1, 2), (2, 1)], ids=["nothing", "something", "older", "newer"]
)
async def test_a_second_writer_notices(open_store: Open, held: int | None, expected: int | None) -> None:
    store = open_store()
    if held is not None:
        await store.write(DATA | {"serial": held}, if_serial=None)
    before = await store.read()
    with pytest.raises(StateError, match="somebody else"):
        await store.write(DATA | {"serial": 9}, if_serial=expected)
    assert await store.read() == before


async def test_the_journal_keeps_the_order(open_store: Open) -> None:
    store = open_store()
    await store.append([{"n": 1}, {"n": 2, "text": "a\nb"}])
    await open_store().append([{"n": 3}])
    assert [record["n"] for record in await open_store().journal()] == [1, 2, 3]


async def test_the_journal_takes_many_writers_at_once(open_store: Open) -> None:
    store = open_store()
    await asyncio.gather(*(store.append([{"n": n, "pad": "x" * n}]) for n in range(200)))
    assert sorted(record["n"] for record in await open_store().journal()) == list(range(200))


async def test_a_record_is_durable_when_append_returns(open_store: Open) -> None:
    """However the calls interleave: whoever comes back finds the record in the journal."""

    async def one(store: Store, reader: Store, number: int, missing: list[int]) -> None:
        for _ in range(number % 7):
            await asyncio.sleep(0)
        await store.append([{"n": number}])
        if number not in {record["n"] for record in await reader.journal()}:
            missing.append(number)

    store, reader, missing = open_store(), open_store(), list[int]()
    await asyncio.gather(*(one(store, reader, number, missing) for number in range(120)))
    assert missing == []


async def test_the_journal_is_cut(open_store: Open) -> None:
    store = open_store()
    await store.append([{"n": 1}, {"n": 2}])
    await store.cut_journal([{"n": 2}])
    assert await open_store().journal() == [{"n": 2}]
    await store.append([{"n": 3}])
    assert await open_store().journal() == [{"n": 2}, {"n": 3}]
    await store.cut_journal([])
    assert await open_store().journal() == []


async def test_blobs_are_kept_under_their_digest(open_store: Open) -> None:
    store = open_store()
    content = b"\x00\xff" * 100_000
    digest = await store.put_blob(content)
    assert await store.put_blob(content) == digest
    assert await open_store().get_blob(digest) == content
    with pytest.raises(StateError, match="no blob"):
        await store.get_blob("0" * 64)


async def test_revisions_come_oldest_first_and_are_never_overwritten(open_store: Open) -> None:
    store = open_store()
    for number in (1, 2, 10, 9):
        await store.add_revision(number, {"number": number})
    assert [revision["number"] for revision in await open_store().revisions()] == [1, 2, 9, 10]
    with pytest.raises(StateError, match="exists already"):
        await store.add_revision(2, {"number": 2, "other": True})
    assert {"number": 2} in await store.revisions()


async def test_notes_stand_beside_the_revisions_and_both_can_be_forgotten(open_store: Open) -> None:
    store = open_store()
    async with store, store.lock("apply", 0):
        assert await store.notes() == []
        for id_ in ("20260102T030405006Z-ab", "20260101T030405006Z-cd"):
            await store.add_note(id_, {"id": id_, "text": "ä"})
        for number in (1, 2, 3):
            await store.add_revision(number, {"number": number})
        await store.forget([1, 7], ["20260101T030405006Z-cd", "none"])
        await store.forget()
    other = open_store()
    assert await other.notes() == [{"id": "20260102T030405006Z-ab", "text": "ä"}]
    assert [revision["number"] for revision in await other.revisions()] == [2, 3]
    assert (await other.revision(2), await other.revision(1)) == ({"number": 2}, None)
    assert await other.revision_numbers() == [2, 3]


async def test_environments_do_not_see_each_other_but_as_siblings(open_store: Open, request: Any) -> None:
    backend = request.node.callspec.params["open_store"]

    dev, prod = open_store("dev"), open_store("prod")
    await dev.write(DATA | {"environment": "dev"}, if_serial=None)
    await dev.append([{"n": 1}])
    await dev.add_revision(1, {"number": 1})
    assert (await prod.read(), await prod.journal(), await prod.revisions()) == (None, [], [])
    seen = [other["environment"] for other in await prod.siblings()]
    assert seen == ([] if backend in WITHOUT_SIBLINGS else ["dev"])
    assert await dev.siblings() == []


async def test_environments_are_locked_apart(open_store: Open) -> None:
    async with open_store("dev").lock("apply", 0), open_store("prod").lock("apply", 0):
        pass


async def test_one_holder_at_a_time(open_store: Open) -> None:
    async with open_store().lock("apply", 0) as lease:
        assert lease.note == ""
        with pytest.raises(Locked) as caught:
            async with open_store().lock("plan", 0):
                pass
        assert caught.value.exit_code == 4
        assert "apply" in caught.value.summary, "it says what the holder is doing"
        assert "pid" in caught.value.summary
    async with open_store().lock("apply", 0) as lease:
        assert lease.note == "", "an orderly end leaves nothing to take over"


async def test_a_lease_knows_that_it_is_held(open_store: Open) -> None:
    async with open_store().lock("apply", 0) as lease:
        await lease.check()


async def test_a_lock_can_be_taken_away_and_its_holder_notices(open_store: Open) -> None:
    async with open_store().lock("apply", 0) as lease:
        with pytest.raises(Locked) as caught:
            async with open_store().lock("apply", 0):
                pass
        found = re.search(r"lock (\w+)\)", caught.value.summary)
        assert found, "the id to unlock is there to be copied"
        with pytest.raises(StateError, match="nobody holds"):
            await open_store().unlock("another-id")
        await lease.check()
        await open_store().unlock(found[1])
        with pytest.raises(Locked, match="taken away"):
            await lease.check()
        async with open_store().lock("apply", 0) as second:
            assert second.note == ""
            await second.check()
    async with open_store().lock("apply", 0) as lease:
        await lease.check()


async def test_a_lock_that_nobody_holds_can_not_be_taken_away(open_store: Open) -> None:
    with pytest.raises(StateError, match="nobody holds"):
        await open_store().unlock("some-id")


async def test_the_lock_is_released_when_the_work_fails(open_store: Open) -> None:
    with pytest.raises(RuntimeError, match="boom"):
        async with open_store().lock("apply", 0):
            raise RuntimeError("boom")
    async with open_store().lock("apply", 0) as lease:
        assert lease.note == ""


async def test_a_waiting_process_gets_the_lock_when_it_is_free(open_store: Open) -> None:
    async def holder(taken: asyncio.Event) -> None:
        async with open_store().lock("apply", 0):
            taken.set()
            await asyncio.sleep(0.1)

    taken = asyncio.Event()
    task = asyncio.create_task(holder(taken))
    await taken.wait()
    async with open_store().lock("apply", 5):
        pass
    await task


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("backend", STORES)
@given(records=st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=5))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_json_comes_back_as_it_went(
    backend: str, records: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    records = [r for r in records if _encodable(r)]

    store = STORES[backend](tmp_path_factory.mktemp("any"), "dev")
    await store.append(records)
    assert await store.journal() == records
    for number, record in enumerate(records, 1):
        await store.add_revision(number, record)
    assert await store.revisions() == records


def _encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


async def test_what_is_not_urgent_is_written_before_what_follows_and_before_the_lock_goes(open_store: Open) -> None:
    async def fail(store: Store) -> None:
        async with store.lock("apply", 0):
            await store.append([{"n": 4}], urgent=False)
            raise RuntimeError("boom")

    store, reader = open_store(), open_store()
    async with store.lock("apply", 0):
        await store.append([{"n": 1}], urgent=False)
        await store.append([{"n": 2}])
        assert await reader.journal() == [{"n": 1}, {"n": 2}]
        await store.append([{"n": 3}], urgent=False)
    assert await reader.journal() == [{"n": 1}, {"n": 2}, {"n": 3}]
    with pytest.raises(RuntimeError, match="boom"):
        await fail(store)
    assert (await reader.journal())[3:] == [{"n": 4}]


async def test_what_is_not_urgent_is_written_within_a_second(open_store: Open) -> None:
    store, reader = open_store(), open_store()
    async with store.lock("apply", 0):
        await store.append([{"n": 1}], urgent=False)
        started = time.monotonic()
        while await reader.journal() != [{"n": 1}]:
            assert time.monotonic() - started < 10
            await asyncio.sleep(0.1)


async def test_without_the_lock_everything_is_urgent(open_store: Open) -> None:
    await open_store().append([{"n": 1}], urgent=False)
    assert await open_store().journal() == [{"n": 1}]


async def test_a_state_and_what_its_journal_keeps_are_written_together(open_store: Open) -> None:
    store = open_store()
    await store.append([{"n": 1}, {"n": 2}])
    await store.write(DATA, if_serial=None, keep=[{"n": 2}])
    assert await open_store().journal() == [{"n": 2}]
    with pytest.raises(StateError, match="somebody else"):
        await store.write(DATA | {"serial": 9}, if_serial=7, keep=[])
    assert await open_store().journal() == [{"n": 2}], "neither or both"
    await store.append([{"n": 3}])
    assert await open_store().journal() == [{"n": 2}, {"n": 3}]


async def test_a_kept_connection_changes_nothing(open_store: Open) -> None:
    async with open_store() as store:
        await store.write(DATA, if_serial=None)
        async with store.lock("apply", 0) as lease:
            await asyncio.gather(*(store.append([{"n": n}]) for n in range(20)), lease.check(), lease.check())
            await store.write(DATA | {"serial": 2}, if_serial=1, keep=[])
        assert (await store.read() or {})["serial"] == 2
        assert await open_store().journal() == []
    assert (await store.read() or {})["serial"] == 2, "also after it"


async def test_revisions_and_blobs_are_counted(open_store: Open) -> None:
    store = open_store()
    assert (await store.revision_numbers(), await store.blobs()) == ([], [])
    for number in (2, 11, 9):
        await store.add_revision(number, {"number": number})
    digests = [await store.put_blob(content) for content in (b"a", b"b")]
    assert await open_store().revision_numbers() == [2, 9, 11]
    assert await open_store().blobs() == sorted(digests)


async def test_the_last_states_are_kept_and_can_be_brought_back(open_store: Open) -> None:
    store = open_store()
    assert await store.states() == []
    for serial in range(1, 14):
        await store.write(DATA | {"serial": serial, "was": serial}, if_serial=serial - 1 or None)
    await store.append([{"n": 1}])
    assert [state["serial"] for state in await store.states()] == list(range(4, 14))
    with pytest.raises(StateError, match="no good copy with serial 3") as caught:
        await store.restore(3)
    assert "4, 5" in caught.value.hint
    restored = await store.restore(7)
    assert restored == DATA | {"serial": 14, "was": 7} == await open_store().read()
    assert await store.journal() == [{"n": 1}]
    await store.write(DATA | {"serial": 15}, if_serial=14)


async def test_what_is_removed_is_gone_and_can_begin_anew(open_store: Open) -> None:
    await open_store("prod").write(DATA, if_serial=None)
    store = open_store()
    await store.write(DATA, if_serial=None)
    await store.append([{"n": 1}])
    await store.add_revision(1, {"number": 1})
    await store.add_note("20260101T000000-1", {"id": "20260101T000000-1"})
    await store.put_blob(b"a")
    async with store.lock("down", 0):
        await store.remove()
    for there in (store, open_store()):
        assert (await there.read(), await there.journal(), await there.states()) == (None, [], [])
        assert (await there.revisions(), await there.notes(), await there.blobs()) == ([], [], [])
    async with store.lock("apply", 0):
        await store.append([{"n": 2}])
        await store.write(DATA, if_serial=None)
    assert await open_store().journal() == [{"n": 2}]
    assert await open_store("prod").read() == DATA


async def test_the_journals_of_the_others(open_store: Open, request: pytest.FixtureRequest) -> None:
    await open_store().append([{"n": 1}])
    await open_store("prod").append([{"n": 2}, {"n": 3}])
    await open_store("preview-a").write(DATA, if_serial=None)
    found = [records for records in await open_store().sibling_journals() if records]
    assert found == ([] if request.node.callspec.params["open_store"] in WITHOUT_SIBLINGS else [[{"n": 2}, {"n": 3}]])
