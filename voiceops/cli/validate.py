"""`voiceops validate`."""

from __future__ import annotations

import click

from voiceops.cli.console import Console
from voiceops.cli.options import formats
from voiceops.errors import Diagnostic, InvalidProject


@click.command("validate")
@formats("text", "json", "sarif", "github")
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@click.option("-e", "--environment", "environment", metavar="ENV|all", help="The environment, or all of them.")
@click.pass_obj
def validate_command(console: Console, format_: str, strict: bool, environment: str | None) -> int:
    """Check the manifests: schema, references, handlers. No network, no keys.

    \b
    Examples:
      voiceops validate
      voiceops validate -e all --strict --format github
    """
    from voiceops.cli.wiring import load, root_of
    from voiceops.manifest.problems import Problems
    from voiceops.manifest.project import environments_of
    from voiceops.render.diagnostics import render

    chosen: list[str | None] = [environment or console.environment]
    if chosen == ["all"]:
        chosen = list(environments_of(root_of(console), Problems()))
    problems = Problems()
    count = 0
    for name in chosen:
        found: tuple[Diagnostic, ...]
        try:
            loaded = load(console, name)
        except InvalidProject as error:
            found = error.diagnostics
        else:
            found, count = loaded.warnings, max(count, len(loaded.graph.resources))
        problems.extend(found)
    console.out(render(problems.all, format_, console.style(), objects=count, quiet=console.quiet))
    return 1 if problems.failed or (strict and problems.all) else 0
