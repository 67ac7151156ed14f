"""Diagnostics as text, JSON, SARIF 2.1.0 and GitHub's workflow commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voiceops._version import __version__
from voiceops.errors import Diagnostic
from voiceops.lints.all_lints import DOCS_URL, LINTS
from voiceops.model.safe_text import json_text, workflow_command
from voiceops.render.grouped import render_diagnostics
from voiceops.render.style import PLAIN, Style


def render(
    found: Sequence[Diagnostic], format_: str, style: Style = PLAIN, *, objects: int = 0, quiet: bool = False
) -> str:
    """All diagnostics in one of the formats."""
    if format_ == "json":
        return json_text({"valid": not _errors(found), "diagnostics": [d.to_data() for d in found]}, 2)
    if format_ == "sarif":
        return json_text(sarif(found), 2)
    if format_ == "github":
        return "\n".join(map(github, found))
    lines = render_diagnostics(found, style)
    errors, warnings = _errors(found), len(found) - _errors(found)
    if errors or warnings:
        lines.append(f"{errors} error{'' if errors == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}")
    elif not quiet:
        lines.append(style("Valid", "green", "bold") + f": {objects} object{'' if objects == 1 else 's'}.")
    return "\n".join(lines)


def _errors(found: Sequence[Diagnostic]) -> int:
    return sum(diagnostic.severity == "error" for diagnostic in found)


def sarif(found: Sequence[Diagnostic]) -> dict[str, Any]:
    """One SARIF run; https://docs.oasis-open.org/sarif/sarif/v2.1.0/"""
    results = []
    codes = sorted({diagnostic.code for diagnostic in found})
    for diagnostic in found:
        result: dict[str, Any] = {
            "ruleId": diagnostic.code,
            "ruleIndex": codes.index(diagnostic.code),
            "level": diagnostic.severity,
            "message": {"text": " ".join(p for p in (diagnostic.address, diagnostic.summary, diagnostic.hint) if p)},
        }
        if diagnostic.mark:
            result["locations"] = [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": diagnostic.mark.file},
                        "region": {"startLine": diagnostic.mark.line, "startColumn": diagnostic.mark.column},
                    }
                }
            ]
        results.append(result)
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "voiceops", "version": __version__, "rules": list(map(_rule, codes))}},
                "results": results,
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    """What SARIF says about a rule: lints have a page each, the other checks one together."""
    lint = LINTS.get(code)
    return {
        "id": code,
        "name": lint.name if lint else code,
        "shortDescription": {"text": lint.title if lint else code.replace("-", " ").capitalize()},
        "helpUri": f"{DOCS_URL}/{code}.md" if lint else f"{DOCS_URL}/README.md#checks-that-are-no-lints",
        "defaultConfiguration": {"level": lint.severity if lint else "error"},
    }


def github(diagnostic: Diagnostic) -> str:
    """A workflow command, shown at the line in a pull request."""

    properties = {}
    if diagnostic.mark:
        mark = diagnostic.mark
        properties = {"file": mark.file, "line": str(mark.line), "col": str(mark.column)}
    text = " ".join(p for p in (diagnostic.address, diagnostic.summary, diagnostic.hint) if p)
    return workflow_command(diagnostic.severity, properties | {"title": diagnostic.code}, text)
