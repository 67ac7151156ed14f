"""How far a list is followed: a server that repeats itself, or never ends, is an error and no endless loop."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from voiceops.errors import ProviderError

MOST_OBJECTS = 100_000
MOST_BYTES = 512 * 1024 * 1024
MOST_SECONDS = 900.0
POOR_PAGES = 40  # that may bring hardly anything new: pages overlap where many objects share a time
_FULL = 100


@dataclass(slots=True)
class Reading:
    """One list being read: what was found so far, and how much more is believed."""

    what: str
    endpoint: str
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    size: int = 0
    poor: int = 0
    began: float = field(default_factory=time.monotonic)

    def add(self, items: Iterable[dict[str, Any]], size: int, key: str = "id") -> int:
        """Take a page; returns how many of its objects are new. Raises ProviderError."""
        before, items = len(self.found), list(items)
        self.found.update((item[key], item) for item in items)
        new = len(self.found) - before
        self.size += size
        self.poor += new * 10 < max(len(items), _FULL)
        if self.poor > POOR_PAGES:
            raise self.broken("its pages bring nothing new")
        if len(self.found) > MOST_OBJECTS:
            raise self.broken(f"more than {MOST_OBJECTS} objects came")
        if self.size > MOST_BYTES:
            raise self.broken(f"more than {MOST_BYTES // 1024 // 1024} MiB came")
        if time.monotonic() - self.began > MOST_SECONDS:
            raise self.broken(f"it took more than {MOST_SECONDS / 60:.0f} minutes")
        return new

    @property
    def items(self) -> list[dict[str, Any]]:
        """Everything that was found, in the order of coming."""
        return list(self.found.values())

    def broken(self, why: str) -> ProviderError:
        """The error that ends the reading, with the reason."""
        return ProviderError(
            f"{self.what} can't be read to its end: {why}",
            endpoint=self.endpoint,
            hint="Nothing was changed. Delete what is not needed there, and try again; if it goes on, it is the "
            "vendor's fault, or a proxy's between.",
        )
