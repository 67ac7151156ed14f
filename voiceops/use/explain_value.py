"""Explain: where a value comes from, what was applied, by which revision, and what is live; and who answers a line.

Reads files, the state and the accounts; runs nothing that the folder brings.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from voiceops.apply.cut_off import types_needed
from voiceops.apply.job import Job
from voiceops.engine.fields.body import holds_secret
from voiceops.engine.fields.diff import Applied, drifted
from voiceops.engine.fields.equality import same
from voiceops.engine.fields.masking import project as as_owned
from voiceops.engine.fields.masking import visible
from voiceops.engine.lines.line_route import PHONE
from voiceops.engine.lines.twilio_number import settings
from voiceops.errors import Mark, VoiceopsError
from voiceops.explain.explained import Explained, LiveValue, SetBy, WasApplied
from voiceops.explain.layers import ProjectFiles
from voiceops.explain.line_steps import line_steps
from voiceops.explain.manifest_paths import nearest, paths_meant, starts, typed_path
from voiceops.explain.project_files import read_project_files
from voiceops.explain.substitutions import Surroundings
from voiceops.explain.value import layers, rows
from voiceops.kinds.nodes import body_node
from voiceops.kinds.registry import KINDS, LINES, TYPES
from voiceops.kinds.schema import using
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.manifest.documents import Document
from voiceops.model.address import is_twilio_side, kind_of, name_of, owner_of, twilio_side
from voiceops.model.graph import Graph, Resource
from voiceops.model.plan import moment
from voiceops.model.state import Entry
from voiceops.model.values import ABSENT, JSON, Outside, Path, Ref, Template, format_path, get_path, leaves, map_leaves
from voiceops.providers.snapshot_reader import read_live
from voiceops.render.textdiff import shortened
from voiceops.state.ledger import Ledger
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import job_on, open_job
from voiceops.use.open_state import open_ledger
from voiceops.use.read_status import LOOKED_AT, lines
from voiceops.use.scope_and_terms import Scope, options_of

_TARGET = re.compile(
    r"(?P<address>[A-Z][A-Za-z]*/[a-z0-9-]+(?:\[[a-z0-9-]+\])?(?:/twilio)?)(?:\.(?P<path>.+))?\Z", re.S
)
_ADOPTING = ("pull", "import")  # operations of revisions that write down what is live
_NUMBER = re.compile(r"\+\d|sips?:", re.IGNORECASE)


async def explain(loaded: Loaded, target: str, *, offline: bool = False) -> Explained:
    """What is known of `ADDR`, of `ADDR.PATH` (a path of the manifest or of the live body), or of a line by its number.

    `offline`: nobody is asked what is live; without keys, or without an answer, that is so by itself, and said. Raises
    VoiceopsError where there is no such address or path, with the nearest that there is.
    """
    with using(loaded.project.facts):
        return await _explained(loaded, target, offline=offline)


async def _explained(loaded: Loaded, target: str, *, offline: bool) -> Explained:
    if _NUMBER.match(target) and not (address := _line_of(loaded, target)):
        return await _strange_line(loaded, target, offline=offline)
    address, text = (address, "") if _NUMBER.match(target) else _parsed(target, loaded.graph)
    files = read_project_files(loaded.project, loaded.environ)
    asked = _Asked(loaded, files, Surroundings(loaded.project, loaded.environ, loaded.context.environ), address)
    resource, path = asked.place(text)
    told = asked.offline(resource, path)
    known = {*loaded.graph.resources, *loaded.graph.externals, *files.documents}
    try:
        async with _state(loaded, offline=offline) as ledger:
            known |= set(ledger.state.entries) if ledger is not None else set()
            told = await _with_state(asked, told, resource, ledger, offline=offline)
    except VoiceopsError as error:
        told = replace(told, live=LiveValue(why=error.summary), notes=(*told.notes, f"the state: {error.summary}"))
    if told.address not in known:
        near = get_close_matches(told.address, sorted(known), n=1)
        hint = f"Did you mean {near[0]}?" if near else "`voiceops graph` draws what there is."
        raise VoiceopsError(f"there is no {told.address} in {told.environment}", hint=hint)
    return _found(told, resource) if path else told


def _found(told: Explained, resource: Resource | None) -> Explained:
    """What is known of a path. Raises VoiceopsError where nothing is."""
    held = told.applied is not None and told.applied.value is not ABSENT
    if told.value is not ABSENT or any(not layer.names for layer in told.layers):
        return told
    if told.live.value is ABSENT and not held:
        hint = nearest(format_path(told.path), resource.body if resource else {}, resource.sources if resource else {})
        why = "" if told.live.read else f" Live was not read: {told.live.why}."
        raise VoiceopsError(f"{told.address} has no {shortened(format_path(told.path), 80)}", hint=f"{hint}{why}")
    return replace(told, layers=(), notes=(*told.notes, "no manifest sets it: it is the server's, or somebody's"))


def _line_of(loaded: Loaded, number: str) -> str:
    """The manifest of a line with this number or SIP address; empty where none has it."""
    for address, resource in loaded.graph.resources.items():
        known = resource.body.get("number"), str(resource.body.get("sipUri") or "").casefold()
        if resource.kind in LINES and (number in known or number.casefold() in known):
            return address.removesuffix("/twilio")
    return ""


def _parsed(target: str, graph: Graph) -> tuple[str, str]:
    """The address and the path that are asked for. Raises VoiceopsError."""
    match = _TARGET.match(target)
    if match is None:
        name, dot, path = target.partition(".")
        meant = sorted(address + dot + path for address in graph.resources if name_of(address) == name)
        hint = (
            f"Did you mean {' or '.join(meant)}?" if meant else "Write Kind/name, Kind/name.path, or a line's number."
        )
        raise VoiceopsError(f"{target!r} is no address", hint=hint)
    return match["address"], match["path"] or ""


async def _strange_line(loaded: Loaded, number: str, *, offline: bool) -> Explained:
    """A line that no manifest has: who answers it, by what is live alone. Raises VoiceopsError where there is none."""
    unknown = VoiceopsError(f"no manifest has the line {number}", hint="`voiceops audit` tells of all numbers.")
    if offline:
        raise unknown
    async with open_job(loaded, options_of(loaded.project, Scope()), every_account=True) as job:
        snapshot = await read_live(job.accounts, types_needed(job.graph, job.ledger) | LOOKED_AT | {TWILIO_TYPE})
        held = {one.id: one for one in job.ledger.state.entries.values()}
        vapi_url = job.accounts.vapi.api.base_url
    phones = [*snapshot.all(PHONE).items(), *snapshot.all(TWILIO_TYPE).items()]
    same = (number.casefold(), number)
    found = [id_ for id_, live in phones if _number(live).casefold() in same]
    if not found:
        raise unknown
    entry = next((held[id_] for id_ in found if id_ in held), None)
    steps = line_steps(
        snapshot,
        "",
        number,
        {id_: one.address for id_, one in held.items()},
        vapi_url=vapi_url,
        runtime_url=loaded.project.runtime_url or "",
    )
    note = "no manifest of this environment has this line"
    return Explained(
        project=loaded.project.name,
        environment=loaded.project.environment,
        address=owner_of(entry.address) if entry is not None else number,
        mark=Mark("", 0, 0),
        steps=tuple(steps),
        live=LiveValue(read=True),
        notes=(
            f"{note}: the next apply takes it away"
            if entry is not None
            else f"{note}: `voiceops pull --id {found[0]}`",
        ),
    )


def _number(live: Mapping[str, Any]) -> str:
    return str(live.get("phone_number") or live.get("number") or live.get("sipUri") or "")


@asynccontextmanager
async def _state(loaded: Loaded, *, offline: bool) -> AsyncIterator[Ledger | None]:
    """The state; None where it is in a place that would have to be asked, and nobody is to be."""
    if offline and "://" in loaded.project.state:
        yield None
        return
    async with open_ledger(loaded) as ledger:
        yield ledger


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question, and everything of the files that answers it."""

    loaded: Loaded
    files: ProjectFiles
    around: Surroundings
    address: str

    def place(self, text: str) -> tuple[Resource | None, Path]:
        """The object of a line's two sides that has the path, and the live path. Raises VoiceopsError."""
        resources = self.loaded.graph.resources
        sides = [resources[a] for a in (self.address, twilio_side(self.address)) if a in resources]
        if not text:
            return (sides[0] if sides else None), ()
        for resource in sides:
            found = paths_meant(text.removeprefix("twilio."), resource.body, resource.sources)
            if found:
                return resource, found[0]
        return (sides[0] if sides else None), typed_path(text)

    def offline(self, resource: Resource | None, path: Path) -> Explained:
        """What the manifests say. Raises VoiceopsError where they have no such address."""
        project = self.loaded.project
        document = self.files.documents.get(self.address.removesuffix("/twilio"))
        mark = resource.mark if resource is not None else document.mark if document is not None else Mark("", 0, 0)
        told = Explained(
            project=project.name,
            environment=project.environment,
            address=resource.address if resource is not None else self.address,
            mark=mark,
            path=path,
            facts=_facts(resource, document),
        )
        if resource is None:
            return self._without_object(told, document)
        if not path:
            return replace(told, rows=tuple(rows(resource)), steps=_meaning(resource, self.loaded))
        value = get_path(resource.body, path)
        found = layers(self.files, self.around, resource, path)
        below = tuple(rows(resource, path)) if isinstance(value, (dict, list)) and value else ()
        return replace(told, value=value, layers=found, rows=below)

    def _without_object(self, told: Explained, document: Document | None) -> Explained:
        external = self.loaded.graph.externals.get(self.address)
        if external is not None:
            note = f"external: somebody else's object, known by its {external.by} {external.value!r}"
            return replace(told, notes=(note,))
        if document is not None and document.kind == "Phone" and self.loaded.project.preview:
            return replace(told, notes=("left out here: a preview has no phone lines",))
        if document is not None and document.kind in KINDS:
            return replace(told, notes=("let go here (lifecycle.forget): it leaves the state and stays live",))
        if document is None:
            return told
        users = sorted(
            address
            for address, resource in self.loaded.graph.resources.items()
            if any(mark.path.startswith(f"{self.address}:") for mark in resource.sources.values())
        )
        listed = f"used by {', '.join(users)}" if users else "no manifest of this environment uses it"
        return replace(told, notes=(f"a part of others, without a live object of its own: {listed}",))


