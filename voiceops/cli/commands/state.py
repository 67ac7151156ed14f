"""`voiceops state`: the state, by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import Address, formats, local_state
from voiceops.errors import Locked, VoiceopsError
from voiceops.model.address import kind_of, name_of, owner_of
from voiceops.model.safe_text import one_line
from voiceops.state.ledger import Ledger

if TYPE_CHECKING:
    from voiceops.manifest.project import Project
    from voiceops.state.store import Store


@click.group("state")
def state_command() -> None:
    """Look at the state, and correct it by hand."""


def _with_ledger(console: Console, work: Callable[[Ledger], Awaitable[None]]) -> None:
    from voiceops.cli.wiring import load_settings, store_of

    project = load_settings(console)

    async def run() -> None:
        await work(await Ledger.open(store_of(project), project.name, project.environment))

    asyncio.run(run())


def _edit(
    console: Console, operation: str, summary: str, local: bool, work: Callable[[Ledger], Awaitable[None]]
) -> None:
    """Change the state under its lock, and tell the history."""
    from voiceops.cli.wiring import load_settings, store_of
    from voiceops.use.state_place import check_place

    project = load_settings(console)
    check_place(project, local=local)

    async def run() -> None:
        store = store_of(project)
        async with store.lock(operation, 0.0):
            ledger = await Ledger.open(store, project.name, project.environment)
            await work(ledger)
            await ledger.save()
            await _tell(project, store, operation, summary)

    asyncio.run(run())


async def _tell(project: Project, store: Store, operation: str, summary: str) -> None:
    from voiceops.apply.history_notes import write_note
    from voiceops.cli.wiring import environment_variables
    from voiceops.use.origin import origin

    who = origin(project.root, environment_variables(project.root))
    await write_note(store, operation=operation, result="ok", summary=summary, origin=who)


@state_command.command("list")
@formats("text", "json")
@click.pass_obj
def list_command(console: Console, format_: str) -> None:
    """Every managed object: address, live id, name."""

    async def work(ledger: Ledger) -> None:
        entries = sorted(ledger.state.entries.values(), key=lambda entry: entry.address)
        if format_ == "json":
            console.data([{"address": e.address, "type": e.type, "id": e.id, "name": e.name} for e in entries])
            return
        for entry in entries:
            console.out(one_line(f"{entry.address:<44} {entry.id:<38} {entry.name or ''}"))

    _with_ledger(console, work)


@state_command.command("show")
@click.argument("address", type=Address())
@click.pass_obj
def show_command(console: Console, address: str) -> None:
    """One object as it was applied; secrets as fingerprints."""

    async def work(ledger: Ledger) -> None:
        entry = ledger.state.entries.get(address)
        if entry is None:
            raise VoiceopsError(f"the state has no {address}", hint="See `voiceops state list`.")
        console.data({"address": address, **entry.to_data()})

    _with_ledger(console, work)


@state_command.command("mv")
@click.argument("source", type=Address())
@click.argument("target", type=Address())
@local_state
@click.pass_obj
def mv_command(console: Console, source: str, target: str, local_state: bool) -> None:
    """Rename an object in the state, as `moved:` does in a manifest."""

    async def work(ledger: Ledger) -> None:
        if kind_of(source) != kind_of(target):
            raise VoiceopsError(
                f"{source} can't become {target}: its live object stays of kind {kind_of(source)}",
                hint=f"Write {kind_of(source)}/{name_of(target)}.",
            )
        if target in ledger.state.entries:
            raise VoiceopsError(f"the state has {target} already")
        sides = [a for a in ledger.state.entries if owner_of(a) == source]
        if not sides:
            raise VoiceopsError(f"the state has no {source}", hint="See `voiceops state list`.")
        for address in sides:
            entry = ledger.state.entries[address]
            moved = target + address.removeprefix(source)
            await ledger.record_moved(address, moved)
            await ledger.record("", moved, replace(entry, address=moved))
        console.note(f"{source} is now {target}.")

    _edit(console, "state mv", f"{source} is now {target}", local_state, work)


@state_command.command("unlock")
@click.argument("lock_id", metavar="ID")
@click.pass_obj
def unlock_command(console: Console, lock_id: str) -> None:
    """Take the lock away from a holder that is gone for good; the message about the lock names its ID.

    A holder that still works stops before its next change.
    """
    from voiceops.cli.wiring import load_settings, store_of

    project = load_settings(console)

    async def run() -> None:
        store = store_of(project)
        await store.unlock(lock_id)
        with suppress(Locked):  # somebody has it already again
            async with store.lock("state unlock", 0.0):
                await _tell(project, store, "state unlock", f"the lock {lock_id} was taken away")

    asyncio.run(run())
    console.note(f"The lock {lock_id} is gone.")


@state_command.command("rm")
@click.argument("address", type=Address())
@local_state
@click.pass_obj
def rm_command(console: Console, address: str, local_state: bool) -> None:
    """Forget an object: it stays live and is managed no more."""

    async def work(ledger: Ledger) -> None:
        sides = [a for a in ledger.state.entries if owner_of(a) == address]
        if not sides:
            raise VoiceopsError(f"the state has no {address}", hint="See `voiceops state list`.")
        for side in sides:
            await ledger.record("", side, None)
        console.note(f"{address} is no longer managed; it stays live.")

    _edit(console, "state rm", f"{address} is no longer managed", local_state, work)


@state_command.command("restore")
@click.argument("serial", type=int, required=False)
@local_state
@formats("text", "json")
@click.pass_obj
def restore_command(console: Console, serial: int | None, local_state: bool, format_: str) -> None:
    """Bring an old state back, also when the present one is damaged; without SERIAL: list those that are kept.

    What was made since stays live, and the journal stays: look at the plan before you apply.
    """
    from voiceops.cli.wiring import load_settings, store_of
    from voiceops.use.state_place import check_place

    project = load_settings(console)
    if serial is not None:
        check_place(project, local=local_state)
    store = store_of(project)

    async def run() -> None:
        if serial is None:
            _show_kept(console, await store.states(), format_)
            return
        async with store.lock("restore", 0.0):
            data = await store.restore(serial)
            await _tell(project, store, "state restore", f"serial {serial} is back, as serial {data['serial']}")
        console.note(f"The state is that of serial {serial} again, as serial {data['serial']}.")

    asyncio.run(run())


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
    from voiceops.cli.wiring import load_settings, store_of
    from voiceops.state.migrate import migrate

    project = load_settings(console)
    old, new = store_of(project, location=source, plain=True), store_of(project, location=target)
    moved = asyncio.run(migrate(old, new, lock_timeout))
    console.note(
        f"{new.place} holds {moved.objects} objects, {moved.revisions} revisions, {moved.blobs} blobs and "
        f"{moved.records} journal records now.\nPoint `state:` there; what is in {old.place} stays, for you to delete."
    )
