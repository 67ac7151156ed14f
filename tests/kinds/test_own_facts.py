"""A project's own facts: what a file may say, and that nobody sees another's."""

import asyncio
import json
import time
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest

from voiceops.kinds.json_schema import manifest_schema
from voiceops.kinds.nodes import fields_of, secret_names
from voiceops.kinds.own_facts import NoFacts, is_older, own_facts
from voiceops.kinds.patterns import matches
from voiceops.kinds.schema import embedded, facts, root, type_of, using


def _content(**types: Any) -> bytes:
    return json.dumps({"format": 1, "rules": facts()["rules"], "roots": {}, "types": types}).encode()


def _type(**fields: Any) -> dict[str, Any]:
    return {"required": [], "fields": fields}


_VOICE = _content(ElevenLabsVoice=_type(warmth={"type": "number"}, hidden={"type": "string", "secret": True}))


def test_what_a_file_does_not_have_is_as_voiceops_has_it() -> None:
    own = own_facts(_VOICE)
    with using(own):
        assert set(type_of("ElevenLabsVoice")["fields"]) == {"warmth", "hidden"}
        assert type_of("DeepgramVoice") is embedded().types["DeepgramVoice"]
        assert root("Agent") == {"type": "object", "of": "CreateAssistantDTO"}
        assert "hidden" in secret_names()
    assert "warmth" not in type_of("ElevenLabsVoice")["fields"]
    assert "hidden" not in secret_names()


def test_a_file_makes_nothing_less_secret() -> None:
    assert embedded().types["Server"]["fields"]["secret"]["secret"]
    with using(own_facts(_content(Server=_type(secret={"type": "string"})))):
        assert type_of("Server")["fields"]["secret"] == {"type": "string", "secret": True}
        assert "apiKey" in secret_names()


def test_what_follows_from_one_set_of_facts_is_not_told_of_another() -> None:
    node = {"type": "union", "by": "provider", "variants": {"11labs": "ElevenLabsVoice"}}
    seen = []
    for own in (None, own_facts(_VOICE), None, own_facts(_VOICE)):
        with using(own):
            seen.append("warmth" in fields_of(node, {}))
    assert seen == [False, True, False, True]


async def test_tasks_at_once_see_each_their_own() -> None:
    first = own_facts(_content(Server=_type(one={"type": "string"})))
    second = own_facts(_content(Server=_type(two={"type": "string"})))

    async def work(own: Any) -> set[str]:
        seen = set()
        with using(own):
            for _ in range(20):
                await asyncio.sleep(0)
                seen |= type_of("Server")["fields"].keys() & {"one", "two", "url"}
        return seen

    assert await asyncio.gather(work(first), work(second), work(None)) == [{"one"}, {"two"}, {"url"}]
    with using(first):
        assert await asyncio.to_thread(lambda: set(type_of("Server")["fields"])) == {"one"}
        inside = copy_context()
    assert inside.run(lambda: set(type_of("Server")["fields"])) == {"one"}


def test_a_file_of_the_same_repairs_is_not_older() -> None:
    assert not is_older(_VOICE)
    assert is_older(_VOICE.replace(facts()["rules"].encode(), b"0123456789ab"))


_DEEP: Any = {"type": "string"}
for _ in range(300):
    _DEEP = {"type": "array", "items": _DEEP}
_PROBLEMS: dict[str, tuple[bytes, str]] = {
    "no-json": (b"{", "is no JSON"),
    "another-file": (b"[]", "holds no facts of voiceops"),
    "another-format": (b'{"format": 2}', "is of a format that this voiceops does not read (a number)"),
    "no-types": (b'{"format": 1, "types": []}', "types: must be a map, not a list"),
    "a-type-of-nothing": (_content(A=_type(x={"type": "object", "of": "Gone"})), "types.A.x: names a type"),
    "a-variant-of-nothing": (
        _content(A=_type(x={"type": "union", "by": "type", "variants": {"a": "Gone"}})),
        "types.A.x.variants.a: names a type",
    ),
    "no-node": (_content(A=_type(x="string")), "types.A.x: is no node with a type"),
    "an-unknown-type": (_content(A=_type(x={"type": "text"})), "types.A.x: is no node with a type"),
    "a-union-without-a-key": (_content(A=_type(x={"type": "union", "variants": {}})), "types.A.x: a union has by"),
    "a-choice-of-nothing": (_content(A=_type(x={"type": "anyOf", "options": []})), "types.A.x: has no options"),
    "a-limit-that-is-a-text": (
        _content(A=_type(x={"type": "number", "minimum": "1"})),
        "types.A.x.minimum: must be a number, not a text",
    ),
    "values-that-are-maps": (
        _content(A=_type(x={"type": "string", "enum": [{}]})),
        "x.enum: must be a list of",
    ),
    "a-field-that-is-required-and-none": (
        json.dumps({"format": 1, "roots": {}, "types": {"A": {"required": ["x"], "fields": {}}}}).encode(),
        "types.A: requires x, which is none of its fields",
    ),
    "a-root-of-nothing": (b'{"format": 1, "roots": {"Agent": "Gone"}, "types": {}}', "roots.Agent: names a type"),
    "a-root-without-a-body": (b'{"format": 1, "roots": {"Agent": {}}, "types": {}}', "roots.Agent: has no create"),
    "a-reference-to-no-kind": (
        _content(A=_type(x={"type": "string", "reference": "Nope"})),
        "types.A.x.reference: names a kind that is not there",
    ),
    "another's-attribute-without-one": (
        _content(A=_type(x={"type": "string", "mayReference": "Dictionary"})),
        "types.A.x: refers to another's attribute, and has none",
    ),
    "too-deep": (_content(A=_type(x=_DEEP)), "is nested more than 100 deep"),
    "a-pattern-that-looks-ahead": (
        _content(A=_type(x={"type": "string", "pattern": "^(?=a)"})),
        "types.A.x: has a pattern that can't be tried in bounded time",
    ),
    "a-pattern-that-grows": (
        _content(A=_type(x={"type": "string", "pattern": "((a{1,900}){1,900}){1,900}"})),
        "types.A.x: has a pattern that can't be tried in bounded time",
    ),
    "a-pattern-that-is-long": (
        _content(A=_type(x={"type": "string", "pattern": "a" * 2000})),
        "types.A.x: has a pattern that can't be tried in bounded time",
    ),
    "too-large": (b" " * ((8 << 20) + 1), "is larger than"),
}


@pytest.mark.parametrize(("content", "problem"), _PROBLEMS.values(), ids=_PROBLEMS)
def test_a_file_that_can_not_be_used_says_where(content: bytes, problem: str) -> None:
    with pytest.raises(NoFacts) as raised:
        own_facts(content)
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_pattern_of_a_project_s_own_is_tried_in_bounded_time() -> None:
    evil = r"^(\w+\s?)*$"
    own = own_facts(_content(A=_type(x={"type": "string", "pattern": evil})))
    begun = time.process_time()
    with using(own):
        assert matches(evil, "word " * 20)
        assert not matches(evil, "word " * 5_000 + "!")
    assert time.process_time() - begun < 2


def test_types_that_lead_back_to_themselves_end() -> None:
    again = {"type": "object", "of": "Server"}
    with using(own_facts(_content(Server=_type(one=again, more={"type": "array", "items": again})))):
        assert "Server" in manifest_schema("Server")["$defs"]


def test_the_checked_in_facts_pass_as_a_project_s_own() -> None:
    content = (Path(__file__).parent.parent.parent / "schema" / "vapi.json").read_bytes()
    assert own_facts(content).types == embedded().types
