"""Pull: manifests for everything live that no state of the project has, and their adoption. Nothing live is changed.

What would come of the files is known before one is written: they are read as if they were there, and adopted on a copy
of the state. An object of which the plan would not be empty then is left out, and said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from voiceops.adopt import new_files
from voiceops.adopt.env_lines import env_text
from voiceops.adopt.found import Found
from voiceops.adopt.pulled import LeftOut, Pulled
from voiceops.adopt.repository import Repository, repository_of
from voiceops.adopt.wanted import Wanted
from voiceops.apply.account_binding import check_account
from voiceops.apply.adopting import Adoption, Rehearsed, adopt_rehearsed, adopt_seen, rehearse
from voiceops.apply.cut_off import types_needed
from voiceops.apply.job import Job
from voiceops.apply.revisions import Request
from voiceops.engine.planning.externals import externals_of
from voiceops.errors import InvalidProject, VoiceopsError
from voiceops.kinds.base import is_stock
from voiceops.kinds.registry import KINDS
from voiceops.manifest.files import as_if_written
from voiceops.manifest.problems import did_you_mean
from voiceops.model.address import owner_of
from voiceops.model.env_values import trimmed
from voiceops.model.graph import Graph
from voiceops.model.live import Snapshot
from voiceops.model.plan import Plan
from voiceops.model.values import format_path
from voiceops.model.wording import some_of
from voiceops.providers.secret_values import Secrets
from voiceops.providers.snapshot_reader import read_account
from voiceops.state.ledger import Ledger
from voiceops.state.store import Lease
from voiceops.use.blamed_manifests import as_comments, blamed
from voiceops.use.known_there import known_there
from voiceops.use.load_project import Loaded, check_lints, loaded_from, with_graph
from voiceops.use.local_sandbox import sandbox_keys
from voiceops.use.open_job import job_on
from voiceops.use.open_state import open_ledger
from voiceops.use.opened import Opened
from voiceops.use.origin import origin
from voiceops.use.other_environments import other_environments
from voiceops.use.scope_and_terms import Scope, check_adopts, options_of
from voiceops.use.state_place import check_place

_ROUNDS = 12  # in which what can't be said without a difference is left out
_MOST_FIELDS = 4


async def pull(
    opened: Opened,
    wanted: Wanted | None = None,
    out: str | None = None,
    *,
    dry_run: bool = False,
    local_state: bool = False,
) -> Pulled:
    """Write a manifest for each live object that is in no state of the project, and adopt it, in one revision.

    `out`: the folder of the manifests, from the project's; None takes the first of `manifests:`. `dry_run` writes
    nothing and takes no lock. Nothing that is there is changed, and a pull that was cut off is finished first. Raises
    InvalidProject: the manifests don't load; VoiceopsError: something is in the way, or nothing fits what is wanted;
    Locked, Refused, StateError and ProviderError.
    """
    wanted = wanted or Wanted()
    _check_kinds(wanted)
    project = opened.project
    check_adopts(project)
    folder = _folder(opened, out)
    if not dry_run:
        check_place(project, local=local_state, environ=opened.context.environ)
    async with open_ledger(opened) as ledger, _locked(ledger, dry_run) as lease:
        begun = new_files.begun(project.root, project.environment)
        if begun is not None and dry_run:
            raise VoiceopsError("the last pull was cut off", hint="`voiceops pull` finishes it.")
        kept = new_files.place(project.root, begun.files) if begun is not None else []
        loaded = _with_manifests(opened)
        async with job_on(ledger, loaded, options_of(project, Scope()), every_account=True) as job:
            snapshot, unread = await read_account(job.accounts, types_needed(job.graph, ledger))
            await check_account(job, ledger.state.binding, snapshot)
            notes = [f"{name} is not as the pull that was cut off wrote it: it stays as it is" for name in kept]
            notes += [f"{kind}: its list could not be read: {error.summary}" for kind, error in unread.items()]
            finished: Adoption | None = None
            if begun is not None and lease is not None:
                waiting = {a: id_ for a, id_ in begun.ids.items() if ledger.entry(a) is None}
                finished = await adopt_seen(job, waiting, _request(opened), snapshot, lease)
                notes += [f"{address} ({id_}) is not live any more" for address, id_ in finished.missing.items()]
                new_files.end(project.root, project.environment)
            work = _Work(opened, loaded, job, snapshot, wanted, folder, notes)
            pulled = await work.pulled(lease)
            if finished is not None:
                revision = pulled.revision or finished.revision
                pulled = replace(pulled, finished=len(finished.adopted), revision=revision)
            return pulled


def _check_kinds(wanted: Wanted) -> None:
    for kind in wanted.kinds:
        if kind not in KINDS:
            near = did_you_mean(kind, KINDS) or f"Kinds: {', '.join(KINDS)}."
            raise VoiceopsError(f"there is no kind {kind!r} with live objects", hint=near)


def _folder(opened: Opened, out: str | None) -> str:
    """The folder that manifests are written into, from the project's. Raises VoiceopsError: it lies outside."""
    if out is None:
        parts = Path(opened.project.manifests[0] if opened.project.manifests else "agents").parts
        plain_parts = [part for part in parts if not any(c in part for c in "*?[")]
        if plain_parts and plain_parts[-1].endswith((".yaml", ".yml")):
            plain_parts = plain_parts[:-1]
        return Path(*plain_parts).as_posix() if plain_parts else "."
    root = opened.project.root.resolve()
    path = (root / out).resolve()
    if path != root and root not in path.parents:
        raise VoiceopsError(f"{out} lies outside the project", hint="Name a folder below voiceops.yaml.")
    if path.exists() and not path.is_dir():
        raise VoiceopsError(f"{out} is no folder", hint="Nothing was written. Name another one with --out DIR.")
    return path.relative_to(root).as_posix()


