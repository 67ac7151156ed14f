"""States, journals, revisions, notes and plans as hands, merges and strangers leave them: a sentence each.

VOICEOPS_FUZZ=5000 tries as many of each.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, Ran, bench
from tests.support.mutations import mutated, seeds
from voiceops.state.sealed import sealed

CASES = seeds(40)
SECONDS = 30  # for one command, on a busy machine


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A project with a history: applied, changed, refused, rolled back, with a plan kept and an apply cut off."""
    with bench(tmp_path_factory.mktemp("lived")) as made:
        made.write("agents/a.yaml", AGENT + "---\n" + TOOL + "---\n" + LINE)
        made.write(
            "voiceops.yaml",
            "version: 1\nproject: shop\nenvironments: [live]\nruntime: {url: https://v.example}\n"
            "defaults: {Agent: {server: runtime}}\n",
        )
        made.apply("-m", "first")
        made.edit("agents/a.yaml", "Hello", "Good day")
        made.apply()
        made.edit("agents/a.yaml", "Good day", "Good evening")
        made.run("plan", "--out", str(made.folder / "plan.json"))
        made.control.fault(
            "status", when="before", method="PATCH", path="^/assistant", status=400, answer={"message": "no"}
        )
        made.apply(code=1)
        made.control.clear_faults()
        shutil.copytree(made.folder / ".voiceops/state", made.folder / "kept")
        yield made


def journal() -> list[dict[str, Any]]:
    entry = {"kind": "Tool", "type": "vapi_tool", "id": "t-1", "name": "x", "owned": {"type": "dtmf"}, "depends": []}
    intent = {
        "record": "intent",
        "nonce": "n1",
        "address": "Tool/x",
        "kind": "Tool",
        "type": "vapi_tool",
        "action": "create",
        "id": "",
        "name": "x",
        "body": {"type": "dtmf"},
        "digest": "",
        "sentAt": 1.0,
        "entry": entry,
        "beforeRef": "b1",
    }
    return [
        {"record": "before", "ref": "b1", "ids": ["a", "b"]},
        intent,
        {"record": "done", "nonce": "n0", "address": "Tool/y", "entry": entry, "gone": ["old", 5.0]},
        {"record": "lost", "nonce": "n1", "at": 9.0},
        {**intent, "nonce": "n2", "action": "update", "id": "t-1"},
        {"record": "failed", "nonce": "n2"},
        {"record": "plan", "id": "p1"},
        {"record": "binding", "binding": {"vapiOrg": "o"}},
    ]


@pytest.fixture
def state(lived: Bench) -> Iterator[Path]:
    folder = lived.folder / ".voiceops/state"
    yield folder / "live"
    shutil.rmtree(folder)
    shutil.copytree(lived.folder / "kept", folder)


def told(made: Bench, *arguments: str) -> Ran:
    """A command that ends soon, with something said where it failed."""
    started = time.monotonic()
    ran = made.run(*arguments, code=None)
    assert time.monotonic() - started < SECONDS, arguments
    if ran.code not in (0, 2):
        assert "error" in ran.err or "✗" in ran.out or "error[" in ran.out, (arguments, ran)
    return ran


READING = [["plan"], ["state", "list"], ["history"], ["drift"], ["show", "2"], ["diff", "1", "2"], ["status"],
           ["rollback", "--plan-only"], ["state", "restore"], ["state", "show", "Agent/desk"]]  # fmt: skip


GOING_BACK = [
    ["history"],
    ["show", "1"],
    ["show", "2"],
    ["diff", "1", "2"],
    ["diff", "2"],
    ["rollback", "--plan-only"],
    ["rollback", "1", "--plan-only"],
    ["plan"],
]


@pytest.mark.parametrize("seed", CASES)
def test_a_state_of_any_shape(lived: Bench, state: Path, seed: int) -> None:
    random = Random(f"state {seed}")
    data = json.loads((state / "state.json").read_text())
    data.pop("checksum", None)
    odd = mutated(data, random)
    content = json.dumps(sealed(odd) if isinstance(odd, dict) else odd)
    (state / "state.json").write_text(content)
    if random.random() < 0.5:
        (state / "states" / f"{data['serial']:06}.json").write_text(content)

    for arguments in random.sample(READING, 2):
        told(lived, *arguments)


@pytest.mark.parametrize("seed", CASES)
def test_a_journal_of_any_shape(lived: Bench, state: Path, seed: int) -> None:
    random = Random(f"journal {seed}")
    records = mutated(journal(), random)
    lines = [json.dumps(record) for record in (records if isinstance(records, list) else [records])]
    (state / "journal.jsonl").write_text("\n".join(lines) + "\n")

    for arguments in random.sample(READING, 2):
        told(lived, *arguments)


@pytest.mark.parametrize("seed", CASES)
def test_a_revision_of_any_shape(lived: Bench, state: Path, seed: int) -> None:
    random = Random(f"revision {seed}")
    path = random.choice(sorted((state / "revisions").glob("*.json")))
    path.write_text(json.dumps(mutated(json.loads(path.read_text()), random)))

    for arguments in random.sample(GOING_BACK, 3):
        told(lived, *arguments)


@pytest.mark.parametrize("seed", range(0, len(CASES), 4))
def test_a_note_of_any_shape_is_left_out(lived: Bench, state: Path, seed: int) -> None:
    random = Random(f"note {seed}")
    for path in (state / "notes").glob("*.json"):
        path.write_text(json.dumps(mutated(json.loads(path.read_text()), random)))

    for arguments in (["history"], ["history", "--format", "json"]):
        assert told(lived, *arguments).code == 0


@pytest.mark.parametrize("seed", CASES)
def test_a_plan_of_any_shape(lived: Bench, state: Path, seed: int) -> None:
    random = Random(f"plan {seed}")
    plan = json.loads((lived.folder / "plan.json").read_text())
    odd = lived.folder / "odd.json"
    odd.write_text(json.dumps(mutated(plan, random)))
    lived.control.fault(
        "status", when="before", method="POST|PATCH|DELETE", path="", status=400, answer={"message": "no"}
    )
    try:
        ran = told(lived, "apply", str(odd))
    finally:
        lived.control.clear_faults()
    assert ran.code in (0, 1, 3, 5)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5000, b"1e999", b'"' + b"a" * 100000, b"\0" * 50]
)
@pytest.mark.parametrize("name", ["state.json", "journal.jsonl", "revisions/000002.json", "plan"])
def test_no_json_at_all(lived: Bench, state: Path, name: str, content: bytes) -> None:
    if name == "plan":
        (lived.folder / "odd.json").write_bytes(content)
        assert told(lived, "apply", str(lived.folder / "odd.json")).code in (1, 5)
        return
    (state / name).write_bytes(content)
    for arguments in (["plan"], ["history"], ["state", "list"]):
        told(lived, *arguments)


@pytest.mark.parametrize(
    "name", ["state.json", "journal.jsonl", "revisions/000002.json", "lock", "notes", "states", "revisions"]
)
@pytest.mark.parametrize("what", ["folder", "pipe", "link to nothing", "link to itself", "unreadable"])
def test_what_is_no_file(lived: Bench, state: Path, name: str, what: str) -> None:
    import os

    path = state / name
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    match what:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link to nothing":
            path.symlink_to("nowhere")
        case "link to itself":
            path.symlink_to(path)
        case _:
            path.write_text("{}")
            path.chmod(0)
    for arguments in (["plan"], ["history"], ["state", "list"], ["state", "restore"], ["apply", "--auto-approve"]):
        told(lived, *arguments)
