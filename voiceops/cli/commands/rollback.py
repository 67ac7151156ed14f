"""`voiceops rollback`: return to what an earlier apply left, or to what the manifests of a git ref say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voiceops.cli.applying import Flags, apply_flags, check_can_ask, check_confirmed, run_apply
from voiceops.cli.saved_plan import KeptPlan, check_asked, read_plan, sign_flag, verify_flag, write_plan
from voiceops.cli.terminal.console import Console
from voiceops.errors import Diagnostic, InvalidProject, Refused, VoiceopsError

if TYPE_CHECKING:
    from voiceops.cli.wiring import Loaded
    from voiceops.engine.options import Options


def _plan_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    return apply_flags(command, "markdown", "html")


@click.command("rollback")
@click.argument("goal", nargs=-1, metavar="[REV] [PLANFILE]")
@click.option("--git", "ref", metavar="REF", help="Return to the manifests of this commit, tag or branch.")
@click.option("--plan-only", is_flag=True, help="Show what would change; change nothing.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --plan-only: keep the plan for `rollback FILE`.",
)
@sign_flag
@verify_flag
@_plan_flags
@click.pass_obj
def rollback_command(
    console: Console,
    /,
    goal: tuple[str, ...],
    ref: str | None,
    plan_only: bool,
    out: Path | None,
    sign: Path | None,
    verify: str | None,
    **given: Any,
) -> int:
    """Plan from an earlier revision's manifests, ask, and apply: what was deleted is made again, references follow.

    Without REV: the newest successful revision older than the one in force. It works without git and without the
    old files; --git takes the manifests of a ref instead. No number is ever bought: what can't come back is said.
    Afterwards the environment is held: what was rolled back is not applied again until it changes.

    With PLANFILE, kept by --plan-only --out: what was reviewed, and nothing else. It must return to the same revision.

    \b
    Examples:
      voiceops -e prod rollback --plan-only
      voiceops -e prod rollback --auto-approve -m "wrong prices read out"
      voiceops -e prod rollback 12
      voiceops -e prod rollback 12 plan.json
      voiceops -e prod rollback --git v1.4.0
    """
    flags = Flags(**given)
    revision, plan_file = _revision_and_file(goal)
    if revision is not None and ref is not None:
        raise VoiceopsError("a rollback returns to a revision or to a git ref, not to both")
    if plan_only and plan_file is not None:
        raise VoiceopsError("--plan-only makes a plan, and one is given", hint="Leave one of them out.")
    if out is not None and not plan_only:
        raise VoiceopsError("--out keeps what --plan-only shows", hint="Give --plan-only with it.")
    if sign is not None and out is None:
        raise VoiceopsError("--sign signs a kept plan", hint="Give --out FILE, too.")
    if not plan_only:
        if flags.format_ in ("markdown", "html"):
            raise VoiceopsError(f"--format {flags.format_} shows a plan", hint="Give --plan-only with it.")
        check_can_ask(flags, asks=plan_file is None)
    kept = read_plan(plan_file, verify)
    with _goal(console, flags, revision, ref) as found:
        if kept is not None:
            check_asked(kept, adopt=flags.adopt, rollback_to=found.number, rollback_git=ref)
        return _show(console, flags, found, out, sign) if plan_only else _apply(console, flags, found, kept)


def _revision_and_file(goal: tuple[str, ...]) -> tuple[int | None, Path | None]:
    """A revision is a number, everything else the file of a plan. Raises VoiceopsError."""
    numbers = [int(text) for text in goal if text.isascii() and text.isdigit()]
    files = [Path(text) for text in goal if not (text.isascii() and text.isdigit())]
    if len(numbers) > 1 or len(files) > 1 or 0 in numbers:
        raise VoiceopsError("a rollback takes one revision and one plan's file at most", hint="See `voiceops history`.")
    return (numbers[0] if numbers else None), (files[0] if files else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Goal:
    """Where to return to: the project with the old graph in place of the manifests', and the planning options."""

    name: str
    loaded: Loaded
    options: Options
    number: int | None = None
    ref: str = ""
    asked: str | None = None  # the git ref as it was given


def _apply(console: Console, flags: Flags, goal: _Goal, kept: KeptPlan | None) -> int:
    from voiceops.apply.revisions import Request
    from voiceops.cli.wiring import open_job
    from voiceops.use.origin import origin

    loaded = goal.loaded
    check_confirmed(loaded.project, flags)
    request = Request(
        operation="rollback",
        message=flags.message,
        lock_timeout=flags.lock_timeout,
        origin=origin(loaded.project.root, loaded.environ) | (kept.origin if kept else {}),
        saved=kept.plan if kept else None,
        target=goal.number,
        ref=goal.ref,
    )
    if flags.format_ == "text":
        console.note(f"Returning to {goal.name}.")
    code = run_apply(
        console,
        loaded.project,
        flags,
        request,
        lambda: open_job(loaded, loaded.graph, goal.options, flags.parallelism),
        asks=kept is None,
    )
    if code == 0 and flags.format_ == "text":
        _tell_hold(console, loaded)
    return code


