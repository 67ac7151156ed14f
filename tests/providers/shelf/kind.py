"""Shelf's only kind: a label, which has a text and a colour, and is known by its text."""

from __future__ import annotations

from voiceops.kinds.base import Kind

LABEL = Kind(
    name="Label",
    type="shelf_label",
    path="/labels",
    title="label",
    named=False,
    identity=(("text",),),
    id_key="number",
)
