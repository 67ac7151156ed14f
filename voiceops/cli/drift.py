"""`voiceops drift`."""

from __future__ import annotations

import asyncio

import click

from voiceops.cli.console import Console
from voiceops.cli.options import formats


@click.command("drift")
@formats("text", "json")
@click.pass_obj
def drift_command(console: Console, format_: str) -> int:
    """Show what was edited live since the last apply, by field; exit 2 where something was.

    \b
    Example, in a nightly job:
      voiceops -e prod drift
    """
    from voiceops.apply.run import plan
    from voiceops.cli.wiring import load, open_job, options_of
    from voiceops.model.plan import Plan
    from voiceops.render.text import render_drift

    loaded = load(console)

    async def work() -> Plan:
        async with open_job(loaded, loaded.graph, options_of(loaded.project, refresh_only=True)) as job:
            return await plan(job)

    found = asyncio.run(work())
    if format_ == "json":
        console.data(
            {
                "project": found.project,
                "environment": found.environment,
                "org": found.org,
                "resource_drift": [drift.to_data() for drift in found.drift],
            }
        )
    else:
        console.out(render_drift(found.drift, console.style()) or "No drift: what is live is what was applied.")
    return 2 if found.drift else 0
