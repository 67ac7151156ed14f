"""How the objects of one type are planned: the one interface that the planner knows, and a place in a table for each.

Two things are planned here: whole objects that a plan makes and deletes (planning/objects.py), and settings of what is
there anyway and only changes hands (planning/number_settings.py). Which type is which, planning/strategies.py says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from voiceops.engine.planning.view import Decision, Inputs, Matched, View
from voiceops.model.graph import Resource
from voiceops.model.plan import Change
from voiceops.model.state import Entry


class Strategy(Protocol):
    """Everything that differs from one type of object to another. All of it takes values and returns values."""

    def held(self, entry: Entry) -> Entry:
        """An entry of the state as this version of voiceops reads it."""

    def lags(self, entry: Entry, live: dict[str, Any]) -> bool:
        """Does a list show the object as it was before our last write?"""

    def unmanaged(self, inputs: Inputs, resource: Resource, found: Mapping[str, Matched]) -> Matched:
        """What is live of a resource that the state does not hold; `found` is what was found of others so far."""

    def is_new(self, inputs: Inputs, resource: Resource, found: Matched, *, contested: bool) -> bool:
        """Is the object's id known only after the apply? `contested`: its twin could be another resource's, too."""

    def decide(self, view: View, resource: Resource) -> Decision:
        """What happens to a resource."""

    def remove(self, base: Change, entry: Entry, live: dict[str, Any] | None) -> Change:
        """What happens to an object that no manifest asks for any more; `base` is its deletion."""
