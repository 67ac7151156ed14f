"""One value in a YAML text is replaced; every other value, and every other line, stays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.errors import Mark
from voiceops.manifest.strict_yaml import read_documents
from voiceops.manifest.yaml_edit import CannotEdit, replaced
from voiceops.model.located import plain

TEXT = """\
# top
kind: Agent   # the kind
spec:
  plain:   Hello   # greet
  "double": "a: b"   # with a colon
  single: 'it''s'
  literal: |  # as it is
    One.

    Two.

  # between
  folded: >-
    one
    two
  flow: {inner: 1, items: [x, y]}   # flow
  empty:
  null: null
  number: 1.50
  list:
    - one   # first
    - {a: 1}

    # behind the list
  map:
    deep: 1
    # behind the map
---
kind: Tool
name: +1415
anchored: &a shared
alias: *a
tagged: !!str 1
"""
KEYS = [
    "plain",
    "double",
    "single",
    "literal",
    "folded",
    "flow",
    "inner",
    "empty",
    "null",
    "number",
    "list",
    "map",
    "name",
]
ODD = ["off", "true", "null", "~", "1.0", "+1415", "9:30", "a\nb\n", "\n", " lead", "trail ", "- x", "${var:x}", "<<"]

numbers = st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False)
texts = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
    | st.text(" \n\t:#'\"|>-{}[]*&!%@`,?~x0.+", max_size=20)
    | st.sampled_from(ODD)
)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def mark_of(key: str) -> Mark:
    quoted = f'"{key}"' if key == "double" else key
    for number, line in enumerate(TEXT.splitlines(), 1):
        at = line.find(f"{quoted}:")
        if at >= 0:
            return Mark("x.yaml", number, at + 1)
    raise AssertionError(key)


def documents(text: str) -> list[Any]:
    return [plain(value, {}) for value, _ in read_documents(text, "x.yaml")]


def expected(key: str, value: Any) -> list[Any]:
    agent, tool = documents(TEXT.replace("tagged: !!str 1", "tagged: one"))
    if key == "inner":
        agent["spec"]["flow"]["inner"] = value
    elif key == "name":
        tool["name"] = value
    else:
        agent["spec"][key] = value
    return [agent, tool]


@given(key=st.sampled_from(KEYS), value=values)
def test_any_value_fits_anywhere_and_nothing_else_moves(key: str, value: Any) -> None:
    text = TEXT.replace("tagged: !!str 1", "tagged: one")
    edited = replaced(text, mark_of(key), (key,), value)
    found = documents(edited)
    assert repr(found) == repr(expected(key, value))
    before, after = text.splitlines(), edited.splitlines()
    head = mark_of(key).line - 1
    assert after[:head] == before[:head]
    if key != "name":
        assert edited.endswith(text[text.index("---\n") :])
    for comment in ("# top", "# the kind", "# between", "# behind the map"):
        assert comment in edited
    assert "# behind the list" in edited


@pytest.mark.parametrize(
    ("key", "keys", "why"),
    [
        ("anchored", ("anchored",), "anchor"),
        ("alias", ("alias",), "alias"),
        ("tagged", ("tagged",), "could not be read|anchor or a tag"),
        ("plain", ("firstMessage",), "comes from 'plain'"),
        ("plain", (), "no place"),
    ],
)
def test_what_has_no_value_of_its_own_there_is_left(key: str, keys: tuple[str, ...], why: str) -> None:
    with pytest.raises(CannotEdit, match=why):
        replaced(TEXT, mark_of(key), keys, "new")


def test_line_ends_stay_as_they_are() -> None:
    text = "a: one\r\nb: two\r\n"
    assert replaced(text, Mark("x", 1, 1), ("a",), "1\n2\n") == "a: |\r\n  1\r\n  2\r\nb: two\r\n"
    assert replaced("b: ä # ü\na: 1", Mark("x", 2, 1), ("a",), "é") == "b: ä # ü\na: é"
