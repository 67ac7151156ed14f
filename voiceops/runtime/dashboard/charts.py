"""Small charts as inline SVG: no script, no inline style, nothing to fetch. Numbers in, markup out, each text escaped.

They are stretched to the width there is, so they hold no text: what they say stands beside them, and in `aria-label`
and `<title>`. Colours are classes of the page's style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from voiceops.model.safe_text import html

_COLUMN, _GAP, _HEIGHT = 20, 4, 100
_WIDTH = 1000  # of a bar, in its own units


@dataclass(frozen=True, slots=True)
class Column:
    """One value of a series; `label` is said when it is pointed at."""

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar, in the colour of the class `colour`."""

    colour: str
    value: float
    label: str


def columns(name: str, values: Sequence[Column], top: float) -> Markup:
    """Columns from left to right; `top` is the value that reaches the upper edge."""
    drawn = []
    for index, column in enumerate(values):
        height = _share(column.value, top) * _HEIGHT
        x, width = index * _COLUMN + _GAP // 2, _COLUMN - _GAP
        drawn.append(
            f'<g><title>{html(column.label)}</title><rect class="hit" x="{index * _COLUMN}" y="0" width="{_COLUMN}" '
            f'height="{_HEIGHT}"/><rect class="c-main" x="{x}" y="{_HEIGHT - height:.2f}" width="{width}" '
            f'height="{height:.2f}"/></g>'
        )
    return _svg("columns", name, max(1, len(values)) * _COLUMN, _HEIGHT, drawn)


def bar(name: str, parts: Sequence[Part], top: float) -> Markup:
    """One bar of pieces that follow each other; `top` is the sum that fills it."""
    drawn, x = ['<rect class="ground" x="0" y="0" width="1000" height="10"/>'], 0.0
    for part in parts:
        width = min(_share(part.value, top) * _WIDTH, _WIDTH - x)
        if width > 0:
            drawn.append(
                f'<rect class="{html(part.colour)}" x="{x:.2f}" y="0" width="{width:.2f}" height="10">'
                f"<title>{html(part.label)}</title></rect>"
            )
        x += width
    return _svg("bar", name, _WIDTH, 10, drawn)


def _share(value: float, top: float) -> float:
    return min(1.0, max(0.0, value / top)) if top > 0 else 0.0


def _svg(kind: str, name: str, width: int, height: int, drawn: Sequence[str]) -> Markup:
    return Markup(
        f'<svg class="{kind}" role="img" aria-label="{html(name)}" viewBox="0 0 {width} {height}" '
        f'preserveAspectRatio="none">{"".join(drawn)}</svg>'
    )
