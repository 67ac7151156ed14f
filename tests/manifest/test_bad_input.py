"""Every malformed file: one clear message at its line, exit 1, no traceback, no network, nothing written."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from voiceops.cli.main import run
from voiceops.errors import Diagnostic, InvalidProject
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import load_project

CASES = sorted((Path(__file__).parent.parent / "cases" / "bad").glob("*.yaml"))
PROJECT = "version: 1\nproject: shop\nenvironments: [dev, prod]\n"
GOOD = "kind: Agent\nname: good\nspec: {firstMessage: Hi}\n"


def _lay_out(case: Path, folder: Path) -> tuple[str, str, int, str]:
    """Write the project of a case; return its file and the code, line and path that are expected."""
    text = case.read_text()
    lines = text.splitlines()
    code, line, *path = lines[0].removeprefix("# expect: ").split()
    file = lines[1].removeprefix("# file: ") if lines[1].startswith("# file: ") else "agents/case.yaml"
    for name, content in (("voiceops.yaml", PROJECT), ("agents/good.yaml", GOOD), (file, text)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return file, code, int(line), path[0] if path else ""


def _problems(folder: Path) -> tuple[Diagnostic, ...]:
    problems = Problems()
    try:
        load_graph(load_project(folder, None, {}, problems), {}, problems)
    except InvalidProject as error:
        return error.diagnostics
    return problems.all


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 160


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_each_problem_is_named_at_its_line(case: Path, tmp_path: Path) -> None:
    file, code, line, path = _lay_out(case, tmp_path)

    found = [d for d in _problems(tmp_path) if d.severity == "error"]

    assert found, "nothing was found"
    first = next((d for d in found if d.code == code), None)
    assert first is not None, f"expected {code}, found:\n" + "\n".join(map(str, found))
    assert first.mark is not None
    assert (first.mark.file, first.mark.line) == ("voiceops.yaml" if line == 1 else file, line), str(first)
    if path:
        assert first.mark.path == path, str(first)
    assert len(found) == 1, "one message a problem, found:\n" + "\n".join(map(str, found))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_every_command_stops_there_with_one_line_and_sends_nothing(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, code, line, _ = _lay_out(case, tmp_path)
    before = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    with socket.create_server(("127.0.0.1", 0)) as vendor:
        vendor.settimeout(0)
        for name in ("VAPI_BASE_URL", "TWILIO_BASE_URL"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{vendor.getsockname()[1]}")
        monkeypatch.setenv("VAPI_API_KEY", "k")
        for command in ("validate", "plan"):
            assert run(["-C", str(tmp_path), command]) == 1
            shown = capsys.readouterr()
            text = shown.out + shown.err
            place = f"{'voiceops.yaml' if line == 1 else file}:{line}:"
            assert [row for row in text.splitlines() if place in row and f"error[{code}]" in row], text
            assert text.count("error[") == 1
            assert "Traceback" not in text
        with pytest.raises(BlockingIOError):
            vendor.accept()
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("command", [["validate"], ["plan"], ["apply", "--auto-approve"]], ids=lambda c: c[0])
def test_the_command_line_ends_with_exit_1_and_no_traceback(command: list[str], tmp_path: Path) -> None:
    _lay_out(next(case for case in CASES if case.stem == "schema-unknown-key"), tmp_path)
    before = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    # A base URL that nothing listens on: a request would be another error.
    environ = os.environ | {"VAPI_BASE_URL": "http://127.0.0.1:9", "VAPI_API_KEY": "k"}

    ran = subprocess.run(
        [sys.executable, "-m", "voiceops", "-C", str(tmp_path), *command], capture_output=True, text=True, env=environ
    )

    output = ran.stdout + ran.stderr
    assert ran.returncode == 1, output
    assert "agents/case.yaml:5:3" in output
    assert "Did you mean firstMessage?" in output
    assert "Traceback" not in output
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["plann"], "Did you mean plan?"),
        (["plan", "--formt", "json"], "--format"),
        (["plan", "--format", "yaml"], "yaml"),
        (["plan", "--target", "support"], "Kind/name"),
        (["plan", "-l", "team"], "key=value"),
        (["-e", "stagin", "plan"], "no environment 'stagin'"),
        (["-e", "Prod!", "plan"], "Prod!"),
        (["-C", "nowhere", "plan"], "no folder nowhere"),
        (["apply", "--parallelism", "0"], "parallelism"),
        (["show", "x"], "REV"),
        (["show", "3"], "no revision 3"),
        (["state", "show", "Agent/none"], "no Agent/none"),
        (["schema", "Agnet"], "Did you mean Agent?"),
        (["import", "Agent/none", "id"], "no manifest declares"),
        (["apply"], "--auto-approve"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_flags(arguments: list[str], expected: str, tmp_path: Path) -> None:
    (tmp_path / "voiceops.yaml").write_text(PROJECT)
    (tmp_path / "agents").mkdir()
    ran = subprocess.run(
        [sys.executable, "-m", "voiceops", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        env={key: value for key, value in os.environ.items() if key != "CI"},  # where a state may stand is another test
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert expected in ran.stderr
    assert "Traceback" not in ran.stderr


def test_all_problems_are_reported_not_only_the_first(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "voiceops.yaml").write_text(PROJECT)
    (tmp_path / "agents/a.yaml").write_text(
        "kind: Agent\nname: a\nspec: {first: x, maxDurationSeconds: 1, voice: nobody}\n---\n"
        "kind: Tool\nname: t\nspec: {type: x}\n"
    )
    (tmp_path / "agents/b.yaml").write_text("kind: [\n")
    codes = sorted(d.code for d in _problems(tmp_path))
    assert codes == ["reference", "schema-enum", "schema-range", "schema-unknown-key", "yaml-syntax"]


def test_links_out_of_the_project_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    project = tmp_path / "project"
    (project / "agents").mkdir(parents=True)
    (project / "voiceops.yaml").write_text(PROJECT)
    (project / "agents/link.md").symlink_to(secret)
    (project / "agents/a.yaml").write_text("kind: Agent\nname: a\nspec: {firstMessage: '${file:link.md}'}\n")
    found = _problems(project)
    assert [d.code for d in found] == ["file"]
    assert "outside the project" in found[0].summary


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "voiceops.yaml").write_text(PROJECT)
    (tmp_path / "agents/a.yaml").write_text("# " + "x" * 1_100_000)
    assert "larger than" in _problems(tmp_path)[0].summary


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "voiceops.yaml").write_text(PROJECT)
    (tmp_path / "agents/a.yaml").write_bytes(b"kind: \xff\xfe")
    assert "not UTF-8" in _problems(tmp_path)[0].summary
