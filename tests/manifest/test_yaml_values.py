"""JSON values as YAML: whatever it is reads back equal, other YAML tools read the same, and people like to read it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from voiceops.manifest.strict_yaml import read_documents
from voiceops.manifest.yaml_values import WIDTH, block, flow
from voiceops.model.located import plain

ODD = [
    *("off", "on", "yes", "No", "y", "n", "true", "False", "null", "Null", "~", "", " ", "=", "<<", "---", "...", "-"),
    *("0", "-1", "+12", "012", "0x1F", "0o17", "0b11", "1_000", "1.", ".5", "1e3", "-0.0", ".inf", "-.INF", ".NaN"),
    *("9:30", "190:20:30.15", "2024-01-31", "2024-01-31T10:00:00Z", "2024-1-3 1:02:03", "+14155550100", "+1 415"),
    *("a: b", "a:b", "a:", ":a", "a #b", "a#b", "#a", "- a", "-a", "? a", "?a", "a, b", "[a", "a]", "{a}", "a{", "&a"),
    *("*a", "!a", "!!str a", "|", ">", "'a'", "it's", '"', 'say "hi"', "\\d+", "\\d{3} '\"", "%a", "@a", "`a`", "a`"),
    *("${var:x}", "$${", "{{customer.name}}", "{{ name | default: 'you' }}, hello", "a\\", "\\ud83d\\ude00", "\\"),
    *("a\nb", "a\nb\n", "a\n\n", "\n", "\n\n", "\na", " a\nb", "a\n b", "  \n a\nb", "a \nb\t\n", "\ta\nb", "a\n\tb\n"),
    *("a\r\nb\r\n", "a\rb", "\r", "a\x85b", "a\u2028b\nc", "\ufeffa", "a\ufeff", "a\x00b", "\x1b[1m\n", "\x7f"),
    *("\ue000", "\ufffe", "\u202eevil", "a\u200bb", "a\xadb", "a\xa0b", "\xa0", "\u3000"),
    *("😀", "👩🏽‍🚀 crew", "🏴\U000e0067\U000e007f", "שלום עולם"),
    *("a" * 150, "word " * 40 + "end", "word  " * 40 + "end", "# no comment " * 12 + ".", "x: y " * 30 + "z"),
    *(" " + "word " * 40, "word " * 40, "\tword" * 30, "- " * 60 + "-", "a\n" * 3 + "b " * 90, "k" * 1100),
    *("a\n \n", "a\n  \nb", "a\n-\n", "--- a\n... b\n"),
]
texts = (
    st.sampled_from(ODD)
    | st.lists(st.sampled_from([*ODD, " ", "\n", "  ", "# ", ": ", "word "]), max_size=5).map("".join)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.text(" \n\t\r:#'\"|>-{}[]*&!%@`,?~x0.+\\", max_size=12)
)
floats = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.integers() | floats | st.sampled_from([10**299, -(10**30), 1e22, 1e-7, 5e-324, 1.7e308, -0.0])
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=12,
)
TRIES = settings(max_examples=700, deadline=None)


def read(text: str) -> Any:
    [(value, _)] = read_documents(text, "a.yaml")
    return plain(value, {})


@given(st.dictionaries(texts, values, min_size=1, max_size=4))
@example({text: text for text in ODD})
@example({"a": [[text, {text: [text]}] for text in ODD]})
@TRIES
def test_any_value_reads_back_equal_to_the_last_character(value: dict[str, Any]) -> None:
    assert repr(read(block(value, 0) + "\n")) == repr(value)
    assert repr(read("a:\n  - " + block(value, 4) + "\n")) == repr({"a": [value]})


@given(values.filter(lambda value: value is not None))
@TRIES
def test_one_line_is_one_line(value: Any) -> None:
    text = flow(value)
    assert repr(read(f"- {text}")) == repr([value])
    assert repr(read(f"[{text}, {text}]")) == repr([value, value])
    assert len(text.splitlines()) == 1


PLAIN_KEYS = ("<<", "on", "off", "yes", "No", "no", "y", "n")


@given(st.dictionaries(texts.filter(lambda key: key not in PLAIN_KEYS), texts, min_size=1, max_size=6))
@example({text: text for text in ODD if text not in PLAIN_KEYS})
@example({text: [text] for text in ODD if text not in PLAIN_KEYS})
@TRIES
def test_other_tools_read_the_same_texts(value: dict[str, Any]) -> None:
    """PyYAML reads YAML 1.1; to it, telephone numbers are numbers, and a key may be true or false."""
    found = yaml.load(block(value, 0) + "\n", Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    wanted = {_as_others_read(key): _as_others_read(item) for key, item in value.items()}
    assert found == wanted
    assert [type(item) for item in found.values()] == [type(item) for item in wanted.values()]


def _as_others_read(text: Any) -> Any:
    if isinstance(text, list):
        return [_as_others_read(item) for item in text]
    is_number = text[:1] == "+" and text[1:].isascii() and text[1:].isdigit() and 8 <= len(text) <= 16
    return int(text, 8 if text[1] == "0" else 10) if is_number else text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": "Hello, caller"}, "a: Hello, caller"),
        ({"a": "Hi, this is ${var:shop}."}, "a: Hi, this is ${var:shop}."),
        ({"a": "{{name}}, hello"}, 'a: "{{name}}, hello"'),
        ({"a": 'Say "hi": now'}, "a: 'Say \"hi\": now'"),
        ({"a": "it's 9:30"}, "a: it's 9:30"),
        ({"a": "off", "number": "+14155550100"}, 'a: "off"\nnumber: +14155550100'),
        ({"a": ""}, 'a: ""'),
        ({"hooks": [{"on": "call.ending", "do": []}]}, "hooks:\n  - {on: call.ending, do: []}"),
        (
            {"model": {"from": "fast", "systemPrompt": "${file:prompts/a.md}"}},
            "model:\n  from: fast\n  systemPrompt: ${file:prompts/a.md}",
        ),
        ({"to": {"type": "number", "number": "${var:human}"}}, 'to: {type: number, number: "${var:human}"}'),
        ({"a": {}, "b": []}, "a: {}\nb: []"),
        ({"tools": ["lookup-order", {"type": "endCall"}]}, "tools: [lookup-order, {type: endCall}]"),
        ({"members": [{"assistantId": "a"}, {"assistantId": "b"}]}, "members:\n  - assistantId: a\n  - assistantId: b"),
        ({"a": {"type": "string", "enum": ["p", "y"]}}, 'a: {type: string, enum: [p, "y"]}'),
        ({"a": {"b": {"c": {"d": 1}}}}, "a:\n  b: {c: {d: 1}}"),
        ({"a": [{"type": "x", "say": "One, two"}]}, 'a:\n  - {type: x, say: "One, two"}'),
        ({"a": "One.\n\nTwo.\n"}, "a: |\n  One.\n\n  Two.\n"),
        ({"a": "One.\nTwo."}, "a: |-\n  One.\n  Two."),
        ({"a": ["x\ny"]}, "a:\n  - |-\n    x\n    y"),
        ({"a": " x\ny"}, "a: |2-\n   x\n  y"),
        ({"a": "x\r\n" + "y" * 90 + "\r\n z"}, 'a: "x\\r\\n\\\n  ' + 'y' * 90 + '\\r\\n\\\n  \\ z"'),
        ({"a": "evil\u202e", "b": "a\u200bb"}, 'a: "evil\\u202e"\nb: "a\\u200bb"'),
        ({"a": [[1, 2], [3]]}, "a:\n  - [1, 2]\n  - [3]"),
        ({"a": 1e22, "b": 0.5, "c": None, "d": True}, "a: 1.0e+22\nb: 0.5\nc: null\nd: true"),
    ],
)  # fmt: skip
def test_it_looks_as_a_person_would_write_it(value: dict[str, Any], text: str) -> None:
    assert block(value, 0) == text.removesuffix("\n")


def test_lines_are_short_where_they_can_be() -> None:
    value = {
        "description": "Answers questions about opening hours, orders and returns: whatever a caller asks. " * 4
        + "End.",
        "list": [f"item-{number}" for number in range(40)],
        "map": {f"key{number}": "a text of some length" for number in range(4)},
        "deep": {"description": "one two three four five six seven eight nine ten eleven twelve " * 3 + "end"},
    }
    text = block(value, 0)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "description: >-\n  Answers" in text
    assert read(text) == value


def test_keys_that_ask_for_lines_of_their_own_get_them() -> None:
    assert block({"labels": {"a": 1}, "spec": {"a": 1}}, 0, open_keys=("spec",)) == "labels: {a: 1}\nspec:\n  a: 1"
