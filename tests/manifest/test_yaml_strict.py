"""YAML read strictly: JSON's numbers and words, everything else is text; marks for every value; no surprises."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceops.errors import InvalidProject
from voiceops.manifest.strict_yaml import MAX_DEPTH, read_documents
from voiceops.model.located import Map, Seq
from voiceops.model.values import format_path


def value_of(text: str) -> Any:
    ((value, _),) = read_documents(f"key: {text}\n", "a.yaml")
    return value["key"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("false", False), ("null", None), ("", None),
        ("0", 0), ("-0", 0), ("12", 12), ("-7", -7), ("1.5", 1.5), ("1e3", 1000.0), ("1E-2", 0.01), ("-2.5e+1", -25.0),
        ("True", "True"), ("TRUE", "TRUE"), ("Null", "Null"), ("NULL", "NULL"), ("~", "~"),
        ("off", "off"), ("on", "on"), ("no", "no"), ("yes", "yes"), ("n", "n"), ("Off", "Off"),
        ("+14155550100", "+14155550100"), ("+1", "+1"), ("012", "012"), ("0o14", "0o14"), ("0x1F", "0x1F"),
        ("9:30", "9:30"), ("1:2:3", "1:2:3"), (".5", ".5"), ("5.", "5."), ("1_000", "1_000"), ("1,000", "1,000"),
        (".inf", ".inf"), (".nan", ".nan"), ("NaN", "NaN"), ("2026-01-01", "2026-01-01"), ("1.2.3", "1.2.3"),
        ("0.1.0", "0.1.0"), ("e3", "e3"), ("=", "="), ('"true"', "true"), ("'12'", "12"),
        ("'null'", "null"), ("''", ""), ('""', ""), ("!!str 12", "12"), ("! 12", "12"), ("${var:x}", "${var:x}"),
        ("a # comment", "a"), ("a#b", "a#b"), ("https://x.example/a?b=c", "https://x.example/a?b=c"),
        ("|\n  a\n  b\n", "a\nb\n"), (">\n  a\n  b\n", "a b\n"), ("[a, 1, off]", ["a", 1, "off"]),
        ("{a: 1, b: no}", {"a": 1, "b": "no"}),
    ],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_scalars(text: str, value: Any) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value) or isinstance(found, (Map, Seq))


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\na: 2\n", "yaml-duplicate-key", 2, 1),
        ("a: {b: 1, b: 2}\n", "yaml-duplicate-key", 1, 11),
        ("a: &x {b: *x}\n", "yaml-alias", 1, 11),
        ("a: *nowhere\n", "yaml-", 1, 4),
        ("a: !!python/object:os.system x\n", "yaml-tag", 1, 4),
        ("a: !secret x\n", "yaml-tag", 1, 4),
        ("a: !!binary eA==\n", "yaml-tag", 1, 4),
        ("? [a, b]\n: c\n", "yaml-key", 1, 3),
        ("a: [1, 2\n", "yaml-syntax", 2, 1),
        ("a:\n\tb: 1\n", "yaml-syntax", 2, 1),
        ("a: " + "9" * 301 + "\n", "yaml-number", 1, 4),
        ("a: 1e999\n", "yaml-number", 1, 4),
        ("a: " + "[" * (MAX_DEPTH + 1) + "\n", "yaml-too-deep", 1, 3 + MAX_DEPTH),
        ("<<: 3\n", "yaml-merge", 1, 5),
        ("a: \x00\n", "yaml-syntax", 1, 1),
        ("a: " + "x" * 1_048_576, "yaml-too-large", 1, 1),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_can_not_be_read_is_named_at_its_place(text: str, code: str, line: int, column: int) -> None:
    with pytest.raises(InvalidProject) as caught:
        read_documents(text, "a.yaml")

    (found,) = caught.value.diagnostics
    assert found.code.startswith(code), found
    assert found.mark is not None
    assert found.mark[:3] == ("a.yaml", line, column), found


def test_aliases_and_merges() -> None:
    ((value, _),) = read_documents("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\nlist: [*b, *b]\n", "a.yaml")

    assert value == {"base": {"x": 1, "y": 2}, "use": {"y": 3, "x": 1}, "list": [{"x": 1, "y": 2}] * 2}


def test_documents_and_where_they_start() -> None:
    found = read_documents("# comment\nkind: a\n---\n---\n# only a comment\n---\nkind: b\n", "a.yaml")

    assert [(value["kind"], mark.line, mark.column) for value, mark in found] == [("a", 2, 1), ("b", 7, 1)]


def test_nothing_at_all_is_no_document() -> None:
    assert read_documents("", "a.yaml") == read_documents("---\n...\n# x\n", "a.yaml") == []


def test_every_value_knows_its_place() -> None:
    ((value, _),) = read_documents("a:\n  - b: 1\n    c d: [x, {e: 2}]\n", "f.yaml")

    assert value.marks["a"][1:] == (1, 1, "a")
    assert value["a"].marks[0][1:] == (2, 5, "a[0]")
    assert value["a"][0].marks["c d"][1:] == (3, 5, 'a[0]["c d"]')
    assert value["a"][0]["c d"].marks[1][1:] == (3, 14, 'a[0]["c d"][1]')
    assert value["a"][0]["c d"][1].marks["e"][1:] == (3, 15, 'a[0]["c d"][1].e')


@given(st.text(max_size=200) | st.text(alphabet="ab:-?[]{}#&*!|>'\"%@`,. \n\t~<0x", max_size=60))
@settings(max_examples=500)
def test_no_text_raises_anything_but_what_a_user_can_read(text: str) -> None:
    try:
        read_documents(text, "a.yaml")
    except InvalidProject as error:
        (found,) = error.diagnostics
        assert found.mark is not None
        assert found.mark.line >= 1
        assert found.mark.line <= text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + 2


printable = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"], exclude_characters="\ufeff\x85\u2028\u2029"),
    max_size=12,
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | printable
    | st.sampled_from(["off", "9:30", "+1415", "012", "~", "Null", "1e3", ".5", "true", "", " a ", "a\nb", "- x", "{"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(printable.filter(bool), inner, max_size=4),
    max_leaves=10,
)


@given(json_values.filter(lambda value: value is not None))
@settings(max_examples=150)
def test_json_is_yaml_that_reads_back_equal(value: Any) -> None:
    ((found, _),) = read_documents(json.dumps(value, ensure_ascii=False), "a.yaml")

    _check_equal(found, value)


@given(st.dictionaries(printable.filter(lambda key: key and key != "<<"), json_values, min_size=1, max_size=4))
@settings(max_examples=100)
def test_what_another_yaml_writer_wrote_reads_back_equal_with_marks(value: Any) -> None:
    text = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False)

    ((found, _),) = read_documents(text, "a.yaml")

    _check_equal(found, value)
    _check_marks(found, text.splitlines(), ())


class _Dumper(yaml.SafeDumper):
    """Block style as PyYAML writes it, with texts in quotes and numbers in JSON's notation."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
