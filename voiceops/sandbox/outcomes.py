"""Outcomes on order: rules that say how simulations and evals end, whatever the assistant says."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from voiceops.sandbox.counted_rules import CountedRule, CountedRules, no_other_keys, numbers_of

What = Literal["simulation", "eval", ""]
Ending = Literal["passed", "failed", "canceled", "error", "hang", ""]


@dataclass(slots=True, kw_only=True)
class Order(CountedRule):
    """One order: which simulations or evals it is about, how they end, and after how long.

    It counts those that start, in their order. An empty `outcome` leaves the ending as it comes.
    """

    what: What = ""
    name: str = ""  # a regular expression, searched in the names of the simulation, its scenario, its suite, the eval
    outcome: Ending = ""
    reason: str = ""
    seconds: float | None = None

    def about(self, what: str, names: str) -> bool:
        """Is the order about this one?"""
        return self.what in ("", what) and bool(re.search(self.name, names, re.MULTILINE))

    def to_data(self) -> dict[str, Any]:
        """The order as JSON, with how often it matched and fired."""
        return asdict(self)


def parse(data: Any) -> Order:
    """An order from its JSON. Raises ValueError: it says what is wrong."""
    no_other_keys(data, {field.name for field in fields(Order)} - {"matched", "fired"}, "an outcome")
    for key, allowed in (("what", get_args(What)), ("outcome", get_args(Ending))):
        if data.get(key, "") not in allowed:
            raise ValueError(f"{key} is one of {', '.join(value for value in allowed if value)}, or empty")
    try:
        re.compile(data.get("name", ""))
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return Order(**{**data, "nth": numbers_of(data.get("nth", ()))})


class Outcomes(CountedRules[Order]):
    """The orders in force, and what ran: how many were started and ended, and the most at once."""

    def __init__(self) -> None:
        super().__init__("outcome")
        self.started: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.most: dict[str, int] = {}

    def match(self, what: str, names: str) -> Order | None:
        """The order for one that starts now."""
        return self.pick(lambda order: order.about(what, names))

    def count_start(self, what: str, at_once: int) -> None:
        """One more has started, and so many run now."""
        self.started[what] = self.started.get(what, 0) + 1
        self.most[what] = max(at_once, self.most.get(what, 0))

    def count_end(self, status: str) -> None:
        """One more has ended."""
        self.ended[status] = self.ended.get(status, 0) + 1

    def counts(self) -> dict[str, Any]:
        """What ran, as JSON."""
        return {"started": self.started, "ended": self.ended, "mostAtOnce": self.most}
