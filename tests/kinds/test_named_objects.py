"""Every place of the schema in which an object names another one is found in a body that has it."""

from __future__ import annotations

import pytest

from tests.kinds.schema_places import places
from voiceops.kinds.named_objects import NamedObject, named_in
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import root


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
    assert found == [NamedObject(("files", 0), "File", "a"), NamedObject(("files", 1), "File", "b")]


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
