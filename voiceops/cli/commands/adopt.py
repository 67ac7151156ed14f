"""`voiceops import`: take one live object into the state."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import Address, local_state


@click.command("import")
@click.argument("address", type=Address())
@click.argument("id_", metavar="ID")
@local_state
@click.pass_obj
def import_command(console: Console, address: str, id_: str, local_state: bool) -> int:
    """Adopt one live object: it becomes the live side of a manifest. Nothing live is changed.

    \b
    Example:
      voiceops import Agent/support 5b6d2d1e-8a4f-4d55-9d0c-2a4b3c1f7e90
    """
    name = completed(use.adopt(use.load(*console.place), address, id_, local_state=local_state))
    console.out(f"{address} now stands for {name} ({id_}). See `voiceops plan` for what differs.")
    return 0
