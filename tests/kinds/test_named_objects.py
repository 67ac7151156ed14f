"""Every place of the schema in which an object names another one is found in a body that has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from voiceops.kinds.named_objects import Named, named_in
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import Node, root, type_of

_DEPTH = 7


def places(node: Node, depth: int = _DEPTH, seen: tuple[str, ...] = ()) -> Iterator[tuple[Any, str]]:
    """Bodies with one reference each, and the kind that it names: each type once on the way down."""
    if depth == 0:
        return
    match node["type"]:
        case "array":
            yield from (([body], kind) for body, kind in places(node.get("items", {"type": "any"}), depth, seen))
        case "union":
            for value, name in node["variants"].items():
                for body, kind in places({"type": "object", "of": name}, depth, seen):
                    yield {node["by"]: value} | body, kind
        case "anyOf":
            for option in node["options"]:
                yield from places(option, depth, seen)
        case "object" if "of" in node and node["of"] not in seen:
            yield from _of_a_type(node["of"], depth, seen)


def _of_a_type(name: str, depth: int, seen: tuple[str, ...]) -> Iterator[tuple[Any, str]]:
    for key, field in type_of(name)["fields"].items():
        item = field.get("items", {})
        kind = field.get("reference") or item.get("reference") or field.get("mayReference") or item.get("mayReference")
        if kind:
            yield {key: ["it"] if field["type"] == "array" else "it"}, kind
        else:
            yield from (({key: body}, kind) for body, kind in places(field, depth - 1, (*seen, name)))


@pytest.mark.parametrize("name", KINDS)
def test_every_place(name: str) -> None:
    kind = KINDS[name]
    count = 0
    for body, wanted in places(root(name)):
        assert [(one.kind, one.value) for one in named_in(kind, body)] == [(wanted, "it")], body
        count += 1
    assert count or name in {"Credential", "Dictionary", "Eval", "File", "KnowledgeBase"}


def test_what_is_attached() -> None:
    found = list(named_in(KINDS["KnowledgeBase"], {"name": "facts", "files": ["a", "b"]}))
    assert found == [Named(("files", 0), "File", "a"), Named(("files", 1), "File", "b")]


def test_by_name_and_by_an_id_of_the_provider() -> None:
    locators = [{"pronunciationDictionaryId": "its-own"}]
    body = {
        "model": {
            "provider": "openai",
            "tools": [{"type": "transferCall", "destinations": [{"type": "assistant", "assistantName": "Desk"}]}],
        },
        "voice": {"provider": "11labs", "pronunciationDictionaryLocators": locators},
    }
    assert [(one.kind, one.by, one.value) for one in named_in(KINDS["Agent"], body)] == [
        ("Agent", "name", "Desk"),
        ("Dictionary", "resourceId", "its-own"),
    ]
