"""A team's own rules over the changes of a plan: CEL expressions, with an id, a severity and a message each.

https://github.com/google/cel-spec; the library is imported by the first rule that is compiled. A rule that can't be
evaluated counts as broken: what was not checked is not approved.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.errors import Diagnostic, Mark, Severity
from voiceops.model.graph import Graph
from voiceops.model.plan import Change, Plan, shown
from voiceops.model.values import JSON

ACTIONS = ("create", "update", "replace", "delete", "adopt", "no-op")
# What leaves an object behind: the changes that a rule is about unless it says otherwise.
LEAVING = ("create", "update", "replace", "adopt")
VARIABLES = (
    "address",
    "kind",
    "name",
    "actions",
    "reason",
    "before",
    "after",
    "paths",
    "affects",
    "labels",
    "project",
    "environment",
)
_UNDEFINED = "Undefined variable or function"


class BadExpression(ValueError):
    """An expression that can't be used; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One CEL expression: its text, its place, and what evaluates it."""

    text: str
    mark: Mark
    run: Callable[[Mapping[str, Any]], Any]

    def takes(self, largest: int) -> float:
        """About how many seconds, where the largest list or map that it may go through has so many items.

        Measured of the library: all() and exists() cost their items, each one inside another multiplies; map() and
        filter() build their result anew with each item.
        """
        found = [match[1] for match in _MACRO.finditer(self.text) if match[1]]
        if not found:
            return 0.0
        items = float(largest) * (1 + self.text.count("+")) + self.text.count(",")
        builds = any(name in ("map", "filter") for name in found)
        exponent = _nested(self.text) + builds
        return len(found) * _SECONDS[builds] * min(items, _COUNTLESS) ** exponent


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One rule. Broken where `match` fits, `when` is true (or missing) and `require` is not."""

    id: str
    message: str
    mark: Mark
    severity: Severity = "error"
    hint: str = ""
    kinds: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    actions: tuple[str, ...] = LEAVING
    environments: tuple[str, ...] = ()
    when: Expression | None = None
    require: Expression | None = None

    def takes(self, largest: int) -> float:
        """About how many seconds with one change, as Expression.takes."""
        return sum(expression.takes(largest) for expression in (self.when, self.require) if expression is not None)

    def matches(self, change: Change, words: Iterable[str], environment: str) -> bool:
        """Is the rule about this change? `words` are what happens to it: create, update, replace, delete and so on."""
        return (
            (not self.kinds or change.kind in self.kinds)
            and (not self.addresses or any(_fits(change.address, pattern) for pattern in self.addresses))
            and (not self.environments or any(fnmatch.fnmatchcase(environment, name) for name in self.environments))
            and not set(self.actions).isdisjoint(words)
        )


def compiled(text: str) -> Callable[[Mapping[str, Any]], Any]:
    """A CEL expression as a function of its variables. Raises BadExpression, ImportError without the library."""
    _check_cost(text)
    from cel import Context
    from cel import compile as compile_cel

    try:
        program = compile_cel(text)
    except Exception as error:  # the library's errors have no common class
        raise BadExpression(_first_line(str(error))) from None

    def run(variables: Mapping[str, Any]) -> Any:
        return program.execute(Context(dict(variables), {"get": get}))

    try:
        run(_NOTHING)
    except Exception as error:
        # Nothing is there to be found yet; only names that will never be known are wrong already.
        if _UNDEFINED in str(error):
            raise BadExpression(f"{_first_line(str(error))} Known are {', '.join(VARIABLES)} and get().") from None
    return run


_MOST_LENGTH = 4_000
_SECONDS = (6e-7, 1.3e-7)  # a step of all(), and one of map() or filter()
_COUNTLESS = 1e9
_MOST_SECONDS = 10.0  # that one rule may take with one change
_MOST_NESTED = 2  # all(), exists(), map() and so on inside each other: each one multiplies the work
_MACRO = re.compile(
    r"""\.\s*(all|exists|exists_one|existsOne|map|filter)\s*\(|[()]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
)


def _check_cost(text: str) -> None:
    """A rule is evaluated for every change: what would take minutes is no rule. Raises BadExpression."""
    if len(text) > _MOST_LENGTH:
        raise BadExpression(f"it is longer than {_MOST_LENGTH:,} characters.")
    if _nested(text) > _MOST_NESTED:
        raise BadExpression(f"more than {_MOST_NESTED} of all(), exists(), map(), filter() stand inside each other.")


def _nested(text: str) -> int:
    """How many macros stand inside each other, at most."""
    open_, nested = [], 0
    for found in _MACRO.finditer(text):
        if found[1]:
            open_.append(True)
        elif found[0] == "(":
            open_.append(False)
        elif found[0] == ")" and open_:
            open_.pop()
        nested = max(nested, sum(open_))
    return nested


