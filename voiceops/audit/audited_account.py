"""What an audit looks at: everything live, who manages it, and who names whom. Pure data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from voiceops.audit.finding import AuditFinding, Grade
from voiceops.engine.lines.reasons import Reason
from voiceops.errors import Diagnostic
from voiceops.kinds.base import Kind, is_stock
from voiceops.kinds.named_objects import NamedObject, named_in
from voiceops.kinds.registry import KINDS
from voiceops.model.live import Snapshot
from voiceops.model.values import leaves
from voiceops.preview.preview_names import name_in


@dataclass(frozen=True, slots=True)
class ManagedBy:
    """The manifest that manages an object."""

    environment: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedLine:
    """A phone number and who answers it. `meant` says that nobody is to: it only calls out."""

    id: str
    number: str
    answers: str  # vapi | runtime | other | nobody
    meant: bool = False
    address: str = ""
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveObject:
    """One live object that is no part of every organization."""

    kind: Kind
    id: str
    live: dict[str, Any]

    @property
    def name(self) -> str:
        """What people know it by; empty where it has no name."""
        return self.kind.name_of(self.live) or ""

    @property
    def title(self) -> str:
        """In a sentence: `assistant 'Support' (5b6d…)`."""
        named = f" '{self.name}'" if self.name else ""
        return f"{self.kind.title}{named} ({self.id})"


@dataclass(frozen=True)
class AuditedAccount:
    """One account, as an environment's keys show it.

    `owners` are by live id, over all environments of the project; `outside` are the live ids that `external:` manifests
    mean, and the numbers that stand ready for previews; `waiting` the addresses of manifests without a live object, by
    kind and live name. `routed` are live ids that lines lead to, also where no live body shows it; `unread` says of
    each kind that could not be listed why. `settling` and `gone` are ids that were made or deleted so lately that lists
    may not show it.
    """

    snapshot: Snapshot
    environment: str = ""
    owners: Mapping[str, ManagedBy] = field(default_factory=dict)
    outside: frozenset[str] = frozenset()
    waiting: Mapping[tuple[str, str], str] = field(default_factory=dict)
    routed: frozenset[str] = frozenset()
    lines: Sequence[AuditedLine] = ()
    externals: Sequence[Diagnostic] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    settling: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    today: str = ""

    @cached_property
    def objects(self) -> list[LiveObject]:
        """Every object of Vapi's that is not Vapi's own, by kind and id."""
        return [
            LiveObject(kind, id_, live)
            for kind in KINDS.values()
            for id_, live in sorted(self.snapshot.all(kind.type).items())
            if not is_stock(live) and id_ not in self.made_by_others and id_ not in self.gone
        ]

    @cached_property
    def made_by_others(self) -> dict[str, str]:
        """Objects that Vapi makes beside another one, and deletes with it: a knowledge base's tool → the base's id."""
        return {
            str(live[attribute]): id_
            for kind in KINDS.values()
            for attribute in kind.stands_for.values()
            for id_, live in self.snapshot.all(kind.type).items()
            if live.get(attribute)
        }

    @cached_property
    def names(self) -> dict[str, list[NamedObject]]:
        """What each object's body names, by the object's id."""
        return {found.id: list(named_in(found.kind, found.live)) for found in self.objects}

    @cached_property
    def users(self) -> dict[str, list[LiveObject]]:
        """Who mentions an object, by its id: anywhere in the body, also where nobody knows yet that an id can stand."""
        meant = {found.id: found.id for found in self.objects} | self.made_by_others
        for found in self.objects:
            meant |= dict.fromkeys(found.kind.attributes_of(found.live).values(), found.id)
        agents: dict[str, list[str]] = {}
        for found in self.objects:
            if found.kind.name == "Agent" and found.name:
                agents.setdefault(found.name, []).append(found.id)
        users: dict[str, list[LiveObject]] = {}
        for found in self.objects:
            texts = {leaf for _, leaf in leaves(found.live) if isinstance(leaf, str)}
            ids = {meant[text] for text in texts & meant.keys()}
            ids |= {id_ for named in self.names[found.id] if named.by == "name" for id_ in agents.get(named.value, ())}
            for id_ in ids - {found.id}:
                users.setdefault(id_, []).append(found)
        return users

    def used_by(self, id_: str, *kinds: str) -> bool:
        """Does an object of one of these kinds mention it? No kinds: any."""
        return any(not kinds or user.kind.name in kinds for user in self.users.get(id_, ()))

    def knows(self, kind: str, id_: str) -> bool:
        """Is there a live object of this id? One whose list could not be read may be there."""
        live = self.snapshot.objects.get(KINDS[kind].type)
        if kind in self.unread or live is None or id_ in self.settling:
            return True
        return (id_ in live or id_ in self.made_by_others) and id_ not in self.gone

    def is_in_a_preview(self, found: LiveObject) -> bool:
        """Is it one of a preview's, which goes away again by itself?"""
        owner = self.owners.get(found.id)
        return owner is not None and name_in(owner.environment) is not None

    def ours(self, found: LiveObject) -> Grade:
        """How grave what is wrong in an object is: in somebody else's it is good to know, and theirs to mend."""
        return "note" if found.id in self.outside else "finding"

    def about(
        self, code: str, found: LiveObject, what: str, next_: str, *, grade: Grade = "finding", path: str = ""
    ) -> AuditFinding:
        """A finding about one object."""
        owner = self.owners.get(found.id, ManagedBy("", ""))
        return AuditFinding(
            code=code,
            kind=found.kind.name,
            what=what,
            next=next_,
            grade=grade,
            id=found.id,
            name=found.name,
            address=owner.address,
            environment=owner.environment,
            path=path,
        )

    def unmanaged(self) -> Iterator[LiveObject]:
        """Objects in no state of the project, and of no `external:` manifest."""
        return (o for o in self.objects if o.id not in self.owners and o.id not in self.outside)
