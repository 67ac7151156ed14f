"""Which manifest a live id means: what stands in a manifest where the API has another object's id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voiceops.kinds.registry import KINDS
from voiceops.model.address import kind_of, name_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Addresses by everything that objects are referred to by."""

    ids: Mapping[str, str] = field(default_factory=dict)  # live id → address
    aliases: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (kind, alias) → address
    attributes: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (attribute, value) → address
    agents: Mapping[str, str] = field(default_factory=dict)  # agents' live names → address
    agent_names: frozenset[str] = frozenset()  # the names of agents' manifests
    others: Mapping[str, str] = field(default_factory=dict)  # live ids without a manifest → live name

    def name_for(self, kind: str, id_: str) -> str | None:
        """What stands for an id where one of this kind is wanted; None where no manifest does."""
        found = self.aliases.get((kind, id_)) or self.ids.get(id_)
        if found is None:
            return None
        other = kind_of(found)
        if other == kind:
            return name_of(found)
        return found if KINDS[other].stands_for.get(kind) else None

    def holder(self, kind: str, attribute: str, value: str) -> str | None:
        """The name of the manifest whose object has this value: a dictionary by its provider's id."""
        found = self.attributes.get((attribute, value))
        return name_of(found) if found is not None and kind_of(found) == kind else None

    def agent_called(self, live_name: str) -> str | None:
        """The name of the agent's manifest whose live name this is."""
        found = self.agents.get(live_name)
        return name_of(found) if found is not None else None
