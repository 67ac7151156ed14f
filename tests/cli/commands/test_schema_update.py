"""`voiceops schema update` as a user sees it."""

import contextlib
import io
import json
from pathlib import Path

import pytest

from tests.vendor_facts.test_from_openapi import OPENAPI
from voiceops.cli.main import run


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "voiceops.yaml").write_text("version: 1\nproject: shop\n")
    (tmp_path / "openapi.json").write_text(json.dumps(OPENAPI))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _ran(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["schema", *arguments])
    return code, out.getvalue(), err.getvalue()


def test_the_report_fits_a_terminal_and_says_where_it_went(root: Path) -> None:
    code, out, err = _ran("update", "openapi.json", "--dry-run")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "Compared with voiceops's own facts:" in out
    assert "Repairs of voiceops that no longer match\n" in out
    assert "Nothing was written" in err
    assert not (root / "vapi-schema.json").exists()
    assert "was written" in _ran("update", "openapi.json")[2]
    assert "says the same already" in _ran("update", "openapi.json")[2]


def test_as_json(root: Path) -> None:
    code, out, _ = _ran("update", "openapi.json", "--format", "json")
    data = json.loads(out)
    assert (code, data["written"], data["compared_with"], data["format_version"]) == (0, True, "voiceops", "1.0")
    assert data["source"].keys() == {"kind", "name", "sha256"}
    assert {change["change"] for change in data["changes"]} >= {"removed-field", "removed-variants"}
    assert all(note["reason"] for note in data["notes"] if note["note"].startswith("repair"))


def test_strangers_characters_do_not_reach_the_terminal(root: Path) -> None:
    document = json.loads(json.dumps(OPENAPI))
    document["components"]["schemas"]["CreateAssistantDTO"]["properties"]["a\x1b[2Jb\nc"] = {"type": "string"}
    (root / "evil.json").write_text(json.dumps(document))
    code, out, _ = _ran("update", "evil.json")
    assert code == 0
    assert "\x1b" not in out
    assert "b\nc" not in out


@pytest.mark.parametrize("arguments", [("Agent",), ("show", "Agent"), ()])
def test_kinds_are_no_commands(root: Path, arguments: tuple[str, ...]) -> None:
    code, out, _ = _ran(*arguments)
    assert code == 0
    assert json.loads(out)["$schema"].startswith("https://json-schema.org/")


def test_what_is_no_kind_and_no_file(root: Path) -> None:
    code, out, err = _ran("Agnt")
    assert (code, out) == (1, "")
    assert "Did you mean Agent?" in err
    code, out, err = _ran("update", "none.json")
    assert (code, out) == (1, "")
    assert "none.json can't be read" in err
