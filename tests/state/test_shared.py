"""The command line on shared state: apply, rivals, migrate, restore, and servers that fail in the middle."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.state import backends, rival
from tests.state.backends import location_of, terraform_server
from tests.state.stores import BACKENDS
from tests.state.tf_http import TerraformServer
from tests.support.bench import Bench, bench
from voiceops.errors import StateError
from voiceops.state.open import open_store

AGENTS = """kind: Agent
name: a{0}
spec: {{firstMessage: Hi, model: {{provider: openai, model: gpt-4o}}}}
"""
SHARED = [name for name in BACKENDS if name != "folder"]


def _location(backend: str, root: Path) -> str:
    """For the environment `live`."""
    return backends.database(root) if backend == "postgres" else location_of(backend, root).replace("/dev", "/live")


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in backends.KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        made.write("agents/all.yaml", "---\n".join(AGENTS.format(n) for n in range(5)))
        yield made


@pytest.mark.parametrize("backend", SHARED)
def test_the_main_job_on_shared_state(backend: str, live: Bench, tmp_path: Path) -> None:
    state = {"VOICEOPS_STATE": _location(backend, tmp_path)}
    live.run("apply", "--auto-approve", **state)
    assert live.run("plan", "--detailed-exitcode", **state).code == 0
    live.edit("agents/all.yaml", "firstMessage: Hi", "firstMessage: Hello")
    live.run("apply", "--auto-approve", **state)
    assert [r["number"] for r in live.run("history", "--format", "json", **state).data] in ([1, 2], [2, 1])
    live.run("rollback", "--auto-approve", **state)
    assert live.run("state", "list", "--format", "json", **state).data[0]["address"] == "Agent/a0"
    live.run("destroy", "--auto-approve", "--force", **state)
    assert not (live.folder / ".voiceops" / "state").exists()


@pytest.mark.parametrize("backend", SHARED)
def test_a_held_lock_is_exit_4_and_unlock_takes_it_away(backend: str, live: Bench, tmp_path: Path) -> None:
    state = {"VOICEOPS_STATE": _location(backend, tmp_path)}
    holder = rival.start("hold", state["VOICEOPS_STATE"], "shop", "live")
    try:
        refused = live.run("apply", "--auto-approve", code=4, **state)
        assert f"pid {holder.pid}" in refused.err
        id_ = refused.err.partition("lock ")[2].partition(")")[0]
        live.run("state", "unlock", id_, **state)
        live.run("apply", "--auto-approve", **state)
        assert rival.end(holder).startswith("lost: ")
    finally:
        holder.kill()
        holder.communicate()


def test_a_state_moves_to_the_team_and_back(live: Bench, tmp_path: Path) -> None:
    live.apply()
    server = location_of("http", tmp_path).replace("/dev", "/{environment}")
    database = _location("postgres", tmp_path)
    said = live.run("state", "migrate", ".voiceops/state", database).err
    assert "5 objects" in said
    live.run("state", "migrate", database, server)
    assert live.run("plan", "--detailed-exitcode", VOICEOPS_STATE=server).code == 0
    live.run("state", "migrate", server, "elsewhere/state")
    assert live.run("plan", "--detailed-exitcode", VOICEOPS_STATE="elsewhere/state").code == 0
    assert "already" in live.run("state", "migrate", server, "elsewhere/state", code=5).err
    assert "pass" not in said


def test_a_damaged_state_is_restored(live: Bench) -> None:
    live.apply()
    path = live.folder / ".voiceops/state/live/state.json"
    serial = live.state()["serial"]
    path.write_text(path.read_text().replace("gpt-4o", "gpt-4x"))
    refused = live.run("plan", code=1)
    assert f"voiceops -e live state restore {serial}" in refused.err
    kept = live.run("state", "restore", "--format", "json").data
    assert kept[0] == {"serial": serial, "revision": 1, "objects": 5}
    live.run("state", "restore", str(serial))
    assert live.run("plan", "--detailed-exitcode").code == 0


def test_after_an_older_state_is_restored_revisions_go_on(live: Bench) -> None:
    live.apply()
    serial = live.state()["serial"]
    for text in ("One", "Two"):
        live.write("agents/all.yaml", AGENTS.format(0).replace("Hi", text) + "---\n" + AGENTS.format(1))
        live.apply("--force")
    live.run("state", "restore", str(serial))
    live.apply("--force", "--adopt", code=None)
    assert live.state()["revision"] == 4


@pytest.mark.parametrize("after", range(4))
def test_a_server_that_fails_in_the_middle_of_an_apply_loses_nothing(after: int, live: Bench) -> None:
    """From one of its writes on it is gone; the next apply, with the server back, makes nothing twice."""
    server = TerraformServer()
    state = {"VOICEOPS_STATE": server.url("broken")}
    server.fail_after = after
    assert live.run("apply", "--auto-approve", code=None, **state).code != 0
    server.fail_after = None
    server.states["broken"].lock = None
    live.run("apply", "--auto-approve", **state)
    assert live.run("plan", "--detailed-exitcode", **state).code == 0
    created = [path for method, path in live.writes() if (method, path) == ("POST", "/assistant")]
    assert len(created) == 5
    server.stop()


@pytest.mark.parametrize(("location", "module"), [("s3://b/p", "boto3"), ("postgresql://h/d", "psycopg")])
def test_a_missing_library_names_its_extra(
    location: str, module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(StateError, match=module) as caught:
        open_store(location, tmp_path, "dev")
    assert "pip install 'voiceops-iac[" in caught.value.hint


def test_settings_in_the_env_file_count(live: Bench, tmp_path: Path) -> None:
    url = _location("http", tmp_path)
    user, _, rest = url.removeprefix("http://").partition("@")
    name, _, password = user.partition(":")
    live.write(".env", f"TF_HTTP_USERNAME={name}\nTF_HTTP_PASSWORD={password.replace('%2F', '/')}\n")
    live.run("apply", "--auto-approve", VOICEOPS_STATE=f"http://{rest}")
    assert terraform_server().document(rest.partition("/")[2])["voiceops"]["state"]["serial"] == 1
