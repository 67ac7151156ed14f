"""A rollback in front of a terminal: what it would change, or what it does; and what is held afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voiceops import use
from voiceops.cli.terminal.apply_flags import Flags
from voiceops.cli.terminal.conduct import conduct
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.plans import keep, rendered
from voiceops.errors import Refused
from voiceops.render.text import render_diagnostic


def returned(
    console: Console,
    flags: Flags,
    opened: use.Opened,
    revision: int | None,
    ref: str | None,
    kept: use.KeptPlan | None,
) -> int:
    """Return to a revision or a git ref, with the question and the progress of an apply; the exit code.

    Raises VoiceopsError: where there is nothing to return to, and whatever an apply raises.
    """
    ended: list[use.Returned] = []

    def begin(goal: use.Goal) -> None:
        _note_warnings(console, goal)
        if flags.format_ == "text":
            console.note(f"Returning to {goal.name}.")

    async def work(confirm: Any, emit: Any, stop: Any) -> Any:
        ended.append(
            await use.rollback(
                opened,
                revision,
                ref=ref,
                scope=flags.scope(),
                terms=flags.terms(),
                saved=kept,
                confirm=confirm,
                emit=emit,
                stop=stop,
                begin=begin,
            )
        )
        return ended[0].outcome

    code = conduct(console, flags, work, protected=opened.project.safety.confirm, asks=kept is None)
    if code == 0 and flags.format_ == "text" and ended[0].held:
        revert = ended[0].revert
        console.note(
            "The manifests that were rolled back are held: they are not applied again until they change."
            + (f"\nTo say the same in git: {revert}" if revert else "")
        )
    return code


def shown(
    console: Console,
    flags: Flags,
    opened: use.Opened,
    revision: int | None,
    ref: str | None,
    out: Path | None,
    sign: Path | None,
) -> int:
    """Show what returning would change, and keep the plan where `out` says so; the exit code.

    Raises VoiceopsError: where there is nothing to return to, and whatever a plan raises.
    """
    found = completed(use.plan_rollback(opened, revision, ref=ref, scope=flags.scope()))
    plan, goal = found.plan, found.goal
    _note_warnings(console, goal)
    data = use.plan_data(plan, adopt=flags.adopt, rollback_to=goal.number, rollback_git=ref)
    keep(console, data, out, sign)
    if flags.format_ == "json":
        console.data(data)
    else:
        console.note(f"What returning to {goal.name} would change.")
        show = {"html": console.document, "text": console.prose}.get(flags.format_, console.out)
        show(rendered(plan, goal.loaded.graph, flags.format_, console))
    return Refused.exit_code if plan.refused and not plan.needs_force else 0


def _note_warnings(console: Console, goal: use.Goal) -> None:
    for found in goal.warnings:
        console.note(render_diagnostic(found, console.style()))