_Dumper.add_representer(
    float,
    lambda dumper, number: dumper.represent_scalar(
        "tag:yaml.org,2002:float", re.sub(r"^(-?\d+)e", r"\1.0e", json.dumps(number))
    ),
)


def _check_equal(found: Any, value: Any) -> None:
    if isinstance(value, dict):
        assert isinstance(found, Map)
        assert list(found) == list(value)
        assert set(found.marks) == set(value)
        for key, item in value.items():
            _check_equal(found[key], item)
    elif isinstance(value, list):
        assert isinstance(found, Seq)
        assert len(found) == len(found.marks) == len(value)
        for one, other in zip(found, value, strict=True):
            _check_equal(one, other)
    elif isinstance(value, float):
        assert math.isclose(found, value, rel_tol=1e-15)
    else:
        assert found == value
        assert type(found) is type(value)


def _check_marks(value: Any, lines: list[str], path: tuple[str | int, ...]) -> None:
    entries = value.items() if isinstance(value, Map) else enumerate(value) if isinstance(value, Seq) else ()
    for step, item in entries:
        mark = value.marks[step]
        assert mark.path == format_path((*path, step))
        assert 1 <= mark.line <= len(lines)
        assert 1 <= mark.column <= len(lines[mark.line - 1]) + 1
        _check_marks(item, lines, (*path, step))


