"""Differences of lists: what left, what came, how often, and whether all that is new is the order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

SAME_ITEMS = "the same items in another order"
OTHERS_MOVED = "the items that stay are in another order"


@dataclass(frozen=True, slots=True)
class Item:
    """An item that is on one side more often. `note` says of how many it is one, where some of them stay."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ListDifference:
    """What left and what came, each as often as that happened."""

    gone: tuple[Item, ...]
    came: tuple[Item, ...]
    moved: bool = False  # do items that stay stand in another order?

    @property
    def only_order(self) -> bool:
        """Is nothing gone and nothing new?"""
        return not self.gone and not self.came


def list_difference(before: Sequence[str], after: Sequence[str]) -> ListDifference:
    """What left a list and what came, in the lists' own order."""
    return ListDifference(_more(before, after), _more(after, before), reordered(before, after))


def reordered(before: Sequence[str], after: Sequence[str]) -> bool:
    """Do the items that are on both sides, once each, stand in another order?"""
    old, new = Counter(before), Counter(after)
    return [t for t in before if old[t] == new[t] == 1] != [t for t in after if old[t] == new[t] == 1]


def _more(one: Sequence[str], other: Sequence[str]) -> tuple[Item, ...]:
    surplus, whole, there = Counter(one) - Counter(other), Counter(one), set(other)
    found = []
    for text in reversed(one):
        if surplus[text] > 0:
            surplus[text] -= 1
            found.append(Item(text, f" (one of {whole[text]})" if text in there else ""))
    return tuple(reversed(found))
