"""`voiceops validate` with lints: exit codes and formats."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.lints.projects import PROJECT, write

ROOT = Path(__file__).parents[2]
WARNED = "kind: Agent\nname: a\nspec:\n  transcriber: {provider: deepgram, model: flux-general-en, endpointing: 300}\n"
WRONG = "kind: Agent\nname: a\nspec:\n  voice: {provider: vapi, voiceId: elliot}\n"

# The parts of SARIF 2.1.0 that code scanning reads, with what it asks for:
# https://docs.oasis-open.org/sarif/sarif/v2.1.0/ sections 3.13 to 3.54
_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "rules"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "required": ["id", "shortDescription", "helpUri", "defaultConfiguration"],
                                            "properties": {
                                                "id": {"type": "string"},
                                                "shortDescription": _TEXT,
                                                "helpUri": {"type": "string", "pattern": "^https://"},
                                                "defaultConfiguration": {"properties": {"level": _LEVEL}},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "required": ["ruleId", "ruleIndex", "level", "message"],
                            "properties": {
                                "level": _LEVEL,
                                "message": _TEXT,
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation", "region"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "required": ["uri"],
                                                        "properties": {"uri": {"pattern": "^[^/]"}},
                                                    },
                                                    "region": {
                                                        "required": ["startLine"],
                                                        "properties": {
                                                            "startLine": {"type": "integer", "minimum": 1},
                                                            "startColumn": {"type": "integer", "minimum": 1},
                                                        },
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A base URL that nothing listens on: a request would be another error.
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("VAPI", "TWILIO", "VOICEOPS"))}
    environ |= {"VAPI_BASE_URL": "https://127.0.0.1:9", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "voiceops", "-C", str(folder), "validate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ)


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        ("kind: Agent\nname: a\nspec: {firstMessage: Hi}\n", ["--strict"], 0),
        (WARNED, [], 0),
        (WARNED, ["--strict"], 1),
        (WRONG, [], 1),
        (WRONG.replace("elliot}", "elliot} # voiceops: ignore[VO112]"), ["--strict"], 0),
    ],
)
def test_exit_codes(text: str, arguments: list[str], code: int, tmp_path: Path) -> None:
    write(tmp_path, {"agents/a.yaml": text})
    ran = run(tmp_path, *arguments)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert ran.stderr == ""


def test_text_names_place_and_code(tmp_path: Path) -> None:
    write(tmp_path, {"agents/a.yaml": WARNED})
    out = run(tmp_path).stdout
    assert "agents/a.yaml:4:61: warning[VO103]: Agent/a spec.transcriber.endpointing:" in out
    assert "0 errors, 1 warning" in out


def test_json(tmp_path: Path) -> None:
    write(tmp_path, {"agents/a.yaml": WRONG})
    said = json.loads(run(tmp_path, "--format", "json").stdout)
    [found] = said["diagnostics"]
    assert said["valid"] is False
    assert (found["code"], found["severity"], found["file"], found["line"]) == ("VO112", "error", "agents/a.yaml", 4)


def test_github(tmp_path: Path) -> None:
    write(tmp_path, {"agents/a.yaml": WARNED})
    assert "::warning file=agents/a.yaml,line=4,col=61,title=VO103::" in run(tmp_path, "--format", "github").stdout


def test_sarif(tmp_path: Path) -> None:
    text = WARNED + "  backgroundDenoisingEnabled: true\n---\n" + WRONG.replace("name: a", "name: b")
    write(tmp_path, {"agents/a.yaml": text})
    log: dict[str, Any] = json.loads(run(tmp_path, "--format", "sarif").stdout)
    jsonschema.Draft202012Validator(SARIF).validate(log)
    [made] = log["runs"]
    rules = made["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["VO103", "VO112", "schema-deprecated"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in made["results"])
    assert rules[1]["defaultConfiguration"] == {"level": "error"}
    assert rules[1]["helpUri"].endswith("/docs/lints/VO112.md")
    assert {r["ruleId"]: r["level"] for r in made["results"]}["schema-deprecated"] == "warning"


def test_every_environment(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "voiceops.yaml": PROJECT + "environments: [dev, prod]\n",
            "environments/prod.yaml": "patches:\n  - target: Agent/a\n    merge: {voice: {voiceId: elliot}}\n",
            "agents/a.yaml": WRONG.replace("elliot", "Elliot"),
        },
    )
    assert run(tmp_path, "-e", "dev").returncode == 0
    ran = run(tmp_path, "-e", "all")
    assert ran.returncode == 1
    assert "environments/prod.yaml:3:" in ran.stdout


def test_a_project_that_does_not_load_shows_its_errors_in_every_format(tmp_path: Path) -> None:
    write(tmp_path, {"agents/a.yaml": "kind: Agent\nname: a\nspec: {nonsense: 1} # voiceops: ignore[VO101]\n"})
    for format_ in ("text", "json", "sarif", "github"):
        ran = run(tmp_path, "--format", format_)
        assert ran.returncode == 1
        assert "schema-unknown-key" in ran.stdout
        assert "VO001" not in ran.stdout


def test_no_project_at_all() -> None:
    # Not under pytest's own folder: another test's project may stand above it.
    with tempfile.TemporaryDirectory() as folder:
        ran = run(Path(folder), "--format", "json", "-e", "all")
    assert ran.returncode == 1
    assert [d["code"] for d in json.loads(ran.stdout)["diagnostics"]] == ["project-missing"]
