"""Diagnostics as text, JSON, SARIF and GitHub's workflow commands."""

from __future__ import annotations

import json

import pytest

from voiceops.errors import Diagnostic, Mark
from voiceops.render.diagnostics import github, render, sarif
from voiceops.render.style import Style

ERROR = Diagnostic(
    code="schema-unknown-key",
    summary="unknown key fristMessage",
    mark=Mark("agents/a.yaml", 5, 3, "spec.fristMessage"),
    address="Agent/a",
    hint="Did you mean firstMessage?",
)
WARNING = Diagnostic(code="deprecated", summary="100% old,\nuse: new", severity="warning")


def test_text() -> None:
    assert render([ERROR, WARNING], "text") == (
        "agents/a.yaml:5:3: error[schema-unknown-key]: Agent/a spec.fristMessage: unknown key fristMessage\n"
        "    Did you mean firstMessage?\n"
        "warning[deprecated]: 100% old,\n    use: new\n"
        "1 error, 1 warning"
    )


def test_what_is_about_a_manifest_as_a_whole_names_no_path_in_it() -> None:
    """A manifest begins at its `kind`."""
    whole = Diagnostic(code="x", summary="broken", mark=Mark("a.yaml", 1, 1, "kind"), address="Agent/a")
    assert str(whole) == "a.yaml:1:1: error[x]: Agent/a: broken"
    assert "path" not in whole.to_data()
    unknown = Diagnostic(code="x", summary="no such kind", mark=Mark("a.yaml", 1, 1, "kind"))
    assert str(unknown) == "a.yaml:1:1: error[x]: kind: no such kind"


@pytest.mark.parametrize(("quiet", "text"), [(False, "Valid: 3 objects."), (True, "")])
def test_nothing_wrong(quiet: bool, text: str) -> None:
    assert render([], "text", objects=3, quiet=quiet) == text


def test_one_object_is_no_objects() -> None:
    assert render([], "text", objects=1) == "Valid: 1 object."


def test_json() -> None:
    data = json.loads(render([ERROR, WARNING], "json"))

    assert data["valid"] is False
    assert data["diagnostics"][0] == {
        "severity": "error",
        "code": "schema-unknown-key",
        "summary": "unknown key fristMessage",
        "file": "agents/a.yaml",
        "line": 5,
        "column": 3,
        "path": "spec.fristMessage",
        "address": "Agent/a",
        "hint": "Did you mean firstMessage?",
    }
    assert json.loads(render([WARNING], "json"))["valid"] is True


def test_sarif() -> None:
    (run,) = sarif([ERROR, WARNING])["runs"]

    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["deprecated", "schema-unknown-key"]
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert location == {
        "artifactLocation": {"uri": "agents/a.yaml"},
        "region": {"startLine": 5, "startColumn": 3},
    }
    assert "locations" not in run["results"][1]
    assert [result["level"] for result in run["results"]] == ["error", "warning"]


@pytest.mark.parametrize(
    ("found", "command"),
    [
        (
            ERROR,
            "::error file=agents/a.yaml,line=5,col=3,title=schema-unknown-key::"
            "Agent/a unknown key fristMessage Did you mean firstMessage?",
        ),
        (WARNING, "::warning title=deprecated::100%25 old,%0Ause: new"),
    ],
)
def test_github(found: Diagnostic, command: str) -> None:
    assert github(found) == command


def test_colour_only_where_it_is_asked_for() -> None:
    assert "\x1b[" not in render([ERROR], "text")
    assert "\x1b[" in render([ERROR], "text", Style(colour=True))