def _facts(resource: Resource | None, document: Document | None) -> dict[str, str]:
    """What a manifest says beside its spec."""
    facts: dict[str, str] = {}
    lines_too = resource is not None and resource.kind in LINES
    if resource is not None and resource.name and resource.name != name_of(resource.address) and not lines_too:
        facts["live name"] = resource.name
    if document is None:
        return facts
    if document.key is not None and document.each_mark is not None:
        facts["instance"] = f"{document.key}, of the forEach at {document.each_mark.place}"
    if document.labels:
        facts["labels"] = ", ".join(f"{key}={value}" for key, value in document.labels.items())
    if document.environments is not None:
        facts["environments"] = ", ".join(document.environments)
    if document.lifecycle:
        facts["lifecycle"] = ", ".join(document.lifecycle)
    if isinstance(document.handler, str):
        facts["handler"] = document.handler
    return facts


def _meaning(resource: Resource, loaded: Loaded) -> tuple[str, ...]:
    """Whom a line's manifest means to answer."""
    if resource.kind not in LINES or is_twilio_side(resource.address):
        return ()
    mark = resource.mark
    for key in ("assistantId", "squadId"):
        value = resource.body.get(key)
        if value is not None:
            whom = value.address if isinstance(value, (Ref, Outside)) else str(value)
            mark = resource.source_of((key,))
            return (f"the manifest means {whom} ({mark.place})", *_prompts(loaded.graph, whom))
    if resource.routes:
        whom = resource.routes[0]
        means = f"the manifest means {whom}, through the runtime ({mark.place})"
        return (means, *_prompts(loaded.graph, whom))
    if resource.extra.get("answer") == "none":
        return (f"the manifest means nobody: it only calls out ({mark.place})",)
    asks = "asks the runtime" if resource.body.get("server") else "names nobody"
    return (f"the manifest {asks} ({mark.place})",)


