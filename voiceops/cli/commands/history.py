"""`voiceops history` and `voiceops show`."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import formats
from voiceops.errors import VoiceopsError


def _read(console: Console) -> tuple[list[dict[str, Any]], int]:
    """Revisions and notes in the order in which they came, and the revision in force."""
    from voiceops.cli.wiring import load_settings, store_of
    from voiceops.state.ledger import Ledger

    project = load_settings(console)
    store = store_of(project)

    async def read() -> tuple[list[dict[str, Any]], int]:
        async with store:
            ledger = await Ledger.open(store, project.name, project.environment)
            found = [*await store.revisions(), *await store.notes()]
            return found, ledger.state.in_force or ledger.state.revision

    found, in_force = asyncio.run(read())
    return sorted(found, key=_place), in_force


def _place(entry: dict[str, Any]) -> tuple[int, str]:
    return (entry["number"], "") if "number" in entry else (entry.get("after", 0), entry["id"])


@click.command("history")
@click.option("--revisions", "only", is_flag=True, help="Only what can be returned to: no refusals, no state changes.")
@formats("text", "json")
@click.pass_obj
def history_command(console: Console, only: bool, format_: str) -> int:
    """List what was done to the environment: number, when, who, what, how it ended, why.

    An apply that changed something is a revision and has a number. Refused and failed applies, and changes of the
    state by hand, stand between them, with an id that `show` takes.
    """
    from voiceops.render.history import history_data, render_history

    found, in_force = _read(console)
    if only:
        found = [entry for entry in found if "number" in entry]
    if format_ == "json":
        console.data([history_data(entry, in_force) for entry in found])
    else:
        console.prose(render_history(found, in_force, console.style()))
    return 0


@click.command("show")
@click.argument("revision", metavar="REV")
@formats("text", "json")
@click.pass_obj
def show_command(console: Console, revision: str, format_: str) -> int:
    """Show one apply: who, when, why, from which commit, the plan, what it overwrote, how it ended.

    REV is a revision's number, or the id that `history` gives to what is none.
    """
    from voiceops.render.history import render_entry

    found, _ = _read(console)
    entry = next((e for e in found if revision in (str(e.get("number", "")), e.get("id"))), None)
    if entry is None:
        raise VoiceopsError(f"there is no revision {revision}", hint="REV is a number or an id of `voiceops history`.")
    if format_ == "json":
        console.data(entry)
    else:
        console.prose(render_entry(entry, console.style(), verbose=console.verbose))
    return 0
