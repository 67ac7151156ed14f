"""How the phone lines of an environment stand: who is meant, who answers now, and why that differs. Reads only.

`status` shows the rows, and `doctor` finds the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx

from voiceops.apply.cut_off import types_needed
from voiceops.apply.doubt import lags
from voiceops.apply.job import Job
from voiceops.apply.run import plan
from voiceops.engine.lines.line_route import LiveRoute, Meant, Reason, Seen, live_route, server_of
from voiceops.engine.lines.traffic_split import day
from voiceops.engine.lines.twilio_number import lags as number_lags
from voiceops.engine.planning.externals import Externals, externals_of
from voiceops.errors import ProviderError, VoiceopsError
from voiceops.kinds.registry import KINDS
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.model.address import is_twilio_side, name_of, owner_of, twilio_side
from voiceops.model.graph import Resource
from voiceops.model.live import Snapshot
from voiceops.model.plan import Change, Plan
from voiceops.model.state import Entry, State
from voiceops.model.values import Outside, Ref
from voiceops.net.receiving import ask
from voiceops.net.together import both, together
from voiceops.net.trust import trust
from voiceops.net.until import until
from voiceops.net.user_agent import HEADERS
from voiceops.providers.answer_forms import maps_of
from voiceops.providers.snapshot_reader import read_live
from voiceops.use.last_calls import UNKNOWN, LastCall, newest_kept, newest_told
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import open_job
from voiceops.use.scope_and_terms import Scope, options_of

T = TypeVar("T")

_READY_TIMEOUT = 5.0  # seconds
_LAG = 3.0  # seconds for which lists may lag behind an apply that just ended
_POLL = 0.4
# What decides who answers, and what is asked for beside the manifests' own kinds.
LOOKED_AT = frozenset({"vapi_phone_number", "vapi_assistant", "vapi_squad", "vapi_tool", "vapi_credential"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line. `off` says what is wrong, each with what puts it right; empty when nothing is."""

    address: str
    number: str
    answers: str  # who picks up now: vapi | runtime | other | nobody
    target: str  # on whose behalf, as it was read
    meant: str  # whom the manifest means
    revision: int
    pending: int
    drift: tuple[str, ...]
    runtime: str  # ready | not ready | not asked
    applied: bool
    off: tuple[Reason, ...]
    notes: tuple[str, ...] = ()
    last: LastCall = UNKNOWN

    def to_data(self) -> dict[str, Any]:
        """As `status --format json` has it."""
        return {
            "address": self.address,
            "number": self.number,
            "answers": self.answers,
            "target": self.target,
            "meant": self.meant,
            "revision": self.revision,
            "pending": self.pending,
            "drift": list(self.drift),
            "runtime": self.runtime,
            "lastCall": self.last.at if self.last.known else None,
            "lastCallEndedReason": self.last.reason or None,
            "lastCallOk": self.last.ok,
            "off": [reason.text for reason in self.off],
            "reasons": [{"code": r.code, "summary": r.text, "fix": r.fix} for r in self.off],
            "notes": list(self.notes),
        }


async def status(loaded: Loaded, phone: str | None = None, *, unread: Callable[[str], None] | None = None) -> list[Row]:
    """How every line stands, or the one of this name or number: both vendors are asked what a caller gets now.

    The last call of each is the newer one of what Vapi tells and of what is kept here; `unread` hears which of them
    could not be read, and why. Raises VoiceopsError where there is no such line, ProviderError, Refused and StateError.
    """
    async with open_job(loaded, options_of(loaded.project, Scope())) as job:
        rows, (calls, why_not) = await both(lines(job, loaded.project.runtime_url), _last_calls(job))
        nothing = UNKNOWN if why_not else LastCall()
        told = {entry.address: calls.get(entry.id, nothing) for entry in job.ledger.state.entries.values()}
    kept, why = newest_kept(loaded, {row.address: (name_of(row.address), row.number) for row in rows})
    for whose, problem in (("at Vapi", why_not), ("that are kept here", why)):
        if problem and unread is not None:
            unread(f"The calls {whose} could not be read: {problem}")
    by_line = {row.address: (told.get(row.address, nothing), kept.get(row.address, nothing)) for row in rows}
    rows = [replace(row, last=max(by_line[row.address], key=lambda last: last.at)) for row in rows]
    if phone is None:
        return rows
    wanted = phone.removeprefix("Phone/")
    rows = [row for row in rows if wanted in (row.address.removeprefix("Phone/"), row.number)]
    if not rows:
        raise VoiceopsError(f"there is no line {phone}", hint="See `voiceops status`.")
    return rows


