"""`voiceops rollback`: return to what an earlier apply left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from voiceops.cli.applying import Flags, apply_flags, check_can_ask, check_confirmed, run_apply
from voiceops.cli.console import Console
from voiceops.errors import VoiceopsError

if TYPE_CHECKING:
    from voiceops.engine.saved import SavedPlan


def _plan_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    return apply_flags(command, "markdown", "html")


@click.command("rollback")
@click.argument("revision", type=click.IntRange(1), required=False, metavar="[REV]")
@click.option("--plan-only", is_flag=True, help="Show what would change; change nothing.")
@_plan_flags
@click.pass_obj
def rollback_command(console: Console, /, revision: int | None, plan_only: bool, **given: Any) -> int:
    """Plan from an earlier revision's manifests, ask, and apply: what was deleted is made again, references follow.

    Without REV: the newest successful revision older than the one in force. It works without git and without the
    old files. Afterwards the environment is held: the manifests that were rolled back are not applied again until
    they change.

    \b
    Examples:
      voiceops -e prod rollback --plan-only
      voiceops -e prod rollback --auto-approve -m "wrong prices read out"
      voiceops -e prod rollback 12
    """
    flags = Flags(**given)
    if plan_only:
        return _show(console, flags, revision)
    if flags.format_ in ("markdown", "html"):
        raise VoiceopsError(f"--format {flags.format_} shows a plan", hint="Give --plan-only with it.")
    check_can_ask(flags, asks=True)
    return roll_back(console, flags, revision)


def roll_back(console: Console, flags: Flags, wanted: int | None, saved: SavedPlan | None = None) -> int:
    """Apply an earlier revision."""
    from voiceops.apply.revisions import Request
    from voiceops.cli.origin import origin
    from voiceops.cli.wiring import open_job

    loaded, number, options = _prepared(console, flags, wanted)
    check_confirmed(loaded.project, flags)
    request = Request(
        operation="rollback",
        message=flags.message,
        lock_timeout=flags.lock_timeout,
        origin=origin(loaded.project.root, loaded.environ),
        saved=saved,
        target=number,
    )
    if flags.format_ == "text":
        console.note(f"Returning to revision {number}.")
    return run_apply(
        console,
        loaded.project,
        flags,
        request,
        lambda: open_job(loaded, loaded.graph, options, flags.parallelism),
        asks=saved is None,
    )


def _show(console: Console, flags: Flags, wanted: int | None) -> int:
    from voiceops.apply.run import plan
    from voiceops.cli.plan import plan_data, rendered
    from voiceops.cli.wiring import open_job
    from voiceops.model.plan import Plan

    loaded, number, options = _prepared(console, flags, wanted)

    async def work() -> Plan:
        async with open_job(loaded, loaded.graph, options) as job:
            return await plan(job)

    found = asyncio.run(work())
    if flags.format_ == "json":
        console.data(plan_data(found, adopt=flags.adopt, rollback_to=number))
        return 0
    console.note(f"What returning to revision {number} would change.")
    console.out(rendered(found, loaded.graph, flags.format_, console))
    return 0


def _prepared(console: Console, flags: Flags, wanted: int | None) -> tuple[Any, int, Any]:
    """The project with the revision's graph in place of the manifests', its number, and the planning options."""
    from voiceops.apply.revisions import choose, graph_of
    from voiceops.cli.wiring import Loaded, checks_of, environment_variables, load_settings, options_of, store_of
    from voiceops.manifest.problems import Problems
    from voiceops.state.ledger import Ledger

    project = load_settings(console)
    store = store_of(project)

    async def read() -> dict[str, Any]:
        ledger = await Ledger.open(store, project.name, project.environment)
        return choose(await store.revisions(), ledger.state, wanted)

    revision = asyncio.run(read())
    problems = Problems()
    checks = checks_of(project, problems)
    problems.raise_errors()
    loaded = Loaded(project, graph_of(revision), (), environment_variables(project.root), checks)
    options = options_of(
        project, targets=flags.targets, labels=dict(flags.labels), force=flags.force, adopt=flags.adopt
    )
    return loaded, int(revision["number"]), replace(options, drift="revert")
