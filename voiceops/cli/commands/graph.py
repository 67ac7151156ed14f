"""`voiceops graph`."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import formats, selection
from voiceops.cli.terminal.pictures import drawn


@click.command("graph")
@formats("mermaid", "dot", "svg")
@selection
@click.pass_obj
def graph_command(console: Console, format_: str, targets: tuple[str, ...], labels: tuple[tuple[str, str], ...]) -> int:
    """Draw who reaches whom: phone lines, squads, agents, and their tools, voices and handlers. No network.

    \b
    Examples:
      voiceops graph > graph.mmd
      voiceops graph --format svg --target Phone/main-line > line.svg
      voiceops -e prod graph --format dot -l team=support | dot -Tpng > graph.png
    """
    graph = use.load(*console.place).graph
    show = console.document if format_ == "svg" else console.out
    show(drawn(graph, targets, dict(labels), format_))
    return 0
