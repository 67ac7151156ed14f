"""`voiceops import`: take one live object into the state."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import click

from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import Address, local_state
from voiceops.errors import VoiceopsError


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
    from voiceops.apply.run import adopt
    from voiceops.cli.wiring import load, open_job, options_of
    from voiceops.use.origin import origin
    from voiceops.use.state_place import check_place

    loaded = load(console)
    check_place(loaded.project, local=local_state)
    if address not in loaded.graph.resources:
        raise VoiceopsError(f"no manifest declares {address}", hint="Write its manifest first; the fields may differ.")

    async def work() -> str:
        async with open_job(loaded, loaded.graph, replace(options_of(loaded.project))) as job:
            return await adopt(job, address, id_, origin(loaded.project.root, loaded.environ))

    name = asyncio.run(work())
    console.out(f"{address} now stands for {name} ({id_}). See `voiceops plan` for what differs.")
    return 0
