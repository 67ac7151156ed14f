"""A project's own facts in every use case: two projects in one process see neither each other's."""

import asyncio
import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.vendor_facts.test_from_openapi import OPENAPI
from voiceops import use
from voiceops.cli.main import run
from voiceops.errors import InvalidProject, VoiceopsError
from voiceops.kinds.nodes import secret_names
from voiceops.kinds.schema import embedded, has_own, using

_PROJECT = "version: 1\nproject: shop\nenvironments: [dev]\n"
_AGENT = "kind: Agent\nname: support\nspec: {name: Support, patience: 3}\n"
_SANDBOX = "providers: sandbox\n"


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        root = tmp_path / name
        (root / "agents").mkdir(parents=True)
        (root / "environments").mkdir()
        (root / "voiceops.yaml").write_text(_PROJECT)
        (root / "environments" / "dev.yaml").write_text(_SANDBOX)
        (root / "agents" / "a.yaml").write_text(_AGENT)
        return root

    return make


def _newer(path: Path, **fields: Any) -> Path:
    """A document in which assistants have more fields."""
    document = json.loads(json.dumps(OPENAPI))
    for name in ("CreateAssistantDTO", "UpdateAssistantDTO", "AssistantOverrides"):
        document["components"]["schemas"][name]["properties"] |= fields
    path.write_text(json.dumps(document))
    return path


_PATIENCE = {"patience": {"type": "number", "maximum": 5}}


def _problems(root: Path) -> list[str]:
    return [diagnostic.code for diagnostic in use.validate(root).diagnostics]


def test_a_newer_document_becomes_the_project_s_facts(folder: Callable[[str], Path], tmp_path: Path) -> None:
    root = folder("a")
    assert "schema-unknown-key" in _problems(root)
    newer = _newer(tmp_path / "openapi.json", **_PATIENCE)
    looked = use.update_schema(newer, root, dry_run=True)
    assert not looked.written
    assert not (root / "vapi-schema.json").exists()
    found = use.update_schema(newer, root / "agents")
    assert (found.written, found.compared_with, found.path) == (True, "voiceops", root / "vapi-schema.json")
    assert ("new-field", "Agent", "patience") in {(c.kind, c.at, c.field) for c in found.changes}
    assert "repair-gone" in {note.kind for note in found.notes}
    assert not use.validate(root).failed
    again = use.update_schema(newer, root)
    assert (again.unchanged, again.written, again.changes, again.compared_with) == (True, False, (), "project")
    assert not has_own()


async def test_two_projects_in_one_process(folder: Callable[[str], Path], tmp_path: Path) -> None:
    """Each is planned, applied and drifts by its own facts, at once, in whatever order they were loaded."""
    first, second = folder("a"), folder("b")
    use.update_schema(_newer(tmp_path / "1.json", **_PATIENCE), first)
    use.update_schema(_newer(tmp_path / "2.json", patience={"type": "number", "deprecated": True}), second)
    loaded = [use.load(first), use.load(second)]
    assert [[d.code for d in one.warnings] for one in loaded] == [[], ["schema-deprecated"]]
    for _ in range(2):
        plans = await asyncio.gather(*(use.plan(one) for one in loaded), *(use.plan(one) for one in reversed(loaded)))
        assert all([change.actions for change in plan.changes] == [("create",)] for plan in plans)
    outcomes = await asyncio.gather(*(use.apply(one) for one in loaded))
    assert all(outcome.result is not None and outcome.result.complete for outcome in outcomes)
    plans = await asyncio.gather(*(use.plan(one) for one in loaded))
    assert all(not plan.changes or all(c.actions == ("no-op",) for c in plan.changes) for plan in plans)
    third = folder("c")
    with pytest.raises(InvalidProject) as raised:
        use.load(third)
    assert "patience" in raised.value.diagnostics[0].summary
    assert not has_own()


def test_the_sandbox_takes_what_the_facts_take(folder: Callable[[str], Path], tmp_path: Path) -> None:
    root = folder("a")
    use.update_schema(_newer(tmp_path / "openapi.json", **_PATIENCE), root)
    answers = {}
    for place in (root, tmp_path):
        server = use.sandbox_server(folder=place)
        with server, httpx.Client(trust_env=False, headers={"authorization": "Bearer sandbox"}) as client:
            for patience in (3, 30):
                answer = client.post(f"{server.vapi_url}/assistant", json={"name": "a", "patience": patience})
                answers[place == root, patience] = answer.status_code
    assert answers == {(True, 3): 201, (True, 30): 400, (False, 3): 400, (False, 30): 400}


