"""`voiceops rollback`: return to what an earlier apply left, or to what the manifests of a git ref say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.apply_flags import Flags, apply_flags, check_can_ask, kept_plan, sign_flag, verify_flag
from voiceops.cli.terminal.console import Console
from voiceops.errors import VoiceopsError


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
    kept = kept_plan(console, plan_file, verify)
    opened = use.open_project(*console.place)
    from voiceops.cli.terminal.rollbacks import returned, shown

    if plan_only:
        return shown(console, flags, opened, revision, ref, out, sign)
    return returned(console, flags, opened, revision, ref, kept)


def _revision_and_file(goal: tuple[str, ...]) -> tuple[int | None, Path | None]:
    """A revision is a number, everything else the file of a plan. Raises VoiceopsError."""
    numbers = [int(text) for text in goal if text.isascii() and text.isdigit()]
    files = [Path(text) for text in goal if not (text.isascii() and text.isdigit())]
    if len(numbers) > 1 or len(files) > 1 or 0 in numbers:
        raise VoiceopsError("a rollback takes one revision and one plan's file at most", hint="See `voiceops history`.")
    return (numbers[0] if numbers else None), (files[0] if files else None)
