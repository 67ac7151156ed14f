"""Why there is no live object to adopt for an address."""

from __future__ import annotations

from voiceops.kinds.registry import PARTS
from voiceops.model.graph import Graph


def no_manifest(graph: Graph, address: str) -> tuple[str, str]:
    """What is wrong with an address that no manifest of ours declares, and what helps."""
    if address in graph.externals:
        return (
            f"{address} is external: somebody else manages it",
            "To manage it here, write its spec instead of external.",
        )
    if address in graph.forgotten:
        return f"{address} is let go here (lifecycle.forget)", "To manage it again, take that out of its manifest."
    if address.partition("/")[0] in PARTS:
        return f"{address} is a part, and a part has no live object", "Adopt those that use it."
    return f"no manifest declares {address}", "Write its manifest first; the fields may differ."
