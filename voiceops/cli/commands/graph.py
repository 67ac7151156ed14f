"""`voiceops graph`."""

from __future__ import annotations

import click

from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import formats, selection


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
    from voiceops.cli.wiring import load
    from voiceops.errors import VoiceopsError
    from voiceops.model.address import owner_of
    from voiceops.render.graph_dot import dot
    from voiceops.render.graph_mermaid import mermaid
    from voiceops.render.graph_svg import svg
    from voiceops.render.picture import picture

    graph = load(console).graph
    known = {owner_of(address) for address in graph.resources}
    chosen: set[str] = set()
    for target in targets:
        # Without a key, every instance of a forEach, as in `plan`.
        meant = {address for address in known if target in (address, address.partition("[")[0])}
        if not meant:
            raise VoiceopsError(
                f"there is no {target} in {graph.environment}", hint="`voiceops graph` draws all of it."
            )
        chosen |= meant
    found = picture(graph, targets=chosen, labels=dict(labels))
    if not found.boxes:
        raise VoiceopsError("nothing is selected", hint="No manifest carries all of these labels.")
    draw = {"mermaid": mermaid, "dot": dot, "svg": svg}[format_]
    (console.document if format_ == "svg" else console.out)(draw(found))
    return 0
