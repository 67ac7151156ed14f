"""Changes that are the same but for the object: shown once, with the list of those that they happen to.

An edit of a part, a default or a `forEach` reaches many objects with one and the same difference; read forty times it
is read by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from voiceops.model.address import kind_of
from voiceops.model.plan import CREATE, Change
from voiceops.render.difflines import Level, diff_lines

_ALL = 10**9
_WHOLE = Level(context=0, lines=_ALL, width=_ALL, fields=_ALL)


@dataclass(frozen=True, slots=True)
class EqualChanges:
    """One change, and the others that are its equals."""

    change: Change
    others: tuple[Change, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The object of each of them, in the order of the plan."""
        return (self.change.address, *(other.address for other in self.others))


def equal_changes(changes: Iterable[Change]) -> list[EqualChanges]:
    """The changes in their order, equals at the place of the first. What is made anew stands alone."""
    found: dict[object, list[Change]] = {}
    for number, change in enumerate(changes):
        alone = change.actions == CREATE or not change.fields or change.adopts
        found.setdefault(number if alone else _key(change), []).append(change)
    return [EqualChanges(group[0], tuple(group[1:])) for group in found.values()]


def _key(change: Change) -> tuple[object, ...]:
    """Everything that is shown of a change but its object and the places in files."""
    fields = tuple(replace(field, file="", line=0, source="") for field in change.fields)
    shown = tuple(diff_lines(replace(change, fields=fields), _WHOLE))
    return kind_of(change.address), change.type, change.actions, change.reason, change.affects == (), shown
