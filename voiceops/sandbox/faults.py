"""Faults on demand: rules that say which requests go wrong, and how. What a fault does to a request is gate.py's."""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from voiceops.sandbox.counted_rules import CountedRule, CountedRules, no_other_keys, numbers_of

Kind = Literal["status", "reset", "hang", "half", "text", "other", "pause"]
When = Literal["before", "after"]

_TEXT = "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


@dataclass(slots=True, kw_only=True)
class Rule(CountedRule):
    """One rule: the requests it is about, which of them it spoils, and how.

    `when` is before or after the request is executed. Where no `nth` picks them, each goes wrong with `probability`.
    """

    kind: Kind
    when: When = "before"
    vendor: str = ""
    method: str = ""  # one, or several with |
    path: str = ""  # a regular expression, searched in the path
    body: str = ""  # a regular expression, searched in the body
    probability: float = 1.0
    seed: int = 0
    status: int = 0  # 0: 500, of a text 200
    answer: Any = None  # the answer's body: JSON, or text as it is
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    waiting: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    dice: random.Random = field(default_factory=random.Random)

    def about(self, vendor: str, method: str, path: str, body: str) -> bool:
        """Whether the rule is about this request."""
        if self.vendor not in ("", vendor) or (self.method and method not in self.method.split("|")):
            return False
        return bool(re.search(self.path, path) and (not self.body or re.search(self.body, body)))

    def due(self) -> bool:
        """Whether the request that was just counted goes wrong."""
        return CountedRule.due(self) and (bool(self.nth) or self.dice.random() < self.probability)

    def to_data(self) -> dict[str, Any]:
        """The rule as JSON, with how often it matched and fired."""
        names = [name for name in Rule.__dataclass_fields__ if name not in ("released", "dice")]
        return {name: getattr(self, name) for name in names}

    @property
    def text(self) -> str:
        """What kind `text` answers."""
        return self.answer if isinstance(self.answer, str) else _TEXT


def parse(data: Any) -> Rule:
    """A rule from its JSON. Raises ValueError that says what is wrong."""
    known = set(Rule.__dataclass_fields__) - {"matched", "fired", "waiting", "released", "dice"}
    no_other_keys(data, known, "a fault")
    if data.get("kind") not in get_args(Kind):
        raise ValueError(f"kind is one of {', '.join(get_args(Kind))}")
    late = data["kind"] in ("half", "other")
    values = {"when": "after" if late else "before", **data}
    if values["when"] not in get_args(When) or (late and values["when"] != "after"):
        raise ValueError("when is before or after; a half or another object's answer is always after")
    values["nth"] = numbers_of(values.get("nth", ()))
    try:
        for pattern in (values.get("path", ""), values.get("body", "")):
            re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    rule = Rule(**values)
    rule.dice = random.Random(rule.seed)
    return rule


class Faults(CountedRules[Rule]):
    """The rules in force; the first that fires decides."""

    def __init__(self) -> None:
        super().__init__("fault")

    def match(self, vendor: str, method: str, path: str, body: str) -> Rule | None:
        """The rule that spoils this request."""
        return self.pick(lambda rule: rule.about(vendor, method, path, body))

    def remove(self, id_: str = "") -> int:
        """Take out one rule, or all; requests that wait on them go on."""
        for rule in self.rules:
            if id_ in ("", rule.id):
                rule.released.set()
        return super().remove(id_)

    def release(self, id_: str = "") -> int:
        """Let the requests that wait on one rule, or on any, go on. The rule pauses no more."""
        held = [rule for rule in self.rules if rule.kind == "pause" and id_ in ("", rule.id)]
        for rule in held:
            rule.released.set()
        return sum(rule.waiting for rule in held)
