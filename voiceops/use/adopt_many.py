"""Adopt many live objects at once, in one revision: those that fit by name, or those that a file names.

Nothing live is changed, and nothing is adopted where a file names something that can't be.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voiceops.apply.account_binding import check_account
from voiceops.apply.adopting import adopt_seen
from voiceops.apply.cut_off import types_needed
from voiceops.apply.job import Job
from voiceops.apply.revisions import Request
from voiceops.apply.run import known_options
from voiceops.engine.planning.observe import observe
from voiceops.engine.planning.reports import described
from voiceops.errors import Diagnostic, InvalidProject, Mark, VoiceopsError
from voiceops.kinds.base import is_stock
from voiceops.kinds.registry import KINDS
from voiceops.model.address import ADDRESS, is_twilio_side
from voiceops.model.live import Snapshot
from voiceops.providers.snapshot_reader import read_live
from voiceops.state.store import Lease
from voiceops.use.load_project import Loaded
from voiceops.use.no_manifest import no_manifest
from voiceops.use.open_job import open_job
from voiceops.use.origin import origin
from voiceops.use.other_environments import other_environments
from voiceops.use.scope_and_terms import Scope, check_adopts, options_of
from voiceops.use.state_place import check_place

_LARGEST = 10_000_000  # bytes of a file of ids


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAdopted:
    """A manifest that nothing was adopted for. `candidates`: live ids that fit, with what tells them apart."""

    address: str
    why: str
    candidates: Mapping[str, str] = field(default_factory=dict)

    def to_data(self) -> dict[str, Any]:
        """For JSON output."""
        return {"address": self.address, "why": self.why, "candidates": dict(self.candidates)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyAdopted:
    """What came under management (address → live id), what did not, and which of it a plan would change."""

    project: str
    environment: str
    adopted: Mapping[str, str]
    left: tuple[NotAdopted, ...] = ()
    managed: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    revision: int | None = None
    written: bool = True

    def to_data(self) -> dict[str, Any]:
        """As `import --format json` has it."""
        return {
            "project": self.project,
            "environment": self.environment,
            "written": self.written,
            "revision": self.revision,
            "adopted": dict(self.adopted),
            "differs": list(self.differing),
            "managed": list(self.managed),
            "left": [one.to_data() for one in self.left],
        }


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is to be adopted, and what is not."""

    ids: dict[str, str]
    left: tuple[NotAdopted, ...] = ()
    managed: tuple[str, ...] = ()


async def adopt_by_name(loaded: Loaded, *, dry_run: bool = False, local_state: bool = False) -> ManyAdopted:
    """Adopt each manifest that fits exactly one unmanaged live object, by its live name (a line: by its number).

    Raises Locked, Refused, StateError and ProviderError.
    """
    async with _looked(loaded, dry_run=dry_run, local_state=local_state) as (job, snapshot, lease):
        return await _adopted(loaded, job, snapshot, lease, await _fitting(loaded, job, snapshot))


async def adopt_listed(loaded: Loaded, file: Path, *, dry_run: bool = False, local_state: bool = False) -> ManyAdopted:
    """Adopt what a file names: lines `ADDRESS ID`, comments after `#`.

    Raises InvalidProject with every line that is wrong, and nothing is adopted then; VoiceopsError: the file can't be
    read; Locked, Refused, StateError and ProviderError.
    """
    wrong: list[Diagnostic] = []
    lines = dict(_lines(file, loaded, wrong))
    async with _looked(loaded, dry_run=dry_run, local_state=local_state) as (job, snapshot, lease):
        chosen = _named(lines, file.name, job, snapshot, wrong)
        if wrong:
            raise InvalidProject(sorted(wrong, key=lambda said: said.mark.line if said.mark else 0))
        return await _adopted(loaded, job, snapshot, lease, chosen)


@asynccontextmanager
async def _looked(
    loaded: Loaded, *, dry_run: bool, local_state: bool
) -> AsyncIterator[tuple[Job, Snapshot, Lease | None]]:
    """The account as it is, under the lock where something is to be written."""
    check_adopts(loaded.project)
    if not dry_run:
        check_place(loaded.project, local=local_state, environ=loaded.context.environ)
    async with open_job(loaded, options_of(loaded.project, Scope())) as job:
        if dry_run:
            yield job, await _read(job), None
            return
        async with job.store.lock("import", 0.0) as lease:
            await job.ledger.refresh()
            yield job, await _read(job), lease


async def _read(job: Job) -> Snapshot:
    snapshot = await read_live(job.accounts, types_needed(job.graph, job.ledger), for_plan=True)
    await check_account(job, job.ledger.state.binding, snapshot)
    return snapshot


