"""A report of tests as JUnit XML, as GitLab, GitHub's reporters, Jenkins and Surefire's readers take it. Pure.

A test that failed has `failure`, one that could not be run `error`. A flaky one says so in a property, and as Maven's
Surefire does: `flakyFailure` where enough of its attempts passed, `rerunFailure` beside its `failure` where not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from voiceops.model.safe_text import visible
from voiceops.render.test_report_words import ended, said, speaker, why
from voiceops.testing.outcome import Attempt, TestReport, TestResult

_KINDS = ("suite", "eval", "script", "replay")
_PLACE = re.compile(r"(.+?):(\d+)(?::\d+)?", re.ASCII)  # file:line, or file:line:column
_MOST_TEXT = 20_000  # characters of one transcript: readers keep whole files in memory


def render_tests_junit(report: TestReport) -> str:
    """One `testsuite` for each sort of test; the text of the whole file."""
    root = Xml.Element("testsuites", {"name": visible(f"voiceops {report.environment}"), **_sums(report.results)})
    root.set("time", f"{report.seconds:.3f}")
    for kind in _KINDS:
        results = [result for result in report.results if result.case.kind == kind]
        if results:
            root.append(_suite(report, kind, results))
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _sums(results: Sequence[TestResult]) -> dict[str, str]:
    verdicts = [_verdict(result) for result in results]
    return {
        "tests": str(len(results)),
        "failures": str(verdicts.count("failure")),
        "errors": str(verdicts.count("error")),
        "skipped": "0",
    }


def _verdict(result: TestResult) -> str:
    if result.verdict == "not run":
        return "error"
    return "" if result.passed else "failure"


def _suite(report: TestReport, kind: str, results: Sequence[TestResult]) -> Xml.Element:
    suite = Xml.Element("testsuite", {"name": visible(f"{report.environment} {kind}"), **_sums(results)})
    suite.set("time", f"{sum(result.seconds for result in results):.3f}")
    suite.set("timestamp", report.started.strftime("%Y-%m-%dT%H:%M:%S"))
    _properties(suite, [("environment", report.environment), ("minPass", f"{report.min_pass:g}")])
    for result in results:
        suite.append(_case(result))
    if report.warnings:
        Xml.SubElement(suite, "system-err").text = visible("\n".join(report.warnings))
    return suite


def _case(result: TestResult) -> Xml.Element:
    case, worst = result.case, result.worst
    group = case.name.partition(" / ")[0]
    element = Xml.Element("testcase", {"name": visible(case.name), "classname": visible(f"{case.kind}.{group}")})
    element.set("time", f"{result.seconds:.3f}")
    if place := _PLACE.fullmatch(case.manifest):
        element.set("file", visible(place[1]))
        element.set("line", place[2])
    known = [("agent", address) for address in case.agents]
    known += [("agentAt", case.agent_at)] if case.agent_at else []
    known += [("line", address) for address in case.lines]
    known += [("flaky", ended(result))] if result.verdict == "flaky" else []
    known += [("run", attempt.run) for attempt in result.attempts if attempt.run]
    known += [("cost", f"{result.cost:.4f}")] if result.cost is not None else []
    _properties(element, known)
    if worst is not None and (what := _verdict(result)):
        told = Xml.SubElement(element, what, {"message": visible(f"{ended(result)}: {why(worst)}"), "type": what})
        told.text = _told(result, worst)
    _others(element, result, worst)
    return element


def _others(element: Xml.Element, result: TestResult, shown: Attempt | None) -> None:
    """The failed attempts of a flaky test that its own failure does not show."""
    if result.verdict != "flaky":
        return
    what = "flakyFailure" if result.passed else "rerunFailure"
    for attempt in result.attempts:
        if attempt.passed is False and (result.passed or attempt is not shown):
            Xml.SubElement(element, what, {"message": visible(why(attempt)), "type": "failure"})


def _properties(element: Xml.Element, found: Sequence[tuple[str, str]]) -> None:
    if found:
        box = Xml.SubElement(element, "properties")
        for name, value in found:
            Xml.SubElement(box, "property", {"name": name, "value": visible(value)})


def _told(result: TestResult, attempt: Attempt) -> str:
    case = result.case
    lines = [why(attempt)]
    lines += [f"test: {case.manifest}"] if case.manifest else []
    lines += [f"agent: {', '.join(case.agents)} {case.agent_at}".rstrip()] if case.agents else []
    lines += [f"lines that reach it: {', '.join(case.lines)}"] if case.lines else []
    for number, turn in enumerate(attempt.transcript, 1):
        lines.append(f"{'>' if number == attempt.turn else ' '} {number} {speaker(turn)}: {said(turn)}")
    text = "\n".join(lines)
    return visible(text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}\n(cut)")