def _prompts(graph: Graph, whom: str) -> Iterator[str]:
    """Where the prompts of an agent stand, or of a squad's members."""
    members = graph.dependencies(whom) if kind_of(whom) == "Squad" else (whom,)
    for address in members:
        if address in graph.resources and kind_of(address) == "Agent":
            for path, mark in graph.spoken_by(address).items():
                if path[:2] == ("model", "messages"):
                    yield f"{address} is told what to say in {mark.place}"


async def _with_state(
    asked: _Asked, told: Explained, resource: Resource | None, ledger: Ledger | None, *, offline: bool
) -> Explained:
    """With what was applied, and with what is live where that can be asked."""
    entry = ledger.state.entries.get(told.address) if ledger is not None else None
    if ledger is None:
        told = replace(told, notes=(*told.notes, "the state was not read: it is not on this machine"))
    elif entry is not None:
        value = get_path(entry.owned, told.path) if told.path else ABSENT
        then = await _set_by(ledger, told.address, told.path)
        told = replace(told, applied=WasApplied(entry.id, moment(entry.recorded_at), value, then))
        told = _pending(told, ledger)
        if resource is None and told.address not in asked.files.documents:
            told = replace(told, notes=(*told.notes, "in no manifest any more: the next apply takes it away"))
    return await _with_live(asked, told, resource, entry, ledger, offline=offline)


