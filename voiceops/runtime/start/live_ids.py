"""Live ids and the revision from a state, where the runtime is given one. Reads it; takes no lock, writes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from voiceops.runtime.messages.vapi_api import Known
from voiceops.state.checked import CheckedStore
from voiceops.state.ledger import Ledger
from voiceops.state.open import open_store


def known_from(location: str, root: Path, project: str, environment: str, environ: Mapping[str, str]) -> Known:
    """A function that reads the ids of everything that was applied."""

    async def known() -> Mapping[str, str]:
        async with CheckedStore(open_store(location, root, environment, project=project, environ=environ)) as store:
            ledger = await Ledger.open(store, project, environment)
        return {address: entry.id for address, entry in ledger.state.entries.items()}

    return known


def revision_from(
    location: str, root: Path, project: str, environment: str, environ: Mapping[str, str]
) -> Callable[[], Awaitable[int | None]]:
    """A function that reads which revision is in force; None before the first apply."""

    async def revision() -> int | None:
        async with CheckedStore(open_store(location, root, environment, project=project, environ=environ)) as store:
            ledger = await Ledger.open(store, project, environment)
        return ledger.state.in_force or ledger.state.revision or None

    return revision
