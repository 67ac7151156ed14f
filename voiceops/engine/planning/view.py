"""What one planning knows before it decides anything, and what a decision is. Pure data, all of it frozen.

A `View` is made once, by planning/observe.py; whoever decides reads it and returns values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voiceops.engine.options import Options
from voiceops.engine.planning.externals import Externals
from voiceops.errors import Diagnostic
from voiceops.model.graph import Graph
from voiceops.model.live import Snapshot
from voiceops.model.plan import Change, Drift
from voiceops.model.state import Entry, State


@dataclass(frozen=True, slots=True)
class Matched:
    """A resource's entry and live object. `settling`: too new to be believed missing."""

    entry: Entry | None
    live: dict[str, Any] | None
    settling: bool = False
    twins: tuple[str, ...] = ()  # unmanaged live objects that it could be


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is desired, held and live, before anybody asked which of it is which.

    `entries` are the state's, by the addresses that they have now; `moved` gives an entry's old address its new one;
    `managed` are the live ids that the state holds; `strangers` the live ids that it does not hold, by type and by
    name (in small letters), of the types whose resources may have a twin.
    """

    graph: Graph
    state: State
    snapshot: Snapshot
    options: Options
    externals: Externals
    entries: Mapping[str, Entry]
    moved: Mapping[str, str]
    managed: frozenset[str]
    strangers: Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Inputs):
    """Everything that a decision can be made from.

    `found` has every resource and entry by address; `claims` the addresses that could each be an unmanaged live
    object, by its id, and `users` the live objects that mention such a one; `new` the addresses whose id is known only
    after the apply; `desired` what each resource sets, as far as it is known now; `edges` who refers to whom, as
    applied or as wanted; `affects` which phone lines reach an address; `previous` the address that a moved one had.
    """

    found: Mapping[str, Matched]
    claims: Mapping[str, tuple[str, ...]]
    users: Mapping[str, Sequence[str]]
    new: frozenset[str]
    desired: Mapping[str, dict[str, Any]]
    edges: Mapping[str, tuple[str, ...]]
    affects: Mapping[str, tuple[str, ...]]
    previous: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one address, and what is to be said about it."""

    change: Change
    drift: tuple[Drift, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """All decisions together: what becomes a plan once it was selected from and guarded."""

    changes: tuple[Change, ...]
    drift: tuple[Drift, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