async def lines(job: Job, runtime_url: str | None, read: Snapshot | None = None) -> list[Row]:
    """Every line of the manifests and of the state, in the order of addresses. Raises ProviderError, Refused.

    `read` is what is live, where that was read just now.
    """
    ledger = job.ledger
    twilio = job.accounts.twilio
    types = types_needed(job.graph, ledger) | LOOKED_AT
    asked: list[Awaitable[Any]] = [
        _settled(job, types, ledger.state) if read is None else _told(read),
        twilio.status() if twilio is not None else _told(""),
        _ready(runtime_url) if runtime_url and _may_need_runtime(job) else _told("not asked"),
    ]
    snapshot, account_status, ready = await together(asked)
    found = await plan(job, snapshot)
    state = ledger.state
    seen = Seen(
        snapshot=snapshot,
        addresses={entry.id: entry.address for entry in state.entries.values()},
        account_status=account_status,
        runtime_url=runtime_url or "",
        vapi_url=job.accounts.vapi.api.base_url,
        today=day(snapshot.date),
    )
    addresses = sorted(a for a in found.numbers if a in job.graph.resources or a in state.entries)
    return [_row(job, found, state, seen, address, ready) for address in addresses]


async def _settled(job: Job, types: set[str] | frozenset[str], state: State) -> Snapshot:
    """What the lists show; right after an apply they are given a moment to show what it wrote."""
    read: list[Snapshot] = []

    async def whole() -> Snapshot | None:
        read.append(await read_live(job.accounts, types, for_plan=True))
        settle = job.options.settle
        return None if any(_lags(entry, read[-1], settle) for entry in state.entries.values()) else read[-1]

    return await until(whole, limit=_LAG, every=(_POLL,)) or read[-1]


def _lags(entry: Entry, snapshot: Snapshot, settle: float) -> bool:
    """Do the lists lack what was just written of an object, or the object itself?"""
    live = snapshot.get(entry.type, entry.id)
    if live is None:
        return lags(entry, snapshot, settle)
    older = number_lags(entry, live) if entry.type == TWILIO_TYPE else str(live.get("updatedAt")) < entry.updated_at
    return older and snapshot.date - entry.recorded_at < settle


def _row(job: Job, found: Plan, state: State, seen: Seen, address: str, ready: str) -> Row:
    entry, resource = state.entries.get(address), job.graph.resources.get(address)
    touching = [c for c in found.changes if owner_of(c.address) == address or address in c.affects]
    drifted = tuple(d.address for d in found.drift if any(c.address == d.address for c in touching))
    meant = _meant(job, state, address, found.numbers[address], externals_of(job.graph, seen.snapshot))
    asked = ready if resource is not None and _needs_runtime(meant, touching, address) else "not asked"
    route = live_route(meant, replace(seen, runtime=asked))
    off = [Reason("drift", f"{a} {_edited(found, a)}", "`voiceops drift` shows it.") for a in drifted]
    if entry is None:
        off.append(Reason("never-applied", f"{address} was never applied", "`voiceops apply`"))
    if resource is not None:
        off += _reasons(route, applied=entry is not None)
    off += [
        Reason(d.code, d.summary, d.hint)
        for d in found.diagnostics
        if d.severity == "error" and owner_of(d.address) == address and d.code not in ("number-missing",)
    ]
    off = [_with_true_fix(reason, found, touching, drifted) for reason in off]
    return Row(
        address=address,
        number=_shown_number(found, seen.snapshot, address, entry),
        answers=route.answers,
        target=route.who if resource is not None else f"{route.who} (no manifest)",
        meant=_meant_in_words(meant) if resource is not None else "",
        revision=state.in_force or state.revision,
        pending=sum(c.matters for c in touching),
        drift=drifted,
        runtime=asked,
        applied=entry is not None,
        off=tuple(off),
        notes=route.notes,
    )


def _reasons(route: LiveRoute, *, applied: bool) -> tuple[Reason, ...]:
    """Of a line that was never applied only what keeps it from being so: the rest is what the apply is for."""
    lasting = ("number-missing", "account-status", "no-voice", "number-status", "shadowed", "vapi-blocked")
    return tuple(reason for reason in route.reasons if applied or reason.code in lasting)


