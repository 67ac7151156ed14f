"""A picture in Graphviz's language: https://graphviz.org/doc/info/lang.html"""

from __future__ import annotations

from voiceops.model.safe_text import visible
from voiceops.render.picture import Box, Picture

_SHAPES = {"Phone": "cds", "Squad": "box3d", "Handler": "component", "Credential": "cylinder"}
_COLOURS = {
    "create": "#1a7f37",
    "update": "#9a6700",
    "adopt": "#9a6700",
    "delete": "#cf222e",
    "unbind": "#cf222e",
    "replace": "#8250df",
}


def dot(picture: Picture) -> str:
    """The digraph; `dot -Tpng` draws it."""
    rows = [
        "digraph voiceops {",
        "  rankdir=LR;",
        '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];',
        '  edge [color="#6e7781", fontname="sans-serif", fontsize=9];',
    ]
    for box in picture.boxes:
        shape = f", shape={_SHAPES[box.kind]}" if box.kind in _SHAPES else ""
        colour = f", color={_quoted(_COLOURS[box.word])}, penwidth=2" if box.word in _COLOURS else ""
        rows.append(f"  {_quoted(box.key)} [label={_label(box)}{shape}{colour}];")
    for arrow in picture.arrows:
        label = f" [label={_quoted(arrow.label)}]" if arrow.label else ""
        rows.append(f"  {_quoted(arrow.source)} -> {_quoted(arrow.target)}{label};")
    return "\n".join([*rows, "}"])


def _label(box: Box) -> str:
    lines = [box.kind, box.title, box.detail, box.word]
    return '"' + "\\n".join(_escaped(line) for line in lines if line) + '"'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return visible(text).replace("\n", " ").replace("\\", "\\\\").replace('"', '\\"')
