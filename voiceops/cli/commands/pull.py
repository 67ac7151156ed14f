"""`voiceops pull`: manifests for what is live and not managed yet."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import formats, local_state
from voiceops.render.pulled_text import render_pulled


@click.command("pull")
@click.option("--out", metavar="DIR", help="The folder for the manifests [default: the first of manifests:].")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only objects of this kind; repeat for several.")
@click.option("--match", default="", metavar="GLOB", help="Only objects whose live name, or number, fits.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this live object; repeat for several.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written and adopted; takes no lock.")
@local_state
@formats("text", "json")
@click.pass_obj
def pull_command(
    console: Console,
    out: str | None,
    kinds: tuple[str, ...],
    match: str,
    ids: tuple[str, ...],
    dry_run: bool,
    local_state: bool,
    format_: str,
) -> int:
    """Write a manifest for each live object that is not managed yet, and manage it. Nothing live is changed.

    What is in the state of any environment of the project is managed. Parts that several agents share are taken out,
    names stand for ids, and secrets go to `.env`. The plan afterwards is empty. Run again it brings only what is new;
    a pull that was cut off is finished.

    \b
    Examples:
      voiceops pull --dry-run
      voiceops -e prod pull
      voiceops pull --kind Agent --match 'Clinic *'
    """
    wanted = use.Wanted(kinds=kinds, match=match, ids=ids)
    found = completed(
        use.pull(
            use.open_project(*console.place),
            wanted,
            out,
            dry_run=dry_run,
            local_state=local_state,
        )
    )
    if format_ == "json":
        console.data(found.to_data())
    else:
        console.prose("\n".join(render_pulled(found, console.style())))
    return 0
