"""What a state, a journal's record, a revision and a note must be: one shape each, checked when they are read.

Files are edited by hand, merged by git, cut off and restored, and a folder may be a stranger's: what comes from them
is what voiceops wrote, or an error that names the place, the key, and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from voiceops.errors import StateError
from voiceops.kinds.phone import TWILIO_TYPE
from voiceops.kinds.registry import KINDS
from voiceops.model.address import ADDRESS, owner_of
from voiceops.model.json_in import is_id
from voiceops.model.values import parse_path

S = TypeVar("S")

_LATEST = 1e11  # epoch seconds: every calendar still has a date for it
_MOST = 2**53  # beyond it JSON readers disagree
_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a map",
    "null": "null",
}


class _Shape(msgspec.Struct, frozen=True):
    """Keys that are not named here are nobody's business."""


class _Entry(_Shape, frozen=True):
    kind: str
    type: str
    id: str
    owned: dict[str, Any]
    name: str | None = None
    stored: dict[str, Any] = {}
    digest: str = ""
    updatedAt: str = ""
    recordedAt: float = 0.0
    depends: list[str] = []
    protected: bool = False
    release: bool = False
    prior: dict[str, str | None] | None = None
    imported: dict[str, Any] | None = None
    attributes: dict[str, str] = {}
    deposed: list[str] = []


class _Closed(_Shape, frozen=True):
    address: str
    kind: str
    type: str
    body: dict[str, Any]
    at: float
    name: str | None = None


class _State(_Shape, frozen=True):
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
    holds: dict[str, dict[str, Any]] = {}
    gone: dict[str, float] = {}
    closed: list[_Closed] = []
    usedPlans: list[str] = []


class _Identity(_Shape, frozen=True):
    lineage: str
    salt: str


class _Before(_Shape, frozen=True):
    ref: str
    ids: list[str]


class _Intent(_Shape, frozen=True):
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


class _Done(_Shape, frozen=True):
    address: str
    entry: dict[str, Any] | None
    nonce: str = ""
    gone: tuple[str, float] | None = None


class _Lost(_Shape, frozen=True):
    nonce: str
    at: float


class _Failed(_Shape, frozen=True):
    nonce: str


class _Plan(_Shape, frozen=True):
    id: str


class _Bound(_Shape, frozen=True):
    binding: dict[str, str]


_RECORDS: dict[str, type[_Shape]] = {
    "state": _Identity,
    "before": _Before,
    "intent": _Intent,
    "done": _Done,
    "lost": _Lost,
    "failed": _Failed,
    "plan": _Plan,
    "binding": _Bound,
}


class _Path(_Shape, frozen=True):
    path: str
    source: str
    before: Any
    after: Any
    reason: str
    file: str
    line: int


class _Changed(_Shape, frozen=True):
    actions: list[Literal["create", "update", "delete", "no-op"]]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    paths: list[_Path]


class _Change(_Shape, frozen=True):
    address: str
    type: str
    id: str | None
    change: _Changed
    action_reason: str
    affects: list[str] = []
    file: str = ""
    line: int = 0
    live_name: str | None = None
    previous_address: str | None = None
    state_only: bool = False
    notes: list[str] = []


class _Planned(_Shape, frozen=True):
    project: str
    environment: str
    org: str
    account: str
    summary: dict[str, int]
    resource_changes: list[_Change]
    destroy: bool = False


class _Resource(_Shape, frozen=True):
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


class _Graph(_Shape, frozen=True):
    project: str
    environment: str
    resources: list[_Resource]


class _Origin(_Shape, frozen=True):
    who: str = ""
    source: str = ""
    commit: str = ""
    dirty: bool = False
    merge: bool = False
    link: str = ""


class _Revision(_Shape, frozen=True):
    number: int
    at: str
    operation: str
    result: str
    digest: str
    graph: _Graph
    plan: _Planned
    origin: _Origin = _Origin()
    target: int | None = None
    ref: str = ""
    message: str = ""
    overwritten: dict[str, dict[str, Any] | None] | None = None
    failed: dict[str, str] = {}
    skipped: dict[str, str] = {}


