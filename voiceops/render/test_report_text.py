"""A report of tests for a terminal of 80 columns: what did not pass with its turns, then how many there were. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from voiceops.model.safe_text import flowed, one_line
from voiceops.render.fitting import WIDTH
from voiceops.render.style import Style
from voiceops.render.test_report_words import ended, said, speaker, summary, to_look_at, why
from voiceops.testing.outcome import Attempt, TestReport, TestResult

_INDENT = "    "
_BEFORE = 3  # turns that are shown before the one where it went wrong
_MOST_LINES = 4  # of one turn
_LABEL = 8  # columns of who speaks


def render_tests_text(report: TestReport, style: Style) -> str:
    """What did not pass, then what did, then one line that counts them."""
    blocks = ["\n".join(_result(result, style)) for result in to_look_at(report)]
    passed = [result for result in report.results if result.verdict == "passed"]
    sums = [f"{style('✓', 'green')} {one_line(result.case.name)}" for result in passed]
    sums += [f"{style('!', 'yellow')} {line}" for warning in report.warnings for line in _wrapped(warning)]
    colour = {0: "green", 1: "red"}.get(report.exit_code, "yellow")
    sums.append(style(f"{one_line(report.environment)}: {summary(report)}", colour, "bold"))
    return "\n\n".join([*blocks, "\n".join(sums)])


def _wrapped(text: str) -> list[str]:
    first, *rest = textwrap.wrap(flowed(text), WIDTH - 2, break_on_hyphens=False) or [""]
    return ["\n".join([first, *(f"  {line}" for line in rest)])]


def _result(result: TestResult, style: Style) -> Iterator[str]:
    case, worst = result.case, result.worst
    colour = "red" if result.verdict == "failed" or (result.verdict == "flaky" and not result.passed) else "yellow"
    mark = {"failed": "✗", "flaky": "~"}.get(result.verdict, "!")
    yield f"{style(mark, colour)} {style(one_line(case.name), 'bold')}: {ended(result)}"
    yield from _paragraph("", why(worst))
    if case.manifest:
        yield f"{_INDENT}test   {one_line(case.manifest)}"
    if case.agents:
        at = f" at {one_line(case.agent_at)}" if case.agent_at else ""
        yield from _paragraph("agent  ", ", ".join(case.agents) + at)
    if case.lines:
        yield from _paragraph("lines  ", ", ".join(case.lines))
    if worst is not None and worst.passed is not True:
        yield from _turns(worst, style)


def _paragraph(label: str, text: str) -> list[str]:
    """Text in lines of the width, those after the first below its beginning."""
    indent = _INDENT + " " * len(label)
    return textwrap.wrap(
        flowed(text), WIDTH, initial_indent=_INDENT + label, subsequent_indent=indent, break_on_hyphens=False
    )


def _turns(attempt: Attempt, style: Style) -> Iterator[str]:
    """The turn where it went wrong, or the last one, and those right before it."""
    turns = attempt.transcript
    last = min(attempt.turn or len(turns), len(turns))
    for number in range(max(1, last - _BEFORE), last + 1):
        turn, wrong = turns[number - 1], number == attempt.turn
        head = f"{'>' if wrong else ' '}{number:>3} {speaker(turn):<{_LABEL}}"
        rows = textwrap.wrap(flowed(said(turn)), WIDTH - len(head) - 2) or ["(nothing)"]
        if len(rows) > _MOST_LINES:
            rows = [*rows[:_MOST_LINES], "…"]
        yield f"  {style(head, 'red') if wrong else style(head, 'dim')}{rows[0]}"
        yield from (f"  {' ' * len(head)}{row}" for row in rows[1:])
