"""The narrow waist of plans and applies: what a vendor's account is asked for, and what it promises.

Plans and applies know vendors by this alone. A new vendor is one package with a class like this and its kinds, whose
`type` begins with the vendor's own word (`vapi_assistant`: `vapi`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from voiceops.kinds.base import Kind
from voiceops.model.live import Allocation

Live = dict[str, Any]  # an object as the vendor shows it


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """What a vendor's API can be relied on for, where vendors differ.

    Of every vendor it is taken that reads, updates and deletes are the same however often they are sent, and that a
    request is executed, and shows in lists, within `settle` seconds of its being sent, or never.
    """

    not_executed: frozenset[int] = frozenset({429})  # statuses by which nothing was made: a creation is sent again
    conflicts: frozenset[str] = frozenset()  # codes of a 409 after which a write may be sent again
    most_at_once: int | None = None  # requests, where the vendor limits those rather than their rate
    hints: Mapping[str, str] = field(default_factory=dict)  # by a 409's code: what to do about it


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose an account is: the vendor's id of it, "" where nothing told; and whether there is nothing in it."""

    id: str = ""
    empty: bool = False


class Provider(Protocol):
    """One account at one vendor. Whatever is asked may raise ProviderError, of the kind that fits (see errors.py)."""

    def now(self) -> float:
        """The vendor's clock (epoch seconds), by its last answer; 0 before the first."""

    def on_wait(self, told: Callable[[str], None]) -> None:
        """Who hears from now on of waits that somebody in front of a terminal notices."""

    async def all(self, kind: Kind) -> list[Live]:
        """Every object of a kind. Raises ProviderError, also where the list can't be shown to be complete."""

    async def get(self, kind: Kind, id_: str) -> Live | None:
        """One object, or None where it is not there, or not yet."""

    async def create(
        self, kind: Kind, body: Live, send_by: float | None = None, content: bytes = b""
    ) -> tuple[Live, float]:
        """Make an object: the object as it is answered, and the vendor's clock. `content` is an upload's.

        It is sent again only after the vendor provably did not execute it, and never after `send_by` (local monotonic
        seconds). Raises Ambiguous where the object may or may not exist: the caller then looks for it.
        """

    async def update(
        self,
        kind: Kind,
        id_: str,
        body: Live,
        live: Live | None = None,
        renew: Callable[[], Awaitable[Live]] | None = None,
    ) -> tuple[Live, float]:
        """Change the keys of `body`, each complete: the object after it, and the vendor's clock.

        `live` is how the object was. `renew` makes the body anew before it is sent again after a wait.
        """

    async def delete(self, kind: Kind, id_: str) -> None:
        """Delete an object; one that is gone already is fine."""

    async def owner(self, listed: Mapping[str, Sequence[Live]], *, ask: bool = True) -> Owner:
        """Whose the account is. `listed` are the objects that were read just now, by type; where they don't tell, the
        vendor is asked, if `ask` says so."""
        return Owner()

    async def allocations(self, types: Iterable[str]) -> Mapping[str, Allocation] | None:
        """Which versions callers get, by object, of vendors that split calls between versions; else None."""
        return None
