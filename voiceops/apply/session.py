"""What every step of an apply needs at hand, and the values that only a running apply knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.apply.apply_events import Emit
from voiceops.apply.job import Job
from voiceops.engine.fields.body import create_body, holds_secret, set_values
from voiceops.engine.options import Options, policy_for
from voiceops.engine.planning.externals import Externals
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Graph, Resource
from voiceops.model.live import Snapshot
from voiceops.model.state import Entry, Intent, State
from voiceops.model.values import (
    JSON,
    Fingerprint,
    Outside,
    Path,
    Ref,
    Secret,
    Template,
    identical,
    is_plain,
    map_leaves,
)
from voiceops.providers.secret_values import Secrets
from voiceops.providers.snapshot_reader import Accounts
from voiceops.state.fingerprints import fingerprint
from voiceops.state.ledger import Ledger
from voiceops.state.store import Lease


class Unresolved(Exception):
    """A reference whose object is not live: what made it so has failed before."""


@dataclass(slots=True)
class Session:
    """One apply under way. `fresh` holds the newest answer for each object that this apply wrote or read."""

    job: Job
    ledger: Ledger
    options: Options  # the job's, with what is known only once the state is read
    emit: Emit
    snapshot: Snapshot
    fresh: dict[str, tuple[dict[str, Any], float]] = field(default_factory=dict)  # by id, with local time
    overwritten: dict[str, Any] = field(default_factory=dict)
    looking: set[str] = field(default_factory=set)  # nonces of creates that got no answer and are looked for
    created: set[str] = field(default_factory=set)  # addresses whose objects this apply made
    settings: frozenset[str] = frozenset()  # Twilio numbers whose voice settings this apply writes
    drafts: dict[str, str] = field(default_factory=dict)  # by address: updates that made no new version, and which is
    externals: Externals = field(default_factory=Externals)  # what others manage and this refers to
    lease: Lease | None = None
    moving: Mapping[str, Entry] = field(default_factory=dict)  # by the new address, until the state has it there
    _listed: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by type

    @property
    def graph(self) -> Graph:
        """What the manifests ask for."""
        return self.job.graph

    @property
    def accounts(self) -> Accounts:
        """Where requests go."""
        return self.job.accounts

    @property
    def secrets(self) -> Secrets:
        """What reveals and redacts."""
        return self.job.secrets

    def listed(self, type_: str) -> tuple[str, ...]:
        """The ids of a type that were live when the snapshot was taken, in order: what a creation did not make."""
        if type_ not in self._listed:
            self._listed[type_] = tuple(sorted(self.snapshot.all(type_)))
        return self._listed[type_]

    async def begin(self, intent: Intent) -> None:
        """Right before a request that changes something: the lock is still ours, and the intent is written down."""
        if self.lease is not None:
            await self.lease.check()
        await self.ledger.begin([intent])

    def entry(self, address: str) -> Entry | None:
        """What the state has under an address now."""
        return self.ledger.entry(address)

    def target(self, address: str) -> Entry | None:
        """What a reference means; of an object that is being renamed the entry that it had."""
        return self.entry(address) or self.moving.get(address)

    def seen(self, entry: Entry) -> dict[str, Any] | None:
        """The newest that is known of an object: what this apply read or wrote, else what the snapshot shows."""
        known = self.fresh.get(entry.id)
        return known[0] if known is not None else self.snapshot.get(entry.type, entry.id)

    def trim(self) -> None:
        """After the last request of an apply: of the answers only what is still asked for stays, for what is written
        down now is as large as they are."""
        asked = ("orgId", "latestVersion")
        for id_, (live, at) in self.fresh.items():
            self.fresh[id_] = {key: live[key] for key in asked if key in live}, at

    def with_ids(self, body: JSON) -> JSON:
        """References as live ids; secrets stay markers. Raises Unresolved."""

        def leaf(item: JSON) -> JSON:
            if isinstance(item, Ref):
                return self._id(item)
            if isinstance(item, Outside):
                return self._outside(item)
            if isinstance(item, Template):
                return "".join(map(leaf, item.parts))
            return item

        return map_leaves(body, leaf)

    def wanted(self, resource: Resource, leaving_out: Iterable[Path] = ()) -> dict[str, Any]:
        """What a resource's object is to hold, with live ids; secrets stay markers. Raises Unresolved.

        `leaving_out` are paths that a later step sends, when what they name is there.
        """
        kind = KINDS[resource.kind]
        body: dict[str, Any] = self.with_ids(create_body(kind, resource.body, leaving_out))
        cleared = {key: None for key in kind.null_counts if key in resource.body and key not in body}
        return set_values(kind, {**body, **cleared})

    def keeps(self, resource: Resource, path: Path) -> bool:
        """Does a live edit of this field stay?"""
        return policy_for(self.options, resource, path) == "keep"

    def _outside(self, item: Outside) -> str:
        value = self.externals.value(item)
        if isinstance(value, Outside):
            raise Unresolved(item.address)
        return str(value)

    def _id(self, ref: Ref) -> str:
        if ref.attribute == "name" and ref.address in self.graph.resources:
            return str(self.graph.resources[ref.address].name)
        entry = self.target(ref.address)
        if entry is None:
            raise Unresolved(ref.address)
        if ref.attribute in KINDS[entry.kind].attributes:
            value = self.attribute(entry, ref.attribute)
            if value is None:
                raise Unresolved(f"{entry.address}.{ref.attribute}")
            return value
        return entry.id

    def attribute(self, entry: Entry, name: str) -> str | None:
        """What the server gave an object; a list that lags behind our last write doesn't count."""
        live = self.seen(entry) or {}
        older = entry.id not in self.fresh and str(live.get("updatedAt") or "") < entry.updated_at
        value = (None if older else live.get(name)) or entry.attributes.get(name) or live.get(name)
        return None if value is None else str(value)

    def fingerprinted(self, body: JSON, known: JSON = None) -> JSON:
        """Secrets as fingerprints: the form in which a body may be kept.

        Of a secret that is not at hand the fingerprint stays that `known` holds at its place.
        """

        if not holds_secret(body):
            return body

        def leaf(item: JSON) -> JSON:
            if isinstance(item, Secret):
                return fingerprint(item, self.secrets.reveal(item), self.ledger.salt, self.job.state_key)
            return item

        return _with_known(map_leaves(body, leaf), known)


