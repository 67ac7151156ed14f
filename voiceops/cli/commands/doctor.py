"""`voiceops doctor`: what stands between this machine and a working phone line."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import formats
from voiceops.model.safe_text import indented

_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}


@click.group("doctor", invoke_without_command=True)
@formats("text", "json")
@click.pass_context
def doctor_command(ctx: click.Context, format_: str) -> int:
    """Check keys and what they may do, accounts, clocks, number routing and the runtime; change nothing.

    Exit 1 when something is broken.

    \b
    Examples:
      voiceops -e prod doctor
      voiceops doctor signature --help
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from voiceops.cli.wiring import load, open_job, options_of
    from voiceops.manifest.vendor_bodies import WEBHOOK_SECRET
    from voiceops.use.doctor import Project, examine

    console: Console = ctx.obj
    loaded = load(console)
    project = Project(
        name=loaded.project.name,
        environment=loaded.project.environment,
        graph=loaded.graph,
        runtime_url=loaded.project.runtime_url,
        sandbox=loaded.project.providers.sandbox,
        has_secret=bool(loaded.environ.get(WEBHOOK_SECRET)),
    )
    found = asyncio.run(examine(project, open_job(loaded, loaded.graph, options_of(loaded.project))))
    if format_ == "json":
        console.data([finding.to_data() for finding in found])
    else:
        style = console.style()
        for finding in found:
            sign, colour = _SIGNS[finding.level]
            console.prose(f"{style(sign, colour)} {indented(f'{finding.what}: {finding.text}')}")
            if finding.hint:
                console.prose(f"    {indented(finding.hint)}")
    return 1 if any(finding.level == "error" for finding in found) else 0


def _add_signature(group: Any) -> None:
    from voiceops.cli.commands.signature import signature_command

    group.add_command(signature_command)


_add_signature(doctor_command)
