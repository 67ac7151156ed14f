"""Who reaches whom, as boxes and arrows: lines → squads and agents → tools, voices, handlers, credentials.

Pure: from a desired graph, or from a plan with the graph that it was made from. How it is drawn is another
module's business (graph_mermaid.py, graph_dot.py, graph_svg.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from voiceops.model.address import is_twilio_side, kind_of, name_of, owner_of
from voiceops.model.graph import Graph, Resource, walk
from voiceops.model.plan import Plan
from voiceops.model.values import JSON, Outside, Path, Ref, Template, leaves
from voiceops.render.review import grouped

# Left to right. What a kind not named here is drawn with stands in `_column`.
COLUMNS = {"Phone": 0, "Squad": 1, "Agent": 2, "Voice": 4, "Transcriber": 4, "Handler": 4, "Credential": 5}
_OTHERS = 3
_BINDINGS = (("assistantId",), ("squadId",))  # who answers a line
_UNTIL, _FROM = "until now", "from now on"


@dataclass(frozen=True, slots=True)
class Box:
    """A node. `word` is what a plan does with it, empty outside of plans."""

    key: str  # an address, or `Voice/…`, `Transcriber/…`, `Handler/…` for what has none
    kind: str
    title: str
    detail: str = ""
    word: str = ""

    @property
    def column(self) -> int:
        """Where it stands, from the left."""
        return COLUMNS.get(self.kind, _OTHERS)


@dataclass(frozen=True, slots=True)
class Arrow:
    """`source` uses `target`."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes in the order of columns and names, arrows between them."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    left_out: int = 0

    @classmethod
    def of(cls, boxes: Mapping[str, Box], arrows: Iterable[Arrow], left_out: int = 0) -> Picture:
        """In order, and without arrows that are repeated or lead to what is not drawn."""
        kept = [a for a in dict.fromkeys(arrows) if a.source in boxes and a.target in boxes and a.source != a.target]
        return cls(
            tuple(sorted(boxes.values(), key=lambda box: (box.column, box.kind, box.key))),
            tuple(sorted(kept, key=lambda arrow: (arrow.source, arrow.target, arrow.label))),
            left_out,
        )


def picture(graph: Graph, *, targets: Iterable[str] = (), labels: Mapping[str, str] | None = None) -> Picture:
    """The whole graph; with a selection that part of it that the selected reach, or that reaches them."""
    boxes: dict[str, Box] = {}
    arrows: list[Arrow] = []
    for address, resource in graph.resources.items():
        owner = owner_of(address)
        if not is_twilio_side(address):
            boxes[owner] = _box(resource)
        arrows += _arrows(graph, resource)
        _add_parts(resource, owner, boxes, arrows)
    for address, external in graph.externals.items():
        detail = external.value if external.by == "name" and external.value != name_of(address) else ""
        boxes[address] = Box(address, external.kind, name_of(address), " · ".join(filter(None, ["external", detail])))
    chosen = set(targets)
    if labels:
        chosen |= {
            owner_of(address)
            for address, resource in graph.resources.items()
            if all(resource.labels.get(key) == value for key, value in labels.items())
        }
    if chosen or labels:
        boxes = {key: box for key, box in boxes.items() if key in _connected(arrows, chosen)}
    return Picture.of(boxes, arrows)


def plan_picture(plan: Plan, graph: Graph, limit: int = 60) -> Picture:
    """What a plan touches, and the way from each phone line to it; boxes above `limit` are left out, the far first."""
    words = grouped(plan)
    whole = picture(graph)
    boxes = {box.key: box for box in whole.boxes}
    arrows = list(whole.arrows)
    arrows += _vanishing(plan, boxes)
    arrows = _rebound(plan, arrows)
    forward = _ends(arrows)
    phones = {phone for change in plan.active for phone in change.affects}
    backward = _ends(Arrow(arrow.target, arrow.source) for arrow in arrows)
    leading = {key for word in words for key in walk(backward, word)}
    reached = {key for phone in phones for key in walk(forward, phone)}
    kept = set(words) | (leading & reached)
    found = {key: replace(box, word=words.get(key, "")) for key, box in boxes.items() if key in kept}
    for key in words:
        if key not in found:
            found[key] = Box(key, kind_of(key), name_of(key), word=words[key])
    order = sorted(found.values(), key=lambda box: (box.column, not box.word, box.key))
    return Picture.of({box.key: box for box in order[:limit]}, arrows, max(0, len(order) - limit))


