"""Where a key was meant to stand that its place doesn't know: a hint for the error that names it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from voiceops.errors import Mark
from voiceops.kinds import places
from voiceops.kinds.schema import type_of
from voiceops.manifest.problems import did_you_mean, respelled
from voiceops.model.address import kind_of

_MOST = 3  # places that a hint names; a key that stands in more is told by its spelling
_NEAR = 2  # steps below an object that come to mind before the variants of its union
_LIKENESS = 0.75  # of 1: below it a hint misleads more often than it helps
_BEGINNING = 4  # letters
_STEP = re.compile(r"\[\d+\]")


def place_hint(
    type_name: str,
    key: str,
    mark: Mark,
    address: str,
    owners: Sequence[str] = (),
    body: str = "",
    source: str = "vapi",
) -> str:
    """A hint for a key at `mark`, in an object of this type: what is known of it, its spelling, then other places.

    `body` is the type of the whole spec, `owners` are the variants of the object's union that have the key.
    Deprecated fields are never offered.
    """
    fields = type_of(type_name, source)["fields"]
    current = [name for name, field in fields.items() if not field.get("deprecated")]
    if source != "vapi":
        return did_you_mean(key, current)
    if place := places.known_place(type_name, key):
        return place if place.endswith(".") else f"Its place is {place}."
    if same := respelled(key, current):
        return f"Did you mean {same}?"
    successors = {name: field["successor"] for name, field in fields.items() if field.get("successor")}
    if old := respelled(key, successors):
        return f"Its place is {successors[old]}."
    kind = kind_of(address) if "/" in address else ""
    here = _steps(mark.path, kind)
    if below := _named([(*here, *path) for path in places.deeper(type_name, key) if len(path) <= _NEAR]):
        return below
    if owners:
        return f"It belongs to {', '.join(owners)}."
    if body and (around := _named(places.around(body, here, key))):
        return around
    if meant := _near(key, current):
        return f"Did you mean {meant}?"
    if old := _near(key, successors):
        return f"Its place is {successors[old]}."
    others = places.kinds_with(key, kind) if not here else []
    return f"It is a field of {' and of '.join(others)}." if 0 < len(others) <= _MOST else ""


def _near(key: str, known: Iterable[str]) -> str | None:
    """The key that was probably meant: one letter or two of it, or its beginning."""
    words = list(known)
    close = difflib.get_close_matches(key, words, n=1, cutoff=_LIKENESS)
    begun = [word for word in words if len(key) >= _BEGINNING and word.startswith(key)]
    return close[0] if close else begun[0] if len(begun) == 1 else None


def _named(found: Sequence[tuple[str, ...]]) -> str:
    names = list(dict.fromkeys(".".join(path) for path in found))
    return f"Its place is {' or '.join(names)}." if 0 < len(names) <= _MOST else ""


def _steps(path: str, kind: str) -> tuple[str, ...]:
    """The path of the object around a key, as the body has it: without `spec`, and without numbers of items."""
    part, colon, rest = path.rpartition(":")
    steps = _STEP.sub("", rest if colon else path).split(".")
    steps = steps[1:] if steps[:1] == ["spec"] else steps
    above = [part.partition("/")[0].lower()] if colon and part.partition("/")[0] != kind else []
    return (*above, *steps[:-1])