def _pending(told: Explained, ledger: Ledger) -> Explained:
    """With a note where what the manifests make of the value is not what was applied."""
    applied = told.applied
    if applied is None or applied.value is ABSENT or told.value is ABSENT or holds_secret(told.value):
        return told
    ids = {entry.address: entry.id for entry in ledger.state.entries.values()}

    def known(leaf: JSON) -> JSON:
        return ids.get(leaf.address, leaf) if isinstance(leaf, Ref) and leaf.attribute == "id" else leaf

    value = map_leaves(told.value, known)
    if same(value, applied.value) or any(isinstance(leaf, (Ref, Outside, Template)) for _, leaf in leaves(value)):
        return told
    return replace(told, notes=(*told.notes, f"not applied yet: `voiceops plan --target {told.address}`"))


async def _set_by(ledger: Ledger, address: str, path: Path) -> SetBy:
    """The newest revision that changed a value: the one that a person would ask about."""
    asked = address
    for number in sorted(await ledger.store.revision_numbers(), reverse=True):
        revision = await ledger.store.revision(number)
        for change in (revision or {}).get("plan", {}).get("resource_changes", ()):
            if change["address"] != asked or revision is None:
                continue
            if _touches(change, path, revision["operation"]):
                origin = revision.get("origin") or {}
                return SetBy(
                    number,
                    str(revision.get("at") or ""),
                    str(origin.get("who") or ""),
                    str(origin.get("commit") or ""),
                    str(revision.get("message") or ""),
                )
            asked = change.get("previous_address") or asked
    return SetBy()


