"""What an apply leaves in the history, and what a rollback reads there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from voiceops._version import __version__
from voiceops.apply.result import Result
from voiceops.apply.session import Session
from voiceops.engine.planning.hold import bounded, still_held, taken_back
from voiceops.engine.planning.rollback_losses import LEFT_OUT
from voiceops.engine.review.saved_check import SavedPlan
from voiceops.model.graph import Graph
from voiceops.model.plan import Plan, shown
from voiceops.model.state import State
from voiceops.state.read_revisions import Revisions

REVISION_VERSION = 1
MOST_ROLLED_BACK = 10  # revisions of one rollback whose values are held: the newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How one apply was asked for. `origin` says who, from where and from which commit; `target` is a rollback's."""

    operation: str = "apply"  # apply | destroy | rollback | accept
    message: str = ""
    lock_timeout: float = 0.0
    origin: Mapping[str, Any] = field(default_factory=dict)
    saved: SavedPlan | None = None
    target: int | None = None
    ref: str = ""  # of git, where a rollback returns to one
    sends: bool = True  # False: what it does is in the state alone


def changed_something(session: Session, result: Result) -> bool:
    """Did an apply do anything, or may a request without an answer have? Else it is no revision."""
    return bool(result.done or session.ledger.intents)


async def close(graph: Graph, session: Session, plan: Plan, result: Result, request: Request) -> int:
    """Write the revision, then the state. Returns the revision's number."""
    state, revisions = session.ledger.state, session.ledger.revisions
    before = await revisions.get(state.in_force or state.revision)
    newest = max(await revisions.numbers(), default=0)
    number = max(state.revision, newest) + 1
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if (
        newest > state.revision
        and not (request.sends and plan.active)
        and await _is_of(revisions, newest, graph, request)
    ):
        number = newest  # it was written, and the process died before the state was
    else:
        await _write(graph, session, plan, result, request, number, now, before)
    after = in_force(graph, plan, result, before, session.ledger.state)
    await session.ledger.save(
        revision=number,
        applied_digest=graph.digest,
        applied_commit=str(request.origin.get("commit") or ""),
        in_force=_in_force_after(request, number, result),
        holds=await _holds(revisions, state, request, number, graph, after, session.options.release_hold, result),
    )
    return number


async def _is_of(revisions: Revisions, number: int, graph: Graph, request: Request) -> bool:
    found = await revisions.get(number) or {}
    return (found.get("digest"), found.get("operation")) == (graph.digest, request.operation)


async def _write(
    graph: Graph,
    session: Session,
    plan: Plan,
    result: Result,
    request: Request,
    number: int,
    now: str,
    before: dict[str, Any] | None,
) -> None:
    await session.ledger.store.add_revision(
        number,
        {
            "version": REVISION_VERSION,
            "number": number,
            "at": now,
            "operation": request.operation,
            "target": request.target,
            "ref": request.ref,
            "message": request.message,
            "origin": dict(request.origin),
            "result": "ok" if result.complete else "failed",
            "digest": graph.digest,
            "graph": in_force(graph, plan, result, before, session.ledger.state).to_data(),
            "plan": plan.to_data(version=__version__, timestamp=now),
            "overwritten": shown(session.overwritten),
            "failed": {key: session.secrets.redact(str(error)) for key, error in result.failed.items()},
            "skipped": result.skipped,
        },
    )


def _in_force_after(request: Request, number: int, result: Result) -> int:
    """A rollback that went through stands for what it returned to; one that did not, for itself."""
    return request.target if request.target and result.complete else number


def in_force(graph: Graph, plan: Plan, result: Result, before: dict[str, Any] | None, state: State) -> Graph:
    """What is applied now: the graph, but for objects that were left out, failed or skipped as it was before.

    So a revision of `--target`, of a saved plan or of a partial failure returns to what was live, no more and no less.
    """
    missed = {key.partition("#")[0] for key in (*result.failed, *result.skipped)}
    missed |= {change.address for change in plan.changes if change.reason in ("not_in_plan", LEFT_OUT)}
    seen = {address for c in plan.changes for address in (c.address, c.previous_address)}
    was = Graph.from_data(before["graph"]).resources if before else {}
    old = {address: resource for address, resource in was.items() if address in state.entries}
    resources = {}
    for address in dict.fromkeys((*graph.resources, *old)):
        source = old if address in missed or address not in seen else graph.resources
        if address in source:
            resources[address] = source[address]
    return replace(graph, resources=resources)


