"""From `state:` (or VOICEOPS_STATE) to a store."""

from __future__ import annotations

from pathlib import Path

from voiceops.errors import StateError
from voiceops.state.folder import FolderStore
from voiceops.state.store import Store


def open_store(location: str, root: Path, environment: str) -> Store:
    """The store of one environment; a folder is taken from the project's folder. Raises StateError."""
    scheme, separator, _ = location.partition("://")
    if separator:
        raise StateError(
            f"state in {scheme}:// is not supported by this version",
            hint="Use a folder: state: .voiceops/state",
        )
    return FolderStore(root / location, environment)