def _rebound(plan: Plan, arrows: list[Arrow]) -> list[Arrow]:
    """With the arrows from lines to who answers them until now, and words on those to who does so from now on."""
    by_id = {change.id: owner_of(change.address) for change in plan.changes if change.id}
    until: list[Arrow] = []
    for change in plan.active:
        if change.kind != "Phone" or not change.before:
            continue
        sides = [(by_id.get(str(f.before)), f.after) for f in change.fields if f.path in _BINDINGS]
        until += [Arrow(owner_of(change.address), old, _UNTIL) for old, _ in sides if old]
    lines = {arrow.source for arrow in until}
    olds = {(arrow.source, arrow.target) for arrow in until}
    now = [
        replace(arrow, label=_FROM)
        if arrow.source in lines
        and not arrow.label
        and kind_of(arrow.target) in ("Agent", "Squad")
        and (arrow.source, arrow.target) not in olds
        else arrow
        for arrow in arrows
    ]
    return [*now, *until]


def _vanishing(plan: Plan, boxes: Mapping[str, Box]) -> list[Arrow]:
    """Arrows from and to objects that no manifest asks for any more, read from the ids that are live."""
    by_id = {change.id: owner_of(change.address) for change in plan.changes if change.id}
    arrows = []
    for change in plan.changes:
        owner = owner_of(change.address)
        held = {by_id[value] for _, value in leaves(change.before or {}) if isinstance(value, str) and value in by_id}
        arrows += [Arrow(owner, other) for other in held if owner not in boxes or other not in boxes]
    return arrows


def _box(resource: Resource) -> Box:
    body, kind = resource.body, resource.kind
    detail = {
        "Phone": lambda: _text(body.get("number")),
        "Agent": lambda: " · ".join(part for part in _named(body.get("model"), "model") if part),
        "Tool": lambda: _text((body.get("function") or {}).get("name")) or _text(body.get("type")),
        "Credential": lambda: _text(body.get("provider")),
    }.get(kind, lambda: "")()
    return Box(resource.address, kind, name_of(resource.address), detail)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _named(part: Any, key: str) -> tuple[str, str]:
    return (_text(part.get("provider")), _text(part.get(key))) if isinstance(part, dict) else ("", "")


def _arrows(graph: Graph, resource: Resource) -> list[Arrow]:
    owner = owner_of(resource.address)
    used = (*graph.dependencies(resource.address), *graph.outside(resource.address))
    found = [Arrow(owner, owner_of(to), _label(resource, to)) for to in used]
    return [arrow for arrow in found if arrow.target != owner]


def _label(resource: Resource, to: str) -> str:
    """Why one leads to another, where the kinds don't say it."""
    if to in resource.routes:
        return "through the runtime"
    return next((_role(path) for path, value in leaves(resource.body) if _refers(value, to)), "")


def _role(path: Path) -> str:
    keys = [step for step in path if isinstance(step, str)]
    return {"destinations": "hands over", "fallbackDestination": "fallback", "hooks": "hook"}.get(keys[0], "")


def _refers(value: JSON, to: str) -> bool:
    if isinstance(value, (Ref, Outside)):
        return value.address == to
    return isinstance(value, Template) and any(_refers(part, to) for part in value.parts)


def _add_parts(resource: Resource, owner: str, boxes: dict[str, Box], arrows: list[Arrow]) -> None:
    """What has no object of its own: an agent's voice and transcriber, and the functions that answer."""
    for key, kind, names in (("voice", "Voice", "voiceId"), ("transcriber", "Transcriber", "model")):
        provider, name = _named(resource.body.get(key), names) if resource.kind == "Agent" else ("", "")
        if provider:
            part = f"{kind}/{provider}/{name}"
            boxes.setdefault(part, Box(part, kind, name or provider, provider if name else ""))
            arrows.append(Arrow(owner, part))
    if resource.handler:
        part = f"Handler/{resource.handler}"
        boxes.setdefault(part, Box(part, "Handler", resource.handler))
        arrows.append(Arrow(owner, part))


def _ends(arrows: Iterable[Arrow]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for arrow in arrows:
        found[arrow.source] = (*found.get(arrow.source, ()), arrow.target)
    return found


def _connected(arrows: Iterable[Arrow], chosen: set[str]) -> set[str]:
    listed = list(arrows)
    forward, backward = _ends(listed), _ends(Arrow(a.target, a.source) for a in listed)
    return {key for start in chosen for edges in (forward, backward) for key in walk(edges, start)}
