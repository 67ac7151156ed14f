"""The vendor's schema as facts: types, fields, ranges, unions, references, secrets.

Reads the checked-in `schema/*.json`; knows nothing of manifests. The format is described in
docs/schema-format.md. A project may have facts of its own (own_facts.py), and `using` says whose are meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar

from voiceops.errors import VoiceopsError

Node: TypeAlias = dict[str, Any]
P = ParamSpec("P")
R = TypeVar("R")

# A wheel carries the files inside the package, a checkout beside it.
_FOLDERS = (
    Path(__file__).parent.parent / "_data" / "schema",
    Path(__file__).parent.parent.parent / "schema",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facts:
    """One set of facts about Vapi's API. `worked_out` is what was derived from it, by what derived it."""

    roots: dict[str, Any]
    answered: dict[str, list[str]]
    elsewhere: dict[str, dict[str, str]]
    types: dict[str, dict[str, Any]]
    worked_out: dict[Any, Callable[..., Any]] = field(default_factory=dict)


# Whose facts are meant: a project's own ones, or None for those that voiceops brings. They are asked for so deep
# inside pure functions that handing them down would be a parameter of nearly every one (docs/decisions).
_OWN: ContextVar[Facts | None] = ContextVar("voiceops_facts", default=None)


@cache
def facts(name: str = "vapi") -> dict[str, Any]:
    """The facts file `schema/NAME.json` as voiceops brings it. Raises FileNotFoundError: this installation has none."""
    for folder in _FOLDERS:
        path = folder / f"{name}.json"
        if path.is_file():
            loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return loaded
    raise FileNotFoundError(f"schema/{name}.json is missing from this installation")


@cache
def embedded() -> Facts:
    """The facts about Vapi's API that voiceops brings."""
    found = facts()
    return Facts(roots=found["roots"], answered=found["answered"], elsewhere=found["elsewhere"], types=found["types"])


def in_force() -> Facts:
    """The facts that are meant here: those of the project that is worked on, else voiceops's."""
    return _OWN.get() or embedded()


def has_own() -> bool:
    """Are these facts a project's own?"""
    return _OWN.get() is not None


@contextmanager
def using(own: Facts | None) -> Iterator[None]:
    """For as long as this lasts, in this task and in what it starts, a project's own facts are meant (None: ours)."""
    before = _OWN.get()
    _OWN.set(own)
    try:
        yield
    finally:
        _OWN.set(before)


def per_facts(function: Callable[P, R]) -> Callable[P, R]:
    """`functools.cache`, once for each set of facts: what follows from one project's is never told of another's."""
    ours: Callable[..., R] = cache(function)

    @wraps(function)
    def found(*args: P.args, **kwargs: P.kwargs) -> R:
        own = _OWN.get()
        if own is None:
            return ours(*args, **kwargs)
        if function not in own.worked_out:
            own.worked_out[function] = cache(function)
        result: R = own.worked_out[function](*args, **kwargs)
        return result

    return found


def type_of(name: str, source: str = "vapi") -> dict[str, Any]:
    """A named type: `{"required": […], "fields": {…}}`."""
    if source != "vapi":
        found: dict[str, Any] = facts(source)["types"][name]
        return found
    return (_OWN.get() or embedded()).types[name]


@per_facts
def root(kind: str, operation: str = "create") -> Node:
    """The node of a kind's body: an object, or a union chosen by its discriminator.

    `operation` is create, update, or manifest: the spec as people write it, where that is not the body.
    Raises VoiceopsError: the facts don't have the kind.
    """
    entry = in_force().roots.get(kind)
    if entry is None:
        raise VoiceopsError(
            f"schema/vapi.json does not describe the bodies of the kind {kind}",
            hint="Write it anew from the vendor's OpenAPI file: make schema OPENAPI=FILE. A kind whose bodies it does "
            "not have gets them in voiceops/vendor_facts/hand_written.py first.",
        )
    target = (
        entry.get(operation, entry.get("create", entry)) if isinstance(entry, dict) and "by" not in entry else entry
    )
    return as_node(target)


def as_node(target: Any) -> Node:
    """A root as the facts write it (a type's name, or a union) as an ordinary node."""
    if isinstance(target, str):
        return {"type": "object", "of": target}
    return {"type": "union", **target}