PAIRS = [
    (r'a: "\ud83d\ude00"', {"a": "😀"}),
    (r'a: "x\uD83D\uDE00y\ud83d\ude01"', {"a": "x😀y😁"}),
    (
        r'{"a": "\ud83d\udc4b\ud83c\udffd", "b": ["\ud83d\ude00", {"c": "\u00e9\ud83d\ude00"}]}',
        {"a": "👋🏽", "b": ["😀", {"c": "é😀"}]},
    ),
    (r'{"\ud83d\ude00": 1}', {"😀": 1}),
    (r'a: "\\ud83d\\ude00"', {"a": r"\ud83d\ude00"}),
    (r'a: "\\\ud83d\ude00"', {"a": "\\😀"}),
    (r'a: "\"\ud83d\ude00\""', {"a": '"😀"'}),
    ("a: '\\ud83d\\ude00'\nb: \"\\ud83d\\ude00\"", {"a": r"\ud83d\ude00", "b": "😀"}),
    ('a: |\n  \\ud83d\\ude00\nb: "\\ud83d\\ude00"', {"a": "\\ud83d\\ude00\n", "b": "😀"}),
]


@pytest.mark.parametrize(("text", "expected"), PAIRS, ids=[str(n) for n in range(len(PAIRS))])
def test_surrogate_pairs_of_json_are_one_character(text: str, expected: object) -> None:
    [(value, _)] = read_documents(text, "a.yaml")
    assert value == expected


def test_whatever_json_writes_is_read() -> None:
    value = {"texts": [chr(0x1F300 + n) + "é\\u" for n in range(300)], "deep": {"a\U0001f600": [[{"b": "\u2028"}]]}}
    for text in (json.dumps(value), json.dumps(value, indent=2), json.dumps(value, ensure_ascii=False)):
        assert read_documents(text, "a.yaml")[0][0] == value


@pytest.mark.parametrize("text", [r'a: "\ud83d"', r'a: "\ude00\ud83d"', r'a: "\ud83d x \ude00"', r'a: "\ud83d\u0041"'])
def test_half_a_pair_is_no_character(text: str) -> None:
    with pytest.raises(InvalidProject) as raised:
        read_documents(text, "a.yaml")
    [found] = raised.value.diagnostics
    assert "not valid YAML" in found.summary
    assert "both halves" in found.hint


@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        ("firstMessage: {{name}}, hello", '"{{name}}, hello"'),
        ("firstMessage: {{name}}", '"{{name}}"'),
        ("firstMessage: {{ name | default: 'you' }} here", "quotes"),
        ("- {{name}} and more", '"{{name}} and more"'),
        ("firstMessage: Hello: who is it?", '"Hello: who is it?"'),
        ("firstMessage: @you", '"@you"'),
        ("firstMessage: `code`", '"`code`"'),
        ("firstMessage: %name", '"%name"'),
        ('firstMessage: {{name}} said "hi"', '"{{name}} said \\"hi\\""'),
    ],
)
def test_a_text_that_yaml_reads_as_something_else_needs_quotes(line: str, quoted: str) -> None:
    with pytest.raises(InvalidProject) as raised:
        read_documents(f"spec:\n  {line}\n", "a.yaml")
    [found] = raised.value.diagnostics
    assert found.mark is not None
    assert found.mark.line == 2
    assert quoted in found.hint