class _Told(_Shape, frozen=True):
    summary: str
    severity: str
    code: str
    file: str = ""
    line: int = 0
    address: str = ""


class _Error(_Shape, frozen=True):
    diagnostics: list[_Told] = []


class _Note(_Shape, frozen=True):
    id: str
    at: str
    operation: str
    result: str
    summary: str
    origin: _Origin = _Origin()
    message: str = ""
    after: int = 0
    error: _Error = _Error()


class Wrong(ValueError):
    """What is wrong with a value, and at which key: `resources.Agent/desk.owned must be a map, not a list`."""


def check_state(data: Mapping[str, Any]) -> None:
    """Raises Wrong."""
    state = _converted(data, _State)
    _check_number("serial", state.serial)
    _check_number("revision", state.revision)
    _check_number("inForce", state.inForce)
    for id_, at in state.gone.items():
        _check_time(f"gone.{id_}", at)
    for index, closed in enumerate(state.closed):
        _check_time(f"closed[{index}].at", closed.at)
        _check_object(f"closed[{index}]", closed.address, closed.kind, closed.type)
    for address, entry in state.resources.items():
        check_entry(address, entry, f"resources.{address}")


def check_entry(address: str, data: Any, where: str, *, known: bool = True) -> None:
    """One object's entry; `known`: it has its id by now. Raises Wrong."""
    entry = _converted(data, _Entry, where)
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
    record = _converted(data, _RECORDS[name])
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
    elif isinstance(record, _Lost):
        _check_time("at", record.at)


def check_revision(data: Any) -> None:
    """Raises Wrong."""
    revision = _converted(data, _Revision)
    _check_number("number", revision.number)
    _check_moment(revision.at)
    for resource in revision.graph.resources:
        _check_object(f"graph, {resource.address:.80}", resource.address, resource.kind, resource.type)
    for change in revision.plan.resource_changes:
        if not change.change.actions:
            raise Wrong(f"plan, {change.address:.80}, has no actions")
        for path in change.change.paths:
            try:
                parse_path(path.path)
            except ValueError:
                raise Wrong(f"plan, {change.address:.80}, has a path that is none") from None


def check_note(data: Any) -> None:
    """Raises Wrong."""
    note = _converted(data, _Note)
    if not re.fullmatch(r"[0-9A-Za-z-]{1,80}", note.id):
        raise Wrong("id is none")
    _check_moment(note.at)


def no_state(place: str, what: str, wrong: Wrong, hint: str) -> StateError:
    return StateError(f"{what} in {place} is not as voiceops writes it: {wrong}", hint=hint)


def _converted(data: Any, shape: type[S], where: str = "") -> S:
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        raise Wrong(_said(str(error), where)) from None
    except RecursionError:
        raise Wrong(f"{where or 'it'} is nested too deep") from None


def _said(text: str, where: str) -> str:
    """msgspec's sentence in our words: ``Expected `str`, got `int` - at `$.id` ``."""
    told, _, place = text.partition(" - at `")
    key = place.rstrip("`").removeprefix("$").removeprefix(".")
    path = ".".join(part for part in (where, key) if part).replace("[...]", ".*") or "it"
    if missing := re.search(r"missing required field `(\w+)`", told):
        return f"{path} lacks {missing[1]}"
    if found := re.match(r"Expected `([^`]*)`(?:.*, got `([^`]*)`)?", told):
        wanted = " or ".join(_WORDS.get(word.strip(), word.strip()) for word in found[1].split("|"))
        return f"{path} must be {wanted}" + (f", not {_WORDS.get(found[2], found[2])}" if found[2] else "")
    return f"{path} has a value that it can't have"


def _check_object(where: str, address: str, kind: str, type_: str) -> None:
    if not ADDRESS.match(owner_of(address)):
        raise Wrong(f"{where:.120} has an address that is none")
    if kind not in KINDS or address.partition("/")[0] != kind:
        raise Wrong(f"{where:.120} is of a kind that this voiceops doesn't know, or of another than its address")
    if type_ not in (KINDS[kind].type, TWILIO_TYPE) or (type_ == TWILIO_TYPE and kind != "Phone"):
        raise Wrong(f"{where:.120} has a type that is not its kind's")


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
