"""Diagnostics as text, JSON, SARIF 2.1.0 and GitHub's workflow commands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from voiceops._version import __version__
from voiceops.errors import Diagnostic
from voiceops.lints.registry import DOCS_URL, LINTS
from voiceops.render.style import PLAIN, Style
from voiceops.render.text import render_diagnostic


def render(
    found: Sequence[Diagnostic], format_: str, style: Style = PLAIN, *, objects: int = 0, quiet: bool = False
) -> str:
    """All diagnostics in one of the formats."""
    if format_ == "json":
        return json.dumps(
            {"valid": not _errors(found), "diagnostics": [d.to_data() for d in found]},
            indent=2,
            ensure_ascii=False,
        )
    if format_ == "sarif":
        return json.dumps(sarif(found), indent=2, ensure_ascii=False)
    if format_ == "github":
        return "\n".join(map(github, found))
    lines = [render_diagnostic(diagnostic, style) for diagnostic in found]
    errors, warnings = _errors(found), len(found) - _errors(found)
    if errors or warnings:
        lines.append(f"{errors} error{'' if errors == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}")
    elif not quiet:
        lines.append(style("Valid", "green", "bold") + f": {objects} objects.")
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

    def escaped(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    place = ""
    if diagnostic.mark:
        place = f" file={diagnostic.mark.file},line={diagnostic.mark.line},col={diagnostic.mark.column}"
    text = " ".join(p for p in (diagnostic.address, diagnostic.summary, diagnostic.hint) if p)
    return (
        f"::{diagnostic.severity}{place},title={diagnostic.code}::{escaped(text)}"
        if place
        else (f"::{diagnostic.severity} title={diagnostic.code}::{escaped(text)}")
    )
