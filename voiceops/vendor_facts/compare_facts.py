"""What one set of facts says that another does not: fields, values, variants, and what is given up."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from voiceops.kinds.schema import Facts, Node

ChangeKind: TypeAlias = Literal[
    "new-kind",
    "new-field",
    "removed-field",
    "new-values",
    "removed-values",
    "new-variants",
    "removed-variants",
    "deprecated",
    "changed-type",
    "required",
    "no-longer-required",
    "changed-limits",
]
_LIMITS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "format")
# One fact stands in several types: of a create, an update and overrides, of a voice and of another's fallback.
_TWIN = re.compile(r"^(?:Create|Update|Fallback|Workflow|Eval)+|(?:DTO|Overrides)$")
_INNER = (("items", "[]"), ("values", "{}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """One difference. `at` is where manifests meet the type (`Voice[deepgram]`); `also` are types that say the same."""

    kind: ChangeKind
    type: str
    at: str
    field: str = ""
    values: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def compare_facts(old: Facts, new: Facts) -> list[FactChange]:
    """Every difference between two sets of facts, once for twins, in the order of where manifests meet them."""
    places = {**_places(old), **_places(new)}
    found = [FactChange(kind="new-kind", type=kind, at=kind) for kind in new.roots.keys() - old.roots.keys()]
    for kind in new.roots.keys() & old.roots.keys():
        for before, after in _unions(old.roots[kind], new.roots[kind]):
            found += _in_node("", kind, kind, before, after)
    for name in new.types.keys() & old.types.keys():
        if new.types[name] is not old.types[name]:
            found += _in_type(name, places.get(name, name), old.types[name], new.types[name])
    return _without_twins(sorted(found, key=_order))


def _order(change: FactChange) -> tuple[Any, ...]:
    """The shortest ways first, so that of twins the one is told that people write."""
    return change.at.count("."), change.at, change.type, change.field, change.kind


def _unions(old: Any, new: Any) -> Iterator[tuple[Node, Node]]:
    """The unions that a kind's bodies are, by operation; a body of one type says no more than its type."""
    for operation in ("create", "update", "by"):
        before, after = (_body(entry, operation) for entry in (old, new))
        if isinstance(before, dict) and isinstance(after, dict):
            yield {"type": "union", **before}, {"type": "union", **after}


def _body(entry: Any, operation: str) -> Any:
    if isinstance(entry, str) or ("by" in entry) is not (operation == "by"):
        return None
    return entry if operation == "by" else entry.get(operation)


def _in_type(name: str, at: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FactChange]:
    before, after = old["fields"], new["fields"]
    for key in after.keys() - before.keys():
        yield FactChange(kind="new-field", type=name, at=at, field=key, values=(described_node(after[key]),))
    for key in before.keys() - after.keys():
        yield FactChange(kind="removed-field", type=name, at=at, field=key)
    both = before.keys() & after.keys()
    for key in both:
        yield from _in_node(key, name, at, before[key], after[key])
    for key in both & (set(new["required"]) - set(old["required"])):
        yield FactChange(kind="required", type=name, at=at, field=key)
    for key in both & (set(old["required"]) - set(new["required"])):
        yield FactChange(kind="no-longer-required", type=name, at=at, field=key)


def _in_node(field: str, name: str, at: str, old: Node, new: Node) -> Iterator[FactChange]:
    """The differences of one field: those that say more than that its inside differs."""

    def change(kind: ChangeKind, values: Sequence[Any] = ()) -> FactChange:
        return FactChange(kind=kind, type=name, at=at, field=field, values=tuple(map(str, values)))

    if new.get("deprecated") and not old.get("deprecated"):
        yield change("deprecated", [new["successor"]] if "successor" in new else [])
    if old["type"] != new["type"]:
        yield change("changed-type", [described_node(old), described_node(new)])
        return
    before, after = _values(old), _values(new)
    if new_values := [value for value in after if value not in before]:
        yield change("new-values", new_values)
    if gone := [value for value in before if value not in after]:
        yield change("removed-values", gone)
    known, offered = ({**node.get("variants", {}), **node.get("patterns", {})} for node in (old, new))
    if more := [choice for choice in offered if choice not in known]:
        yield change("new-variants", more)
    if less := [choice for choice in known if choice not in offered]:
        yield change("removed-variants", less)
    if limits := [key for key in _LIMITS if old.get(key) != new.get(key)]:
        yield change("changed-limits", [f"{key} {_said(old.get(key))} → {_said(new.get(key))}" for key in limits])
    for key, sign in _INNER:
        if key in old and key in new:
            yield from _in_node(field + sign, name, at, old[key], new[key])
    for key in ("options", "others"):
        if len(old.get(key, ())) == len(new.get(key, ())):
            for one, other in zip(old.get(key, ()), new.get(key, ()), strict=True):
                yield from _in_node(field, name, at, one, other)


def _values(node: Node) -> list[Any]:
    return [*node.get("enum", ()), *node.get("examples", ())]


def _said(value: Any) -> str:
    return "none" if value is None else str(value)


def described_node(node: Node) -> str:
    """What a field takes, in a word or a few."""
    match node["type"]:
        case "array":
            return f"list of {described_node(node.get('items', {'type': 'any'}))}"
        case "object":
            return str(node.get("of", "map"))
        case "union":
            return f"one of {len(node['variants'])} by {node['by']}"
        case "anyOf":
            return " or ".join(dict.fromkeys(described_node(option) for option in node["options"]))
    return str(node["type"])


def _places(facts: Facts) -> dict[str, str]:
    """Where a manifest meets each type first: the shortest way from some kind's body."""
    found: dict[str, str] = {}
    waiting: deque[tuple[str, str]] = deque()
    for kind, entry in facts.roots.items():
        body = entry.get("create", entry) if isinstance(entry, dict) and "by" not in entry else entry
        waiting += [(body, kind)] if isinstance(body, str) else list(_variants(body, kind))
    while waiting:
        name, at = waiting.popleft()
        if name in found or name not in facts.types:
            continue
        found[name] = at
        for key, node in facts.types[name]["fields"].items():
            waiting += _named(node, f"{at}.{key}")
    return found


def _variants(node: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    for choice, name in {**node.get("variants", {}), **node.get("patterns", {})}.items():
        yield name, f"{at}[{choice}]"


def _named(node: Node, at: str) -> Iterator[tuple[str, str]]:
    """The types that a node names, with the way to each."""
    if "of" in node:
        yield node["of"], at
    yield from _variants(node, at)
    for key in ("items", "values"):
        if key in node:
            yield from _named(node[key], at)
    for option in (*node.get("options", ()), *node.get("others", ())):
        yield from _named(option, at)


def _without_twins(changes: Sequence[FactChange]) -> list[FactChange]:
    """One change for those that say the same of twins; the first by where it stands."""
    found: dict[tuple[Any, ...], FactChange] = {}
    for change in changes:
        key = (change.kind, change.field, change.values, _TWIN.sub("", change.type))
        first = found.get(key)
        if first is None:
            found[key] = change
        elif change.type != first.type:
            found[key] = replace(first, also=(*first.also, change.type))
    return list(found.values())