async def _holds(
    revisions: Revisions,
    state: State,
    request: Request,
    number: int,
    graph: Graph,
    after: Graph,
    released: bool,
    result: Result,
) -> Mapping[str, Any]:
    """What is held back: what a rollback took away, until it is released or somebody decided anew."""
    if request.operation != "rollback":
        if not result.complete:
            return state.holds
        return {} if released else still_held(state.holds, after)
    target = await revisions.get(request.target or 0)
    wanted = {graph.digest, target["digest"] if target else ""}
    held = {digest: dict(found) for digest, found in state.holds.items() if digest not in wanted}
    rolled = await _rolled_back(revisions, state, request)
    for revision in rolled:
        if revision["digest"] not in wanted:
            commit = (revision.get("origin") or {}).get("commit") or ""
            held[revision["digest"]] = {"revision": revision["number"], "commit": commit, "by": number}
    if state.applied_digest and state.applied_digest not in wanted:
        held[state.applied_digest] = {"revision": state.revision, "commit": state.applied_commit, "by": number}
        graphs = (Graph.from_data(r["graph"]) for r in rolled if r["operation"] != "destroy")
        held[state.applied_digest]["values"] = taken_back(graphs, after)
    return bounded(held)


async def _rolled_back(revisions: Revisions, state: State, request: Request) -> list[dict[str, Any]]:
    """The revisions that a rollback undoes: the one in force, and those since the one that it returns to."""
    newer = [n for n in await revisions.numbers() if request.target and request.target < n <= state.revision]
    found = []
    for number in dict.fromkeys((*newer[-MOST_ROLLED_BACK:], state.in_force or state.revision)):
        revision = await revisions.get(number)
        if revision is not None and revision["operation"] != "rollback":
            found.append(revision)
    return found


def returns_to(revision: dict[str, Any], original: dict[str, Any], state: State) -> bool:
    """Is this good enough to return to? `original` is what a rollback's own revision stands for, else the same."""
    in_force = state.in_force or state.revision
    older = revision["number"] < in_force and original["number"] < in_force
    return older and revision["result"] == "ok" and original["digest"] not in state.holds


def graph_of(revision: dict[str, Any]) -> Graph:
    """The manifests of a revision as a graph to plan from: the same, but that it never buys a number again."""
    return never_buying(Graph.from_data(revision["graph"]))


def never_buying(graph: Graph) -> Graph:
    """The same graph, of which no resource asks for a number to be bought."""
    resources = {address: replace(resource, purchase=False) for address, resource in graph.resources.items()}
    return replace(graph, resources=resources)


def moved_back(graph: Graph, revisions: Iterable[dict[str, Any]], since: int, state: State) -> Graph:
    """Objects renamed in the manifests since revision `since` get their old address again, and are not made anew."""
    now: dict[str, str] = {}  # address at that time → address today
    for revision in revisions:
        if revision["number"] > since and revision["result"] == "ok":
            for change in revision["plan"]["resource_changes"]:
                if old := change.get("previous_address"):
                    origin = next((a for a, b in now.items() if b == old), old)
                    now[origin] = change["address"]
    resources = {
        address: replace(resource, moved_from=now[address])
        if now.get(address) in state.entries and address not in state.entries
        else resource
        for address, resource in graph.resources.items()
    }
    return replace(graph, resources=resources)


def leaving_adopted(graph: Graph, revisions: Iterable[dict[str, Any]], since: int, state: State) -> Graph:
    """Objects that were live before they were managed, and were adopted since revision `since`: returning to a time
    before that lets them go again, and deletes none of them."""
    first: dict[str, bool] = {}  # id → was it adopted, as it was heard of first?
    for revision in revisions:
        if revision["number"] > since:
            adopts = str(revision["operation"]).partition(" ")[0] in ("pull", "import")
            for change in revision["plan"]["resource_changes"]:
                if change["id"]:
                    first.setdefault(str(change["id"]), adopts)
    adopted = {a for a, entry in state.entries.items() if a not in graph.resources and first.get(entry.id)}
    return replace(graph, forgotten=graph.forgotten | adopted)


def once_ours(revisions: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The id that each address had last, in any revision, oldest first."""
    return {
        change["address"]: str(change["id"])
        for revision in revisions
        for change in revision["plan"]["resource_changes"]
        if change["id"]
    }


def revert_line(revision: Mapping[str, Any] | None) -> str:
    """The command that takes a revision's commit back in git; empty where no commit is known."""
    origin = (revision or {}).get("origin") or {}
    if not origin.get("commit"):
        return ""
    return f"git revert {'-m 1 ' if origin.get('merge') else ''}{origin['commit']}"
