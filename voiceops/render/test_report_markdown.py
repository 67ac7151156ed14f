"""A report of tests as a part of one comment on a pull request, in GitHub's markdown (GitLab reads it, too). Pure.

What did not pass first, each with the turn where it went wrong, the agent's file and the lines that reach it; the
conversation folded. What strangers wrote stands in code only, so that it is no markup, no HTML and no mention.
"""

from __future__ import annotations

from voiceops.model.safe_text import flowed, html, markdown_code, markdown_fence, markdown_prose
from voiceops.model.wording import many, some_of
from voiceops.render.test_report_words import ended, said, speaker, summary, to_look_at, why
from voiceops.render.textdiff import shortened
from voiceops.testing.outcome import Attempt, TestReport, TestResult

LIMIT = 30_000  # a plan stands in the same comment: GitHub takes 65,536 characters, GitLab 1,000,000
_LONGEST = 600  # characters of one turn, where all of them have room
_LISTED = 20  # lines, warnings
_ROOM_TO_END = 400  # for the sentence that says what was cut
_EVERYTHING = "`voiceops test --format json` and the JUnit file have everything."


def render_tests_markdown(report: TestReport, limit: int) -> str:
    """The text, of `limit` characters at most. What has no room is counted."""
    mark = {0: "✅", 1: "❌"}.get(report.exit_code, "⚠️")
    head = [f"#### {mark} Tests in {_code(report.environment)}: {_money(summary(report))}", "", *_warnings(report)]
    looked_at = to_look_at(report)
    passed = [result for result in report.results if result.verdict == "passed"]
    room = limit - _size(head) - _ROOM_TO_END
    sections, cut = _sections(looked_at, room - min(_size(_passed(passed)), room // 4))
    room -= _size(sections)
    folded = _passed(passed)
    if _size(folded) > room:
        folded, cut = [], [*cut, f"{len(passed)} that passed are not listed"]
    said_so = [f"Cut to fit into a comment: {', '.join(cut)}. {_EVERYTHING}", ""] if cut else []
    return "\n".join([*head, *sections, *folded, *said_so])


def _sections(results: list[TestResult], room: int) -> tuple[list[str], list[str]]:
    """Each as far as there is room: with its conversation, without, as a row, or only counted."""
    done: list[str] = []
    bare = rows = 0
    reserve = sum(_size(_row(result)) for result in results)
    for index, result in enumerate(results):
        reserve -= _size(_row(result))
        for section in (_section(result, _LONGEST), _section(result, 120), _section(result, 0), _row(result)):
            if _size(section) <= room - min(reserve, room // 2):
                break
        else:
            return done, _cut(bare, rows, len(results) - index)
        done += section
        room -= _size(section)
        rows += section == _row(result)
        bare += section == _section(result, 0) != _section(result, _LONGEST)
    return done, _cut(bare, rows, 0)


def _cut(bare: int, rows: int, hidden: int) -> list[str]:
    cut = [f"{bare} without their conversation"] if bare else []
    cut += [f"{rows} in one line"] if rows else []
    return cut + ([f"{hidden} are not listed"] if hidden else [])


def _section(result: TestResult, longest: int) -> list[str]:
    """One test that did not pass; `longest`: characters of a turn, 0 for no conversation."""
    case, worst = result.case, result.worst
    lines = [*_row(result)[:-1], "", f"> {_prose(why(worst), 400)}", ""]
    if worst is not None and worst.turn and worst.turn <= len(worst.transcript) and longest:
        turn = worst.transcript[worst.turn - 1]
        lines += [f"Turn {worst.turn}, the {speaker(turn)}: {_code(said(turn), 300)}", ""]
    if case.manifest:
        lines.append(f"- test: {_code(case.manifest)}")
    if case.agents:
        at = f" in {_code(case.agent_at)}" if case.agent_at else ""
        lines.append(f"- agent: {', '.join(map(_code, case.agents))}{at}")
    if case.lines:
        lines.append(f"- lines that reach it: {some_of([_code(line) for line in case.lines], _LISTED)}")
    lines.append("")
    return lines + (_conversation(worst, longest) if worst is not None and longest else [])


def _row(result: TestResult) -> list[str]:
    mark = "🔴" if result.verdict != "not run" and not result.passed else "🟠"
    return [f"{mark} **{_code(result.case.name)} {ended(result)}**", ""]


def _conversation(attempt: Attempt, longest: int) -> list[str]:
    if not attempt.transcript:
        return []
    rows = []
    for number, turn in enumerate(attempt.transcript, 1):
        mark = ">" if number == attempt.turn else " "
        rows.append(f"{mark}{number:>3} {speaker(turn)}: {shortened(flowed(said(turn)), longest)}")
    return [
        f"<details><summary>The conversation, {many(len(rows), 'turn')}</summary>",
        "",
        *markdown_fence(rows, "text"),
        "",
        "</details>",
        "",
    ]


def _passed(results: list[TestResult]) -> list[str]:
    if not results:
        return []
    rows = [
        f"- {_code(result.case.name)} {', '.join(map(_code, result.case.agents[:3]))}".rstrip() for result in results
    ]
    return [f"<details><summary>{html(f'{len(results)} passed')}</summary>", "", *rows, "", "</details>", ""]


def _warnings(report: TestReport) -> list[str]:
    found = [f"- ⚠️ {_prose(warning, 400)}" for warning in report.warnings[:_LISTED]]
    return [*found, ""] if found else []


def _code(text: str, limit: int = 80) -> str:
    return markdown_code(shortened(text, limit))


def _prose(text: str, limit: int) -> str:
    return markdown_prose(shortened(text, limit))


def _money(text: str) -> str:
    return text.replace("$", "\\$")  # two of them would be mathematics


def _size(lines: list[str]) -> int:
    return sum(len(line) + 1 for line in lines)