async def _adopted(loaded: Loaded, job: Job, snapshot: Snapshot, lease: Lease | None, chosen: _Chosen) -> ManyAdopted:
    revision: int | None = None
    differing: tuple[str, ...] = ()
    if lease is not None and chosen.ids:
        who = origin(loaded.project.root, loaded.environ)
        taken = await adopt_seen(job, chosen.ids, Request(operation="import", origin=who, sends=False), snapshot, lease)
        revision = taken.revision
        differing = tuple(c.address for c in taken.plan.changes if c.matters and c.address in chosen.ids)
    return ManyAdopted(
        project=loaded.project.name,
        environment=loaded.project.environment,
        adopted=chosen.ids,
        left=chosen.left,
        managed=chosen.managed,
        differing=differing,
        revision=revision,
        written=lease is not None,
    )


async def _fitting(loaded: Loaded, job: Job, snapshot: Snapshot) -> _Chosen:
    """Each manifest with the one live object that it can be."""
    view = observe(job.graph, job.ledger.state, snapshot, await known_options(job, job.ledger.state))
    elsewhere = {
        entry.id: f"{entry.address} in {other.name}"
        for other in await other_environments(loaded, job.store, [])
        for entry in other.state.entries.values()
    }
    ids, left, managed = {}, [], []
    for address, resource in sorted(job.graph.resources.items()):
        if is_twilio_side(address):
            continue
        found = view.found[address]
        twins = tuple(id_ for id_ in found.twins if id_ not in elsewhere)
        claims = [other for id_ in twins for other in view.claims.get(id_, ()) if other != address]
        about = {id_: described(view, resource.type, id_) for id_ in twins}
        if found.entry is not None:
            managed.append(address)
        elif len(twins) == 1 and not claims:
            ids[address] = twins[0]
        elif len(twins) == 1:
            left.append(NotAdopted(address=address, why=f"{', '.join(claims)} could be it, too", candidates=about))
        elif twins:
            left.append(NotAdopted(address=address, why="several live objects fit", candidates=about))
        elif found.twins:
            left.append(NotAdopted(address=address, why=f"it is {elsewhere[found.twins[0]]}"))
        else:
            called = f"called {resource.name!r}" if resource.name else "that equals it"
            left.append(NotAdopted(address=address, why=f"no unmanaged {KINDS[resource.kind].title} {called}"))
    return _Chosen(ids, tuple(left), tuple(managed))


def _lines(file: Path, loaded: Loaded, wrong: list[Diagnostic]) -> Iterator[tuple[str, tuple[str, int]]]:
    """Address → id and line; what is wrong with a line by itself is collected. Raises VoiceopsError."""
    try:
        content = file.read_bytes()
        if len(content) > _LARGEST:
            raise VoiceopsError(f"{file} is larger than {_LARGEST:,} bytes: it is no list of ids")
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise VoiceopsError(f"{file} can't be read: {why}") from None
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or not ADDRESS.match(words[0]) or is_twilio_side(words[0]):
            wrong.append(_wrong(file.name, number, f"{line.strip()[:100]!r} is no line of an address and an id"))
            continue
        address, id_ = words
        for word, what in ((address, "the address"), (id_, "the id")):
            if word in seen:
                wrong.append(_wrong(file.name, number, f"{what} {word} stands already in line {seen[word]}"))
            seen.setdefault(word, number)
        if address not in loaded.graph.resources:
            what, hint = no_manifest(loaded.graph, address)
            wrong.append(_wrong(file.name, number, what, hint))
            continue
        yield address, (id_, number)


def _named(
    lines: Mapping[str, tuple[str, int]], file: str, job: Job, snapshot: Snapshot, wrong: list[Diagnostic]
) -> _Chosen:
    """What the lines name, as far as it is live and unmanaged; what is not is collected."""
    held = {entry.id: entry.address for entry in job.ledger.state.entries.values()}
    ids, managed = {}, []
    for address, (id_, number) in lines.items():
        resource, entry = job.graph.resources[address], job.ledger.entry(address)
        live = snapshot.get(resource.type, id_)
        if entry is not None and entry.id == id_:
            managed.append(address)
        elif entry is not None:
            wrong.append(_wrong(file, number, f"the state has {address} for {entry.id} already"))
        elif id_ in held:
            wrong.append(_wrong(file, number, f"the state has {held[id_]} for {id_} already"))
        elif live is None:
            wrong.append(_wrong(file, number, f"there is no live {KINDS[resource.kind].title} {id_}"))
        elif is_stock(live):
            wrong.append(_wrong(file, number, f"{id_} is Vapi's own: it can't be managed"))
        else:
            ids[address] = id_
    return _Chosen(ids, managed=tuple(managed))


def _wrong(file: str, line: int, summary: str, hint: str = "") -> Diagnostic:
    return Diagnostic(code="import-line", summary=summary, mark=Mark(file, line, 1), hint=hint)
