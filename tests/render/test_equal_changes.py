"""Changes that are the same for many objects stand there once; lists and texts say what nobody sees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.review.test_review_flags import changed
from voiceops.model.plan import Change, Drift, Plan
from voiceops.render.equal_changes import equal_changes
from voiceops.render.html import render_html
from voiceops.render.listdiff import list_difference
from voiceops.render.markdown import render_markdown
from voiceops.render.text import render_drift, render_plan
from voiceops.render.textdiff import blocks


def plan(*changes: Change) -> Plan:
    return Plan(project="p", environment="e", org="o", account="", changes=changes)


def agent(name: str, before: Any, after: Any, key: str = "firstMessage") -> Change:
    return replace(changed("Agent", {key: before}, {key: after}, name=name), file=f"agents/{name}.yaml", line=1)


def test_the_same_edit_of_many_is_shown_once_everywhere() -> None:
    many = [agent(f"a{n}", "Hello dear caller", "Good day dear caller") for n in range(40)]
    found = plan(*many, agent("other", "Hello dear caller", "Good evening dear caller"))
    assert [len(group.addresses) for group in equal_changes(found.changes)] == [40, 1]
    text = render_plan(found)
    assert "~ 40 × Agent · update, the same for each" in text
    assert text.count("Good day") == 1
    for output in (text, render_markdown(found), render_html(found)):
        assert output.count("Good evening") <= 2
        for n in range(40):
            assert f"Agent/a{n}" in output
    assert render_markdown(found).count('+ "Good day dear caller"') == 1
    assert render_html(found).count('<details class="change update"') == 2
    # The JSON has every object.
    data = found.to_data(version="1", timestamp="")
    assert len(data["resource_changes"]) == 41


@pytest.mark.parametrize(
    "other",
    [
        agent("b", "Hello", "Bye", "endCallMessage"),
        agent("b", "Hello", "Bye now"),
        agent("b", "Hallo", "Bye"),
        replace(agent("b", "Hello", "Bye"), notes=("look here",)),
        replace(agent("b", "Hello", "Bye"), reason="drift"),
        changed("Squad", {"firstMessage": "Hello"}, {"firstMessage": "Bye"}, name="b"),
    ],
)
def test_what_differs_stands_alone(other: Change) -> None:
    assert len(equal_changes([agent("a", "Hello", "Bye"), other])) == 2


def test_differences_far_behind_keep_them_apart() -> None:
    lines = [f"line {n}" for n in range(3000)]
    one = agent("a", "\n".join(lines), "\n".join(f"{line}!" for line in lines))
    other = agent("b", "\n".join(lines), "\n".join([*(f"{line}!" for line in lines[:-1]), "else"]))
    assert len(equal_changes([one, other])) == 2


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("a\r\nb\r\n", "a\nb\n", ["(line ends: CRLF)", "(line ends: LF)"]),
        ("a\nb\n", "a\r\nb\r\n", ["(line ends: CRLF)", "(line ends: LF)"]),
        ("a\nb\n", "a\r\nb\n", ["a␍"]),
        ("a\nb\n", "a\nb", ["(no line end at the end)", "(a line end at the end)"]),
        ("a\nb", "a\nb\n", ["(no line end at the end)"]),
        ("a\nb\nc", "x\nb\nc\n", ["(no line end at the end)", "- a", "+ x"]),
        ("a  \nb", "a\nb", ["a··"]),
        ("a\t\nb", "a\nb", ["a⇥"]),
        ("a  b\nc", "a b\nc", ["a··b", "a·b"]),
        ("a\u00a0b\nc", "a b\nc", ["a\\u00a0b"]),
        ("a\u202fb\nc", "a b\nc", ["a\\u202fb"]),
        ("a\u200bb\nc", "ab\nc", ["a\\u200bb"]),
        ("\ufeffa\nc", "a\nc", ["\\ufeffa"]),
        ("a\u202eb\nc", "ab\nc", ["a\\u202eb"]),
        ("a\x0bb\nc", "a b\nc", ["a\\u000bb"]),
        ("a\x0cb\nc", "a b\nc", ["a\\u000cb"]),
        ("a\u2028b\nc", "a b\nc", ["a\\u2028b"]),
        ("a\rb\nc", "ab\nc", ["a\\u000db"]),
        ("caf\u00e9\nc", "cafe\u0301\nc", ["cafe\\u0301"]),
        ("one line ", "one line", ["one line "]),
        ("one\u00a0line", "one line", ["one\\u00a0line"]),
        ("one\rline", "one line", ["one\\"]),
        ("x" * 300 + "a", "x" * 300 + "b", ["xa", "xb"]),
    ],
)
def test_what_nobody_sees_is_said(before: str, after: str, said: list[str]) -> None:
    change = agent("a", before, after)
    drift = Drift(address="Agent/a", kind="Agent", type="x", id="i", fields=change.fields)
    for output in (render_plan(plan(change)), render_drift([drift]), render_markdown(plan(change))):
        for part in said:
            assert part in output, output
    page = render_html(plan(change))
    assert len({text for block in blocks(before, after) for text in (*block.old, *block.new)}) > 1
    assert '<div class="field">' in page


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (["a", "b", "a"], ["a", "b"], ['- "a" (one of 2)']),
        (["a", "b"], ["a", "b", "b"], ['+ "b" (one of 2)']),
        (["a", "b"], ["b", "a"], ["(another order)"]),
        (["a", "a"], [], ['- "a"']),
        ([{"name": "x", "v": 1}, {"name": "x", "v": 1}], [{"name": "x", "v": 1}], ["(one of 2)"]),
        ([{"name": "x", "v": 1}], [{"name": "x", "v": 2}], ["~ "]),
        (["a", "b", "c"], ["c", "a"], ['- "b"', "(the items that stay are in another order)"]),
        (["a", "b", "c"], ["b", "c"], ['- "a"']),
        (["a", "b", "a"], ["b", "a"], ['- "a" (one of 2)']),
        (
            [{"name": "x", "v": 1}, {"name": "y"}],
            [{"name": "y"}, {"name": "x", "v": 2}],
            ["~ ", "(the items that stay are in another order)"],
        ),
    ],
)
def test_lists(before: list[Any], after: list[Any], said: list[str]) -> None:
    text = render_plan(plan(agent("a", before, after, "labels")))
    for part in said:
        assert part in text
    if not any("another order" in part for part in said):
        assert "another order" not in text
        for render in (render_markdown, render_html):
            assert "another order" not in render(plan(agent("a", before, after, "labels")))
    elif isinstance(before[0], str):
        for render in (render_markdown, render_html):
            assert "another order" in render(plan(agent("a", before, after, "labels")))


def test_a_list_counts() -> None:
    found = list_difference(["a", "b", "a", "a"], ["a", "c"])
    assert [item.text for item in found.gone] == ["b", "a", "a"]
    assert [item.text for item in found.came] == ["c"]
    assert list_difference(["a", "b"], ["b", "a"]).only_order


def test_what_is_seen_first() -> None:
    def model(*ids: str) -> dict[str, Any]:
        return {"model": {"provider": "openai", "model": "gpt-4o", "toolIds": list(ids)}}

    many = [changed("Agent", model("t1", "t2"), model("t2"), name=f"a{n}") for n in range(9)]
    text = render_plan(plan(*many))
    head = text.split("\n")[2:4]
    assert head[0] == "Look at this first:"
    assert "and 3 more: tool t1 leaves" in head[1]
    assert text.count("tool t1 leaves") == 1
    assert "🔴" in render_markdown(plan(*many)).split("<details>")[0]
    page = render_html(plan(*many))
    assert page.index("tool t1 leaves") < page.index("<details class")
    assert '<li class="danger">' in page
