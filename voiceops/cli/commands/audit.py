"""`voiceops audit`: what is not as it should be in the account, beside what a plan shows."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import formats
from voiceops.render.audit_text import render_audit, render_audit_markdown


@click.command("audit")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only objects of this kind; repeat for several.")
@formats("text", "json", "markdown")
@click.pass_obj
def audit_command(console: Console, kinds: tuple[str, ...], format_: str) -> int:
    """Show what is unmanaged, double, unused, dangling or unanswered in the account; exit 2 where something is.

    Reads the account once, each list once, and the states of all environments: what one of them manages is managed.
    Each finding names what helps. Notes at the end may well be meant, and don't count. Works without manifests, too.

    \b
    Examples:
      voiceops -e prod audit                            every week, in a job
      voiceops -e prod audit --kind Tool --kind Phone
      voiceops audit --format markdown > audit.md       for an issue
    """
    found = completed(use.audit(use.open_project(*console.place), kinds))
    head = f"{found.project} · {found.environment}"
    if format_ == "json":
        console.data(found.to_data())
    elif format_ == "markdown":
        console.document(render_audit_markdown(head, [*found.findings, *found.notes], found.not_looked_at))
    else:
        console.prose(render_audit(head, [*found.findings, *found.notes], found.not_looked_at, console.style()))
    return 2 if found.findings else 0
