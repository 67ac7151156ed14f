"""`voiceops validate`."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import formats


@click.command("validate")
@formats("text", "json", "sarif", "github")
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@click.option("-e", "--environment", "environment", metavar="ENV|all", help="The environment, or all of them.")
@click.pass_obj
def validate_command(console: Console, format_: str, strict: bool, environment: str | None) -> int:
    """Check the manifests: schema, references, handlers, and lints (docs/lints). No network, no keys.

    A comment silences a lint: # voiceops: ignore[VO101] on its line or above it, ignore-file[VO101] at a file's top.

    \b
    Examples:
      voiceops validate
      voiceops validate -e all --strict --format github
    """
    from voiceops.render.diagnostics import render

    folder, chosen, context = console.place
    found = use.validate(folder, environment or chosen, context)
    show = {"github": console.document, "text": console.prose}
    show.get(format_, console.out)(
        render(found.diagnostics, format_, console.style(), objects=found.objects, quiet=console.quiet)
    )
    return 1 if found.failed or (strict and found.diagnostics) else 0
