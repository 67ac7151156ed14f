"""Paths, markers, canonical texts, merge patches, addresses: the small words that everything else is said in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceops.errors import Mark
from voiceops.model import address as addresses
from voiceops.model.graph import Graph, Resource, reaching, walk
from voiceops.model.located import Map, Seq, merged, plain
from voiceops.model.values import (
    ABSENT,
    Fingerprint,
    Ref,
    Secret,
    Template,
    canonical,
    copy,
    decode,
    delete_path,
    digest,
    encode,
    format_path,
    get_path,
    identical,
    is_plain,
    leaves,
    merge_patch,
    parse_path,
    refs_in,
    secret,
    set_path,
)

keys = st.text(max_size=6) | st.sampled_from(["a", "b c", "x.y", "[0]", 'q"', "\\", "0", "$ref", "é", "a-b", "\n"])
paths = st.lists(keys | st.integers(0, 20), max_size=5).map(tuple)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("model", "messages", 0, "content"), "model.messages[0].content"),
        (("a", 0, 1), "a[0][1]"),
        ((0, "a"), "[0].a"),
        (("with space", "x"), '["with space"].x'),
        (("a", "b.c"), 'a["b.c"]'),
        (("a", "0"), 'a["0"]'),
        (("tools:append", 0), "tools:append[0]"),
        (("x-y",), "x-y"),
    ],
)
def test_paths_as_text(path: tuple[Any, ...], text: str) -> None:
    assert format_path(path) == text
    assert parse_path(text) == path


@given(paths)
@settings(max_examples=300)
def test_any_path_comes_back(path: tuple[Any, ...]) -> None:
    assert parse_path(format_path(path)) == path


@pytest.mark.parametrize("text", ["a..b", "a[", "a]", "[x]", 'a["', "."])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        parse_path(text)


@given(st.dictionaries(st.sampled_from("abc"), st.integers() | st.lists(st.integers(), max_size=2), max_size=3))
def test_what_is_set_is_there_and_what_is_deleted_is_not(value: dict[str, Any]) -> None:
    for path, leaf in list(leaves(copy(value))):
        if path:
            assert get_path(value, path) == leaf
    new = copy(value)
    set_path(new, ("x", "list", 0, "y"), 1)
    assert get_path(new, ("x", "list", 0, "y")) == 1
    delete_path(new, ("x", "list", 0))
    assert get_path(new, ("x", "list", 0)) is ABSENT
    delete_path(new, ("nowhere", "at", "all"))
    delete_path(new, ("x",))
    assert new == value


markers = st.sampled_from(
    [
        Ref("Agent/a"),
        Ref("Agent/a", "name"),
        Template(("x", Ref("Agent/a"), "y")),
        Fingerprint(("K",), "scrypt:1"),
        Fingerprint((), ""),
        secret("K"),
        Secret(("A", "B"), ("x", "y", "z")),
        ABSENT,
    ]
)
values = st.recursive(
    markers | st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_markers_survive_the_way_through_json(value: Any) -> None:
    assert decode(json.loads(json.dumps(encode(value)))) == value


def test_a_secret_that_was_written_out_is_not_written_down() -> None:
    encoded = encode({"key": Secret((), ("sk-literal",))})

    assert "sk-literal" not in json.dumps(encoded)
    assert "sk-literal" not in repr(Secret((), ("sk-literal",)))
    assert decode(encoded)["key"].reveal(lambda _: "x") is None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1.0}, {"a": 1}, True),
        ({"a": 1.5}, {"a": 1}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": None}, {}, False),
        ([1, 2], [2, 1], False),
        ("é", "e\u0301", False),
        (Ref("Agent/a"), Ref("Agent/a", "name"), False),
    ],
)
def test_canonical(one: Any, other: Any, equal: bool) -> None:
    assert (canonical(one) == canonical(other)) is equal
    assert (digest(one) == digest(other)) is equal


def test_a_lone_surrogate_has_a_digest() -> None:
    assert digest("\ud800").startswith("sha256:")


# RFC 7396, appendix A
@pytest.mark.parametrize(
    ("base", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(base: Any, patch: Any, result: Any) -> None:
    assert merge_patch(base, patch) == result
    located = merged(_located(base, "base"), _located(patch, "patch"))
    assert located == result


def _located(value: Any, file: str) -> Any:
    if isinstance(value, dict):
        found = Map()
        for key, item in value.items():
            found.put(key, _located(item, file), Mark(file, 1, 1, key))
        return found
    if isinstance(value, list):
        items = Seq()
        for item in value:
            items.put(_located(item, file), Mark(file, 1, 1))
        return items
    return value


def test_a_merge_keeps_who_said_what() -> None:
    result = merged(_located({"a": {"x": 1, "y": 2}}, "base"), _located({"a": {"y": 3}}, "patch"))
    sources: dict[Any, Mark] = {}

    assert plain(result, sources) == {"a": {"x": 1, "y": 3}}
    assert {path: mark.file for path, mark in sources.items()} == {
        ("a",): "patch",
        ("a", "x"): "base",
        ("a", "y"): "patch",
    }
    assert type(plain(result, {})) is dict


def test_a_merge_may_keep_nulls() -> None:
    base = _located({"a": 1, "b": 1}, "base")

    assert merged(base, _located({"a": None}, "patch"), keep_null=True) == {"a": None, "b": 1}
    assert base == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("Agent/a", True), ("Agent/a-b-1", True), ("Agent/a[k]", True), ("Phone/line/twilio", True),
        ("Phone/line[k]/twilio", True), ("agent/a", False), ("Agent/A", False), ("Agent/-a", False),
        ("Agent/a[", False), ("Agent/a[]", False), ("Agent/", False), ("Agent/a/other", False), ("Agent/a\n", False),
        ("Agent/" + "a" * 63, True), ("Agent/" + "a" * 64, False),
    ],
)  # fmt: skip
def test_addresses(text: str, fits: bool) -> None:
    assert bool(addresses.ADDRESS.match(text)) is fits


def test_parts_of_addresses() -> None:
    side = addresses.twilio_side("Phone/line[k]")
    assert addresses.is_twilio_side(side)
    assert addresses.owner_of(side) == "Phone/line[k]" == addresses.address("Phone", "line", "k")
    assert (addresses.kind_of(side), addresses.name_of(side)) == ("Phone", "line[k]")
    left = addresses.deposed("Agent/a", "id-1")
    assert addresses.owner_of(left) == "Agent/a"
    assert not addresses.is_twilio_side(left)


def test_a_graph_comes_back_from_its_revision() -> None:
    resource = Resource(
        address="Agent/a",
        kind="Agent",
        type="vapi_assistant",
        name="a",
        body={"x": Ref("Tool/t"), "k": secret("K"), "t": Template(("u/", Ref("Tool/t")))},
        mark=Mark("agents/a.yaml", 3, 1),
        labels={"team": "x"},
        prevent_destroy=True,
        ignore=(("voice", "speed"), ("list", 0)),
        routes=("Agent/b",),
        purchase=True,
        release=True,
        handler="m:f",
        extra={"idempotent": True},
    )
    graph = Graph("shop", "dev", {"Agent/a": resource})

    again = Graph.from_data(json.loads(json.dumps(graph.to_data())))

    assert again == graph
    assert again.dependencies("Agent/a") == ("Tool/t", "Agent/b")


def test_walking_stops_at_circles() -> None:
    edges = {"Phone/p": ("Agent/a",), "Agent/a": ("Tool/t",), "Tool/t": ("Agent/a",), "Phone/q": ()}

    assert set(walk(edges, "Phone/p")) == {"Phone/p", "Agent/a", "Tool/t"}
    assert reaching(edges, "Phone") == {
        "Phone/p": ("Phone/p",), "Agent/a": ("Phone/p",), "Tool/t": ("Phone/p",), "Phone/q": ("Phone/q",)
    }  # fmt: skip


def test_references_inside_texts_count() -> None:
    body = {"a": [Ref("Agent/a")], "b": Template(("x", Ref("Agent/b"))), "c": {"d": Ref("Agent/c", "name")}}

    assert {ref.address for ref in refs_in(body)} == {"Agent/a", "Agent/b", "Agent/c"}


@pytest.mark.parametrize(
    ("found", "known", "text"),
    [
        (Secret(("K",), ("a", "b")), {"K": "x"}, "axb"),
        (Secret(("K", "L"), ("", "-", "")), {"K": "x", "L": "y"}, "x-y"),
        (Secret(("K", "L"), ("", "-", "")), {"K": "x"}, None),
        (Secret((), ("literal",)), {}, "literal"),
        (secret("K"), {"K": ""}, ""),
    ],
)
def test_a_secret_is_revealed_where_all_of_it_is_at_hand(found: Secret, known: dict[str, str], text: Any) -> None:
    assert found.reveal(known.get) == text


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": 1, "b": [True]}, {"b": [True], "a": 1}, True),
        ({"a": [1]}, {"a": [True]}, False),
        ({"a": 1, "b": True}, {"b": 1, "a": True}, False),
        ([0, False], [False, 0], False),
        ("text", "text", True),
        (None, None, True),
        (None, False, False),
        (1, 1.0, False),
        ({"a": Ref("Agent/x")}, {"a": Ref("Agent/x")}, False),
    ],
)
def test_identical_is_equal_to_the_last_type_in_whatever_order(one: Any, other: Any, expected: bool) -> None:
    assert identical(one, other) is expected
    assert identical(other, one) is expected


def test_a_value_is_plain_without_markers() -> None:
    assert is_plain({"a": [1, {"b": None}]})
    assert not is_plain({"a": [1, {"b": Secret(("KEY",), ("", ""))}]})
