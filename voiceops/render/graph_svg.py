"""A picture as SVG: columns from left to right, few crossings; no layout program needed, the same every time."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from voiceops.model.safe_text import visible
from voiceops.model.wording import cut
from voiceops.render.picture import Arrow, Box, Picture
from voiceops.templating import asset

_WIDTH, _HEIGHT = 190, 50
_GAP_X, _GAP_Y, _MARGIN = 90, 14, 16
_LANE = 4  # the height of a lane on which arrows pass a column
_CHARACTERS = 26  # that fit into a box
_SWEEPS = 6


@dataclass(frozen=True, slots=True)
class _Slot:
    """A place in a column: a box, or the lane on which arrows to a farther column pass."""

    key: str
    x: int
    y: int
    box: Box | None

    @property
    def middle(self) -> int:
        return self.y + _height(self.box) // 2


def _height(box: Box | None) -> int:
    return _LANE if box is None else _HEIGHT


def svg(picture: Picture, *, standalone: bool = True) -> str:
    """The drawing; not `standalone`: to stand in an HTML page that has `assets/graph.css`."""
    columns, segments = _columns(picture)
    places = _placed(columns, segments)
    loops = any(places[arrow.source].x == places[arrow.target].x for arrow in picture.arrows)
    right = _MARGIN + (_GAP_X // 2 if loops else 0)
    width = max((place.x for place in places.values()), default=0) + _WIDTH + right
    height = max((place.y for place in places.values()), default=0) + _HEIGHT + _MARGIN
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="Who reaches whom" '
        'font-family="system-ui, sans-serif">'
    )
    rows = [head, f"<title>{escape(_summary(picture))}</title>"]
    if standalone:
        rows.append(f"<style>\n{asset('voiceops.render', 'graph.css')}</style>")
    rows.append(
        '<defs><marker id="g-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path class="g-tip" d="M0 0 8 4 0 8z"/></marker></defs>'
    )
    rows += [_path(*segment, places) for segment in segments]
    rows += [_label(arrow, places) for arrow in picture.arrows if arrow.label]
    rows += [_box(place, place.box) for place in places.values() if place.box is not None]
    return "\n".join([*rows, "</svg>"])


def _summary(picture: Picture) -> str:
    return f"{len(picture.boxes)} objects and {len(picture.arrows)} links between them"


def _columns(picture: Picture) -> tuple[list[dict[str, Box | None]], list[tuple[str, str]]]:
    """What stands in each column, and the pieces of all arrows: those to one far target share its lanes."""
    used = sorted({box.column for box in picture.boxes})
    home = {box.key: used.index(box.column) for box in picture.boxes}
    columns: list[dict[str, Box | None]] = [{} for _ in used]
    for box in picture.boxes:
        columns[home[box.key]][box.key] = box
    segments: dict[tuple[str, str], None] = {}
    for arrow in picture.arrows:
        here = arrow.source
        for column in range(home[arrow.source] + 1, home[arrow.target]):
            lane = f"lane {column} {arrow.target}"
            columns[column].setdefault(lane, None)
            segments.setdefault((here, lane))
            here = lane
        segments.setdefault((here, arrow.target))
    return columns, list(segments)


def _placed(columns: list[dict[str, Box | None]], segments: list[tuple[str, str]]) -> dict[str, _Slot]:
    """Where everything goes: in its column near what it is linked to, by turns from the left and from the right."""
    linked: dict[str, list[str]] = {key: [] for column in columns for key in column}
    for source, target in segments:
        linked[source].append(target)
        linked[target].append(source)
    orders = [list(column) for column in columns]
    home = {key: index for index, order in enumerate(orders) for key in order}
    rank = {key: (position + 0.5) / len(order) for order in orders for position, key in enumerate(order)}
    for sweep in range(_SWEEPS):
        turn = range(len(orders)) if sweep % 2 == 0 else range(len(orders) - 1, -1, -1)
        for index in turn:
            orders[index].sort(key=lambda key: (_middle(key, linked, rank, home), key))
            rank |= {key: (position + 0.5) / len(orders[index]) for position, key in enumerate(orders[index])}
    heights = [sum(_height(column[key]) + _GAP_Y for key in column) for column in columns]
    found = {}
    for index, order in enumerate(orders):
        y = _MARGIN + (max(heights) - heights[index]) // 2
        for key in order:
            box = columns[index][key]
            found[key] = _Slot(key, _MARGIN + index * (_WIDTH + _GAP_X), y, box)
            y += _height(box) + _GAP_Y
    return found


def _middle(key: str, linked: dict[str, list[str]], rank: dict[str, float], home: dict[str, int]) -> float:
    others = [rank[other] for other in linked[key] if home[other] != home[key]]
    return sum(others) / len(others) if others else rank[key]


def _path(start: str, end: str, places: dict[str, _Slot]) -> str:
    source, target = places[start], places[end]
    y1, y2 = source.middle, target.middle
    tip = ' marker-end="url(#g-tip)"'
    if target.x > source.x:
        x1, x2 = source.x + _WIDTH, target.x - (2 if target.box else 0)
        bend = (x2 - x1) // 2
        path, kind = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}", ""
        if target.box is None:
            path, tip = f"{path}H{target.x + _WIDTH}", ""
    elif target.x < source.x:  # back: dashed
        x1, x2 = source.x, target.x + _WIDTH + 2
        bend = (x1 - x2) // 2
        path, kind = f"M{x1} {y1 + 8}C{x1 - bend} {y1 + 8} {x2 + bend} {y2 + 8} {x2} {y2 + 8}", " g-back"
    else:  # within a column: around its right side
        x1, x2 = source.x + _WIDTH, target.x + _WIDTH + 2
        bend = x2 + _GAP_X // 2
        path, kind = f"M{x1} {y1 + 8}C{bend} {y1 + 8} {bend} {y2 + 8} {x2} {y2 + 8}", " g-back"
    return f'<path class="g-arrow{kind}" d="{path}"{tip}/>'


def _label(arrow: Arrow, places: dict[str, _Slot]) -> str:
    """In the gap beside the source, so that it is on no box."""
    source, target = places[arrow.source], places[arrow.target]
    x = source.x - _GAP_X // 2 if target.x < source.x else source.x + _WIDTH + _GAP_X // 2
    y = source.middle + (20 if target.x <= source.x else -5)
    return f'<text class="g-label" x="{x}" y="{y}" text-anchor="middle">{_text(arrow.label)}</text>'


def _box(place: _Slot, box: Box) -> str:
    x, y = place.x, place.y
    word = f" g-{box.word.replace(' ', '-')}" if box.word else ""
    full = " · ".join(part for part in (box.kind, box.title, box.detail, box.word) if part)
    radius = {"Phone": _HEIGHT // 2, "Agent": 8, "Squad": 8}.get(box.kind, 3)
    left = x + (16 if box.kind == "Phone" else 10)
    rows = [
        f'<g class="g-node{word}"><title>{_text(full, 400)}</title>',
        f'<rect class="g-box" x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="{radius}"/>',
    ]
    kind = f"{box.kind} · {box.word}" if box.word else box.kind
    rows.append(f'<text class="g-kind" x="{left}" y="{y + 14}">{_text(kind)}</text>')
    rows.append(f'<text class="g-title" x="{left}" y="{y + 29}">{_text(box.title)}</text>')
    if box.detail:
        rows.append(f'<text class="g-detail" x="{left}" y="{y + 42}">{_text(box.detail)}</text>')
    return "".join([*rows, "</g>"])


def _text(text: str, limit: int = _CHARACTERS) -> str:
    plain = visible(text).replace("\n", " ").replace("\t", " ")
    return escape(cut(plain, limit))
