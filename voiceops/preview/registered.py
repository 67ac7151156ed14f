"""What is kept of a preview: what it is made of, how long it stays, and the number that it has. Pure data.

It is written before the first object is made and goes after the last one is gone, so that whatever a preview left is
found by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.model.instants import to_second
from voiceops.model.values import JSON
from voiceops.preview.preview_names import environment_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LentNumber:
    """A number of the pool while a preview has it. `before` is its route as it was found, `bound` are the ids of what
    it was bound to since: a route with another id is somebody else's."""

    phone: str  # the manifest whose callers are meant
    number: str
    id: str  # Vapi's, of the number
    before: Mapping[str, JSON] = field(default_factory=dict)
    bound: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """For the state."""
        return {
            "phone": self.phone,
            "number": self.number,
            "id": self.id,
            "before": dict(self.before),
            "bound": list(self.bound),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One preview. Times are epoch seconds. `turn` is of the command that worked on it last: an older one that is
    still under way stops when it sees another's; `going`: that command takes it down."""

    name: str
    source: str  # the environment that it is made of
    made_at: float
    expires_at: float
    runtime: str = ""  # the base URL of its webhook runtime; empty: it has none
    lent: LentNumber | None = None
    turn: str = ""
    going: bool = False

    @property
    def environment(self) -> str:
        """The environment that it is."""
        return environment_of(self.name)

    def shown(self) -> dict[str, Any]:
        """For people and pipelines: `preview list --format json`, and more of it in `preview up`."""
        return {
            "name": self.name,
            "environment": self.environment,
            "from": self.source,
            "number": self.lent.number if self.lent is not None else None,
            "line": self.lent.phone if self.lent is not None else None,
            "runtime": self.runtime or None,
            "madeAt": to_second(self.made_at),
            "expiresAt": to_second(self.expires_at),
            "going": self.going,
        }

    def to_data(self) -> dict[str, Any]:
        """For the state, without the name, under which it stands there."""
        return {
            "from": self.source,
            "madeAt": self.made_at,
            "expiresAt": self.expires_at,
            "runtime": self.runtime,
            "lent": None if self.lent is None else self.lent.to_data(),
            "turn": self.turn,
            "going": self.going,
        }

    @classmethod
    def from_data(cls, name: str, data: Mapping[str, Any]) -> Preview:
        """What `to_data` wrote. Raises KeyError: a key is missing."""
        lent = data.get("lent")
        return cls(
            name=name,
            source=data["from"],
            made_at=data["madeAt"],
            expires_at=data["expiresAt"],
            runtime=data.get("runtime", ""),
            lent=None
            if lent is None
            else LentNumber(
                phone=lent["phone"],
                number=lent["number"],
                id=lent["id"],
                before=lent["before"],
                bound=tuple(lent["bound"]),
            ),
            turn=data.get("turn", ""),
            going=data.get("going", False),
        )
