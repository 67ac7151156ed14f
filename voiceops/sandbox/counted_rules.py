"""Rules that count what they are about, and pick some of it by number: faults of requests, endings of runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Generic, TypeVar


@dataclass(slots=True, kw_only=True)
class CountedRule:
    """`nth` picks by number (from 1) among those that match; without it the first `times` of them (0: all)."""

    nth: tuple[int, ...] = ()
    times: int = 0
    id: str = ""
    matched: int = 0
    fired: int = 0

    def due(self) -> bool:
        """Whether the one that was just counted is picked."""
        if self.nth:
            return self.matched in self.nth
        return not self.times or self.fired < self.times


R = TypeVar("R", bound=CountedRule)


class CountedRules(Generic[R]):
    """The rules in force, in their order; the first that fires decides. `word` begins the ids of those without one."""

    def __init__(self, word: str) -> None:
        self.rules: list[R] = []
        self._word = word
        self._number = 0

    def add(self, rule: R) -> R:
        """Put a rule into force, after those that are; one without an id is given one."""
        self._number += 1
        rule.id = rule.id or f"{self._word}-{self._number}"
        self.rules.append(rule)
        return rule

    def remove(self, id_: str = "") -> int:
        """Take out one rule, or all; how many there were."""
        before = len(self.rules)
        self.rules = [rule for rule in self.rules if id_ and rule.id != id_]
        return before - len(self.rules)

    def pick(self, about: Callable[[R], bool]) -> R | None:
        """The rule that fires for what comes now; every rule that is about it counts it."""
        matching = [rule for rule in self.rules if about(rule)]
        for rule in matching:
            rule.matched += 1
        hit = next((rule for rule in matching if rule.due()), None)
        if hit is not None:
            hit.fired += 1
        return hit


def numbers_of(nth: Any) -> tuple[int, ...]:
    """`nth` as people write it: one number, or a list of them. Raises ValueError, TypeError: it is neither."""
    return tuple(map(int, nth)) if isinstance(nth, list | tuple) else (int(nth),)


def no_other_keys(data: Any, known: Collection[str], what: str) -> None:
    """Raises ValueError where a rule is no JSON object, or has keys that it can't have. `what`: "a fault"."""
    if not isinstance(data, dict):
        raise ValueError(f"{what} is a JSON object")
    if unknown := sorted(set(data) - set(known)):
        raise ValueError(f"{what} has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
