"""`voiceops calls`: what calls there were."""

from __future__ import annotations

from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.no_calls import note_what_has_calls
from voiceops.cli.terminal.options import formats
from voiceops.cli.terminal.period import database, period
from voiceops.render.call_list import call_data, call_details, calls_csv, render_call, render_calls

whole_numbers = click.option(
    "--numbers", is_flag=True, help="Show callers' numbers as they are kept, not without the middle."
)


@click.group("calls", invoke_without_command=True)
@period
@click.option("--agent", default="", metavar="NAME", help="Only calls of this agent.")
@click.option("--phone", default="", metavar="NAME", help="Only calls of this line, by its name or number.")
@click.option("--revision", type=click.IntRange(1, 2**31), metavar="N", help="Only calls that began under it.")
@click.option("--failed", is_flag=True, help="Only calls in which something broke.")
@click.option("--simulated", is_flag=True, help="Also calls that `simulate` played.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="At most so many.")
@whole_numbers
@formats("text", "json", "csv")
@database
@click.pass_context
def calls_command(ctx: click.Context, /, limit: int, numbers: bool, format_: str, db: str, **given: Any) -> int:
    """The calls that there were, the newest first: from the runtime's messages, and from Vapi's list after a `sync`.

    \b
    Examples:
      voiceops -e prod calls sync
      voiceops -e prod calls --since 24h --failed
      voiceops -e prod calls show 8f14e45f
      voiceops -e prod calls --since 7d --format csv > calls.csv
    """
    if ctx.invoked_subcommand is not None:
        return 0
    console: Console = ctx.obj
    wanted = use.CallFilter(**given)
    found = completed(use.list_calls(use.open_project(*console.place), wanted, limit=limit, database=db))
    if found is None:
        console.note("No calls are kept here yet. `voiceops calls sync` fetches them from Vapi.")
    elif not found:
        note_what_has_calls(console, wanted.agent, wanted.phone)
    if format_ == "json":
        console.data([call_data(call, numbers=numbers) for call in found or ()])
    elif format_ == "csv":
        console.out(calls_csv(found or ()))
    elif found is not None:
        console.prose(render_calls(found, console.style()))
    return 0


@calls_command.command("show")
@click.argument("id_", metavar="ID")
@whole_numbers
@formats("text", "json")
@database
@click.pass_obj
def show_command(console: Console, id_: str, numbers: bool, format_: str, db: str) -> int:
    """One call: how it went, what was said, which tools ran and how long the caller waited.

    Beside what was said stand the revision in force, the agent's version, and file and line of each prompt and tool. ID
    is a call's id, or the first characters of it.
    """
    shown = completed(use.show_call(use.open_project(*console.place), id_, database=db))
    if format_ == "json":
        console.data(call_details(shown.call, shown.in_force, numbers=numbers))
    else:
        console.prose(render_call(shown.call, console.style(), numbers=numbers, in_force=shown.in_force))
    if shown.unread:
        console.note(f"Which manifests were in force is not known: {shown.unread}")
    return 0


@calls_command.command("sync")
@period
@database
@click.pass_obj
def sync_command(console: Console, since: float | None, until: float | None, db: str) -> int:
    """Fetch the calls that Vapi's list has, and keep them beside those that the runtime was told of.

    Without --since from a day before the last sync on, the first time all. A call that is there already is kept once.
    """
    fetched = completed(use.sync_calls(use.load(*console.place), since=since, until=until, database=db))
    console.out(f"{fetched.told} calls read, {fetched.changed} of them new or changed.")
    return 0


@calls_command.command("forget")
@click.argument("number", metavar="NUMBER")
@database
@click.pass_obj
def forget_command(console: Console, number: str, db: str) -> int:
    """Delete every call of this number from the store, for good: a later sync does not bring them back.

    NUMBER is written with its plus, as +14155550123, or as `calls --numbers` shows it. Who was called in a batch is
    deleted, too, and no batch calls the number again. It says what Vapi and Twilio still hold; deleting it there is
    theirs to do.
    """
    gone = completed(use.forget_caller(use.open_project(*console.place), number, database=db))
    what = "1 call of this number was" if gone.calls == 1 else f"{gone.calls} calls of this number were"
    console.out(
        f"{what} deleted, and {'it does not come' if gone.calls == 1 else 'none of them comes'} back by a sync."
    )
    if gone.claims_left:
        console.note(
            "A batch is calling this number, or will, and keeps that until an hour after: run this again then."
        )
    console.note(
        "Vapi still holds its own record, recording and transcript of each call (dashboard, or DELETE /call/{id}),\n"
        "and Twilio its call logs and recordings (console: Monitor, Logs, Calls)."
    )
    return 0
