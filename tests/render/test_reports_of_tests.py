"""A report of tests for a terminal, a JUnit reader and a pull request's comment: what it says, and nothing gets out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Properties, TestSuite
from markdown_it import MarkdownIt

from tests.render.plans import ATTACKS
from voiceops.render.style import PLAIN, finished
from voiceops.render.test_report_junit import render_tests_junit as junit
from voiceops.render.test_report_markdown import LIMIT, render_tests_markdown
from voiceops.render.test_report_text import render_tests_text
from voiceops.testing.outcome import Attempt, TestCase, TestKind, TestReport, TestResult, Turn

STARTED = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
TALK = (
    Turn("assistant", "Thanks for calling Acme. How can I help you today?", 0.0),
    Turn("user", "Where is my order? My number is +1 (415) 555-0123.", 3.2),
    Turn("tool", 'lookupOrder({"orderNumber": "1234"}) → {"state": "packed", "deliveryDay": "Thursday"}', 5.0),
    Turn("assistant", "It left yesterday, and should be with you some time soon.", 6.1),
    Turn("user", "Thanks.", 9.0),
)


def markdown(found: TestReport, limit: int = LIMIT) -> str:
    return render_tests_markdown(found, limit)


def text(found: TestReport) -> str:
    return render_tests_text(found, PLAIN)


def case(name: str, kind: TestKind = "suite", **changed: object) -> TestCase:
    made = TestCase(
        name=name,
        kind=kind,
        agents=("Agent/front-desk",),
        manifest="agents/tests.yaml:12",
        agent_at="agents/front-desk.yaml:1",
        lines=("Phone/support-line", "Phone/sales-line"),
    )
    return dataclasses.replace(made, **changed)  # type: ignore[arg-type]


def report(*results: TestResult, warnings: tuple[str, ...] = ()) -> TestReport:
    return TestReport(environment="preview-pr-7", started=STARTED, seconds=62.4, results=results, warnings=warnings)


GOOD = Attempt(passed=True, seconds=11.5, transcript=TALK[:3], run="run-1", cost=0.11)
BAD = Attempt(
    passed=False, reason="told was false, wanted true", turn=4, seconds=14.0, transcript=TALK, run="run-2", cost=0.12
)
LOST = Attempt(passed=None, reason="Eval/greets is not live yet: voiceops -e preview-pr-7 apply")


def mixed() -> TestReport:
    """One of each verdict."""
    return report(
        TestResult(case("orders / opening-hours"), (GOOD,)),
        TestResult(case("orders / where-is-my-order"), (BAD,)),
        TestResult(case("orders / returns"), (GOOD, BAD, GOOD), 0.66),
        TestResult(case("orders / refund"), (GOOD, BAD, dataclasses.replace(BAD, reason="hung up"))),
        TestResult(case("greets", "eval", manifest="agents/evals.yaml:3:1"), (LOST,)),
        TestResult(case("handlers", "script", manifest="tests/handlers.yaml:1"), (GOOD,)),
        warnings=("Agent/front-desk is not live as the manifests have it: what is tested is what is live.",),
    )


def good() -> TestReport:
    return report(TestResult(case("orders / opening-hours"), (GOOD,)), TestResult(case("greets", "eval"), (GOOD,)))


def hostile(*texts: str, kind: TestKind = "suite", long: int = 1) -> TestReport:
    """The texts in every place where somebody else's can stand."""
    joined = "\n".join(texts) * long
    turns = tuple(Turn("user", one * long) for one in texts)
    bad = Attempt(passed=False, reason=joined, turn=1, transcript=turns, run=joined)
    strange = case(joined, kind, agents=(joined,), manifest=f"{joined}:1", agent_at=joined, lines=(joined,))
    results = [TestResult(strange, found) for found in ((bad,), (GOOD, bad), (GOOD,), (LOST,))]
    return dataclasses.replace(report(*results, warnings=(joined,)), environment=joined)


@pytest.mark.parametrize("made", [mixed, good])
def test_what_they_say(golden: Callable[[str, str], None], made: Callable[[], TestReport]) -> None:
    name = made.__name__
    golden(f"test-report/{name}.txt", finished(text(made())) + "\n")
    golden(f"test-report/{name}.xml", junit(made()))
    golden(f"test-report/{name}.md", markdown(made()))


def test_a_terminal_of_80_columns() -> None:
    lines = text(mixed()).split("\n")
    assert max(map(len, lines)) <= 80
    assert lines[0] == "✗ orders / where-is-my-order: failed at turn 4"
    assert any(line.startswith("  >  4 agent") and "left yesterday" in line for line in lines)
    assert not any("Thanks." in line for line in lines), "what came after is not what to look at"


@pytest.mark.parametrize("form", [text, junit, markdown])
def test_whole_phone_numbers_are_nowhere(form: Callable[[TestReport], str]) -> None:
    bad = dataclasses.replace(BAD, reason="said 415-555-0123 to +14155550123")
    shown = form(report(TestResult(case("orders"), (bad,))))
    assert "555-0123" not in shown
    assert "5550123" not in shown
    assert "1234" in shown, "an order's number stays"