def _with_known(value: JSON, known: JSON) -> JSON:
    if isinstance(value, dict) and isinstance(known, dict):
        return {key: _with_known(item, known.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(known, list) and len(value) == len(known):
        return [_with_known(a, b) for a, b in zip(value, known, strict=True)]
    if isinstance(value, Fingerprint) and not value.digest and isinstance(known, Fingerprint):
        return known if known.names == value.names else value
    return value


def seen_first(graph: Graph, state: State, options: Options) -> dict[str, Entry]:
    """The entries with secrets that are at hand for the first time since their objects were adopted.

    What is at hand is taken to be what is live: from now on a change of it shows. Empty where there are none.
    """
    found: dict[str, Entry] = {}

    def known(leaf: JSON) -> JSON:
        return options.fingerprints.get(leaf, leaf) if isinstance(leaf, Secret) else leaf

    for address, entry in state.entries.items():
        resource = graph.resources.get(address)
        if resource is None or address in options.resend or not holds_secret(resource.body):
            continue
        owned = _with_known(entry.owned, map_leaves(resource.body, known))
        if not identical(owned, entry.owned):
            found[address] = replace(entry, owned=owned)
    return found


def fingerprints(graph: Graph, secrets: Secrets, salt: str, key: str) -> Mapping[Secret, Fingerprint]:
    """The fingerprints of all secrets in a graph, as far as they are at hand."""
    found: dict[Secret, Fingerprint] = {}

    def note(leaf: JSON) -> JSON:
        if isinstance(leaf, Secret) and leaf not in found:
            found[leaf] = fingerprint(leaf, secrets.reveal(leaf), salt, key)
        return leaf

    for resource in graph.resources.values():
        if not is_plain(resource.body):
            map_leaves(resource.body, note)
    return found
