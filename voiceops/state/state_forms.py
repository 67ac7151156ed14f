"""What a state, a journal's record, a revision and a note must be: one shape each, checked when they are read.

Files are edited by hand, merged by git, cut off and restored, and a folder may be a stranger's: what comes from them
is what voiceops wrote, or an error that names the place, the key, and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from voiceops.errors import StateError
from voiceops.kinds.registry import KINDS, TYPES
from voiceops.model.address import ADDRESS, owner_of
from voiceops.model.data_form import Shape, Wrong, converted
from voiceops.model.json_in import is_id
from voiceops.model.plan_data import PlanData, check_plan
from voiceops.model.values import parse_path
from voiceops.preview.preview_names import name_problem

_LATEST = 1e11  # epoch seconds: every calendar still has a date for it
_MOST = 2**53  # beyond it JSON readers disagree


class _Entry(Shape, frozen=True):
    kind: str
    type: str
    id: str
    owned: dict[str, Any]
    name: str | None = None
    stored: dict[str, Any] = msgspec.field(default_factory=dict)
    digest: str = ""
    updatedAt: str = ""
    recordedAt: float = 0.0
    depends: list[str] = msgspec.field(default_factory=list)
    protected: bool = False
    release: bool = False
    prior: dict[str, str | None] | None = None
    imported: dict[str, Any] | None = None
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    deposed: list[str] = msgspec.field(default_factory=list)
    refused: list[str] = msgspec.field(default_factory=list)


class _Closed(Shape, frozen=True):
    address: str
    kind: str
    type: str
    body: dict[str, Any]
    at: float
    name: str | None = None


class _Taken(Shape, frozen=True):
    """What a rollback took back of one object: digests by path."""

    was: dict[str, list[str]] | None = None
    put: dict[str, list[str]] | None = msgspec.field(default=None, name="is")
    deleted: bool = False


class _Hold(Shape, frozen=True):
    revision: int
    commit: str = ""
    by: int | None = None
    values: dict[str, _Taken] = msgspec.field(default_factory=dict)


class _LentNumber(Shape, frozen=True):
    phone: str
    number: str
    id: str
    before: dict[str, Any]
    bound: list[str]


class _Preview(Shape, frozen=True):
    source: str = msgspec.field(name="from")
    madeAt: float
    expiresAt: float
    runtime: str = ""
    lent: _LentNumber | None = None
    turn: str = ""
    going: bool = False


class _State(Shape, frozen=True):
    lineage: str
    serial: int
    project: str
    environment: str
    salt: str
    binding: dict[str, str]
    resources: dict[str, Any]
    revision: int = 0
    appliedDigest: str = ""
    appliedCommit: str = ""
    inForce: int = 0
    holds: dict[str, _Hold] = msgspec.field(default_factory=dict)
    gone: dict[str, float] = msgspec.field(default_factory=dict)
    closed: list[_Closed] = msgspec.field(default_factory=list)
    usedPlans: list[str] = msgspec.field(default_factory=list)
    previews: dict[str, _Preview] = msgspec.field(default_factory=dict)


class _Identity(Shape, frozen=True):
    lineage: str
    salt: str


class _Before(Shape, frozen=True):
    ref: str
    ids: list[str]


class _Intent(Shape, frozen=True):
    nonce: str
    address: str
    kind: str
    type: str
    action: Literal["create", "update", "delete", "purchase"]
    id: str
    name: str | None
    body: dict[str, Any]
    digest: str
    sentAt: float
    entry: dict[str, Any] | None
    beforeRef: str = ""


class _Done(Shape, frozen=True):
    address: str
    entry: dict[str, Any] | None
    nonce: str = ""
    gone: tuple[str, float] | None = None


class _Lost(Shape, frozen=True):
    nonce: str
    at: float


class _Failed(Shape, frozen=True):
    nonce: str


class _Plan(Shape, frozen=True):
    id: str


class _Bound(Shape, frozen=True):
    binding: dict[str, str]


_RECORDS: dict[str, type[Shape]] = {
    "state": _Identity,
    "before": _Before,
    "intent": _Intent,
    "done": _Done,
    "lost": _Lost,
    "failed": _Failed,
    "plan": _Plan,
    "binding": _Bound,
}


class _Resource(Shape, frozen=True):
    address: str
    kind: str
    type: str
    name: str | None
    body: dict[str, Any]
    file: str
    line: int
    labels: dict[str, str]
    preventDestroy: bool
    ignore: list[list[str | int]]
    purchase: bool
    release: bool
    routes: list[str]
    handler: str | None
    extra: dict[str, Any]
    prompts: dict[str, str] = msgspec.field(default_factory=dict)  # path in the body → file:line


class _External(Shape, frozen=True):
    address: str
    kind: str
    type: str
    by: str
    value: str
    file: str
    line: int


class _Graph(Shape, frozen=True):
    project: str
    environment: str
    resources: list[_Resource]
    externals: list[_External] = msgspec.field(default_factory=list)
    forgotten: list[str] = msgspec.field(default_factory=list)


class _Origin(Shape, frozen=True):
    who: str = ""
    source: str = ""
    commit: str = ""
    dirty: bool = False
    merge: bool = False
    link: str = ""


class _Revision(Shape, frozen=True):
    number: int
    at: str
    operation: str
    result: str
    digest: str
    graph: _Graph
    plan: PlanData
    origin: _Origin = _Origin()
    target: int | None = None
    ref: str = ""
    message: str = ""
    overwritten: dict[str, dict[str, Any] | None] | None = None
    failed: dict[str, str] = msgspec.field(default_factory=dict)
    skipped: dict[str, str] = msgspec.field(default_factory=dict)


class _Told(Shape, frozen=True):
    summary: str
    severity: str
    code: str
    file: str = ""
    line: int = 0
    address: str = ""


class _Error(Shape, frozen=True):
    diagnostics: list[_Told] = msgspec.field(default_factory=list)


class _Tested(Shape, frozen=True):
    name: str
    kind: str
    passed: bool
    environment: str = ""
    run: str = ""


class _Note(Shape, frozen=True):
    id: str
    at: str
    operation: str
    result: str
    summary: str
    origin: _Origin = _Origin()
    message: str = ""
    after: int = 0
    error: _Error = _Error()
    tests: dict[str, _Tested] = msgspec.field(default_factory=dict)  # by the digest of what was tested


def check_state(data: Mapping[str, Any]) -> None:
    """Raises Wrong."""
    state = converted(data, _State)
    _check_salt(state.salt)
    _check_number("serial", state.serial)
    _check_number("revision", state.revision)
    _check_number("inForce", state.inForce)
    for id_, at in state.gone.items():
        _check_time(f"gone.{id_}", at)
    for index, closed in enumerate(state.closed):
        _check_time(f"closed[{index}].at", closed.at)
        _check_object(f"closed[{index}]", closed.address, closed.kind, closed.type)
    for digest, hold in state.holds.items():
        _check_hold(f"holds.{digest:.80}", hold)
    for name, preview in state.previews.items():
        if name_problem(name) or (preview.lent is not None and not is_id(preview.lent.id)):
            raise Wrong(f"previews.{name:.40} is none")
        _check_time(f"previews.{name}.madeAt", preview.madeAt)
        _check_time(f"previews.{name}.expiresAt", preview.expiresAt)
    for address, entry in state.resources.items():
        check_entry(address, entry, f"resources.{address}")


def _check_hold(where: str, hold: _Hold) -> None:
    if hold.values and hold.by is None:
        raise Wrong(f"{where} lacks by")
    for address, taken in hold.values.items():
        if taken.put is not None and taken.was is None:
            raise Wrong(f"{where}.values.{address:.80} lacks was")
        for path in (*(taken.was or ()), *(taken.put or ())):
            try:
                parse_path(path)
            except ValueError:
                raise Wrong(f"{where}.values.{address:.80} has a key that is no path") from None


def check_entry(address: str, data: Any, where: str, *, known: bool = True) -> None:
    """One object's entry; `known`: it has its id by now. Raises Wrong."""
    entry = converted(data, _Entry, where)
    _check_map(f"{where}.owned", entry.owned)
    _check_object(where, address, entry.kind, entry.type)
    _check_time(f"{where}.recordedAt", entry.recordedAt)
    for id_ in (*([entry.id] if known or entry.id else []), *entry.deposed):
        if not is_id(id_):
            raise Wrong(f"{where} has an id that is none")
    for path in entry.stored:
        try:
            parse_path(path)
        except ValueError:
            raise Wrong(f"{where}.stored has a key that is no path") from None


