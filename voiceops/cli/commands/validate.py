"""`voiceops validate`."""

from __future__ import annotations

import click

from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import formats
from voiceops.errors import InvalidProject


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
    from voiceops.cli.wiring import load, root_of
    from voiceops.lints.run_lints import Linter
    from voiceops.manifest.problems import Problems
    from voiceops.manifest.project import environments_of
    from voiceops.render.diagnostics import render

    show = console.document if format_ == "github" else console.out
    problems = Problems()
    chosen: list[str | None] = [environment or console.environment]
    try:
        root = root_of(console)
        if chosen == ["all"]:
            chosen = list(environments_of(root, Problems()))
    except InvalidProject as error:
        show(render(error.diagnostics, format_, console.style(), quiet=console.quiet))
        return 1
    linter = Linter(root)
    count = 0
    broken = False
    for name in chosen:
        try:
            loaded = load(console, name)
        except InvalidProject as error:
            problems.extend(linter.silenced(error.diagnostics))
            broken = True
        else:
            problems.extend(linter.check(loaded.project, loaded.graph, loaded.warnings))
            count = max(count, len(loaded.graph.resources))
    if not broken:
        problems.extend(linter.unused())
    show(render(problems.all, format_, console.style(), objects=count, quiet=console.quiet))
    return 1 if problems.failed or (strict and problems.all) else 0
