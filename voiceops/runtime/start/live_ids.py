"""Live ids and revisions from a state, where the runtime is given one. Reads it; takes no lock, writes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from voiceops.runtime.messages.vapi_api import Known
from voiceops.state.checked import CheckedStore
from voiceops.state.encrypted import IDENTITY, Cipher, EncryptedStore
from voiceops.state.ledger import Ledger
from voiceops.state.open import open_store
from voiceops.state.read_revisions import in_force_from
from voiceops.state.store import Store

_REVISIONS = 5


def known_from(location: str, root: Path, project: str, environment: str, environ: Mapping[str, str]) -> Known:
    """A function that reads the ids of everything that was applied. `location` as in `state:`.

    What it returns raises StateError where the state can't be read.
    """

    async def known() -> Mapping[str, str]:
        ledger = await _ledger(location, root, project, environment, environ)
        return {address: entry.id for address, entry in ledger.state.entries.items()}

    return known


def revisions_from(
    location: str, root: Path, project: str, environment: str, environ: Mapping[str, str]
) -> Callable[[], Awaitable[Sequence[tuple[float, int]]]]:
    """A function that reads since when (epoch seconds) which revision was in force, the newest last.

    Of the last few: for calls that begin now, and those that began before an apply and are told of after it. Each is
    read once; to see that there is no newer one costs little. What it returns raises StateError where the state can't
    be read.
    """
    read: dict[int, tuple[float, int]] = {}

    async def revisions() -> Sequence[tuple[float, int]]:
        async with _store(location, root, project, environment, environ) as store:
            newest = (await store.revision_numbers())[-_REVISIONS:]
            for number in newest:
                if number not in read and (found := await store.revision(number)) is not None:
                    read[number] = in_force_from(found)
        return [read[number] for number in newest if number in read]

    return revisions


async def _ledger(location: str, root: Path, project: str, environment: str, environ: Mapping[str, str]) -> Ledger:
    """What was applied."""
    async with _store(location, root, project, environment, environ) as checked:
        return await Ledger.open(checked, project, environment)


def _store(location: str, root: Path, project: str, environment: str, environ: Mapping[str, str]) -> CheckedStore:
    """Decrypted where the environment holds an age identity."""
    store: Store = open_store(location, root, environment, project=project, environ=environ)
    if identity := environ.get(IDENTITY, ""):
        store = EncryptedStore(store, Cipher((), identity))
    return CheckedStore(store)
