"""A manifest as a text: comments above, its keys in the order given, and YAML as a person would write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

from voiceops.manifest.yaml_values import WIDTH, block
from voiceops.model.safe_text import one_line
from voiceops.model.values import JSON

_EXACT = 2**53  # whole numbers up to here are the same ones as a float and as an integer


def documents_text(documents: Sequence[tuple[Mapping[str, JSON], Sequence[str]]]) -> str:
    """Several manifests, each with the comments above it, as one file."""
    return "---\n".join(document_text(value, comments) for value, comments in documents)


def document_text(value: Mapping[str, JSON], comments: Sequence[str] = ()) -> str:
    """One manifest with the comments above it. Its `spec` always has lines of its own.

    It reads back equal, to the last character of every text. `30.0` is written as `30`: to JSON, and to a plan, they
    are one number, and APIs answer with either. Raises ValueError for a text with half a character in it (a surrogate
    without its other half), which no file can hold.
    """
    lines = [line for comment in comments for line in _comment(comment)]
    return "\n".join([*lines, block(_whole(value), 0, open_keys=("spec",))]) + "\n"


def _comment(text: str) -> list[str]:
    """A comment's lines. What a stranger wrote into it can't end it."""
    return [f"# {line}" for line in wrap(one_line(text), WIDTH - 2, break_long_words=False, break_on_hyphens=False)]


def _whole(value: JSON) -> JSON:
    """The same with whole floats as integers. Raises ValueError."""
    if isinstance(value, Mapping):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, str):
        value.encode()
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else value
