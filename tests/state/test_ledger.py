"""The ledger: what was read plus what the journal says since; a crash at any point loses nothing that was promised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.state.ledgers import entry_of, intent_of
from voiceops.errors import StateError
from voiceops.model.state import Binding
from voiceops.model.values import secret
from voiceops.state.fingerprints import fingerprint
from voiceops.state.folder import FolderStore
from voiceops.state.ledger import Ledger


async def _open(folder: Path) -> Ledger:
    return await Ledger.open(FolderStore(folder, "dev"), "shop", "dev")


async def test_a_new_ledger_is_empty_and_writes_nothing(tmp_path: Path) -> None:
    ledger = await _open(tmp_path)
    assert (ledger.state.serial, ledger.state.entries, ledger.intents) == (0, {}, {})
    await ledger.save()
    assert list(tmp_path.iterdir()) == []


async def test_identities_differ(tmp_path: Path) -> None:
    one, other = await _open(tmp_path / "a"), await _open(tmp_path / "b")
    assert one.state.lineage != other.state.lineage
    assert one.state.salt != other.state.salt


async def test_an_intent_is_found_after_a_crash_with_what_was_listed_before(tmp_path: Path) -> None:
    ledger = await _open(tmp_path)
    await ledger.begin([intent_of("n1"), intent_of("n2", before=()), intent_of("n3", before=("id-9",))])
    again = await _open(tmp_path)
    assert again.intents == ledger.intents
    assert again.intents["n1"].before == ("id-7", "id-8")


async def test_a_state_that_was_never_written_keeps_its_identity(tmp_path: Path) -> None:
    """Fingerprints in the journal were made with its salt."""

    ledger = await _open(tmp_path)
    await ledger.begin([intent_of()])
    again = await _open(tmp_path)
    assert (again.state.lineage, again.state.salt) == (ledger.state.lineage, ledger.state.salt)


@pytest.mark.parametrize("first", ["bind", "record"])
async def test_a_state_that_was_never_written_keeps_its_identity_whatever_came_first(
    tmp_path: Path, first: str
) -> None:
    ledger = await _open(tmp_path)
    if first == "bind":
        await ledger.bind(Binding(vapi_org="org"))
    else:
        await ledger.record("", "Agent/a", entry_of())
    await ledger.begin([intent_of()])
    again = await _open(tmp_path)
    assert (again.state.lineage, again.state.salt) == (ledger.state.lineage, ledger.state.salt)


async def test_results_close_intents(tmp_path: Path) -> None:
    ledger = await _open(tmp_path)
    await ledger.begin([intent_of("done"), intent_of("failed"), intent_of("open")])
    await ledger.record("done", "Agent/a", entry_of())
    await ledger.record_failed("failed")
    again = await _open(tmp_path)
    assert set(again.intents) == {"open"}
    assert again.state.entries == {"Agent/a": entry_of()}
    await again.record("", "Agent/a", None)
    assert (await _open(tmp_path)).state.entries == {}


async def test_saving_keeps_open_intents_and_cuts_the_rest(tmp_path: Path) -> None:
    ledger = await _open(tmp_path)
    await ledger.begin([intent_of("done"), intent_of("open")])
    await ledger.record("done", "Agent/a", entry_of())
    await ledger.bind(Binding(vapi_org="org", vapi_url="u", twilio_account="AC", twilio_url="t"))
    await ledger.save(revision=3)
    again = await _open(tmp_path)
    assert again.state == ledger.state
    assert again.intents == ledger.intents
    assert (again.state.serial, again.state.revision, again.state.binding.vapi_org) == (1, 3, "org")
    await again.record_failed("open")
    await again.save()
    assert await FolderStore(tmp_path, "dev").journal() == []
    assert (await _open(tmp_path)).intents == {}


async def test_saving_without_a_change_writes_nothing(tmp_path: Path) -> None:
    ledger = await _open(tmp_path)
    await ledger.record("", "Agent/a", entry_of())
    await ledger.save()
    await ledger.save()
    again = await _open(tmp_path)
    await again.save()
    assert again.state.serial == 1


async def test_of_two_ledgers_the_second_writer_is_refused(tmp_path: Path) -> None:
    one, other = await _open(tmp_path), await _open(tmp_path)
    await one.save(revision=1)
    with pytest.raises(StateError, match="somebody else"):
        await other.save(revision=2)


@pytest.mark.parametrize("version", [99, "1", None])
async def test_a_state_of_another_version_is_not_guessed_at(tmp_path: Path, version: Any) -> None:
    ledger = await _open(tmp_path)
    await FolderStore(tmp_path, "dev").write(ledger.state.to_data() | {"version": version}, if_serial=None)
    with pytest.raises(StateError, match="version"):
        await _open(tmp_path)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "done", "gone", "failed", "bind", "save", "reopen"]), st.sampled_from(["a", "b", "c"])
    ),
    max_size=14,
)


@given(steps=STEPS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_crash_after_any_step_changes_nothing(
    steps: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ledger")

    ledger = await _open(folder)
    for number, (step, name) in enumerate(steps):
        nonce = next((n for n in ledger.intents if n.startswith(name)), "")
        match step:
            case "begin":
                await ledger.begin([intent_of(f"{name}{number}", address=f"Agent/{name}")])
            case "done":
                await ledger.record(nonce, f"Agent/{name}", entry_of(f"Agent/{name}", id=f"id-{number}"))
            case "gone":
                await ledger.record(nonce, f"Agent/{name}", None)
            case "failed" if nonce:
                await ledger.record_failed(nonce)
            case "bind":
                await ledger.bind(Binding(vapi_org=name))
            case "save":
                await ledger.save()
            case "reopen":
                ledger = await _open(folder)
        found = await _open(folder)
        assert found.intents == ledger.intents
        if number or step != "reopen":
            assert found.state.entries == ledger.state.entries
            assert found.state.binding == ledger.state.binding
    await ledger.save()
    assert (await _open(folder)).state == ledger.state or not steps or ledger.state.serial == 0


def test_fingerprints() -> None:
    one = fingerprint(secret("K"), "value", "00" * 16)
    assert one == fingerprint(secret("K"), "value", "00" * 16)
    assert one.digest.startswith("scrypt:")
    assert "value" not in one.digest
    assert one.names == ("K",)
    others = [
        fingerprint(secret("K"), "other", "00" * 16),
        fingerprint(secret("K"), "value", "11" * 16),
        fingerprint(secret("K"), "value", "00" * 16, "a key"),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 4
    assert fingerprint(secret("K"), None, "00" * 16).digest == ""


async def test_a_ledger_takes_in_what_others_wrote(tmp_path: Path) -> None:
    """Its intents and its serial, too: what it writes next follows on theirs."""
    ours, theirs = await _open(tmp_path), await _open(tmp_path)
    await theirs.begin([intent_of("n1")])
    await ours.refresh()
    assert list(ours.intents) == ["n1"]
    assert ours.state.lineage == theirs.state.lineage
    await theirs.record_failed("n1")
    await theirs.save(revision=4)
    await ours.refresh()
    assert (ours.intents, ours.state.revision, ours.unfinished) == ({}, 4, False)
    await ours.save(revision=5)
    assert (await _open(tmp_path)).state.revision == 5
