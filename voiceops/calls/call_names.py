"""Live ids and numbers as the names in the manifests, and the revision that was in force at a time. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from voiceops.calls.record import CallRecord
from voiceops.model.address import kind_of, name_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """`agents` by live id or live name, `phones` by live id or number; `revisions` as (epoch seconds from which it was
    in force, number), in order of time: as it was known at `until`."""

    agents: Mapping[str, str] = field(default_factory=dict)
    phones: Mapping[str, str] = field(default_factory=dict)
    revisions: tuple[tuple[float, int], ...] = ()
    until: float = math.inf

    @classmethod
    def of(
        cls,
        keys: Iterable[tuple[str, str | None]],
        revisions: Iterable[tuple[float, int]] = (),
        until: float = math.inf,
    ) -> Names:
        """From (address, live id, live name or number), any number of each; what several have names none of them.

        Of `revisions` of the same second the last one counts: a rollback stands for a smaller number than it undoes.
        """
        found: dict[str, dict[str, set[str]]] = {"Agent": {}, "Phone": {}}
        for address, key in keys:
            if key and kind_of(address) in found:
                found[kind_of(address)].setdefault(key, set()).add(name_of(address))
        agents, phones = ({key: min(names) for key, names in of.items() if len(names) == 1} for of in found.values())
        return cls(agents=agents, phones=phones, revisions=tuple(sorted(revisions, key=_time)), until=until)

    def revision_at(self, at: float | None) -> int | None:
        """The revision that was in force; None before the first, and of a time of which nobody knows yet."""
        if at is None or at > self.until:
            return None
        place = bisect_right(self.revisions, at, key=_time) - 1
        return self.revisions[place][1] if place >= 0 else None


def _time(revision: tuple[float, int]) -> float:
    return revision[0]


def named(call: CallRecord, names: Names) -> CallRecord:
    """The call with manifests' names where they are known, with what Vapi calls it where not, and its revision.

    A call of somebody else's agent and line has none: an account is shared with other environments and with previews.
    """
    began = next((turn.agent for turn in call.turns if turn.agent), "")  # of a squad's calls Vapi names no agent
    keys = (call.assistant_id, call.agent) if call.assistant_id or call.agent else (began,)
    agent = next((names.agents[key] for key in keys if key in names.agents), "")
    phone = next((names.phones[key] for key in (call.phone_id, call.phone) if key in names.phones), "")
    ours = bool(agent or phone)
    revision = names.revision_at(call.began) if call.revision is None and ours else call.revision
    return replace(call, agent=agent or call.agent, phone=phone or call.phone, revision=revision)