def check_record(data: Any) -> None:
    """One record of a journal. Raises Wrong."""
    if not isinstance(data, dict) or not isinstance(data.get("record"), str):
        raise Wrong("it is no record")
    name = data["record"]
    if name not in _RECORDS:
        raise Wrong(f"nothing is known of the record {name!r:.40}")
    record = converted(data, _RECORDS[name])
    if isinstance(record, _Intent):
        _check_object("it", record.address, record.kind, record.type)
        _check_time("sentAt", record.sentAt)
        if record.id and not is_id(record.id):
            raise Wrong("id is none")
        if record.entry is not None:
            check_entry(record.address, record.entry, "entry", known=False)
    elif isinstance(record, _Done):
        if record.entry is not None:
            check_entry(record.address, record.entry, "entry")
        if record.gone is not None:
            _check_time("gone", record.gone[1])
    elif isinstance(record, _Identity):
        _check_salt(record.salt)
    elif isinstance(record, _Lost):
        _check_time("at", record.at)


def check_revision(data: Any) -> None:
    """Raises Wrong."""
    revision = converted(data, _Revision)
    _check_number("number", revision.number)
    _check_moment(revision.at)
    for resource in revision.graph.resources:
        where = f"graph, {resource.address:.80}"
        _check_object(where, resource.address, resource.kind, resource.type)
        _check_map(f"{where}, body", resource.body)
        _check_references(where, resource.body)
        _check_places(f"{where}, prompts", resource.prompts)
    check_plan(revision.plan)


