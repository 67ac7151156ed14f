"""`voiceops watch`: do calls go worse since an apply?"""

from __future__ import annotations

from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.apply_flags import Flags, apply_flags, check_can_ask
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.period import Span, database
from voiceops.render.watching import look_data, render_look


@click.command("watch")
@click.option("--after", type=click.IntRange(1, 2**31), metavar="REV", help="Since this revision [default: in force].")
@click.option("--for", "seconds", type=Span(), default="30m", show_default=True, metavar="T", help="How long.")
@click.option("--interval", type=Span(), default="30s", show_default=True, metavar="T", help="Between two looks.")
@click.option(
    "--min-calls",
    "least",
    type=click.IntRange(5, 100_000),
    default=30,
    show_default=True,
    help="Before the first look.",
)
@click.option("--rollback", is_flag=True, help="When something is worse, return to the revision before.")
@database
@apply_flags
@click.pass_obj
def watch_command(
    console: Console,
    /,
    after: int | None,
    seconds: float,
    interval: float,
    least: int,
    rollback: bool,
    db: str,
    **given: Any,
) -> int:
    """Compare the calls since an apply with as many before it, until something is worse beyond chance.

    Exit 2 once a figure is worse: good calls, failed calls, failed tools, waits, cost. Exit 0 at the end of the time.
    docs/calls.md has the rule, and how often it errs. With --rollback the environment then returns to the revision
    before, by the same plan and rules as `rollback`, whose flags it takes.

    \b
    Examples:
      voiceops -e prod apply plan.json && voiceops -e prod watch
      voiceops -e prod watch --for 2h --rollback --auto-approve -m "went worse"
    """
    flags = Flags(**given)
    if rollback:
        check_can_ask(flags, asks=True)
    last = completed(_looked(console, flags.format_, use.load(*console.place), after, seconds, interval, least, db))
    if last is None or not last.worse:
        return 0
    if rollback:
        from voiceops.cli.terminal.rollbacks import returned

        code = returned(console, flags, use.open_project(*console.place), None, None, None)
        return code or 2
    if flags.format_ == "text":
        console.note("To return to the revision before: voiceops rollback")
    return 2


async def _looked(
    console: Console,
    format_: str,
    loaded: use.Loaded,
    after: int | None,
    seconds: float,
    interval: float,
    least: int,
    db: str,
) -> use.Look | None:
    """Show each look that tells something new; the last one."""
    last: use.Look | None = None
    async for look in use.watch(loaded, after=after, seconds=seconds, interval=interval, least=least, database=db):
        if format_ == "json":
            console.line(look_data(look))
        elif last is None or (look.calls, look.number) != (last.calls, last.number):
            console.say(render_look(look, least, console.style()))
        last = look
    return last
