"""`voiceops history` and `voiceops show`."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import formats
from voiceops.render.history import history_data, render_entry, render_history


@click.command("history")
@click.option("--revisions", "only", is_flag=True, help="Only what can be returned to: no refusals, no state changes.")
@formats("text", "json")
@click.pass_obj
def history_command(console: Console, only: bool, format_: str) -> int:
    """List what was done to the environment: number, when, who, what, how it ended, why.

    An apply that changed something is a revision and has a number. Refused and failed applies, and changes of the
    state by hand, stand between them, with an id that `show` takes.
    """
    found = completed(use.history(use.open_project(*console.place)))
    entries = [entry for entry in found.entries if not only or "number" in entry]
    if format_ == "json":
        console.data([history_data(entry, found.in_force) for entry in entries])
    else:
        console.prose(render_history(entries, found.in_force, console.style()))
    return 0


@click.command("show")
@click.argument("revision", metavar="REV")
@formats("text", "json")
@click.pass_obj
def show_command(console: Console, revision: str, format_: str) -> int:
    """Show one apply: who, when, why, from which commit, the plan, what it overwrote, how it ended.

    REV is a revision's number, or the id that `history` gives to what is none.
    """
    entry = completed(use.history(use.open_project(*console.place))).entry(revision)
    if format_ == "json":
        console.data(entry)
    else:
        console.prose(render_entry(entry, console.style(), verbose=console.verbose))
    return 0
