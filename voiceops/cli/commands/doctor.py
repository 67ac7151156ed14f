"""`voiceops doctor`: what stands between this machine and a working phone line."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.commands.signature import signature_command
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
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
    console: Console = ctx.obj
    found = completed(use.examine(use.load(*console.place)))
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


doctor_command.add_command(signature_command)
