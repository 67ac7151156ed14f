"""Compare: a revision with another or with the manifests, and an environment with another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.engine.review.compare_graphs import ACCOUNT_FIELDS
from voiceops.engine.review.compare_graphs import compare as compare_graphs
from voiceops.errors import VoiceopsError
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import Project
from voiceops.model.graph import Graph
from voiceops.model.plan import Change
from voiceops.use.load_project import Loaded, loaded_from
from voiceops.use.open_state import open_ledger
from voiceops.use.opened import Opened

_RUNTIME = "https://runtime.of.the.environment"  # stands for either side's own address


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What an environment's state says is live. `pending`: how its manifests differ from that."""

    revision: int
    at: str
    commit: str
    objects: int
    pending: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How `second` differs from `first`; between environments also their settings, and what each has live (None:
    nothing was applied yet)."""

    first: str
    second: str
    differences: tuple[Change, ...]
    settings: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    live: dict[str, Live | None] = field(default_factory=dict)


async def compare_revisions(opened: Opened, numbers: Sequence[int]) -> Comparison:
    """Two revisions, or one with the manifests. Raises VoiceopsError where there is none of that number."""
    async with open_ledger(opened) as ledger:
        graphs = [Graph.from_data((await _revision(ledger.store, number))["graph"]) for number in numbers]
    names = [f"revision {number}" for number in numbers]
    if len(graphs) == 1:
        graphs.append(loaded_from(opened).graph)
        names.append("the manifests")
    found = compare_graphs(graphs[0], graphs[1])
    return Comparison(first=names[0], second=names[1], differences=tuple(found))


async def compare_environments(first: Loaded, second: Loaded) -> Comparison:
    """The manifests as each environment resolves them, without what is an environment's own (naming, accounts, the
    runtime's address); and what each has live. Raises StateError, Refused."""
    both = bool(first.project.runtime_url and second.project.runtime_url)
    graphs = [_alike(one, both_have_a_runtime=both) for one in (first, second)]
    return Comparison(
        first=first.project.environment,
        second=second.project.environment,
        differences=tuple(compare_graphs(graphs[0], graphs[1], ACCOUNT_FIELDS)),
        settings=_settings(first.project, second.project),
        live={one.project.environment: await _live(one) for one in (first, second)},
    )


async def _revision(store: Any, number: int) -> dict[str, Any]:
    found: dict[str, Any] | None = await store.revision(number)
    if found is None:
        raise VoiceopsError(f"there is no revision {number}", hint="See `voiceops history`.")
    return found


def _alike(loaded: Loaded, *, both_have_a_runtime: bool) -> Graph:
    """The graph without what is the environment's own: the same manifests come out equal."""
    project = replace(loaded.project, prefix="", suffix="")
    if both_have_a_runtime:
        project = replace(project, runtime_url=_RUNTIME)
    return load_graph(project, loaded.environ, Problems())


def _settings(one: Project, other: Project) -> dict[str, tuple[Any, Any]]:
    pairs = {
        "runtime.url": (one.runtime_url, other.runtime_url),
        "runtime.auth": (one.runtime_auth, other.runtime_auth),
        "naming.prefix": (one.prefix, other.prefix),
        "naming.suffix": (one.suffix, other.suffix),
        "providers": (_providers(one), _providers(other)),
        "drift": (one.drift, other.drift),
        "safety.maxDestroyPercent": (one.safety.max_destroy_percent, other.safety.max_destroy_percent),
        "safety.confirm": (one.safety.confirm, other.safety.confirm),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _providers(project: Project) -> str:
    return "the sandbox" if project.providers.sandbox else f"{project.providers.vapi_url}"


async def _live(loaded: Loaded) -> Live | None:
    async with open_ledger(loaded) as ledger:
        state = ledger.state
        revision = await ledger.revisions.get(state.in_force or state.revision)
    if revision is None:
        return None
    return Live(
        revision=revision["number"],
        at=revision["at"],
        commit=revision["origin"].get("commit", ""),
        objects=len(state.entries),
        pending=tuple(compare_graphs(Graph.from_data(revision["graph"]), loaded.graph)),
    )