def _touches(change: Mapping[str, Any], path: Path, operation: str) -> bool:
    if change["change"]["actions"] == ["no-op"]:  # what was taken over as it was
        return change.get("action_reason") == "adopt" or operation.partition(" ")[0] in _ADOPTING
    if not path or "create" in change["change"]["actions"]:
        return True
    asked = format_path(path)
    paths = [str(one["path"]) for one in change["change"]["paths"]]
    return any(one == asked or starts(one, asked) or starts(asked, one) for one in paths)


async def _with_live(
    asked: _Asked,
    told: Explained,
    resource: Resource | None,
    entry: Entry | None,
    ledger: Ledger | None,
    *,
    offline: bool,
) -> Explained:
    """With what is live now; where nobody can be asked, with the reason."""
    if entry is None and not (resource is not None and resource.kind in LINES):
        return replace(
            told, live=LiveValue(why="it was never applied" if ledger is not None else "the state was not read")
        )
    if offline or ledger is None:
        return replace(told, live=LiveValue(why="nobody was asked (--offline)"))
    try:
        async with job_on(ledger, asked.loaded, options_of(asked.loaded.project, Scope())) as job:
            if entry is not None:
                told = replace(told, live=await _live(job, resource, entry, told.path))
            if kind_of(told.address) in LINES and not told.path and not is_twilio_side(told.address):
                told = await _with_line(job, asked.loaded, told, entry)
    except VoiceopsError as error:
        return replace(told, live=LiveValue(why=error.summary))
    return told


async def _live(job: Job, resource: Resource | None, entry: Entry, path: Path) -> LiveValue:
    kind = TYPES[entry.type]
    found = await job.accounts.of(kind).get(kind.at(entry.owned) if kind.path_by else kind, entry.id)
    if found is None:
        return LiveValue(read=True, there=False)
    if entry.type == TWILIO_TYPE:
        held = settings(found)
        edited = tuple(key for key, value in entry.owned.items() if key in held and (value or "") != held[key])
        return LiveValue(read=True, value=get_path(held, path) if path else ABSENT, edited=edited)
    live = kind.completed(found, entry.owned)
    ignore = resource.ignore if resource is not None else ()
    changed = drifted(Applied(entry.owned, entry.stored), live, ignore, body_node(kind))
    seen = as_owned(visible(entry.kind, live, entry.owned), entry.owned) if not path else live
    value = ABSENT
    if path:
        shown = visible(entry.kind, seen, entry.owned)
        owned = get_path(entry.owned, path)
        value = get_path(shown, path)
        value = as_owned(value, owned) if value is not ABSENT and owned is not ABSENT else value
    return LiveValue(read=True, value=value, edited=tuple(format_path(difference.path) for difference in changed))


async def _with_line(job: Job, loaded: Loaded, told: Explained, entry: Entry | None) -> Explained:
    """Who answers a line, as both vendors show it."""
    runtime_url = loaded.project.runtime_url or ""
    snapshot = await read_live(job.accounts, types_needed(job.graph, job.ledger) | LOOKED_AT, for_plan=True)
    found = await lines(job, loaded.project.runtime_url, snapshot)
    row = next((row for row in found if row.address == told.address), None)
    if row is None:
        return told
    steps = line_steps(
        snapshot,
        entry.id if entry is not None else "",
        row.number,
        {one.id: one.address for one in job.ledger.state.entries.values()},
        vapi_url=job.accounts.vapi.api.base_url,
        runtime_url=runtime_url,
    )
    who = {"vapi": "Vapi", "runtime": "the runtime", "other": "somebody else"}.get(row.answers, "nobody")
    end = f"so {who} answers" + (f", for {row.target}" if who != "nobody" else "")
    ready = (f"the runtime at {runtime_url} is {row.runtime}",) if row.runtime != "not asked" else ()
    return replace(
        told,
        steps=(*told.steps, *steps, *ready, end),
        off=tuple((reason.text, reason.fix) for reason in row.off),
        notes=(*told.notes, *row.notes),
    )