def _tell_hold(console: Console, loaded: Loaded) -> None:
    """What keeps the next pipeline run from undoing this, and how to make git say the same."""
    from voiceops.apply.revisions import revert_line
    from voiceops.cli.wiring import store_of
    from voiceops.state.ledger import Ledger

    project = loaded.project

    async def read() -> str | None:
        async with store_of(project, loaded.environ) as store:
            holds = (await Ledger.open(store, project.name, project.environment)).state.holds
            newest = max((int(held["revision"]) for held in holds.values()), default=0)
            return revert_line(await store.revision(newest)) if newest else None

    line = asyncio.run(read())
    if line is not None:
        console.note(
            "The manifests that were rolled back are held: they are not applied again until they change."
            + (f"\nTo say the same in git: {line}" if line else "")
        )


def _show(console: Console, flags: Flags, goal: _Goal, out: Path | None, sign: Path | None) -> int:
    from voiceops.apply.run import plan
    from voiceops.cli.commands.plan import plan_data, rendered
    from voiceops.cli.wiring import open_job
    from voiceops.model.plan import Plan

    loaded = goal.loaded

    async def work() -> Plan:
        async with open_job(loaded, loaded.graph, goal.options) as job:
            return await plan(job)

    found = asyncio.run(work())
    data = plan_data(found, adopt=flags.adopt, rollback_to=goal.number, rollback_git=goal.asked)
    if out is not None:
        write_plan(out, data, sign)
        console.note(f"Plan kept in {out}{', signed' if sign else ''}.")
    if flags.format_ == "json":
        console.data(data)
        return Refused.exit_code if found.refused and not found.needs_force else 0
    console.note(f"What returning to {goal.name} would change.")
    show = {"html": console.document, "text": console.prose}.get(flags.format_, console.out)
    show(rendered(found, loaded.graph, flags.format_, console))
    return Refused.exit_code if found.refused and not found.needs_force else 0


@contextmanager
def _goal(console: Console, flags: Flags, wanted: int | None, ref: str | None) -> Iterator[_Goal]:
    from voiceops.apply.revisions import choose, graph_of, moved_back, never_buying, once_ours
    from voiceops.cli.wiring import Loaded, checks_of, environment_variables, load_settings, options_of, store_of
    from voiceops.manifest.problems import Problems
    from voiceops.model.state import State
    from voiceops.state.ledger import Ledger

    project = load_settings(console)

    async def read() -> tuple[list[dict[str, Any]], State]:
        async with store_of(project) as store:
            ledger = await Ledger.open(store, project.name, project.environment)
            return await store.revisions(), ledger.state

    revisions, state = asyncio.run(read())
    problems = Problems()
    checks = checks_of(project, problems)
    problems.raise_errors()
    options = options_of(
        project,
        targets=flags.targets,
        labels=dict(flags.labels),
        excluded=flags.excluded,
        force=flags.force,
        adopt=flags.adopt,
        returning=once_ours(revisions),
    )
    # Edits since then are what a rollback undoes: none of them may refuse it, but what belongs to the dashboard stays.
    kept = {field: policy for field, policy in project.drift_fields.items() if policy == "keep"}
    options = replace(options, drift="revert", drift_fields=kept)
    variables = environment_variables(project.root)
    if ref is None:
        revision = choose(revisions, state, wanted)
        number = int(revision["number"])
        graph = moved_back(graph_of(revision), revisions, number, state)
        loaded = Loaded(project, graph, (), variables, checks)
        yield _Goal(name=f"revision {number}", loaded=loaded, options=options, number=number)
        return
    from voiceops.cli.at_ref import graph_at

    with graph_at(project, ref) as (graph, commit, wrong):
        _judge(console, wrong, commit, revisions)
        loaded = Loaded(project, never_buying(graph), (), variables, checks)
        name = ref if commit.startswith(ref) else f"{ref} ({commit[:12]})"
        yield _Goal(name=name, loaded=loaded, options=options, ref=name, asked=ref)


def _judge(console: Console, wrong: Sequence[Diagnostic], commit: str, revisions: Sequence[Mapping[str, Any]]) -> None:
    """What `apply` would refuse is not returned to, either, unless these very manifests were live: then it is said.

    Raises InvalidProject.
    """
    from voiceops.render.text import render_diagnostic

    origins = [r["origin"] for r in revisions if r.get("result") == "ok" and isinstance(r.get("origin"), Mapping)]
    if wrong and not any(o.get("commit") == commit and not o.get("dirty") for o in origins):
        raise InvalidProject([*wrong])
    for found in wrong:
        console.note(render_diagnostic(replace(found, severity="warning"), console.style()))
