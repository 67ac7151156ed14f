"""`voiceops call`: an agent calls a person, or the people of a file."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import Variable, formats
from voiceops.cli.terminal.period import TimeToCome, database
from voiceops.errors import PartialApply, VoiceopsError
from voiceops.render.outbound_calls import (
    left_of,
    plan_data,
    render_call_plan,
    render_result,
    render_results,
    render_status,
    result_data,
)
from voiceops.whole_file import write_whole


@click.command("call")
@click.argument("agent", metavar="AGENT")
@click.option("--to", metavar="NUMBER", default="", help="Whom to call, as +14155550123.")
@click.option(
    "--to-file",
    "people",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Call the people of a CSV file: columns number and name, the others are variables.",
)
@click.option("--from", "line", metavar="PHONE", default="", help="The line, by its name or number.")
@click.option(
    "--var", "variables", type=Variable(), multiple=True, metavar="K=V", help="A value for {{K}}; repeat for several."
)
@click.option("--at", type=TimeToCome(), metavar="TIME", help="Not before: a date and time, or 30m, 2h from now.")
@click.option("--batch", default="", metavar="NAME", help="The batch's name [default: AGENT/FILE].")
@click.option(
    "--do-not-call",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Numbers that are never called, one a line.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what came of each person; the file can be given in again.",
)
@click.option("--follow", is_flag=True, help="Wait until the calls are over, and say how they ended.")
@click.option("--yes", is_flag=True, help="Call; without it a file's people are only listed.")
@formats("text", "json")
@database
@click.pass_obj
def call_command(
    console: Console,
    /,
    agent: str,
    to: str,
    people: Path | None,
    variables: tuple[tuple[str, str], ...],
    batch: str,
    out: Path | None,
    follow: bool,
    yes: bool,
    format_: str,
    db: str,
    **given: Any,
) -> int:
    """Have an agent call a person, or the people of a file.

    Nobody is called outside the hours of `calling:` where the phone is, on a number of the do-not-call list, or twice
    in one batch, however often the same file is given in. Without --yes a file's people are only listed.

    \b
    Examples:
      voiceops -e prod call support --to +14155550123 --var order=1234 --follow
      voiceops -e prod call recall --to-file people.csv      who would be called
      voiceops -e prod call recall --to-file people.csv --yes --out results.csv

    \b
    Those that were refused, again:
      voiceops -e prod call recall --to-file results.csv --yes --out results.csv

    Exit 3: somebody could not be called, or it was not everybody's turn; 5: the one number may not be called, or not
    now.
    """
    if bool(to) == (people is not None):
        raise click.UsageError("Give --to NUMBER, or --to-file FILE.")
    if to and (batch or out):
        raise click.UsageError("--batch and --out go with --to-file.")
    _check_out(out)
    loaded = use.load(*console.place)
    wish = use.CallWish(agent=agent, to=to, people=people, variables=dict(variables), batch=batch, database=db, **given)
    plan = completed(use.prepare_calls(loaded, wish))
    for note in plan.notes:
        console.note(note)
    if not yes and not (plan.single and _asked(console, plan)):
        return _shown(console, plan, format_)
    return _placed(console, loaded, plan, format_, out, follow=follow)


def _asked(console: Console, plan: use.CallPlan) -> bool:
    """One number that somebody typed: they are asked, where they can be."""
    if not sys.stdin.isatty():
        return False
    console.note(render_call_plan(plan.caller, "", plan.rules.calling, plan.calls, console.style(sys.stderr)))
    return click.confirm("Call?", err=True)


def _shown(console: Console, plan: use.CallPlan, format_: str) -> int:
    """What would be done; nothing is."""
    wrong = any(call.step == "not" and not call.meant for call in plan.calls)
    if format_ == "json":
        console.data(_about(plan) | {"dryRun": True, "people": [plan_data(call) for call in plan.calls]})
    else:
        batch = "" if plan.single else plan.batch
        console.prose(render_call_plan(plan.caller, batch, plan.rules.calling, plan.calls, console.style()))
        console.note("\nNobody was called. With --yes it is done.")
    if plan.single:
        raise VoiceopsError("nobody was called: give --yes")
    return PartialApply.exit_code if wrong else 0


def _about(plan: use.CallPlan) -> dict[str, Any]:
    return {"agent": plan.caller.agent, "line": plan.caller.line, "batch": None if plan.single else plan.batch}


def _placed(
    console: Console, loaded: use.Loaded, plan: use.CallPlan, format_: str, out: Path | None, *, follow: bool
) -> int:
    style = console.style(sys.stderr)

    noted: list[str] = []

    def told(result: use.CallResult) -> None:
        if not plan.single:
            console.note(render_result(result, style))

    def waits(text: str) -> None:
        if text not in noted[-1:]:
            console.note(text)
        noted.append(text)

    async def work() -> use.Placed:
        stop = asyncio.Event()
        _listen(stop, console.note)
        placing = use.Placing(told=told, ended=told, noted=waits, stop=stop, follow=follow and not plan.single)
        placed = await use.make_calls(loaded, plan, placing)
        (first, *_) = placed.results
        if follow and plan.single and first.result == "called":
            await use.follow_call(loaded, first.call, lambda call: console.note(render_status(call)), stop)
        return placed

    placed = completed(work())
    if out is not None:
        write_whole(out, use.result_csv(placed.results, plan.columns, plan.batch).encode(), mode=0o600)
    if format_ == "json":
        console.data(_about(plan) | {"people": [result_data(result) for result in placed.results]})
    else:
        console.prose(render_result(placed.results[0]) if plan.single else render_results(placed.results))
    if placed.broken is not None:
        console.failure(placed.broken)
    if left := left_of(placed.results):
        console.note(f"{left} left: give the same file in again.")
    if not any(result.wants_attention for result in placed.results):
        return 0
    return VoiceopsError.exit_code if plan.single else PartialApply.exit_code


def _listen(stop: asyncio.Event, note: Callable[[str], None]) -> None:
    def heard() -> None:
        stopping = stop.is_set()
        stop.set()  # first: a terminal that is gone takes no note
        if not stopping:
            note("Stopping: what is being sent is finished, nobody else is called. Calls go on without this command.")

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, heard)


def _check_out(out: Path | None) -> None:
    """A result may take the place of a result, and of nothing else."""
    if out is None or not out.exists():
        return
    with out.open("rb") as stream:
        head = stream.read(100_000)
    if head.strip() and not use.is_result(head):
        raise VoiceopsError(f"{out} is there, and no result of a batch", hint="Give another name to --out.")