def _with_true_fix(reason: Reason, found: Plan, touching: Sequence[Change], drifted: Sequence[str]) -> Reason:
    """An edit that the project keeps, or refuses to overwrite, is not put back by an apply."""
    if not reason.fix.startswith("`voiceops apply`") or not drifted:
        return reason
    if any(d.code == "drift" and d.address in drifted for d in found.refusals):
        fix = (
            "drift: refuse keeps `voiceops apply` from it; `voiceops drift --accept` takes it over, drift: revert puts "
        )
        return replace(reason, fix=f"{fix}it back.")
    edited = [change for change in touching if change.address in drifted]
    if edited and not any(change.matters for change in edited):
        return replace(reason, fix="drift: keep leaves it so; with drift: revert `voiceops apply` puts it back.")
    return reason


def _edited(found: Plan, address: str) -> str:
    drift = next(d for d in found.drift if d.address == address)
    return "was deleted live" if drift.deleted else "was edited live"


def _shown_number(found: Plan, snapshot: Snapshot, address: str, entry: Entry | None) -> str:
    if found.numbers[address] != address:
        return found.numbers[address]
    live = snapshot.get(entry.type, entry.id) if entry is not None else None
    return str((live or {}).get("sipUri") or "")


def _meant(job: Job, state: State, address: str, number: str, externals: Externals) -> Meant:
    """Whom a line is meant to reach: the manifest's word, with the ids of the state and of what others manage."""
    resource, entry = job.graph.resources.get(address), state.entries.get(address)
    side, side_entry = job.graph.resources.get(twilio_side(address)), state.entries.get(twilio_side(address))
    body = resource.body if resource is not None else (entry.owned if entry is not None else {})
    target, target_id = _target(resource)
    held = state.entries.get(target)
    wanted = side.body.get("voice_url") if side is not None else None
    imported = (side_entry.imported or {}).get("voice_url", "") if side_entry is not None else ""
    server = server_of(body)
    runtime = resource is not None and bool(resource.routes)
    return Meant(
        address=address,
        provider=str(body.get("provider") or ""),
        number=str(body.get("number") or body.get("sipUri") or (number if number != address else "")),
        answer="runtime" if runtime else "vapi" if (target or server) and not _only_calls_out(resource) else "none",
        target=target,
        target_id=held.id
        if held is not None
        else target_id or str((externals.found.get(target) or {}).get("id") or ""),
        server_url=server,
        voice_url=wanted if isinstance(wanted, str) and runtime else "",
        imported_url=imported,
        phone_id=entry.id if entry is not None else "",
        account=job.accounts.twilio.account if job.accounts.twilio is not None else "",
        purchase=side is not None and side.purchase,
    )


def _only_calls_out(resource: Resource | None) -> bool:
    return resource is not None and resource.extra.get("answer") == "none"


def _target(resource: Resource | None) -> tuple[str, str]:
    """Whom the manifest means, and the id where it names one itself."""
    if resource is None:
        return "", ""
    if resource.routes:
        return resource.routes[0], ""
    for key in ("assistantId", "squadId"):
        value = resource.body.get(key)
        if isinstance(value, (Ref, Outside)):
            return value.address, ""
        if isinstance(value, str) and value:
            return f"{KINDS['Agent' if key == 'assistantId' else 'Squad'].title} {value}", value
    return "", ""


def _meant_in_words(meant: Meant) -> str:
    if meant.answer == "none":
        return "nobody: it calls out"
    return meant.target or "asks the runtime"


def _may_need_runtime(job: Job) -> bool:
    resources = job.graph.resources
    return "Credential/runtime" in resources or any(r.routes and r.kind == "Phone" for r in resources.values())


def _needs_runtime(meant: Meant, touching: list[Change], address: str) -> bool:
    """Does the line, or anything that it reaches, call the project's own runtime?"""
    reached = {c.address for c in touching if address in c.affects and not is_twilio_side(c.address)}
    return "Credential/runtime" in reached or meant.answer == "runtime"


async def _told(value: T) -> T:
    return value


async def _ready(url: str) -> str:
    try:
        async with httpx.AsyncClient(timeout=_READY_TIMEOUT, headers=HEADERS, verify=trust(url)) as client:
            answer = await ask(client, "GET", f"{url}/readyz", patience=_READY_TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL):
        return "not ready"
    return "ready" if answer.status_code == 200 else "not ready"


async def _last_calls(job: Job) -> tuple[dict[str, LastCall], str]:
    """The last call of each Vapi number, as far as Vapi's newest calls tell; or why they could not be read."""
    try:
        answer = await job.accounts.vapi.api.call("GET", "/call", params={"limit": 100})
    except ProviderError as error:
        return {}, error.summary
    return newest_told(maps_of(answer.data)), ""
