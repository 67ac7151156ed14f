"""A project's graph, or a part of it, as a picture in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voiceops.errors import VoiceopsError
from voiceops.model.address import owner_of
from voiceops.model.graph import Graph
from voiceops.render.graph_dot import dot
from voiceops.render.graph_mermaid import mermaid
from voiceops.render.graph_svg import svg
from voiceops.render.picture import picture


def drawn(graph: Graph, targets: Sequence[str], labels: Mapping[str, str], format_: str) -> str:
    """What is chosen, as mermaid, dot or svg. Raises VoiceopsError where nothing is."""
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
    found = picture(graph, targets=chosen, labels=labels)
    if not found.boxes:
        raise VoiceopsError("nothing is selected", hint="No manifest carries all of these labels.")
    return {"mermaid": mermaid, "dot": dot, "svg": svg}[format_](found)