def test_editors_and_the_schema_command_follow(folder: Callable[[str], Path], tmp_path: Path) -> None:
    root = folder("a")
    (written, manifest) = use.write_editor_schemas(root)
    assert written.name == "voiceops.schema.json"
    assert "patience" not in manifest.read_text()
    use.update_schema(_newer(tmp_path / "openapi.json", **_PATIENCE), root)
    assert "patience" in manifest.read_text()
    assert "patience" in json.dumps(use.json_schema("Agent", root))
    assert "patience" not in json.dumps(use.json_schema("Agent", tmp_path))
    manifest.unlink()
    use.update_schema(_newer(tmp_path / "openapi.json", haste={"type": "number"}), root)
    assert not manifest.exists(), "only what is there is written anew"


@pytest.mark.parametrize("content", ["{", '{"format": 2}', '{"format": 1, "types": {"A": 1}, "roots": {}}', ""])
def test_a_file_that_can_not_be_used_is_one_message(
    folder: Callable[[str], Path], tmp_path: Path, content: str
) -> None:
    root = folder("a")
    (root / "vapi-schema.json").write_text(content)
    checked = use.validate(root)
    (problem,) = checked.diagnostics
    assert (problem.code, problem.mark and problem.mark.file) == ("facts-file", "vapi-schema.json")
    assert "voiceops schema update FILE" in problem.hint
    with pytest.raises(InvalidProject):
        use.json_schema("Agent", root)
    assert use.update_schema(_newer(tmp_path / "openapi.json", **_PATIENCE), root).compared_with == "voiceops"
    assert not use.validate(root).failed


def test_links_out_of_the_project_are_not_followed(folder: Callable[[str], Path], tmp_path: Path) -> None:
    root = folder("a")
    (tmp_path / "away.json").write_text("{}")
    (root / "vapi-schema.json").symlink_to(tmp_path / "away.json")
    (problem,) = use.validate(root).diagnostics
    assert "lies outside the project" in problem.summary


def test_facts_of_another_voiceops_are_a_warning(folder: Callable[[str], Path], tmp_path: Path) -> None:
    root = folder("a")
    use.update_schema(_newer(tmp_path / "openapi.json", **_PATIENCE), root)
    file = root / "vapi-schema.json"
    text = file.read_text()
    file.write_text(text.replace(json.loads(text)["rules"], "0" * 12))
    checked = use.validate(root)
    assert "facts-older" in {diagnostic.code for diagnostic in checked.diagnostics}
    assert not checked.failed


def test_elsewhere_and_where_nothing_can_be_written(folder: Callable[[str], Path], tmp_path: Path) -> None:
    root = folder("a")
    newer = _newer(tmp_path / "openapi.json", **_PATIENCE)
    assert use.update_schema(newer, root, tmp_path / "kept.json").path == tmp_path / "kept.json"
    assert not (root / "vapi-schema.json").exists()
    with pytest.raises(VoiceopsError, match="can't be written"):
        use.update_schema(newer, root, tmp_path / "none" / "kept.json")
    with pytest.raises(InvalidProject):
        use.update_schema(newer, tmp_path)


_COMMANDS = [
    *("validate", "plan", "plan --format json", "apply --auto-approve", "apply --auto-approve", "drift", "status"),
    *("history", "show 1", "state list", "audit", "explain Agent/support", "explain Agent/support.name", "graph"),
    *("doctor", "rollback 1 --plan-only", "schema Agent", "plan --destroy", "import Agent/support nothing"),
]


def test_no_command_asks_voiceops_s_facts_where_the_project_has_its_own(
    folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks a fact up outside of `using` would get voiceops's."""
    root = folder("a")
    use.update_schema(_newer(tmp_path / "openapi.json", **_PATIENCE), root)
    monkeypatch.chdir(root)
    with using(use.load(root).project.facts):
        secret_names()  # these alone are taken from both, once
    for command in _COMMANDS:
        before = embedded.cache_info()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            assert run(command.split()) in (0, 1, 2, 5), command
        assert embedded.cache_info() == before, command
