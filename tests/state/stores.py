"""Every back end that the conformance suite runs over: a new one is one more entry here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pyrage import x25519

from tests.state.backends import http_store, postgres_store, s3_store
from tests.state.memory_store import MemoryStore, Shelf
from voiceops.state.encrypted import Cipher, EncryptedStore
from voiceops.state.folder import FolderStore
from voiceops.state.store import Store

CIPHER = Cipher([], str(x25519.Identity.generate()))

# name → (folder of the test, environment) → store; two stores of one place see the same state
BACKENDS: dict[str, Callable[[Path, str], Store]] = {
    "folder": lambda root, environment: FolderStore(root / "state", environment),
    "s3": s3_store,
    "postgres": postgres_store,
    "http": http_store,
}

WITHOUT_SIBLINGS = {"http"}  # one document an address: it can't know where the other environments' are

_MEMORY: dict[Path, dict[str, Shelf]] = {}

# One that other processes can't see, and the same behind others: what holds for a back end holds for what wraps it.
STORES: dict[str, Callable[[Path, str], Store]] = BACKENDS | {
    "memory": lambda root, environment: MemoryStore(_MEMORY.setdefault(root, {}), environment),
    "encrypted": lambda root, environment: EncryptedStore(FolderStore(root / "state", environment), CIPHER),
}
