"""The script that writes voiceops's own facts: stricter than the command, for it writes for every project."""

import json
from pathlib import Path

import pytest
from make_schema import main

from tests.vendor_facts.test_from_openapi import OPENAPI
from voiceops.vendor_facts.from_openapi import COLLECTIONS


def test_nothing_is_written_while_a_repair_does_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(OPENAPI))
    assert main([str(tmp_path / "openapi.json"), "--out", str(tmp_path / "out.json")]) == 1
    assert not (tmp_path / "out.json").exists()
    assert "Nothing written" in capsys.readouterr().err


def test_the_command_writes_and_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("voiceops.vendor_facts.from_openapi.REPAIRS", ())
    monkeypatch.setattr("voiceops.vendor_facts.from_openapi.COLLECTIONS", {"Agent": COLLECTIONS["Agent"]})
    monkeypatch.setattr("voiceops.vendor_facts.from_openapi.ROOTS", {})
    (tmp_path / "openapi.json").write_text(json.dumps(OPENAPI))
    arguments = [str(tmp_path / "openapi.json"), "--out", str(tmp_path / "out.json")]
    assert main([*arguments, "--check"]) == 1
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
    assert "up to date" in capsys.readouterr().out
    assert "CreateAssistantDTO" in json.loads((tmp_path / "out.json").read_text())["types"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["openapi.json", "out.json"]
