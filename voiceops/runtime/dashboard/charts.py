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


# Calls over time, drawn for a given width, with words in it: once for a wide window and once for a narrow one.

_LEFT, _RIGHT, _TOP, _CALLS, _BETWEEN, _SHARE, _BELOW = 38, 10, 18, 120, 14, 56, 20
_LETTER = 6.5  # the width of one


@dataclass(frozen=True, slots=True)
class ChartSpan:
    """An hour or a day; `good` is the share of its judged calls that were, None where none was judged."""

    name: str
    calls: int
    failed: int
    good: float | None


@dataclass(frozen=True, slots=True)
class RevisionMark:
    """Something that happened at a place between 0 (the left edge) and the number of spans."""

    at: float
    name: str
    label: str


def history(name: str, spans: Sequence[ChartSpan], marks: Sequence[RevisionMark], width: int) -> Markup:
    """Calls and the failed ones among them as columns, the share of good ones as a line below, revisions as marks."""
    step = (width - _LEFT - _RIGHT) / max(1, len(spans))
    top = max((span.calls for span in spans), default=0) or 1
    base, share_base = _TOP + _CALLS, _TOP + _CALLS + _BETWEEN + _SHARE
    drawn = [
        *_axis(width, _TOP, base, f"{top:,}", "0"),
        *_axis(width, share_base - _SHARE, share_base, "100 %", "0 %"),
    ]
    line: list[str] = []
    for index, span in enumerate(spans):
        x = _LEFT + index * step
        calls, failed = span.calls / top * _CALLS, span.failed / top * _CALLS
        left, wide = x + step * 0.12, step * 0.76
        good = "none judged" if span.good is None else f"{span.good:.0%} good"
        label = html(f"{span.name}: {span.calls:,} calls, {span.failed:,} failed, {good}")
        drawn.append(
            f'<g><title>{label}</title><rect class="hit" x="{x:.1f}" y="{_TOP}" width="{step:.1f}" '
            f'height="{share_base - _TOP}"/><rect class="c-main" x="{left:.1f}" y="{base - calls:.1f}" '
            f'width="{wide:.1f}" height="{calls:.1f}"/><rect class="c-bad" x="{left:.1f}" y="{base - failed:.1f}" '
            f'width="{wide:.1f}" height="{failed:.1f}"/></g>'
        )
        if span.good is not None:
            place = f"{x + step / 2:.1f},{share_base - span.good * _SHARE:.1f}"
            line.append(place)
            drawn.append(
                f'<circle class="c-good" cx="{place.partition(",")[0]}" cy="{place.partition(",")[2]}" r="2"/>'
            )
    if line:
        drawn.append(f'<polyline class="l-good" points="{" ".join(line)}"/>')
    drawn += _marks(marks, step, share_base)
    drawn += _dates(spans, step, width, share_base)
    return Markup(
        f'<svg class="history" role="img" aria-label="{html(name)}" viewBox="0 0 {width} {share_base + _BELOW}">'
        f"{''.join(drawn)}</svg>"
    )


def _axis(width: int, top: float, base: float, most: str, least: str) -> list[str]:
    return [
        f'<line class="axis" x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{html(text)}</text>'
        for y, text in ((top, most), (base, least))
    ]


def _marks(marks: Sequence[RevisionMark], step: float, base: float) -> list[str]:
    drawn, free = [], 0.0
    for mark in marks:
        x = _LEFT + mark.at * step
        drawn.append(
            f'<g><title>{html(mark.label)}</title><line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" '
            f'y2="{base}"/></g>'
        )
        half = len(mark.name) * _LETTER / 2
        if x - half >= free:
            drawn.append(
                f'<text class="mark-name" x="{x:.1f}" y="{_TOP - 7}" text-anchor="middle">{html(mark.name)}</text>'
            )
            free = x + half + 4
    return drawn


def _dates(spans: Sequence[ChartSpan], step: float, width: int, base: float) -> list[str]:
    drawn, free = [], float(_LEFT)
    for index, span in enumerate(spans):
        x, half = _LEFT + (index + 0.5) * step, len(span.name) * _LETTER / 2
        if x - half >= free - 1 and x + half <= width - 1:
            drawn.append(f'<text x="{x:.1f}" y="{base + 14}" text-anchor="middle">{html(span.name)}</text>')
            free = x + half + 14
    return drawn
