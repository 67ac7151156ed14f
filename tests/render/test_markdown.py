"""The comment on a pull request: what it says, that it always fits, and that nothing gets out of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.render.plans import ATTACKS, attacked, many, model, small, words
from tests.support.world import World, agent, graph, phone
from voiceops.model.graph import Graph
from voiceops.model.plan import Plan
from voiceops.model.safe_text import markdown_fence
from voiceops.render.markdown import LIMIT, code, render_markdown

HOST_LIMIT = 65_536


def test_what_it_says(golden: Callable[[str, str], None]) -> None:
    plan, wanted = small()

    golden("plan-markdown/small.md", render_markdown(plan, wanted))


def test_nothing_to_do() -> None:
    world, desired = World(), graph(agent())
    world.manage(agent())

    text = render_markdown(world.plan(desired), desired)

    assert "Nothing to do: the one object is as it should be." in text
    assert "<details>" not in text


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: many(300, 3_000), id="300 changes"),
        pytest.param(lambda: many(20, 400_000), id="huge prompts"),
        pytest.param(lambda: many(3_000, 50), id="3,000 changes"),
        pytest.param(attacked, id="attacks"),
    ],
)
def test_it_fits_and_says_what_was_cut(make: Callable[[], tuple[Plan, Graph]]) -> None:
    plan, wanted = make()

    text = render_markdown(plan, wanted)

    assert len(text) <= LIMIT < HOST_LIMIT
    assert len(text) > 10_000
    shown = text.count("```diff")
    if shown < len(plan.active):
        assert "Cut to fit into a comment" in text
    assert text == render_markdown(plan, wanted), "the same plan must make the same comment"


def test_every_change_is_accounted_for() -> None:
    plan, wanted = many(300, 3_000)

    text = render_markdown(plan, wanted)
    forms = ("<code>{}</code>", "- `{}`")
    named = [c.address for c in plan.active if any(form.format(c.address) in text for form in forms)]
    hidden = re.search(r"(\d+) changes are not listed", text)

    assert len(named) + (int(hidden[1]) if hidden else 0) == len(plan.active)


def test_300_changes_take_less_than_a_second() -> None:
    plan, wanted = many(300, 3_000)
    started = time.process_time()

    render_markdown(plan, wanted)

    assert time.process_time() - started < 1


def blocks_of(text: str) -> tuple[str, list[str], str]:
    """(what renders as text, the fences' contents, the HTML) as CommonMark reads it."""
    prose, fences, html = [], [], []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        if token.type == "fence":
            fences.append(token.content)
        elif token.type == "html_block":
            html.append(token.content)
        for child in token.children or ():
            if child.type == "html_inline":
                html.append(child.content)
            elif child.type in ("text", "link_open", "image"):
                prose.append(child.content or str(child.attrs))
    return "\n".join(prose), fences, "\n".join(html)


OURS = re.compile(r"<!-- voiceops plan [\w -]+ -->|</?(?:details|summary|code|sub)>")


def assert_contained(text: str) -> None:
    """Only our own HTML, no mention outside of code, no link, every fold closed."""
    prose, _, html = blocks_of(text)
    rest = OURS.sub("", html)
    assert "<" not in rest, rest
    assert not re.search(r"@\w", prose), prose
    assert "href" not in prose
    assert "src" not in prose
    assert html.count("<details>") == html.count("</details>")


def test_nothing_gets_out() -> None:
    plan, wanted = attacked()

    text = render_markdown(plan, wanted)

    assert_contained(text)
    _, fences, _ = blocks_of(text)
    assert sum("octocat" in fence for fence in fences) > 0
    assert not set("\u202e\u2066\u200b\x00\x1b\u2028\r") & set(text), "hidden characters must be spelled out"


MARKUP = st.text(alphabet=st.sampled_from("`~<>/@|#\n\r\\$&;!()[]-=*_ detailsAB\u202e"))


@given(st.lists(MARKUP, min_size=1, max_size=6))
def test_no_text_gets_out(texts: list[str]) -> None:
    world = World()
    joined = "\n".join(texts)
    world.manage(agent("a", firstMessage="x", model=model(texts[0])))
    desired = graph(agent("a", firstMessage=joined, model=model(joined), voice=texts))

    text = render_markdown(world.plan(desired), desired)

    assert_contained(text)
    assert all(fence.count("\n") >= 1 for fence in blocks_of(text)[1])


@pytest.mark.parametrize("attack", ATTACKS)
def test_code_span_holds_what_is_in_it(attack: str) -> None:
    (inline,) = (t for t in MarkdownIt("commonmark").parse(code(attack, 500)) if t.type == "inline")

    assert [child.type for child in inline.children or ()] == ["code_inline"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_fence_holds_what_is_in_it(attack: str) -> None:
    tokens = MarkdownIt("commonmark").parse("\n".join(markdown_fence(attack.replace("\r", "").split("\n"))))

    assert [token.type for token in tokens] == ["fence"]


def test_long_lines_are_cut_around_the_change() -> None:
    sentence = words(3_000, 1).replace("\n", " ")
    world = World()
    world.manage(agent("a", model=model(f"{sentence} nine to six. {sentence}")))
    desired = graph(agent("a", model=model(f"{sentence} eight to six. {sentence}")))

    text = render_markdown(world.plan(desired), desired)

    assert "nine to six" in text
    assert "eight to six" in text
    assert len(text) < 2_000


def test_a_refused_plan_says_so_first() -> None:
    world = World()
    world.manage(agent("a"), protected=True)

    text = render_markdown(world.plan(graph()), graph())

    assert text.index("This plan can't be applied") < text.index("<details>")
    assert "preventDestroy" in text


def test_lines_that_notice() -> None:
    world = World()
    world.manage(agent("a", firstMessage="x"))
    world.manage(phone("line", "Agent/a"))
    desired = graph(agent("a", firstMessage="y"), phone("line", "Agent/a"))

    text = render_markdown(world.plan(desired), desired)

    assert "1 live phone line would notice" in text
    assert "| `Phone/line` | `+14155550100` | `Agent/a` |" in text
