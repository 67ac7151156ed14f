"""A live account comes under management: manifests are written, nothing live is changed, the plan is empty."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.account_of_forty import AccountOfForty
from tests.support.bench import Bench, bench
from tests.support.quick import quick

AGENT = {
    "name": "Desk",
    "firstMessage": "Hello",
    "model": {"provider": "openai", "model": "gpt-4o", "messages": [{"role": "system", "content": "Be brief.\n"}]},
    "voice": {"provider": "vapi", "voiceId": "Elliot"},
}


@pytest.fixture
def bare(tmp_path: Path) -> Any:
    """A project of nothing but voiceops.yaml."""
    with quick(), bench(tmp_path) as made:
        (tmp_path / "agents").rmdir()
        yield made


def plant(made: Bench, path: str = "/assistant", **body: Any) -> str:
    return str(made.control.create(path, {**AGENT, **body})["id"])


def written(made: Bench) -> dict[str, str]:
    return {
        path.relative_to(made.folder).as_posix(): path.read_text()
        for path in sorted((made.folder / "agents").rglob("*"))
        if path.is_file()
    }


def test_a_leftover_that_vapi_cannot_reach_comes_too(bare: Bench) -> None:
    plant(bare, name="Leftover", server={"url": "http://localhost:3000/hook"})
    live = bare.server.vapi_url.replace("127.0.0.1", "127.1")  # this machine, under a name that doesn't say so
    there = {"VAPI_BASE_URL": live, "VOICEOPS_ALLOWED_HOSTS": live}
    assert bare.run("pull", "--format", "json", **there).data["leftOut"] == []
    assert "# spec.server.url: Vapi can't reach localhost" in written(bare)["agents/leftover.yaml"]
    bare.run("plan", "--detailed-exitcode", **there)


def test_an_account_of_forty_agents(bare: Bench) -> None:
    AccountOfForty().plant(bare.control)
    looked = bare.run("pull", "--dry-run", "--format", "json").data
    assert not (bare.folder / "agents").exists()
    assert not (bare.folder / ".env").exists()
    assert not (bare.folder / ".voiceops/state/live/lock").exists(), "it takes no lock"
    before = len(bare.control.requests())
    done = bare.run("pull", "--format", "json").data
    assert len(bare.control.requests()) - before <= 25
    assert done["files"] == looked["files"]
    assert done["objects"] == looked["objects"]
    assert len([a for a in done["objects"] if a.startswith("Agent/")]) == 40
    assert done["leftOut"] == []
    assert set(written(bare)) == set(done["files"])
    assert bare.changes() == {}
    bare.apply()
    assert bare.writes() == []
    again = bare.run("pull", "--format", "json").data
    assert again["files"] == []
    assert again["revision"] is None
    (revision,) = bare.run("history", "--format", "json").data
    assert revision["operation"] == "pull"


def test_secrets_go_to_env_and_nothing_in_it_is_overwritten(bare: Bench) -> None:
    AccountOfForty().plant(bare.control)
    bare.write(".env", "KEPT=1")
    bare.write(".gitignore", "node_modules/")
    done = bare.run("pull", "--format", "json").data
    assert done["secrets"]["set"] == ["BRIGHTSIDE_API_KEY"]
    text = (bare.folder / ".env").read_text()
    assert text.startswith("KEPT=1\nBRIGHTSIDE_API_KEY='")
    assert (bare.folder / ".env").stat().st_mode & 0o777 == 0o600
    assert (bare.folder / ".gitignore").read_text() == "node_modules/\n.env\n"
    assert bare.changes() == {}


def test_what_was_pulled_is_left_alone_and_what_is_new_comes(bare: Bench) -> None:
    first = plant(bare)
    bare.run("pull")
    bare.write("agents/desk.yaml", (bare.folder / "agents/desk.yaml").read_text() + "# mine\n")
    second = plant(bare)
    done = bare.run("pull", "--format", "json").data
    assert done["objects"] == {"Agent/desk-2": second}
    assert bare.id_of("Agent/desk") == first
    assert (bare.folder / "agents/desk.yaml").read_text().endswith("# mine\n")
    assert bare.changes() == {}


def test_only_what_is_wanted(bare: Bench) -> None:
    plant(bare, name="Clinic A")
    other = plant(bare, name="Clinic B")
    plant(bare, "/tool", name=None, type="dtmf", model=None)
    done = bare.run("pull", "--kind", "Agent", "--match", "*A", "--format", "json").data
    assert list(done["objects"]) == ["Agent/clinic-a"]
    done = bare.run("pull", "--id", other, "--format", "json").data
    assert done["objects"] == {"Agent/clinic-b": other}
    rest = bare.run("pull", "--format", "json").data
    assert [address.partition("/")[0] for address in rest["objects"]] == ["Tool"]
    assert bare.changes() == {}


def test_what_another_environment_manages_is_managed(bare: Bench) -> None:
    bare.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live, other]\n")
    mine = plant(bare)
    bare.run("-e", "other", "pull")
    done = bare.run("-e", "live", "pull", "--format", "json", code=None)
    assert done.code == 0, done.err
    assert done.data["objects"] == {}
    ran = bare.run("-e", "live", "pull", "--id", mine, code=1)
    assert f"{mine} is managed already: it is Agent/desk in other" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--kind", "Agnet"), 1, "there is no kind 'Agnet' with live objects"),
        (("--match", "Nobody*"), 1, "nothing unmanaged is called 'Nobody*'"),
        (("--id", "5b6d2d1e-8a4f-4d55-9d0c-2a4b3c1f7e90"), 1, "nothing live has the id 5b6d2d1e"),
        (("--out", "../elsewhere"), 1, "../elsewhere lies outside the project"),
        (("--out", "voiceops.yaml"), 1, "voiceops.yaml is no folder"),
        (("--out", "lines"), 1, "lines is not among the manifests of voiceops.yaml"),
    ],
)
def test_what_can_not_be_pulled(bare: Bench, arguments: tuple[str, ...], code: int, said: str) -> None:
    plant(bare)
    ran = bare.run("pull", *arguments, code=code)
    assert said in ran.err
    assert ran.err.count("Error") <= 1
    assert not (bare.folder / "agents").exists()
    assert not (bare.folder / "lines").exists()


def test_a_managed_id(bare: Bench) -> None:
    id_ = plant(bare)
    bare.run("pull")
    assert f"{id_} is managed already: it is Agent/desk" in bare.run("pull", "--id", id_, code=1).err


def test_a_file_where_a_folder_is_to_be(bare: Bench) -> None:
    plant(bare)
    bare.write("agents/prompts", "a file\n")
    ran = bare.run("pull", code=1)
    assert "agents/prompts is in the way" in ran.err
    assert list(written(bare)) == ["agents/prompts"]


def test_no_keys(bare: Bench) -> None:
    ran = bare.run("pull", code=1, VAPI_API_KEY=None)
    assert "VAPI_API_KEY" in ran.err


def test_manifests_that_do_not_load(bare: Bench) -> None:
    plant(bare)
    bare.write("agents/mine.yaml", "kind: Agent\nname: mine\nspec: {nonsense: 1}\n")
    ran = bare.run("pull", code=1)
    assert "agents/mine.yaml:3" in ran.err
    assert list(written(bare)) == ["agents/mine.yaml"]


def test_another_account(bare: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    plant(bare)
    bare.run("pull")
    before = written(bare)
    with bench(tmp_path_factory.mktemp("other"), org_id="00000000-0000-4000-8000-000000000002") as other:
        plant(other)
        ran = bare.run("pull", code=5, VAPI_BASE_URL=other.server.vapi_url)
    assert "this state belongs to" in ran.err
    assert written(bare) == before


def test_a_state_that_is_locked(bare: Bench) -> None:
    import fcntl

    plant(bare)
    bare.run("pull", "--dry-run")
    lock = bare.folder / ".voiceops/state/live/lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps({"id": "x", "who": "ann", "operation": "apply", "since": "2026-01-01T00:00:00+00:00"}))
        file.flush()
        bare.run("pull", code=4)
    assert not (bare.folder / "agents").exists()


def test_a_folder_that_can_not_be_written(bare: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(bare)

    def full(*_: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(Path, "rename", full)
    ran = bare.run("pull", code=1)
    assert "can't be written: No space left on device" in ran.err
    assert not (bare.folder / "agents").exists()
    monkeypatch.undo()
    bare.run("pull")
    assert bare.changes() == {}


def test_a_rollback_past_a_pull_deletes_nothing_that_was_there_before(bare: Bench) -> None:
    bare.write("agents/one.yaml", "kind: Agent\nname: one\nspec: {model: {provider: openai, model: gpt-4o}}\n")
    bare.apply()
    other = plant(bare)
    bare.run("pull")
    bare.write("agents/two.yaml", "kind: Agent\nname: two\nspec: {model: {provider: openai, model: gpt-4o}}\n")
    bare.apply()
    two = bare.id_of("Agent/two")
    bare.run("rollback", "1", "--auto-approve")
    assert bare.control.object(other)["name"] == "Desk"
    assert list(bare.state()["resources"]) == ["Agent/one"]
    assert two not in [agent["id"] for agent in bare.control.objects("/assistant")], "what was made since goes"
