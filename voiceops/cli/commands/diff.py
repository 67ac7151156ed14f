"""`voiceops diff`: a revision against another, or against the manifests; an environment against another."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import formats
from voiceops.errors import VoiceopsError

if TYPE_CHECKING:
    from voiceops.cli.wiring import Loaded
    from voiceops.manifest.project import Project
    from voiceops.model.graph import Graph
    from voiceops.model.plan import Change

_RUNTIME = "https://runtime.of.the.environment"  # stands for either side's own address


@click.command("diff")
@click.argument("revisions", type=click.IntRange(1), nargs=-1, metavar="REV [REV]")
@click.option(
    "-e", "--environment", "environments", multiple=True, metavar="ENV", help="Two of them: compare environments."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when something differs.")
@formats("text", "json")
@click.pass_obj
def diff_command(
    console: Console, revisions: tuple[int, ...], environments: tuple[str, ...], detailed_exitcode: bool, format_: str
) -> int:
    """Show what differs between two revisions, between a revision and the manifests, or between two environments.

    Between environments the manifests are compared as each resolves them, without what is an environment's own
    (naming, accounts, the runtime's address); then comes what each has live, as far as it was applied.

    \b
    Examples:
      voiceops -e prod diff 12            what changed since revision 12
      voiceops -e prod diff 11 12         what revision 12 changed
      voiceops diff -e staging -e prod    what a promotion has still to bring
    """
    names = list(environments)
    if console.environment and (len(names) == 1 and not revisions):
        names.insert(0, console.environment)
    if len(names) == 2 and not revisions:
        found = _environments(console, names[0], names[1], format_)
    elif len(names) < 2 and 1 <= len(revisions) <= 2:
        console.environment = names[0] if names else console.environment
        found = _revisions(console, revisions, format_)
    else:
        raise VoiceopsError(
            "diff takes one or two revisions, or two environments",
            hint="voiceops diff 12, voiceops diff 11 12, or voiceops diff -e staging -e prod.",
        )
    return 2 if detailed_exitcode and found else 0


def _revisions(console: Console, numbers: tuple[int, ...], format_: str) -> bool:
    from voiceops.cli.wiring import load, load_settings, store_of
    from voiceops.engine.review.compare_graphs import compare
    from voiceops.model.graph import Graph
    from voiceops.render.compare_text import comparison_data, render_comparison

    store = store_of(load_settings(console))

    async def read() -> list[Graph]:
        async with store:
            return [Graph.from_data((await revision_of(store, number))["graph"]) for number in numbers]

    graphs = asyncio.run(read())
    names = [f"revision {number}" for number in numbers]
    if len(graphs) == 1:
        graphs.append(load(console).graph)
        names.append("the manifests")
    found = compare(graphs[0], graphs[1])
    if format_ == "json":
        console.data({"first": names[0], "second": names[1], "differences": comparison_data(found)})
    else:
        console.prose(render_comparison(found, names[0], names[1], console.style()))
    return bool(found)


async def revision_of(store: Any, number: int) -> dict[str, Any]:
    """One revision. Raises VoiceopsError."""
    found: dict[str, Any] | None = await store.revision(number)
    if found is None:
        raise VoiceopsError(f"there is no revision {number}", hint="See `voiceops history`.")
    return found


def _environments(console: Console, first: str, second: str, format_: str) -> bool:
    from voiceops.cli.wiring import load
    from voiceops.engine.review.compare_graphs import ACCOUNT_FIELDS, compare
    from voiceops.render.compare_text import comparison_data, render_comparison, render_live, render_settings

    loaded = [load(console, first), load(console, second)]
    both = all(one.project.runtime_url for one in loaded)
    first_graph, second_graph = (_alike(one, both_have_a_runtime=both) for one in loaded)
    found = compare(first_graph, second_graph, ACCOUNT_FIELDS)
    settings = _settings(loaded[0].project, loaded[1].project)
    live = {one.project.environment: asyncio.run(_live(one)) for one in loaded}
    if format_ == "json":
        console.data(
            {
                "first": first,
                "second": second,
                "differences": comparison_data(found),
                "settings": {name: list(values) for name, values in settings.items()},
                "live": live,
            }
        )
    else:
        console.prose(render_comparison(found, first, second, console.style()))
        if settings:
            console.prose(render_settings(settings, console.style()))
        console.prose(render_live(live, console.style()))
    return bool(found)


def _alike(loaded: Loaded, *, both_have_a_runtime: bool) -> Graph:
    """The graph without what is the environment's own: the same manifests come out equal."""
    from voiceops.manifest.compose import load_graph
    from voiceops.manifest.problems import Problems

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


async def _live(loaded: Loaded) -> dict[str, Any] | None:
    """What the environment's state says is live, held against its manifests; None before the first apply."""
    from voiceops.cli.wiring import store_of
    from voiceops.engine.review.compare_graphs import compare
    from voiceops.model.graph import Graph
    from voiceops.state.ledger import Ledger

    project = loaded.project
    async with store_of(project, loaded.environ) as store:
        ledger = await Ledger.open(store, project.name, project.environment)
        state = ledger.state
        revision = await store.revision(state.in_force or state.revision)
    if revision is None:
        return None
    pending: list[Change] = list(compare(Graph.from_data(revision["graph"]), loaded.graph))
    from voiceops.render.compare_text import comparison_data

    return {
        "revision": revision["number"],
        "at": revision["at"],
        "commit": revision["origin"].get("commit", ""),
        "objects": len(state.entries),
        "pending": [
            {key: d[key] for key in ("address", "difference")} | {"fields": [f["path"] for f in d["fields"]]}
            for d in comparison_data(pending)
        ],
    }
