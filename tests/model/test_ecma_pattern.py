"""Patterns mean what ECMA says: against a table that node wrote, and against node itself where it is at hand."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from voiceops.model.ecma_pattern import translate
from voiceops.runtime.handlers.arguments import Arguments

TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "ecma_patterns.json").read_text())
NODE = """
const [patterns, values] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const compiled = pattern => { try { return new RegExp(pattern, "u"); } catch { return null; } };
console.log(JSON.stringify(patterns.map(pattern => {
  const found = compiled(pattern);
  return found && values.map(value => found.test(value) ? "1" : "0").join("");
})));
"""


def verdicts(pattern: str, values: list[str]) -> str | None:
    """One digit a value; None where the pattern is none."""
    try:
        made = translate(pattern)
        options = jsonschema_rs.FancyRegexOptions() if made.looks else jsonschema_rs.RegexOptions()
        check = jsonschema_rs.Draft202012Validator({"pattern": made.text}, pattern_options=options).is_valid
    except ValueError:
        return None
    return "".join("1" if check(value) else "0" for value in values)


@pytest.mark.parametrize(("pattern", "wanted"), TABLE["patterns"])
def test_a_pattern_means_what_node_says(pattern: str, wanted: str | None) -> None:
    found = verdicts(pattern, TABLE["values"])
    assert (found is None) is (wanted is None)
    if found is not None and wanted is not None:
        for value, ours, theirs in zip(TABLE["values"], found, wanted, strict=True):
            assert ours == theirs, (pattern, value)


PARTS = [
    *"ab1-^$.|()[]{}?*+/ _,é😀\n",
    *(r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"\b", r"\B", r"\u0061", r"\x62", r"\p{L}", r"\P{L}", r"\1", r"\."),
    *(
        "(?:",
        "(?=",
        "(?!",
        "(?<=",
        "(?<n>",
        "[^",
        "{2}",
        "{1,2}",
        "a-b",
        r"\n",
        r"\u{62}",
        r"\cA",
        "[a-b",
        r"\]",
        r"\/",
    ),
]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here; the table holds what it says")
def test_any_pattern_that_node_takes_means_the_same_here() -> None:
    seed = random.randrange(1 << 32)
    source = random.Random(seed)
    patterns = ["".join(source.choices(PARTS, k=source.randint(1, 7))) for _ in range(1500)]
    given = json.dumps([patterns, TABLE["values"]])
    said = json.loads(subprocess.run(["node", "-e", NODE], input=given, capture_output=True, text=True).stdout)
    for pattern, wanted in zip(patterns, said, strict=True):
        if wanted is None or r"\1" in pattern:  # the one difference that is known
            continue
        found = verdicts(pattern, TABLE["values"])
        assert found == wanted, (seed, pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^([a-zA-Z0-9_.+-]+)+@([a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}$", "a" * 40),
        (r"^(\w+\s?)*$", "a" * 60 + "!"),
        (r"^(a|a)*$", "a" * 60 + "b"),
        (r"^(a|aa)+$", "a" * 100 + "b"),
        (r"^(.*a){20}$", "a" * 60),
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 1000),
        (r"(x+x+)+y", "x" * 100_000),
        (r"^(?=(a+)+$)", "a" * 60 + "b"),  # looks around: its steps are counted
        (r"^(?:(a+)+)\1$", "a" * 60 + "b"),
        (r"^(?!(a|a)*c)(a|a)*$", "a" * 60 + "b"),
    ],
)
def test_no_pattern_blows_up(pattern: str, text: str) -> None:
    schema = Arguments({"properties": {"it": {"type": "string", "pattern": pattern}}})
    assert schema.problems == []
    started = time.perf_counter()
    schema.check({"it": text})
    assert time.perf_counter() - started < 5


def test_how_large_a_pattern_is() -> None:
    assert translate("abc").weight == 3
    assert translate("(?:ab{10}){20}").weight > 200
    assert translate("a{1000000}").weight >= 1_000_000


def test_too_many_groups_inside_each_other() -> None:
    with pytest.raises(ValueError, match="deeply"):
        translate("(" * 5000 + ")" * 5000)
