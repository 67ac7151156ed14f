"""Live ids and the revision from a state, where the runtime is given one. Reads it; takes no lock, writes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from voiceops.runtime.messages.vapi_api import Known
from voiceops.state.checked import CheckedStore
from voiceops.state.encrypted import IDENTITY, Cipher, EncryptedStore
from voiceops.state.ledger import Ledger
from voiceops.state.open import open_store
from voiceops.state.store import Store


def known_from(location: str, root: Path, project: str, environment: str, environ: Mapping[str, str]) -> Known:
    """A function that reads the ids of everything that was applied. `location` as in `state:`.

    What it returns raises StateError where the state can't be read.
    """

    async def known() -> Mapping[str, str]:
        ledger = await _ledger(location, root, project, environment, environ)
        return {address: entry.id for address, entry in ledger.state.entries.items()}

    return known


def revision_from(
    location: str, root: Path, project: str, environment: str, environ: Mapping[str, str]
) -> Callable[[], Awaitable[int | None]]:
    """A function that reads which revision is in force; None before the first apply.

    What it returns raises StateError where the state can't be read.
    """

    async def revision() -> int | None:
        ledger = await _ledger(location, root, project, environment, environ)
        return ledger.state.in_force or ledger.state.revision or None

    return revision


async def _ledger(location: str, root: Path, project: str, environment: str, environ: Mapping[str, str]) -> Ledger:
    """What was applied, decrypted where the environment holds an age identity."""
    store: Store = open_store(location, root, environment, project=project, environ=environ)
    if identity := environ.get(IDENTITY, ""):
        store = EncryptedStore(store, Cipher((), identity))
    async with CheckedStore(store) as checked:
        return await Ledger.open(checked, project, environment)
