"""What came of tests, printed and written into files: text, JSON, JUnit's XML, or markdown for a comment."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from voiceops.cli.terminal.console import Console
from voiceops.errors import VoiceopsError
from voiceops.model.safe_text import json_text
from voiceops.render.style import PLAIN, Style, finished
from voiceops.render.test_report_json import test_report_data
from voiceops.render.test_report_junit import render_tests_junit
from voiceops.render.test_report_markdown import LIMIT, render_tests_markdown
from voiceops.render.test_report_text import render_tests_text
from voiceops.testing.outcome import TestReport

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("text", "json", "junit", "markdown")
_BY_ENDING = {".xml": "junit", ".md": "markdown", ".json": "json"}


def report_files(command: F) -> F:
    """`--out`: the report in files beside what is printed."""
    return click.option(
        "--out",
        "files",
        type=click.Path(path_type=Path, dir_okay=False),
        multiple=True,
        metavar="FILE",
        help="Write the report there, too: .xml JUnit, .md markdown, .json JSON, others as --format says; repeat.",
    )(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReport:
    """What came of tests, in its forms: as data, as text for a terminal, and the report that the other two are of."""

    report: TestReport
    data: dict[str, Any]
    text: Callable[[Style], str]


def shown_tests(report: TestReport) -> ShownReport:
    """A report of tests."""
    return ShownReport(report=report, data=test_report_data(report), text=functools.partial(render_tests_text, report))


def show(console: Console, shown: ShownReport, format_: str, files: tuple[Path, ...] = ()) -> int:
    """Print it, then write it into the files; the exit code. Raises VoiceopsError: a file can't be written."""
    printed = "text" if format_ in _forms(format_, files) else format_  # who has it in a file reads the other one
    if printed == "json":
        console.data(shown.data)
    elif printed == "text":
        console.out(shown.text(console.style()))
    else:
        console.out(_rendered(console, shown, printed))
    for path, form in zip(files, _forms(format_, files), strict=True):
        _write(path, _rendered(console, shown, form))
    return shown.report.exit_code


def _forms(format_: str, files: tuple[Path, ...]) -> list[str]:
    return [_BY_ENDING.get(path.suffix.lower(), format_) for path in files]


def _write(path: Path, text: str) -> None:
    """A report's file, its folder made where there is none. Raises VoiceopsError: it can't be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise VoiceopsError(f"{path} can't be written: {error.strerror or error}") from None


def _rendered(console: Console, shown: ShownReport, form: str) -> str:
    """For a file: without any secret that is known."""
    redactor = console.context.redactor
    if form == "json":
        return json_text(redactor.data(shown.data), 2) + "\n"
    if form == "junit":
        return redactor.text(render_tests_junit(shown.report))
    if form == "markdown":
        return redactor.text(render_tests_markdown(shown.report, LIMIT))
    return redactor.text(finished(shown.text(PLAIN))) + "\n"
