"""Which number of the pool a preview may have: one that stands in the setting, and that nobody else has. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from voiceops.preview.registered import Preview


def free(lines: Sequence[str], previews: Iterable[Preview], name: str) -> tuple[list[str], list[str]]:
    """The numbers that no other preview has, in the order of the setting; and a sentence for each of the others."""
    taken = {p.lent.number: p.name for p in previews if p.lent is not None and p.name != name}
    return (
        [number for number in lines if number not in taken],
        [f"{number} is the preview {taken[number]}'s" for number in lines if number in taken],
    )


def managed(lines: Sequence[str], numbers: Mapping[str, str]) -> list[str]:
    """A sentence for each number of the pool that an environment has as a line of its own; `numbers`: whose."""
    return [f"{number} is {numbers[number]}" for number in lines if number in numbers]
