"""`state migrate`: everything arrives, from every back end in every other, or nothing is said to have."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.state.ledgers import entry_of, intent_of
from tests.state.stores import STORES
from voiceops.errors import Locked, Refused, StateError
from voiceops.state.folder import FolderStore
from voiceops.state.ledger import Ledger
from voiceops.state.migrate import Moved, migrate
from voiceops.state.store import Store


async def _filled(store: Store) -> None:
    """Three serials, two revisions, a blob and an open intent."""
    for number in (1, 2, 3):
        ledger = await Ledger.open(store, "shop", "dev")
        await ledger.record("", f"Agent/a{number}", entry_of(f"Agent/a{number}"))
        await ledger.save(revision=number)
    await store.add_revision(1, {"number": 1, "text": "ä"})
    await store.add_revision(2, {"number": 2})
    await store.put_blob(b"\x00bytes")
    await store.add_note("20260101T030405006Z-ab", {"id": "20260101T030405006Z-ab", "summary": "state rm"})
    ledger = await Ledger.open(store, "shop", "dev")
    await ledger.begin([intent_of("n1")])


async def _content(store: Store) -> list[Any]:
    return [
        await store.read(),
        await store.journal(),
        await store.revisions(),
        await store.notes(),
        [await store.get_blob(digest) for digest in await store.blobs()],
        await store.states(),
    ]


@pytest.mark.parametrize(("source", "target"), list(permutations(STORES, 2)))
async def test_everything_arrives(source: str, target: str, tmp_path: Path) -> None:
    old, new = STORES[source](tmp_path / "old", "dev"), STORES[target](tmp_path / "new", "dev")
    await _filled(old)
    before = await _content(old)
    assert await migrate(old, new) == Moved(objects=3, records=2, revisions=2, blobs=1)
    assert await _content(new) == before == await _content(old)
    ledger = await Ledger.open(new, "shop", "dev")
    assert set(ledger.intents) == {"n1"}
    async with old.lock("apply", 0), new.lock("apply", 0) as lease:
        assert lease.note == "", "both locks were given back"


async def test_a_state_that_was_never_written_moves_with_its_journal(tmp_path: Path) -> None:
    old, new = FolderStore(tmp_path / "old", "dev"), FolderStore(tmp_path / "new", "dev")
    ledger = await Ledger.open(old, "shop", "dev")
    await ledger.begin([intent_of("n1")])
    await migrate(old, new)
    again = await Ledger.open(new, "shop", "dev")
    assert (again.state.lineage, again.state.salt) == (ledger.state.lineage, ledger.state.salt)


@pytest.mark.parametrize("what", ["state", "journal", "revision"])
async def test_nothing_is_written_over(what: str, tmp_path: Path) -> None:
    old, new = FolderStore(tmp_path / "old", "dev"), FolderStore(tmp_path / "new", "dev")
    await _filled(old)
    match what:
        case "state":
            await new.write({"serial": 1}, if_serial=None)
        case "journal":
            await new.append([{"record": "plan", "id": "x"}])
        case "revision":
            await new.add_revision(1, {"number": 1})
    before = await _content(new)
    with pytest.raises(Refused, match="already"):
        await migrate(old, new)
    assert await _content(new) == before
    with pytest.raises(Refused):
        await migrate(old, FolderStore(tmp_path / "old", "dev"))


async def test_both_are_locked(tmp_path: Path) -> None:
    old, new = FolderStore(tmp_path / "old", "dev"), FolderStore(tmp_path / "new", "dev")
    for held in (FolderStore(tmp_path / "old", "dev"), FolderStore(tmp_path / "new", "dev")):
        async with held.lock("apply", 0):
            with pytest.raises(Locked):
                await migrate(old, new)


async def test_what_does_not_arrive_is_noticed(tmp_path: Path) -> None:
    class Forgetful(FolderStore):
        async def add_revision(self, number: int, data: dict[str, Any]) -> None:
            """Says yes and does nothing."""

    old = FolderStore(tmp_path / "old", "dev")
    await _filled(old)
    with pytest.raises(StateError, match="is not what was sent"):
        await migrate(old, Forgetful(tmp_path / "new", "dev"))