@asynccontextmanager
async def _locked(ledger: Ledger, dry_run: bool) -> AsyncIterator[Lease | None]:
    if dry_run:
        yield None
        return
    async with ledger.store.lock("pull", 0.0) as lease:
        await ledger.refresh()
        yield lease


def _with_manifests(opened: Opened) -> Loaded:
    """The project with its manifests, also where there are none yet. Raises InvalidProject."""
    try:
        return loaded_from(opened)
    except InvalidProject as error:
        wrong = [d for d in error.diagnostics if d.severity == "error" and d.code != "manifests-missing"]
        if wrong:
            raise
        return with_graph(opened, Graph(opened.project.name, opened.project.environment, {}))


def _request(opened: Opened) -> Request:
    return Request(operation="pull", origin=origin(opened.project.root, opened.environ), sends=False)


@dataclass(slots=True)
class _Proposal:
    """Files that were thought through, with the job that adopts by them."""

    repository: Repository
    job: Job
    thought: Rehearsed | None = None


@dataclass(slots=True)
class _Work:
    """One look at the account, and what comes of it."""

    opened: Opened
    loaded: Loaded
    job: Job
    snapshot: Snapshot
    wanted: Wanted
    folder: str
    notes: list[str]
    left: dict[str, LeftOut] = field(default_factory=dict)  # by live id
    refused: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by live id: what lints refuse of it

    async def pulled(self, lease: Lease | None) -> Pulled:
        """Choose, write on paper, check, write, adopt."""
        project = self.opened.project
        found = await self._found()
        proposal = await self._proposal(found)
        repository, revision = proposal.repository, None
        if lease is not None and repository.files:
            revision = await self._written(proposal, lease)
        return Pulled(
            project=project.name,
            environment=project.environment,
            org=self.snapshot.org,
            folder=self.folder,
            files=tuple(sorted(repository.files)),
            ids=dict(sorted(repository.ids.items())),
            externals=dict(sorted(repository.externals.items())),
            shared=repository.shared,
            secrets=repository.secrets,
            left_out=tuple(self.left.values()),
            notes=(*self.notes, *repository.notes),
            revision=revision,
            written=lease is not None,
        )

    async def _found(self) -> list[Found]:
        """What is managed nowhere, nobody's and wanted."""
        owners = await self._owners()
        theirs = {str(live.get("id")) for live in externals_of(self.job.graph, self.snapshot).found.values()}
        self._check_ids(owners, theirs)
        waiting = self._waiting()
        found = []
        for kind in KINDS.values():
            for id_, live in sorted(self.snapshot.all(kind.type).items()):
                if id_ in owners or id_ in theirs or is_stock(live) or not self.wanted.means(kind.name, live):
                    continue
                name = str(kind.name_of(live) or "")
                if kind.name == "Phone" and live.get("number") in self.opened.project.previews.lines:
                    why = "previews.lines keeps it for previews: take it out there first"
                    self.left[id_] = LeftOut(kind=kind.name, id=id_, name=name, why=why)
                    continue
                if (declared := waiting.get((kind.name, name.casefold()))) is not None and name:
                    why = f"{declared} stands in the manifests for it: `voiceops import {declared} {id_}`"
                    self.left[id_] = LeftOut(kind=kind.name, id=id_, name=name, why=why)
                    continue
                found.append(Found(kind=kind.name, body=live, id=id_))
        if not found and not self.left and self.wanted.match:
            raise VoiceopsError(
                f"nothing unmanaged is called {self.wanted.match!r}",
                hint="`voiceops audit` lists what is unmanaged; a pattern is of live names, or of numbers.",
            )
        return found

    async def _owners(self) -> dict[str, str]:
        """Live id → who manages it, in any environment of the project."""
        owners: dict[str, str] = {}
        for other in await other_environments(self.opened, self.job.store, self.notes):
            for entry in other.state.entries.values():
                owners |= dict.fromkeys((entry.id, *entry.deposed), f"{entry.address} in {other.name}")
        for entry in self.job.ledger.state.entries.values():
            owners |= dict.fromkeys((entry.id, *entry.deposed), entry.address)
        return owners

    def _check_ids(self, owners: Mapping[str, str], theirs: Collection[str]) -> None:
        """Are the ids that were asked for there, and unmanaged? Raises VoiceopsError."""
        live = {id_: body for kind in KINDS.values() for id_, body in self.snapshot.all(kind.type).items()}
        for id_ in self.wanted.ids:
            if id_ in owners:
                raise VoiceopsError(f"{id_} is managed already: it is {owners[id_]}")
            if id_ not in live:
                raise VoiceopsError(f"nothing live has the id {id_}", hint="Check the id and the account.")
            if is_stock(live[id_]):
                raise VoiceopsError(f"{id_} is Vapi's own, the same in every organization: it can't be managed")
            if id_ in theirs:
                raise VoiceopsError(f"{id_} stands as external: in the manifests: somebody else manages it")

    def _waiting(self) -> dict[tuple[str, str], str]:
        """Manifests that nothing live stands for yet, by kind and live name (of a line: its number)."""
        return {
            (resource.kind, resource.name.casefold()): address
            for address, resource in self.job.graph.resources.items()
            if resource.name and self.job.ledger.entry(address) is None and owner_of(address) == address
        }

    async def _proposal(self, found: Sequence[Found]) -> _Proposal:
        """The files of everything of which the plan is empty then. Raises VoiceopsError where that can't be reached."""
        known = known_there(self.opened, self.job, self.snapshot, self.wanted, self.folder)
        for _ in range(_ROUNDS):
            kept = [replace(one, refused=self.refused.get(one.id, ())) for one in found if one.id not in self.left]
            others = {id_: one.name for id_, one in self.left.items()}
            repository = repository_of(kept, replace(known, others={**known.others, **others}))
            if not repository.files:
                return _Proposal(repository, self.job)
            if blocked := new_files.in_the_way(self.opened.project.root, repository.files):
                raise VoiceopsError(
                    f"{', '.join(blocked[:_MOST_FIELDS])} {'is' if len(blocked) == 1 else 'are'} in the way",
                    hint="Nothing was written. Move it away, or write into another folder: --out DIR.",
                )
            proposal = _Proposal(repository, self.job)
            wrong = await self._tried(proposal)
            if wrong == {}:
                return proposal
            self._leave_out(wrong or {}, repository, found)
        raise VoiceopsError("no manifests could be written that say what is live", hint="Pull single objects: --id ID.")

    def _leave_out(self, wrong: Mapping[str, str], repository: Repository, found: Sequence[Found]) -> None:
        by_id = {one.id: one for one in found}
        for address, why in wrong.items():
            one = by_id[repository.ids[address]]
            name = str(KINDS[one.kind].name_of(one.body) or "")
            self.left[one.id] = LeftOut(kind=one.kind, id=one.id, name=name, why=why)

    async def _tried(self, proposal: _Proposal) -> dict[str, str] | None:
        """Why which addresses would not be as they are live; where all are, the proposal has its job and what it makes.

        None: something is refused that may stand there under `allowUnknown`, for a live object is proof.
        """
        repository = proposal.repository
        shown = {one.name: one.value for one in repository.secrets if one.value is not None}
        opened = replace(self.opened, environ=trimmed({**shown, **self.opened.environ}))
        try:
            with as_if_written(opened.project.root, repository.files):
                loaded = loaded_from(opened)
                check_lints(loaded)
        except InvalidProject as error:
            blamed = self._blamed(error, repository)
            new = {repository.ids[a]: said for a, said in blamed.items() if repository.ids[a] not in self.refused}
            self.refused |= {id_: as_comments(said) for id_, said in new.items()}
            return None if new else {a: f"a manifest can't say it: {said[0]}" for a, said in blamed.items()}
        if any(address not in loaded.graph.resources for address in repository.ids):
            raise self._not_read()
        project = opened.project
        values = sandbox_keys(project, opened.environ) if project.providers.sandbox else opened.environ
        proposal.job = replace(self.job, graph=loaded.graph, secrets=Secrets(values, opened.context.redactor))
        proposal.thought = await rehearse(proposal.job, repository.ids, self.snapshot)
        return dict(_differing(proposal.thought.left, repository.ids))

    def _blamed(self, error: InvalidProject, repository: Repository) -> dict[str, list[str]]:
        """The new manifests that can't be read, or that lints refuse. Raises the error where it is none of them."""
        found = blamed(error, repository)
        if not found and any(said.code == "manifests-missing" for said in error.diagnostics):
            raise self._not_read()
        if not found:
            raise error
        return found

    def _not_read(self) -> VoiceopsError:
        return VoiceopsError(
            f"{self.folder} is not among the manifests of voiceops.yaml",
            hint="Nothing was written. Add the folder to manifests:, or name one of them with --out DIR.",
        )

    async def _written(self, proposal: _Proposal, lease: Lease) -> int | None:
        """The files, `.env`, and the adoption, so that the next pull finishes what ends in between."""
        root, environment = self.opened.project.root, self.opened.project.environment
        repository = proposal.repository
        shown = {one.name: one.value for one in repository.secrets if one.value is not None}
        if shown and new_files.add_variables(root, env_text(shown)):
            self.notes.append(".gitignore names .env now: it holds secrets")
        new_files.begin(root, environment, new_files.Begun(repository.files, repository.ids))
        try:
            new_files.place(root, repository.files)
        except VoiceopsError:
            new_files.end(root, environment)
            raise
        assert proposal.thought is not None  # nothing is written that was not tried
        taken = await adopt_rehearsed(proposal.job, proposal.thought, _request(self.opened), lease)
        new_files.end(root, environment)
        return taken.revision


def _differing(left: Plan, ids: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Which of these objects a plan would do anything for, and what."""
    for change in left.changes:
        address = owner_of(change.address)
        if change.matters and address in ids:
            names = [format_path(each.path) for each in change.fields]
            what = some_of(names, _MOST_FIELDS) if names else f"it ({change.reason})"
            yield address, f"a plan of its manifest would change {what}"
    for said in left.errors:
        if owner_of(said.address) in ids:
            yield owner_of(said.address), said.summary