def test_no_tests_at_all() -> None:
    empty = report(warnings=("the environment dev has no tests",))
    assert "no test had to run (62 s)" in text(empty)
    assert "no test had to run (62 s)" in markdown(empty)
    assert list(JUnitXml.fromstring(junit(empty).encode())) == []


# JUnit


def test_a_published_reader_reads_the_junit_file() -> None:
    read = JUnitXml.fromstring(junit(mixed()).encode())
    assert (read.tests, read.failures, read.errors, read.skipped) == (6, 2, 1, 0)
    suites = [suite for suite in read if isinstance(suite, TestSuite)]
    assert [suite.name for suite in suites] == ["preview-pr-7 suite", "preview-pr-7 eval", "preview-pr-7 script"]
    cases = {found.name: found for suite in suites for found in suite}
    assert cases["orders / opening-hours"].is_passed
    failed = cases["orders / where-is-my-order"].result[0]
    assert isinstance(failed, Failure)
    assert failed.message == "failed at turn 4: told was false, wanted true"
    assert "agent: Agent/front-desk agents/front-desk.yaml:1" in failed.text
    assert "lines that reach it: Phone/support-line, Phone/sales-line" in failed.text
    assert "> 4 agent: It left yesterday" in failed.text
    assert isinstance(cases["greets"].result[0], Error)
    assert cases["orders / returns"].is_passed, "flaky, and enough of it passed"
    assert 'file="agents/evals.yaml" line="3"' in junit(mixed())
    properties = {p.name: p.value for p in next(cases["orders / returns"].iterchildren(Properties))}
    assert properties["flaky"] == "flaky: 2 of 3 passed, which is enough"
    assert float(suites[0].time) == pytest.approx(sum(float(one.time) for one in suites[0]))


def test_surefires_readers_see_the_flaky_ones() -> None:
    root = ElementTree.fromstring(junit(mixed()))
    assert [e.get("message") for e in root.iter("flakyFailure")] == ["told was false, wanted true"]
    assert [e.get("message") for e in root.iter("rerunFailure")] == ["hung up"]


ANY = st.text(st.characters(codec=None) | st.sampled_from("]>&<\"'\x00\x0b\ufffe\ud800\u202e"), max_size=40)


@given(ANY)
def test_any_text_is_valid_xml(strange: str) -> None:
    content = junit(hostile(strange, "]]>")).encode()
    read = JUnitXml.fromstring(content)
    assert read.tests == 4
    assert ElementTree.fromstring(content) is not None


# the comment


def outside_of_code(comment: str) -> tuple[str, str]:
    """(what renders as text, the HTML) as CommonMark reads it."""
    prose, html = [], []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(comment):
        if token.type == "html_block":
            html.append(token.content)
        for child in token.children or ():
            if child.type == "html_inline":
                html.append(child.content)
            elif child.type in ("link_open", "image"):
                html.append(f"<{child.type} {child.attrs}")
            elif child.type == "text":
                prose.append(child.content)
    return "\n".join(prose), "\n".join(html)


def assert_contained(comment: str) -> None:
    prose, html = outside_of_code(comment)
    rest = html
    for ours in ("<details>", "</details>", "<summary>", "</summary>"):
        rest = rest.replace(ours, "")
    assert "<" not in rest, rest
    assert html.count("<details>") == html.count("</details>")
    assert not re.search(r"@\w", prose), prose


def test_nothing_gets_out_of_the_comment() -> None:
    comment = markdown(hostile(*ATTACKS))
    assert_contained(comment)
    assert not set("\u202e\u2066\u200b\x00\x1b\u2028\r\ud800") & set(comment)
    comment.encode()


MARKUP = st.text(alphabet=st.sampled_from("`~<>/@|#\n\r\\$&;!()[]-=*_ detailsAB\u202e:1."))


@given(st.lists(MARKUP, min_size=1, max_size=4))
def test_no_text_gets_out_of_the_comment(texts: list[str]) -> None:
    assert_contained(markdown(hostile(*texts)))


@pytest.mark.parametrize("limit", [3_000, 24_000, LIMIT])
@pytest.mark.parametrize("tests", [1, 40, 2_000])
def test_the_comment_fits_and_says_what_was_cut(limit: int, tests: int) -> None:
    talk = tuple(Turn("user", f"{n} " + "word " * 400) for n in range(60))
    bad = Attempt(passed=False, reason="no " * 500, turn=30, transcript=talk)
    results = [TestResult(case(f"orders / s{n}"), (bad if n % 2 == 0 else GOOD,)) for n in range(tests)]
    comment = markdown(report(*results), limit)
    assert len(comment) <= limit
    assert_contained(comment)
    if tests > 1:
        assert "Cut to fit into a comment" in comment
        assert "orders / s0" in comment
    assert "❌" in comment.split("\n", 1)[0]


def test_a_terminal_sees_no_strangers_controls() -> None:
    shown = finished(text(hostile(*ATTACKS, "\x1b]0;title\x07", "::error::no", long=3)))
    assert not {c for c in shown if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160}
    assert not set("\u202e\u2066\u200b\u2028") & set(shown)
    shown.encode()
