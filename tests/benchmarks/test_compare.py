"""The comparison harness, with voiceops as the tool that is measured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.compare import compare, duplicates, environ, main
from benchmarks.projects import write_project

VOICEOPS = [sys.executable, "-m", "voiceops"]


def test_a_second_apply_writes_nothing(tmp_path: Path) -> None:
    write_project(tmp_path, tools=2, agents=3)
    first, second = compare([*VOICEOPS, "-C", str(tmp_path), "apply", "--auto-approve", "--local-state", "-q"])
    assert (first.exit, first.writes, first.executed, first.objects, first.duplicates) == (0, 5, 5, 5, 0)
    assert (second.exit, second.writes, second.executed, second.objects, second.duplicates) == (0, 0, 0, 5, 0)
    assert second.requests > 0
    assert 0 < second.seconds < 60


CREATES = """
import os, urllib.request
request = urllib.request.Request(
    os.environ["VAPI_BASE_URL"] + "/assistant",
    data=b'{"name": "twice"}',
    headers={"authorization": "Bearer " + os.environ["VAPI_TOKEN"], "content-type": "application/json"},
)
urllib.request.urlopen(request).close()
raise SystemExit(3)
"""


def test_a_tool_that_makes_everything_again(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--number", "+14155550100", "--latency", "0.01", "--", sys.executable, "-c", CREATES])
    said = capsys.readouterr()
    header, *rows = (line.split() for line in said.out.splitlines())
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert code == 0
    assert [(row["run"], row["exit"], row["writes"], row["objects"], row["duplicates"]) for row in found] == [
        ("1", "3", "1", "1", "0"),
        ("2", "3", "1", "2", "1"),
    ]
    assert "run 2 ended with 3" in said.err


def test_copies_that_name_each_other_are_copies() -> None:
    made: dict[str, list[dict[str, Any]]] = {
        "/tool": [{"id": "t1", "type": "endCall", "createdAt": "1"}, {"id": "t2", "type": "endCall", "createdAt": "2"}],
        "/assistant": [
            {"id": "a1", "name": "desk", "model": {"toolIds": ["t1"]}},
            {"id": "a2", "name": "desk", "model": {"toolIds": ["t2"]}},
            {"id": "a3", "name": "desk", "model": {"toolIds": []}},
        ],
    }
    assert duplicates(made) == 2
    made["/tool"][1]["type"] = "dtmf"
    assert duplicates(made) == 0, "agents with different tools are different"
    assert duplicates({}) == 0


def test_keys_of_real_accounts_stay_away() -> None:
    found = environ({"VAPI_API_KEY": "sandbox", "TWILIO_AUTH_TOKEN": "sandbox"})
    assert found["VAPI_TOKEN"] == "sandbox"
    assert found["TWILIO_API_KEY"] == found["TWILIO_API_SECRET"] == ""


@pytest.mark.parametrize("arguments", [["--repeat", "0", "true"], ["--latency", "nan", "true"], ["--number", "1", "x"]])
def test_options_that_make_no_sense(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_command_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--", "no-such-tool-anywhere"]) == 1
    assert "no-such-tool-anywhere can't be started" in capsys.readouterr().err
