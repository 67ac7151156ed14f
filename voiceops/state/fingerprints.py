"""Fingerprints of secrets: enough to see that one changed, too slow to guess, different in every state."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from voiceops.model.values import Fingerprint, Secret


@lru_cache(maxsize=256)
def _scrypt(value: str, salt: str, key: str) -> str:
    digest = hashlib.scrypt(
        (key + "\0" + value).encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=16, maxmem=2**26
    )
    return digest.hex()


def fingerprint(secret: Secret, value: str | None, salt: str, key: str = "") -> Fingerprint:
    """The fingerprint of a secret's value under a state's salt and VOICEOPS_STATE_KEY; empty where it isn't at hand.

    It starts with a mark of the key, so that fingerprints under different keys are known not to be comparable.
    """
    if value is None:
        return Fingerprint(secret.names, "")
    return Fingerprint(secret.names, _digest(value, salt, key))


def fingerprint_live(value: str, salt: str, key: str = "") -> Fingerprint:
    """The fingerprint of a text that an API shows, of which nobody knows by which name it was sent."""
    return Fingerprint((), _digest(value, salt, key))


def _digest(value: str, salt: str, key: str) -> str:
    mark = f"-{_scrypt('', salt, key)[:6]}" if key else ""
    return f"scrypt{mark}:{_scrypt(value, salt, key)}"
