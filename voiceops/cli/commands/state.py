"""`voiceops state`: the state, by hand."""

from __future__ import annotations

from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import Address, formats, local_state
from voiceops.model.safe_text import one_line


@click.group("state")
def state_command() -> None:
    """Look at the state, and correct it by hand."""


@state_command.command("list")
@formats("text", "json")
@click.pass_obj
def list_command(console: Console, format_: str) -> None:
    """Every managed object: address, live id, name."""

    entries = completed(use.state_entries(use.open_project(*console.place)))
    if format_ == "json":
        console.data([{"address": e.address, "type": e.type, "id": e.id, "name": e.name} for e in entries])
        return
    for entry in entries:
        console.prose(one_line(f"{entry.address:<44} {entry.id:<38} {entry.name or ''}"))


@state_command.command("show")
@click.argument("address", type=Address())
@click.pass_obj
def show_command(console: Console, address: str) -> None:
    """One object as it was applied; secrets as fingerprints."""

    entry = completed(use.state_entry(use.open_project(*console.place), address))
    console.data({"address": address, **entry.to_data()})


@state_command.command("mv")
@click.argument("source", type=Address())
@click.argument("target", type=Address())
@local_state
@click.pass_obj
def mv_command(console: Console, source: str, target: str, local_state: bool) -> None:
    """Rename an object in the state, as `moved:` does in a manifest."""

    completed(use.move_entry(use.open_project(*console.place), source, target, local_state=local_state))
    console.note(f"{source} is now {target}.")


@state_command.command("unlock")
@click.argument("lock_id", metavar="ID")
@click.pass_obj
def unlock_command(console: Console, lock_id: str) -> None:
    """Take the lock away from a holder that is gone for good; the message about the lock names its ID.

    A holder that still works stops before its next change.
    """
    completed(use.unlock_state(use.open_for_state(*console.place), lock_id))
    console.note(f"The lock {lock_id} is gone.")


@state_command.command("rm")
@click.argument("address", type=Address())
@local_state
@click.pass_obj
def rm_command(console: Console, address: str, local_state: bool) -> None:
    """Forget an object: it stays live and is managed no more."""

    completed(use.forget_entry(use.open_project(*console.place), address, local_state=local_state))
    console.note(f"{address} is no longer managed; it stays live.")


@state_command.command("restore")
@click.argument("serial", type=int, required=False)
@local_state
@formats("text", "json")
@click.pass_obj
def restore_command(console: Console, serial: int | None, local_state: bool, format_: str) -> None:
    """Bring an old state back, also when the present one is damaged; without SERIAL: list those that are kept.

    What was made since stays live, and the journal stays: look at the plan before you apply.
    """
    opened = use.open_for_state(*console.place)
    if serial is None:
        _show_kept(console, completed(use.kept_states(opened)), format_)
        return
    now = completed(use.restore_state(opened, serial, local_state=local_state))
    console.note(f"The state is that of serial {serial} again, as serial {now}.")


def _show_kept(console: Console, states: list[dict[str, Any]], format_: str) -> None:
    rows = [
        {"serial": data["serial"], "revision": data.get("revision", 0), "objects": len(data.get("resources", {}))}
        for data in reversed(states)
    ]
    if format_ == "json":
        console.data(rows)
        return
    for row in rows:
        console.out(f"serial {row['serial']:<8} revision {row['revision']:<8} {row['objects']} objects")


@state_command.command("migrate")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--lock-timeout", type=float, default=0.0, metavar="S", help="Wait this long for either lock.")
@click.pass_obj
def migrate_command(console: Console, source: str, target: str, lock_timeout: float) -> None:
    """Copy this environment's state to an empty place: what was applied, journal, revisions, blobs.

    With `encryption:` in voiceops.yaml it is encrypted at TO, also where it was in clear at FROM.

    \b
    FROM and TO are written as in `state:`; {environment} in them is replaced:
      voiceops -e prod state migrate .voiceops/state s3://acme-voice/state
    """
    opened = use.open_project(*console.place)
    old, new, moved = completed(use.migrate_state(opened, source, target, lock_timeout=lock_timeout))
    console.note(
        f"{new} holds {moved.objects} objects, {moved.revisions} revisions, {moved.blobs} blobs and "
        f"{moved.records} journal records now.\nPoint `state:` there; what is in {old} stays, for you to delete."
    )
