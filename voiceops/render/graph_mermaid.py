"""A picture in Mermaid's flowchart language, as GitHub and GitLab draw it in a comment.

https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

import re

from voiceops.model.safe_text import visible
from voiceops.model.wording import cut
from voiceops.render.picture import Box, Picture

_SHAPES = {
    "Phone": ('(["', '"])'),
    "Squad": ('[["', '"]]'),
    "Agent": ('("', '")'),
    "Handler": ('>"', '"]'),
    "Credential": ('[("', '")]'),
}
# Colours that read on a light and on a dark page; the word stands in the label, too.
_CLASSES = {
    "create": "fill:#1a7f37,stroke:#116329,color:#fff",
    "update": "fill:#9a6700,stroke:#7d4e00,color:#fff",
    "adopt": "fill:#9a6700,stroke:#7d4e00,color:#fff",
    "delete": "fill:#cf222e,stroke:#a40e26,color:#fff",
    "unbind": "fill:#cf222e,stroke:#a40e26,color:#fff",
    "replace": "fill:#8250df,stroke:#6639ba,color:#fff",
}
_MAX_LABEL = 60
# Dots, dashes and pluses stay inside words; before a space they could begin a list.
_PLAIN = re.compile(r"[^A-Za-z0-9 _/:,·.+-]|[.+-](?=\s|$)")


def mermaid(picture: Picture) -> str:
    """The flowchart, without a fence around it."""
    ids = {box.key: f"n{index}" for index, box in enumerate(picture.boxes)}
    rows = ["flowchart LR"]
    for box in picture.boxes:
        before, after = _SHAPES.get(box.kind, ('["', '"]'))
        rows.append(f"  {ids[box.key]}{before}{_label(box)}{after}")
    for arrow in picture.arrows:
        label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
        rows.append(f"  {ids[arrow.source]} -->{label} {ids[arrow.target]}")
    for word, style in _CLASSES.items():
        members = [ids[box.key] for box in picture.boxes if box.word == word]
        if members:
            rows += [f"  classDef {word} {style}", f"  class {','.join(members)} {word}"]
    return "\n".join(rows)


def _label(box: Box) -> str:
    lines = [box.title, box.detail, f"· {box.word} ·" if box.word else ""]
    return "<br/>".join([f"{box.kind}", *(_escaped(line) for line in lines if line)])


def _escaped(text: str) -> str:
    """Everything that could mean something to Mermaid, markdown or HTML as a character's number."""
    plain = " ".join(visible(text).split())
    return _PLAIN.sub(lambda match: f"#{ord(match[0])};", cut(plain, _MAX_LABEL))
