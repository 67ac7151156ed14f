"""A line that the project's runtime answers, on behalf of another agent than at the last apply.

No body at Vapi or Twilio shows it: who answers is the runtime's to know. Only what was applied tells the difference.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from voiceops.kinds.registry import LINES
from voiceops.model.address import kind_of
from voiceops.model.graph import Resource
from voiceops.model.state import Entry
from voiceops.model.values import refs_in

_ANSWERING = ("Agent", "Squad")
_BOUND = ("assistantId", "squadId")


def rerouted(
    resource: Resource, entry: Entry | None, held: Collection[str], moved: Mapping[str, str]
) -> tuple[str, str] | None:
    """Who answered and who will, where that is another; `held` are the managed addresses, as the manifests call
    them now, and `moved` the new ones by their old ones."""
    if entry is None or resource.kind not in LINES or not resource.routes or kind_of(resource.routes[0]) in LINES:
        return None
    if any(entry.owned.get(key) for key in _BOUND):
        return None  # Vapi answered until now: the number's own fields tell it
    (now, *_), in_body = resource.routes, {ref.address for ref in refs_in(resource.body)}
    applied = [moved.get(address, address) for address in entry.depends]
    before = [a for a in applied if kind_of(a) in _ANSWERING and a in held and a not in in_body]
    return (before[0], now) if before and now not in applied else None
