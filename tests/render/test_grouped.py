"""Warnings about one field in many places are one entry; errors and what stands alone stay as they are."""

from __future__ import annotations

import pytest

from voiceops.errors import Diagnostic, Mark, Severity
from voiceops.render.diagnostics import render
from voiceops.render.grouped import render_diagnostics


def warning(
    file: str, line: int, field: str = "old", code: str = "schema-deprecated", severity: Severity = "warning"
) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=severity,
        summary=f"{field} is deprecated",
        mark=Mark(file, line, 3),
        hint="Use new instead.",
        address="Agent/a",
    )


def test_one_field_is_one_entry_with_its_places() -> None:
    found = [warning("a.yaml", 4), warning("a.yaml", 9), warning("b.yaml", 4), warning("b.yaml", 5, "other")]
    alone, together = render_diagnostics(found)
    assert alone.startswith("b.yaml:5:3: warning[schema-deprecated]")
    assert together.splitlines() == [
        "warning[schema-deprecated]: old is deprecated (3 places)",
        "    Use new instead.",
        "    a.yaml:4,9, b.yaml:4",
    ]


def test_the_count_at_the_end_is_that_of_the_places() -> None:
    assert render([warning("a.yaml", n) for n in range(1, 8)], "text").endswith("0 errors, 7 warnings")


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_other_problems_stay_apart(severity: Severity) -> None:
    found = [warning("a.yaml", n, code="reference", severity=severity) for n in (1, 2)]
    assert len(render_diagnostics(found)) == 2


def test_errors_of_a_field_stay_apart() -> None:
    assert len(render_diagnostics([warning("a.yaml", n, severity="error") for n in (1, 2)])) == 2


def test_places_keep_within_80_columns_and_no_name_is_broken() -> None:
    found = [warning(f"agents/a-rather-long-name-of-a-manifest-{n}.yaml", 4) for n in range(200)]
    [entry] = render_diagnostics(found)
    assert max(map(len, entry.splitlines())) <= 80
    assert "agents/a-rather-long-name-of-a-manifest-59.yaml:4" in entry
    assert "in 140 more files" in " ".join(entry.split())


def test_signs_of_strangers_are_escaped() -> None:
    [entry] = render_diagnostics([warning("a\x1b[31m.yaml", 1), warning("a\x1b[31m.yaml", 2)])
    assert "\x1b" not in entry
