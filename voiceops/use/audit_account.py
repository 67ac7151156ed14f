"""Audit: what is unmanaged, double, unused, dangling, unanswered or about to be retired in an account. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.apply.cut_off import as_recovered, types_needed
from voiceops.apply.job import Job
from voiceops.audit.all_findings import findings
from voiceops.audit.audited_account import AuditedAccount, AuditedLine, ManagedBy
from voiceops.audit.finding import CODES, AuditFinding
from voiceops.audit.strange_lines import strange_lines
from voiceops.engine.lines.line_route import PHONE, Seen
from voiceops.engine.lines.traffic_split import day
from voiceops.engine.planning.externals import externals_of
from voiceops.errors import InvalidProject, ProviderError, VoiceopsError
from voiceops.kinds.registry import KINDS
from voiceops.manifest.project import Project
from voiceops.model.address import is_twilio_side
from voiceops.model.graph import Graph
from voiceops.model.live import Snapshot
from voiceops.model.state import State
from voiceops.providers.snapshot_reader import read_account
from voiceops.use.load_project import Loaded, loaded_from, with_graph
from voiceops.use.open_job import open_job
from voiceops.use.opened import Opened
from voiceops.use.other_environments import OtherEnvironment, other_environments
from voiceops.use.read_status import lines
from voiceops.use.scope_and_terms import Scope, options_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What is wrong (`findings`), what is good to know and may well be meant (`notes`), and what could not be looked
    at, with the reasons."""

    project: str
    environment: str
    org: str
    findings: tuple[AuditFinding, ...] = ()
    notes: tuple[AuditFinding, ...] = ()
    not_looked_at: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """As `audit --format json` has it."""
        counts = Counter(finding.code for finding in self.findings)
        return {
            "project": self.project,
            "environment": self.environment,
            "org": self.org,
            "summary": {code: counts[code] for code in CODES if counts[code]},
            "findings": [finding.to_data() for finding in self.findings],
            "notes": [note.to_data() for note in self.notes],
            "notLookedAt": list(self.not_looked_at),
        }


async def audit(opened: Opened, kinds: Iterable[str] = ()) -> Audited:
    """Everything in the environment's account that is not as people want it, or what is about objects of `kinds`.

    Works without manifests, and with ones that are broken. Raises VoiceopsError for a kind that is none, ProviderError,
    Refused and StateError.
    """
    wanted = tuple(kinds)
    for kind in wanted:
        if kind not in KINDS:
            raise VoiceopsError(f"there is no kind {kind!r} with live objects", hint=f"Kinds: {', '.join(KINDS)}.")
    loaded, notes = _with_manifests(opened)
    async with open_job(loaded, options_of(loaded.project, Scope()), every_account=True) as job:
        snapshot, unread = await read_account(job.accounts, types_needed(job.graph, job.ledger))
        state, _ = await as_recovered(job.ledger, snapshot, job.options.settle)
        elsewhere = await other_environments(opened, job.store, notes)
        account = await _account(job, state, elsewhere, snapshot, unread, loaded.project)
        found = findings(account, wanted)
    notes += [f"{_title(kind)}s could not be listed: {error.summary}" for kind, error in unread.items()]
    return Audited(
        project=loaded.project.name,
        environment=loaded.project.environment,
        org=snapshot.org,
        findings=tuple(one for one in found if one.grade == "finding"),
        notes=tuple(one for one in found if one.grade == "note"),
        not_looked_at=tuple(notes),
    )


def _title(kind: str) -> str:
    return KINDS[kind].title if kind in KINDS else "Twilio number"


def _with_manifests(opened: Opened) -> tuple[Loaded, list[str]]:
    """The project with its manifests; without them where there are none, or where they can't be used."""
    try:
        return loaded_from(opened), []
    except InvalidProject as error:
        graph = Graph(opened.project.name, opened.project.environment, {})
        said = [d for d in error.diagnostics if d.severity == "error" and d.code != "manifests-missing"]
        why = f"the manifests can't be used ({error.summary}), only the states are: "
        return with_graph(opened, graph), [why + d.summary for d in said[:1]]


async def _account(
    job: Job,
    state: State,
    elsewhere: list[OtherEnvironment],
    snapshot: Snapshot,
    unread: Mapping[str, ProviderError],
    project: Project,
) -> AuditedAccount:
    own, environment = externals_of(job.graph, snapshot), job.graph.environment
    pool = [live for live in snapshot.all(PHONE).values() if live.get("number") in project.previews.lines]
    outside = [*own.found.values(), *pool]
    owners: dict[str, ManagedBy] = {}
    for one in elsewhere:
        owners |= _owners(one.name, one.state)
        outside += externals_of(one.graph, snapshot).found.values() if one.graph is not None else ()
    owners |= _owners(environment, state)
    today = day(snapshot.date)
    seen = Seen(
        snapshot=snapshot,
        addresses={id_: owner.address for id_, owner in owners.items()},
        vapi_url=job.accounts.vapi.api.base_url,
        today=today,
    )
    twilio = job.accounts.twilio.account if job.accounts.twilio is not None else ""
    managed = await _managed_lines(job, state, snapshot, project.runtime_url)
    entries = state.entries.items()
    return AuditedAccount(
        snapshot=snapshot,
        environment=environment,
        owners=owners,
        outside=frozenset(str(live.get("id")) for live in outside),
        waiting=_waiting(job.graph, state),
        routed=frozenset(id_ for one in (state, *(e.state for e in elsewhere)) for id_ in _routed(one)),
        lines=(*managed, *strange_lines(seen, [line.id for line in managed], twilio)),
        externals=own.diagnostics,
        unread={kind: error.summary for kind, error in unread.items()},
        settling=frozenset(e.id for _, e in entries if snapshot.date - e.recorded_at < job.options.settle),
        gone=frozenset(id_ for id_, at in state.gone.items() if snapshot.date - at < job.options.settle),
        today=today,
    )


def _owners(environment: str, state: State) -> dict[str, ManagedBy]:
    return {
        id_: ManagedBy(environment, entry.address)
        for entry in state.entries.values()
        for id_ in (entry.id, *entry.deposed)
    }


def _routed(state: State) -> set[str]:
    """Live ids that a line of this state leads to, also where the runtime answers and the line's body names nobody."""
    lines_ = [entry for entry in state.entries.values() if entry.kind == "Phone"]
    return {state.entries[name].id for line in lines_ for name in line.depends if name in state.entries}


def _waiting(graph: Graph, state: State) -> dict[tuple[str, str], str]:
    """Manifests that nothing live stands for yet, by kind and live name."""
    return {
        (resource.kind, resource.name): address
        for address, resource in graph.resources.items()
        if resource.name and address not in state.entries and not is_twilio_side(address)
    }


async def _managed_lines(job: Job, state: State, snapshot: Snapshot, runtime_url: str | None) -> list[AuditedLine]:
    """The lines of this environment, as `status` sees them."""
    found = []
    for row in await lines(job, runtime_url, snapshot):
        entry, resource = state.entries.get(row.address), job.graph.resources.get(row.address)
        if entry is not None:
            found.append(
                AuditedLine(
                    id=entry.id,
                    number=row.number,
                    answers=row.answers,
                    meant=resource is not None and resource.extra.get("answer") == "none",
                    address=row.address,
                    reasons=tuple(reason for reason in row.off if reason.code != "drift"),
                )
            )
    return found
