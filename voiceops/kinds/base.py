"""What a kind is: data that the engine, the providers and the manifest layer read.

A kind says where its objects live, how one is recognised, what can't change, and which fields come from the
server. What a manifest of the kind may say beyond the vendor's own body is manifest/vendor_bodies.py's to translate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from voiceops.model.values import ABSENT, Path, get_path

# Keys that Vapi adds to every object by itself: never ours, never sent back.
SERVER_KEYS = frozenset(
    {
        "id",
        "orgId",
        "createdAt",
        "updatedAt",
        "latestVersion",
        "modelDeprecations",
        "isServerUrlSecretSet",
        "workflowIds",
        "analyticsMetadata",
        "isDeleted",
        "status",
        "authenticationSession",
        "systemKey",
        "providerResourceId",
        "stripeSubscriptionId",
        "stripeSubscriptionStatus",
        "stripeSubscriptionCurrentPeriodStart",
    }
)


@dataclass(frozen=True, slots=True)
class Upload:
    """An object that is created by a form with a file in it."""

    name: str  # the key of the body that holds the file's name
    digest: str  # and its SHA-256
    fields: tuple[str, ...]  # what else the form holds: texts as they are, maps as JSON


@dataclass(frozen=True, slots=True)
class Attached:
    """Ids that the API keeps beside the object, at an address of their own: attached and detached one by one."""

    path: str  # below the object's
    id_key: str  # of what attaches one, and of what lists them


@dataclass(frozen=True, slots=True)
class Stays:
    """Objects that stay with the vendor when they leave management, let go instead of deleted: unless their manifest
    says `release: true`."""

    where: tuple[str, str]  # the key, and the value of it that those objects have
    bound_by: tuple[str, ...]  # the keys that are cleared, so that nothing of ours is bound to them
    called: str  # what people call such an object


def _as_it_is(live: dict[str, Any]) -> dict[str, Any]:
    return live


def _as_asked(body: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    return body


def _at_once(body: dict[str, Any]) -> tuple[Path, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of manifest with a live object.

    `type` is its name in plans; `path` its collection at Vapi; `listing` the shape of its list: a bare array,
    or pages of `{results, metadata}`; `after` the kinds whose objects its own usually need, and which therefore stand
    before it wherever kinds are listed. The fields below `replace_order` are for what few kinds have.
    """

    name: str
    type: str
    path: str
    title: str
    after: tuple[str, ...] = ()
    listing: Literal["array", "page"] = "array"
    named: bool = True  # `name` is a field of the body, and defaults to the manifest's name
    identity: tuple[Path, ...] = (("name",),)  # where a live object's name stands, first found
    caseless: frozenset[str] = frozenset()  # texts that mean the same in capital and in small letters
    named_within: tuple[str, ...] = ()  # a bare name says who it is only among objects that are equal in these keys
    immutable: frozenset[str] = frozenset()  # a change is a replacement
    create_only: frozenset[str] = frozenset()  # sent once, never compared
    patch_omits: frozenset[str] = frozenset()  # the API refuses these keys in a PATCH
    null_counts: frozenset[str] = frozenset()  # null is a value here ("nobody"), not "not set"
    patch_query: tuple[tuple[str, str, str], ...] = ()  # (changed key, parameter, value)
    replace_order: tuple[str, str] = ("create", "delete")
    agent_list: str = ""  # where the edge to agents is sent: a list of an agent's artifactPlan
    path_by: str = ""  # the key of the body that stands as `{}` in `path`, and is not sent
    path_values: tuple[str, ...] = ()  # its values: a collection each
    immutable_by: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Beside `immutable`, by the value of `fixed_by`, else of `path_by`."""
    fixed_by: str = ""
    read: Callable[[dict[str, Any]], dict[str, Any]] = _as_it_is  # a live object in the terms of a manifest's body
    patch: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]] = _as_asked  # (body, live) → what a PATCH says
    later: Callable[[dict[str, Any]], tuple[Path, ...]] = _at_once  # what a create can't say: its second step does
    unseen: frozenset[str] = frozenset()  # keys that the API never shows: what was applied stands for them
    upload: Upload | None = None
    attached: Mapping[str, Attached] = field(default_factory=dict)  # by key of the body
    details: bool = False  # a list shows less of an object than its own address does
    pending: frozenset[str] = frozenset()  # values of `status` with which an object can't be used yet
    failed: frozenset[str] = frozenset()  # and with which it never will
    id_key: str = "id"  # where a live object says which one it is
    targets: tuple[str, ...] = ()  # keys that name who answers: callers reach an object of this kind
    comes_with: str = ""
    """The kind whose manifests it comes with: none is of this kind itself. Its objects are there anyway, and known by
    their name alone; only their settings change hands."""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the server gives an object and others refer to, with the values of `path_by` that have it (none: all)."""
    volatile: frozenset[str] = frozenset()  # attributes that change with every update
    dialled: str = ""  # the key of what callers dial: objects of such a kind are the lines that a change reaches
    unique: frozenset[str] = frozenset()  # keys whose value no two objects share, in whatever environment
    stays: Stays | None = None
    waits: int = 99
    """Where references run in a circle, those of the lowest are sent by a second step: it does no harm without them."""
    beside: frozenset[str] = frozenset()  # attributes that the vendor writes into what stands beside the object
    stands_for: Mapping[str, str] = field(default_factory=dict)
    """`Kind/NAME` may stand where another kind's id is wanted: which kind, and the attribute that is sent."""

    @property
    def vendor(self) -> str:
        """Whose the kind is: the word that its `type` begins with."""
        return self.type.partition("_")[0]

    def id_of(self, live: Mapping[str, Any]) -> str:
        """Which object it is. Raises KeyError where it doesn't say so: providers let no such object in."""
        return str(live[self.id_key])

    def at(self, body: Mapping[str, Any]) -> Kind:
        """The kind with the collection that this body, or this live object, belongs to."""
        return replace(self, path=self.path.format(body.get(self.path_by))) if self.path_by else self

    def collections(self) -> list[Kind]:
        """The kind once for each of its collections."""
        return [self.at({self.path_by: value}) for value in self.path_values] if self.path_by else [self]

    def fixed(self, body: Mapping[str, Any]) -> frozenset[str]:
        """The keys of this body that can't change."""
        return self.immutable | self.immutable_by.get(str(body.get(self.fixed_by or self.path_by)), frozenset())

    def has(self, attribute: str, body: Mapping[str, Any]) -> bool:
        """Does an object with this body have the attribute?"""
        values = self.attributes.get(attribute)
        return values is not None and (not values or body.get(self.path_by) in values)

    def completed(self, live: dict[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
        """A live object with what the API doesn't show of it."""
        return live | {key: known[key] for key in self.unseen if key in known}

    def attributes_of(self, live: Mapping[str, Any]) -> dict[str, str]:
        """What the server gave this live object and others may refer to, by attribute; what it lacks is left out."""
        return {key: str(live[key]) for key in self.attributes if live.get(key)}

    def outlives(self, body: Mapping[str, Any]) -> bool:
        """Does an object with this body stay with the vendor when nothing wants it any more?"""
        return self.stays is not None and body.get(self.stays.where[0]) == self.stays.where[1]

    def names_of(self, body: Any) -> list[str]:
        """Every name by which an object can be recognised, most telling first."""
        return [name for _, name in self._names(body)]

    def name_of(self, body: Any) -> str | None:
        """The name by which people know the object: of a live one, or of a desired body."""
        return next((name for _, name in self._names(body)), None)

    def is_called_as(self, live: Any, body: Any) -> bool:
        """Does a live object bear the name that a body asks for: its number, its SIP URI, its name?"""
        path, wanted = next(self._names(body), ((), ""))
        if not path:
            return False
        if path == ("name",) and any(body.get(key) != live.get(key) for key in self.named_within):
            return False
        return self.bears(live, wanted)

    def bears(self, live: Any, name: str) -> bool:
        """Is it one of a live object's names?"""
        return any(self._spelled(path, found) == self._spelled(path, name) for path, found in self._names(live))

    def _names(self, body: Any) -> Iterator[tuple[Path, str]]:
        for path in self.identity:
            value = get_path(body, path)
            if value is not ABSENT and isinstance(value, str):
                yield path, value

    def _spelled(self, path: Path, name: str) -> str:
        return name.casefold() if path[-1] in self.caseless else name


def is_stock(live: dict[str, Any]) -> bool:
    """Vapi's own objects, the same in every org: read-only, never ours."""
    return ("orgId" in live and live["orgId"] is None) or live.get("systemKey") is not None
