"""`voiceops explain`: where a value comes from, and who answers a line."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import formats
from voiceops.render.explain_text import render_explained


@click.command("explain")
@click.argument("target", metavar="ADDR[.PATH]")
@click.option("--offline", is_flag=True, help="Ask nobody what is live.")
@formats("text", "json")
@click.pass_obj
def explain_command(console: Console, target: str, offline: bool, format_: str) -> int:
    """Say where a value comes from, what was applied, by which revision, and what is live.

    PATH is one of the manifest (`model.systemPrompt`), one of the live body (`model.messages[0].content`), or the end
    of either. Without one: every value with its place. Of a phone line, by address or number, also who answers, step by
    step through both vendors. Without keys or network it says what the manifests and the state say.

    \b
    Examples:
      voiceops explain Agent/support.voice.speed
      voiceops -e prod explain Agent/support.systemPrompt
      voiceops -e prod explain +14155550100          who answers?
    """
    found = completed(use.explain(use.load(*console.place), target, offline=offline))
    if format_ == "json":
        console.data(found.to_data())
    else:
        console.prose(render_explained(found, console.style()))
    return 0
