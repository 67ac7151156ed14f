"""One look of a watch, as text and as data. Pure."""

from __future__ import annotations

from typing import Any

from voiceops.calls.alarm import Look
from voiceops.render.call_report import comparison_data, render_comparison
from voiceops.render.style import PLAIN, Style


def look_data(look: Look) -> dict[str, Any]:
    """For JSON: one object a line."""
    return {
        "type": "look",
        "revision": look.revision,
        "calls": look.calls,
        "before": look.before,
        "look": look.number,
        "worse": list(look.worse),
        "figures": comparison_data(look.figures, "", "", None, None)["figures"],
    }


def render_look(look: Look, least: int, style: Style = PLAIN) -> str:
    """A line while nothing can be said yet, else the figures."""
    if not look.figures:
        few = look.calls < least
        count = look.calls if few else look.before
        what = "calls since" if few else "calls before it to compare with"
        return f"Revision {look.revision}: {count} {what}; from {least} on they are compared."
    head = style("✗ worse beyond chance", "red", "bold") if look.worse else style("✓ not worse", "green")
    sides = look.before, look.size
    return f"{head}\n" + render_comparison(look.figures, "before", f"revision {look.revision}", sides, style)