def _check_places(where: str, places: Mapping[str, str]) -> None:
    for path, place in places.items():
        file, _, line = place.rpartition(":")
        if not file or not re.fullmatch(r"[0-9]{1,9}", line):
            raise Wrong(f"{where} has a place that is none")
        try:
            parse_path(path)
        except ValueError:
            raise Wrong(f"{where} has a key that is no path") from None


def check_note(data: Any) -> None:
    """Raises Wrong."""
    note = converted(data, _Note)
    if not re.fullmatch(r"[0-9A-Za-z-]{1,80}", note.id):
        raise Wrong("id is none")
    _check_moment(note.at)


def no_state(place: str, what: str, wrong: Wrong, hint: str) -> StateError:
    """The error of content that is not as voiceops writes it: where it is, what is wrong, what to do."""
    return StateError(f"{what} in {place} is not as voiceops writes it: {wrong}", hint=hint)


def _check_object(where: str, address: str, kind: str, type_: str) -> None:
    if not ADDRESS.match(owner_of(address)):
        raise Wrong(f"{where:.120} has an address that is none")
    if kind not in KINDS or address.partition("/")[0] != kind:
        raise Wrong(f"{where:.120} is of a kind that this voiceops doesn't know, or of another than its address")
    if type_ not in TYPES or kind not in (TYPES[type_].name, TYPES[type_].comes_with):
        raise Wrong(f"{where:.120} has a type that is not its kind's")


def _check_salt(salt: str) -> None:
    if not re.fullmatch("(?:[0-9a-f]{2})*", salt):
        raise Wrong("salt is none")


def _check_map(where: str, value: dict[str, Any]) -> None:
    """A map of its own, and no marker that stands for something else."""
    if any(_is_marker(key) for key in value):
        raise Wrong(f"{where:.120} must be a map, not what stands for a value")


def _is_marker(key: str) -> bool:
    return key.startswith("::") and not key.startswith(":::")


def _check_references(where: str, body: Any) -> None:
    """What a body refers to has an address."""
    waiting = [body]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            named = next((here[key] for key in ("::ref", "::outside") if key in here), None)
            if named is not None and not (isinstance(named, str) and _is_address(named)):
                raise Wrong(f"{where:.120} refers to an address that is none")
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here


def _is_address(text: str) -> bool:
    return bool(ADDRESS.match(owner_of(text))) and text.partition("/")[0] in KINDS


def _check_time(where: str, at: float) -> None:
    if not 0 <= at < _LATEST:
        raise Wrong(f"{where:.120} is no time")


def _check_number(where: str, number: int) -> None:
    if not 0 <= number < _MOST:
        raise Wrong(f"{where} is no number of its kind")


def _check_moment(text: str) -> None:
    try:
        aware = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise Wrong("at is no time")
