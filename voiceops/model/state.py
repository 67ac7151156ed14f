"""What was applied: one entry a live object, with the values that were sent and what the server made of them.

Pure data; where it lives is the state layer's business. Secrets stand in it as fingerprints only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.model.values import JSON, Path, decode, encode, format_path, parse_path

STATE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One managed live object.

    `owned` is what was sent, with live ids in place of references; `stored` what the server keeps instead, by
    path; `prior` a Twilio number's settings before voiceops took it over; times are epoch seconds by the
    server's clock. `imported` are the settings that Vapi's import wrote into a Twilio number: what to go back to
    when Vapi answers the line again.
    """

    address: str
    kind: str
    type: str
    id: str
    name: str | None
    owned: dict[str, Any]
    stored: Mapping[Path, JSON] = field(default_factory=dict)
    digest: str = ""
    updated_at: str = ""
    recorded_at: float = 0.0
    depends: tuple[str, ...] = ()
    protected: bool = False
    release: bool = False
    prior: dict[str, Any] | None = None
    imported: dict[str, Any] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)  # what the server gave it and others refer to
    deposed: tuple[str, ...] = ()  # ids of objects that this one replaced and that are still to be deleted
    refused: tuple[Path, ...] = ()  # live fields of others that the API shows and does not take back

    def to_data(self) -> dict[str, Any]:
        """For the state, without the address, under which it stands there."""
        data: dict[str, Any] = {
            "kind": self.kind,
            "type": self.type,
            "id": self.id,
            "name": self.name,
            "owned": encode(self.owned),
            "digest": self.digest,
            "updatedAt": self.updated_at,
            "recordedAt": self.recorded_at,
            "depends": list(self.depends),
            "protected": self.protected,
        }
        if self.stored:
            data["stored"] = {format_path(path): encode(value) for path, value in self.stored.items()}
        if self.release:
            data["release"] = True
        if self.prior is not None:
            data["prior"] = self.prior
        if self.imported is not None:
            data["imported"] = self.imported
        if self.attributes:
            data["attributes"] = dict(self.attributes)
        if self.deposed:
            data["deposed"] = list(self.deposed)
        if self.refused:
            data["refused"] = [format_path(path) for path in self.refused]
        return data

    @classmethod
    def from_data(cls, address: str, data: dict[str, Any]) -> Entry:
        """What `to_data` wrote.

        Raises ValueError: a value in it is of no known form; KeyError: a key is missing.
        """
        return cls(
            address=address,
            kind=data["kind"],
            type=data["type"],
            id=data["id"],
            name=data.get("name"),
            owned=decode(data["owned"]),
            digest=data.get("digest", ""),
            updated_at=data.get("updatedAt", ""),
            recorded_at=data.get("recordedAt", 0.0),
            depends=tuple(data.get("depends", ())),
            protected=data.get("protected", False),
            release=data.get("release", False),
            prior=data.get("prior"),
            imported=data.get("imported"),
            attributes=data.get("attributes", {}),
            deposed=tuple(data.get("deposed", ())),
            refused=tuple(parse_path(path) for path in data.get("refused", ())),
            stored={parse_path(path): decode(value) for path, value in data.get("stored", {}).items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The accounts that a state belongs to, from its first apply on. Empty: not known yet."""

    vapi_org: str = ""
    vapi_url: str = ""
    twilio_account: str = ""
    twilio_url: str = ""

    def to_data(self) -> dict[str, str]:
        """For the state."""
        return {
            "vapiOrg": self.vapi_org,
            "vapiUrl": self.vapi_url,
            "twilioAccount": self.twilio_account,
            "twilioUrl": self.twilio_url,
        }

    @classmethod
    def from_data(cls, data: dict[str, str]) -> Binding:
        """What `to_data` wrote; what an older version did not know is empty."""
        return cls(
            vapi_org=data.get("vapiOrg", ""),
            vapi_url=data.get("vapiUrl", ""),
            twilio_account=data.get("twilioAccount", ""),
            twilio_url=data.get("twilioUrl", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A request about to be sent, written down before it: what a crash leaves to look for.

    `before` are the ids of the kind that were listed before (empty for updates and deletes).
    """

    nonce: str
    address: str
    kind: str
    type: str
    action: str  # create | update | delete | purchase
    id: str = ""
    name: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    before: tuple[str, ...] = ()
    sent_at: float = 0.0
    entry: dict[str, Any] | None = None  # what the entry becomes when the request turns out to have worked

    def to_data(self) -> dict[str, Any]:
        """For the journal, without `before`, which many intents share."""
        return {
            "nonce": self.nonce,
            "address": self.address,
            "kind": self.kind,
            "type": self.type,
            "action": self.action,
            "id": self.id,
            "name": self.name,
            "body": encode(self.body),
            "digest": self.digest,
            "sentAt": self.sent_at,
            "entry": self.entry,
        }

    @classmethod
    def from_data(cls, data: dict[str, Any], before: tuple[str, ...]) -> Intent:
        """What `to_data` wrote, and the ids that were there before.

        Raises ValueError: a value in it is of no known form; KeyError: a key is missing.
        """
        return cls(
            nonce=data["nonce"],
            address=data["address"],
            kind=data["kind"],
            type=data["type"],
            action=data["action"],
            id=data["id"],
            name=data["name"],
            body=decode(data["body"]),
            digest=data["digest"],
            before=before,
            sent_at=data["sentAt"],
            entry=data["entry"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All entries of one environment. `serial` grows with every write; `lineage` never changes."""

    lineage: str
    project: str
    environment: str
    salt: str
    serial: int = 0
    binding: Binding = Binding()
    entries: Mapping[str, Entry] = field(default_factory=dict)
    revision: int = 0  # the last revision's number
    applied_digest: str = ""  # of the graph that was applied last
    applied_commit: str = ""  # git's, where the manifests came from a repository
    in_force: int = 0  # the revision whose manifests are live: after a rollback an older one
    holds: Mapping[str, dict[str, Any]] = field(default_factory=dict)  # digests of rolled-back graphs → whence
    gone: Mapping[str, float] = field(default_factory=dict)  # ids that were deleted a moment ago → when
    closed: tuple[dict[str, Any], ...] = ()  # creations that had no effect: what may still turn up late
    used_plans: tuple[str, ...] = ()  # saved plans that were applied, newest last
    previews: Mapping[str, dict[str, Any]] = field(default_factory=dict)  # of a list of previews: each by its name

    def with_entry(self, entry: Entry) -> State:
        """The state with this entry, in place of the one that had its address."""
        return replace(self, entries={**self.entries, entry.address: entry})

    def after_delete(self, address: str, id_: str) -> Entry | None:
        """The entry that stays when the object `id_` is gone: none, or the one that replaced it."""
        entry = self.entries.get(address)
        if entry is None or entry.id == id_:
            return None
        return replace(entry, deposed=tuple(old for old in entry.deposed if old != id_))

    def without(self, address: str) -> State:
        """The state without the entry at this address, if there is one."""
        return replace(self, entries={key: entry for key, entry in self.entries.items() if key != address})

    def to_data(self) -> dict[str, Any]:
        """For a store; `serial` is its own, and a store asks for the one before it."""
        data = {
            "version": STATE_VERSION,
            "lineage": self.lineage,
            "serial": self.serial,
            "project": self.project,
            "environment": self.environment,
            "salt": self.salt,
            "binding": self.binding.to_data(),
            "revision": self.revision,
            "appliedDigest": self.applied_digest,
            "appliedCommit": self.applied_commit,
            "inForce": self.in_force,
            "holds": {digest: dict(found) for digest, found in self.holds.items()},
            "gone": dict(self.gone),
            "closed": [item | {"body": encode(item["body"])} for item in self.closed],
            "usedPlans": list(self.used_plans),
            "resources": {address: self.entries[address].to_data() for address in sorted(self.entries)},
        }
        return data | ({"previews": dict(self.previews)} if self.previews else {})

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> State:
        """What `to_data` wrote.

        Raises ValueError: a value in it is of no known form; KeyError: a key is missing.
        """
        return cls(
            lineage=data["lineage"],
            serial=data["serial"],
            project=data["project"],
            environment=data["environment"],
            salt=data["salt"],
            binding=Binding.from_data(data["binding"]),
            revision=data.get("revision", 0),
            applied_digest=data.get("appliedDigest", ""),
            applied_commit=data.get("appliedCommit", ""),
            in_force=data.get("inForce", 0),
            holds=data.get("holds", {}),
            gone=data.get("gone", {}),
            closed=tuple(item | {"body": decode(item["body"])} for item in data.get("closed", ())),
            used_plans=tuple(data.get("usedPlans", ())),
            previews=data.get("previews", {}),
            entries={address: Entry.from_data(address, item) for address, item in data["resources"].items()},
        )
