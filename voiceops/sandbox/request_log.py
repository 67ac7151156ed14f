"""What was asked: every request with its outcome, for tests that count writes."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

_KEPT = 100_000


@dataclass(slots=True)
class Entry:
    """One request. `status` is 0 until it is answered, and stays 0 where the connection was dropped."""

    number: int
    vendor: str
    method: str
    path: str
    query: str
    body: str
    at: float
    status: int = 0
    executed: bool = False  # the vendor's application saw it
    fault: str = ""  # the id of the rule that spoiled it

    @property
    def writes(self) -> bool:
        """Does the request ask for a change?"""
        return self.method not in ("GET", "HEAD", "OPTIONS")


class Log:
    """The requests since the last reset."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=_KEPT)
        self._number = 0

    def start(self, vendor: str, method: str, path: str, query: str, body: bytes, at: float) -> Entry:
        """Note a request as it comes; `at` is in seconds since 1970. How it was answered is noted in the entry
        later.
        """
        self._number += 1
        entry = Entry(self._number, vendor, method, path, query, body.decode(errors="replace"), at)
        self.entries.append(entry)
        return entry

    def reset(self) -> None:
        """Forget the requests so far."""
        self.entries.clear()

    def selected(self, vendor: str = "", method: str = "", path: str = "") -> list[dict[str, Any]]:
        """The entries of a vendor, a method, a path or what begins with it; all of them by default."""
        return [
            asdict(entry)
            for entry in self.entries
            if vendor in ("", entry.vendor) and method in ("", entry.method) and entry.path.startswith(path)
        ]

    def counts(self) -> dict[str, Any]:
        """How many requests and writes, by vendor and by method and path."""
        by: Counter[str] = Counter(f"{entry.vendor} {entry.method} {entry.path}" for entry in self.entries)
        vendors = {
            vendor: {
                "requests": sum(1 for entry in self.entries if entry.vendor == vendor),
                "writes": sum(1 for entry in self.entries if entry.vendor == vendor and entry.writes),
                "executedWrites": sum(
                    1 for entry in self.entries if entry.vendor == vendor and entry.writes and entry.executed
                ),
            }
            for vendor in ("vapi", "twilio")
        }
        return {
            "requests": len(self.entries),
            "writes": sum(1 for entry in self.entries if entry.writes),
            **vendors,
            "by": dict(sorted(by.items())),
        }
