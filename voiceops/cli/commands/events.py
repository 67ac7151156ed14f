"""`voiceops events`: what the runtime was told and still has to do, and what its handlers failed at."""

from __future__ import annotations

import time
from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import formats
from voiceops.model.safe_text import one_line

_STATES = ("waiting", "working", "done", "dead")
_ID = click.IntRange(0, 2**63 - 1)  # what a database can hold


@click.group("events")
def events_command() -> None:
    """The runtime's queue: messages, their handlers' failures, and the way to run them again.

    \b
    Examples:
      voiceops events list --state dead
      voiceops events replay --dead
    """


@events_command.command("list")
@click.option("--state", type=click.Choice(_STATES), help="Only those that wait, are worked on, are done or dead.")
@click.option("--type", "type_", default="", metavar="TYPE", help="Only messages of this type.")
@click.option("-n", "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@formats("text", "json")
@click.pass_obj
def list_command(console: Console, state: str | None, type_: str, limit: int, format_: str) -> int:
    """The newest messages, without what they hold."""
    opened = use.open_project(*console.place)
    found, stats = completed(use.queued_events(opened, state=state or "", type_=type_, limit=limit))
    if stats is None:
        console.note(f"No events: nothing was served here yet in the environment {opened.project.environment}.")
    if format_ == "json":
        console.data([event.to_data() for event in found])
        return 0
    for event in found:
        data = event.to_data()
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(event.received))
        tail = f"  {event.error}" if event.error else ""
        console.prose(one_line(f"{data['id']:<20} {at}  {data['state']:<8} {event.type:<26} {event.call}{tail}"))
    if stats is not None:
        console.note(f"{stats.waiting} waiting, {stats.working} in work, {stats.dead} dead")
    return 0


@events_command.command("show")
@click.argument("event_id", type=_ID, metavar="ID")
@click.pass_obj
def show_command(console: Console, event_id: int) -> int:
    """One message with all that it holds: what callers said, and their numbers, too.

    The body is JSON, or a text where what came was none.
    """
    event = completed(use.queued_event(use.open_project(*console.place), event_id))
    console.data({**event.to_data(), "body": _shown(event.body)})
    return 0


def _shown(body: bytes) -> Any:
    """A body as something that every reader of JSON takes; a text where it is none."""
    from voiceops.runtime.json_text import loads

    try:
        return loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


@events_command.command("replay")
@click.argument("event_ids", type=_ID, nargs=-1, metavar="[ID]...")
@click.option("--dead", is_flag=True, help="All that failed too often.")
@click.option("--type", "type_", default="", metavar="TYPE", help="With --dead: only those of this type.")
@click.pass_obj
def replay_command(console: Console, event_ids: tuple[int, ...], dead: bool, type_: str) -> int:
    """Let the handlers work on messages again, with all their attempts; a running runtime does so at once."""
    if bool(event_ids) == dead:
        raise click.UsageError("name events, or say --dead.")
    opened = use.open_project(*console.place)
    changed, meant = completed(use.replay_events(opened, event_ids, type_=type_))
    console.out(f"{changed} of {meant} will run again.")
    return 0 if changed == meant else 1
