"""What is live: one complete snapshot of every kind that a plan needs. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SEND_WINDOW = 60.0  # seconds after its intent within which a request is sent, or not at all
SETTLE = 10.0  # seconds within which an API is taken to execute a request and show it in its lists


@dataclass(frozen=True, slots=True)
class Allocation:
    """Which versions of an assistant callers get: the newest row of its traffic allocations."""

    id: str
    assistant: str  # its live id
    explicit: bool  # callers are split over `shares`; else they get the newest version
    shares: tuple[tuple[str, float], ...] = ()  # version and per cent, in the order of the split
    created_at: str = ""  # ISO 8601
    actor: str = ""  # user | api-key | system


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Live objects by type and id. `date` is the server's clock (epoch seconds), `taken` the local monotonic one.

    `org` is Vapi's organization, and `empty` says that nothing is in it. `allocations` are by assistant's id; None:
    they were not read, or the organization has none.
    """

    objects: Mapping[str, Mapping[str, dict[str, Any]]]
    date: float
    taken: float
    org: str = ""
    empty: bool = False
    allocations: Mapping[str, Allocation] | None = None

    def get(self, type_: str, id_: str) -> dict[str, Any] | None:
        return self.objects.get(type_, {}).get(id_)

    def all(self, type_: str) -> Mapping[str, dict[str, Any]]:
        return self.objects.get(type_, {})


EMPTY = Snapshot({}, 0.0, 0.0)
