"""Facts and documents with anything anywhere: each is used, or refused as such; nothing else happens."""

import copy
import json
from random import Random
from typing import Any

import pytest

from tests.vendor_facts.test_from_openapi import OPENAPI
from voiceops.kinds.json_schema import any_manifest_schema
from voiceops.kinds.own_facts import NoFacts, own_facts
from voiceops.kinds.schema import using
from voiceops.vendor_facts.facts_text import render
from voiceops.vendor_facts.from_openapi import build
from voiceops.vendor_facts.openapi_file import NoOpenApi, checked_openapi

_JUNK: list[Any] = [
    *(None, True, 1, -1.5, "", "x", [], {}, [1], ["x"], {"a": 1}, {"type": "string"}, {"type": {}}, {"oneOf": [{}]}),
    *({"$ref": "#/components/schemas/Server"}, {"$ref": ""}, {"type": "array"}, {"type": "union", "by": "type"}),
]
_TIMES = 150


def _changed(document: Any, random: Random) -> Any:
    """The document with up to three values taken out or replaced by junk."""
    document = copy.deepcopy(document)
    for _ in range(random.randint(1, 3)):
        inner = document
        while inner:
            key = random.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
            if isinstance(inner[key], (dict, list)) and inner[key] and random.random() < 0.8:
                inner = inner[key]
                continue
            if random.random() < 0.3:
                del inner[key]
            else:
                inner[key] = copy.deepcopy(random.choice(_JUNK))
            break
    return document


@pytest.mark.parametrize("seed", range(4))
def test_facts_with_anything_anywhere(seed: int) -> None:
    random, base = Random(seed), json.loads(render(build(OPENAPI)[0]))
    used = 0
    for _ in range(_TIMES):
        try:
            facts = own_facts(json.dumps(_changed(base, random)).encode())
        except NoFacts:
            continue
        used += 1
        with using(facts):
            assert any_manifest_schema()["$defs"]
    assert 0 < used < _TIMES


@pytest.mark.parametrize("seed", range(4))
def test_documents_with_anything_anywhere(seed: int) -> None:
    random = Random(seed)
    used = 0
    for _ in range(_TIMES):
        try:
            document = checked_openapi(_changed(OPENAPI, random))
        except NoOpenApi:
            continue
        used += 1
        own_facts(render(build(document)[0]).encode())
    assert 0 < used < _TIMES
