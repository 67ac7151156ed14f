"""Outcomes on order: rules that say how simulations and evals end, whatever the assistant says."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

What = Literal["simulation", "eval", ""]
Ending = Literal["passed", "failed", "canceled", "error", "hang", ""]


@dataclass(slots=True, kw_only=True)
class Order:
    """One order: which simulations or evals it is about, how they end, and after how long.

    It counts those that start, in their order. `nth` picks by number (1-based) among those that match; without it
    the first `times` of them (0: all). An empty `outcome` leaves the ending as it comes.
    """

    what: What = ""
    name: str = ""  # a regular expression, searched in the names of the simulation, its scenario, its suite, the eval
    outcome: Ending = ""
    reason: str = ""
    seconds: float | None = None
    nth: tuple[int, ...] = ()
    times: int = 0
    id: str = ""
    matched: int = 0
    fired: int = 0

    def about(self, what: str, names: str) -> bool:
        """Is the order about this one? Counts it where it is."""
        if self.what not in ("", what) or not re.search(self.name, names, re.MULTILINE):
            return False
        self.matched += 1
        return True

    def due(self) -> bool:
        """Whether the one that was just counted ends as ordered."""
        if self.nth:
            return self.matched in self.nth
        return not self.times or self.fired < self.times

    def to_data(self) -> dict[str, Any]:
        """The order as JSON, with how often it matched and fired."""
        return asdict(self)


def parse(data: Any) -> Order:
    """An order from its JSON. Raises ValueError: it says what is wrong."""
    if not isinstance(data, dict):
        raise ValueError("an outcome is a JSON object")
    given = {field.name for field in fields(Order)} - {"matched", "fired"}
    if unknown := sorted(set(data) - given):
        raise ValueError(f"an outcome has no {', '.join(unknown)}; it has {', '.join(sorted(given))}")
    for key, allowed in (("what", get_args(What)), ("outcome", get_args(Ending))):
        if data.get(key, "") not in allowed:
            raise ValueError(f"{key} is one of {', '.join(value for value in allowed if value)}, or empty")
    try:
        re.compile(data.get("name", ""))
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    nth = data.get("nth", ())
    return Order(**{**data, "nth": tuple(nth) if isinstance(nth, list | tuple) else (int(nth),)})


class Outcomes:
    """The orders in force, and what ran: how many were started and ended, and the most at once."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.started: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self._number = 0

    def add(self, order: Order) -> Order:
        """Put an order into force, after those that are; one without an id is given one."""
        self._number += 1
        order.id = order.id or f"outcome-{self._number}"
        self.orders.append(order)
        return order

    def remove(self, id_: str = "") -> int:
        """Take out one order, or all."""
        before = len(self.orders)
        self.orders = [order for order in self.orders if id_ and order.id != id_]
        return before - len(self.orders)

    def match(self, what: str, names: str) -> Order | None:
        """The order for one that starts now; every order that is about it counts it."""
        about = [order for order in self.orders if order.about(what, names)]
        hit = next((order for order in about if order.due()), None)
        if hit is not None:
            hit.fired += 1
        return hit

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