def get(value: Any = None, path: str = "", default: Any = None) -> Any:
    """`get(after, "artifactPlan.recordingEnabled", true)`: a value, or the default where anything on the way lacks."""
    for step in path.split("."):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return default
    return default if value is None else value


_NOTHING: dict[str, Any] = {
    "address": "Agent/a",
    "kind": "Agent",
    "name": "",
    "actions": ["create"],
    "reason": "",
    "before": {},
    "after": {},
    "paths": [],
    "affects": [],
    "labels": {},
    "project": "",
    "environment": "",
}


def broken(
    plan: Plan, graph: Graph, policies: Iterable[Policy], out_of_time: Callable[[], bool] = lambda: False
) -> list[Diagnostic]:
    """Every rule that a change breaks, in the order of addresses; where the time is up, that, and no more."""
    rules = list(policies)
    found: list[Diagnostic] = []
    for change in plan.changes if rules else ():
        words = words_of(change)
        variables: dict[str, Any] | None = None
        largest = 0
        for policy in rules:
            if not policy.matches(change, words, plan.environment):
                continue
            if out_of_time():
                found.append(_too_long(policy, change, "the rules have taken too long with this plan"))
                return found
            if variables is None:
                variables = _variables(change, plan, graph)
                largest = _largest(variables)
            if (seconds := policy.takes(largest)) > _MOST_SECONDS:
                text = f"this rule would take about {seconds:,.0f} s with a list or map of {largest:,} items"
                found.append(_too_long(policy, change, text))
                continue
            if (why := _why(policy, variables)) is not None:
                found.append(_diagnostic(policy, change, why))
    return found


def _too_long(policy: Policy, change: Change, text: str) -> Diagnostic:
    """What was not checked is not approved."""
    return Diagnostic(
        code="policy-time",
        mark=policy.mark,
        address=change.address,
        summary=f"rule {policy.id} was not checked for {change.address}: {text}",
        hint="Narrow it with match: or when:, or write it with fewer of all(), exists(), map(), filter().",
    )


def _largest(value: JSON) -> int:
    """How many items the largest list or map in it has."""
    waiting, found = [value], 0
    while waiting:
        here = waiting.pop()
        if isinstance(here, (dict, list)):
            found = max(found, len(here))
            waiting += here.values() if isinstance(here, dict) else here
    return found


def words_of(change: Change) -> tuple[str, ...]:
    """A change in the words of `ACTIONS`: a take-over is that and, where it writes, an update."""
    words = ("replace",) if change.is_replacement else change.actions
    return (*words, "adopt") if change.adopts else words


def _why(policy: Policy, variables: Mapping[str, Any]) -> str | None:
    """What breaks the rule: an empty text for the rule itself, else why it can't be told; None if it holds."""
    for expression, wanted in ((policy.when, True), (policy.require, False)):
        if expression is None:
            continue
        try:
            value = expression.run(variables)
        except Exception as error:  # a missing field is a KeyError, a wrong type a TypeError, …
            reason = f"there is no {error}" if isinstance(error, KeyError) else _first_line(str(error))
            return f"`{expression.text}` can't be evaluated: {reason}"
        if not isinstance(value, bool):
            return f"`{expression.text}` is {type(value).__name__}, not true or false"
        if value is not wanted:
            return None
    return ""


def _diagnostic(policy: Policy, change: Change, why: str) -> Diagnostic:
    rule = f"Rule {policy.id}, {policy.mark.place}."
    advice = 'Ask with has(…), or get(after, "path", default).' if why.startswith("`") and "no '" in why else ""
    return Diagnostic(
        code="policy",
        severity=policy.severity,
        mark=Mark(change.file, change.line, 1) if change.file else None,
        address=change.address,
        summary=f"{policy.message}{f' ({why})' if why else ''}",
        hint=" ".join(part for part in (policy.hint, advice, rule) if part),
    )


def _variables(change: Change, plan: Plan, graph: Graph) -> dict[str, Any]:
    resource = graph.resources.get(change.address)
    after: JSON = change.after
    if after is None and change.is_no_op and resource is not None:
        after = resource.body  # nothing changes: as the manifest has it
    return {
        "address": change.address,
        "kind": change.kind,
        "name": change.name or "",
        "actions": list(change.actions),
        "reason": change.reason,
        "before": shown(change.before),
        "after": shown(after),
        "paths": [field.to_data() for field in change.fields],
        "affects": list(change.affects),
        "labels": dict(resource.labels) if resource is not None else {},
        "project": plan.project,
        "environment": plan.environment,
    }


def _fits(address: str, pattern: str) -> bool:
    return address == pattern or fnmatch.fnmatchcase(address, pattern.replace("[", "[[]"))


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
