"""State over Terraform's HTTP protocol: strictly as Terraform speaks it, in one document that Terraform can read."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.state.backends import http_store, key_of, terraform_server
from tests.state.tf_http import LOGIN, TerraformServer
from voiceops.errors import Locked, StateError
from voiceops.state.http_store import KEPT_NOTES, KEPT_REVISIONS, HttpStore
from voiceops.state.open import open_store
from voiceops.state.store import Store
from voiceops.state.tf_server import Server, Settings

GITLAB = "https://gitlab.example/api/v4/projects/7/terraform/state/voice-dev"


@pytest.fixture
def server() -> Iterator[TerraformServer]:
    """One of its own, to be stopped."""
    made = TerraformServer()
    yield made
    made.stop()


def _store(location: str, environ: dict[str, str] | None = None) -> Store:
    return open_store(location, Path("/"), "dev", environ=environ or {})


def _name(root: Path) -> str:
    return f"{key_of(root)}/dev"


async def test_every_write_under_the_lock_names_it(tmp_path: Path) -> None:
    async def check() -> str:
        store = http_store(tmp_path)
        async with store.lock("apply", 0):
            await store.append([{"n": 1}])
            await store.write({"serial": 1}, if_serial=None, keep=[])
            return str((terraform_server().states[_name(tmp_path)].lock or {})["ID"])

    held = await check()
    writes = [
        given for method, name, given in terraform_server().requests if (method, name) == ("POST", _name(tmp_path))
    ]
    assert writes == [{"ID": held}] * 2


async def test_a_wave_of_intents_is_one_write(tmp_path: Path) -> None:
    store = http_store(tmp_path)
    async with store.lock("apply", 0):
        await asyncio.gather(*(store.append([{"n": n}]) for n in range(50)))
    assert len(terraform_server().states[_name(tmp_path)].versions) <= 2


async def test_serials_of_the_document_never_come_twice(tmp_path: Path) -> None:
    """GitLab keeps each version under its serial, and refuses one that it has."""

    for number in range(1, 4):
        store = http_store(tmp_path)
        async with store.lock("apply", 0):
            await store.append([{"n": number}])
            await store.add_revision(number, {"number": number})
            await store.write({"serial": number}, if_serial=number - 1 or None, keep=[])
    assert sorted(terraform_server().states[_name(tmp_path)].versions) == list(range(1, 10))


async def test_a_write_whose_answer_was_lost_is_not_sent_twice(server: TerraformServer) -> None:
    store = _store(server.url("x"))
    async with store.lock("apply", 0):
        server.lose_answers = 1
        await store.append([{"n": 1}])
        await store.append([{"n": 2}])
    assert sorted(server.states["x"].versions) == [1, 2]
    assert server.document("x")["voiceops"]["journal"] == [{"n": 1}, {"n": 2}]


async def test_a_server_that_goes_away_is_an_error_and_its_lock_stays(server: TerraformServer) -> None:
    async def check() -> None:
        store = HttpStore(Server(Settings.of(server.url("x"), "dev", {}), pauses=(0.01,)), "here")
        async with store.lock("apply", 0) as lease:
            await store.append([{"n": 1}])
            await asyncio.to_thread(server.stop)
            with pytest.raises(StateError, match="can't be reached"):
                await lease.check()
            await store.append([{"n": 2}])

    with pytest.raises(StateError, match="can't be reached"):
        await check()
    assert server.states["x"].lock is not None


async def test_who_is_stopped_while_taking_the_lock_leaves_it_free(server: TerraformServer) -> None:
    async def take() -> None:
        async with _store(server.url("x")).lock("apply", 0):
            pass

    server.lock_pause = 0.3
    taking = asyncio.create_task(take())
    assert await asyncio.to_thread(server.locked.wait, 10)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert server.states["x"].lock is None
    assert [method for method, _, _ in server.requests] == ["LOCK", "UNLOCK"]


async def test_who_is_stopped_while_giving_the_lock_back_leaves_it_free(server: TerraformServer) -> None:
    async def hold(inside: asyncio.Event) -> None:
        async with _store(server.url("x")).lock("apply", 0):
            inside.set()

    inside = asyncio.Event()
    holding = asyncio.create_task(hold(inside))
    await inside.wait()
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert server.states["x"].lock is None


async def test_a_question_under_way_does_not_take_the_lock_in_the_end(server: TerraformServer) -> None:
    """Its LOCK must not reach the server after our UNLOCK."""

    async def hold() -> None:
        async with _store(server.url("x")).lock("apply", 0) as lease:
            server.lock_pause = 0.3
            await lease.check()

    for pause in (0.02, 0.1, 0.2):
        server.lock_pause = 0.0
        holding = asyncio.create_task(hold())
        while server.lock_pause == 0.0:  # noqa: ASYNC110 - set by the task itself
            await asyncio.sleep(0.005)
        await asyncio.sleep(pause)
        holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding
        assert server.states["x"].lock is None


async def test_a_server_that_does_not_keep_locks_is_refused(server: TerraformServer) -> None:
    server.forgets_locks = True

    async def check() -> None:
        async with _store(server.url("x")).lock("apply", 0):
            pass

    with pytest.raises(StateError, match="does not keep locks"):
        await check()


async def test_a_write_without_the_lock_is_refused_while_another_has_it(tmp_path: Path) -> None:
    async with http_store(tmp_path).lock("apply", 0):
        with pytest.raises(Locked, match="is locked by"):
            await http_store(tmp_path).append([{"n": 1}])


async def test_a_document_that_is_not_ours_is_left_alone(server: TerraformServer) -> None:
    async def check(text: str) -> None:
        server.states.clear()
        store = _store(server.url("x"))
        await store.append([{"n": 1}])
        server.states["x"].versions[99] = text.encode()
        with pytest.raises(StateError, match="no state of voiceops"):
            await store.read()
        with pytest.raises(StateError, match="no state of voiceops"):
            await store.append([{"n": 2}])

    for text in ('{"version": 4, "serial": 99, "resources": []}', "not JSON", "[]"):
        await check(text)


async def test_a_damaged_state_names_the_newest_good_copy(server: TerraformServer) -> None:
    store = _store(server.url("x"))
    await store.write({"serial": 1, "text": "one"}, if_serial=None)
    await store.write({"serial": 2, "text": "two"}, if_serial=1)
    document = server.document("x")
    document["voiceops"]["state"]["text"] = "2wo"
    document["voiceops"]["states"][1] = document["voiceops"]["states"][1][:-8]
    server.states["x"].versions[99] = json.dumps(document | {"serial": 99}).encode()
    with pytest.raises(StateError, match="is damaged") as caught:
        await store.read()
    assert "restore 1" in caught.value.hint
    assert await store.restore(1) == {"serial": 2, "text": "one"} == await store.read()


async def test_results_of_tests_and_refusals_push_each_other_out_of_nothing(tmp_path: Path) -> None:
    store = http_store(tmp_path)
    async with store.lock("apply", 0):
        for sort, count in (("-tests", 2), ("", KEPT_NOTES + 3), ("-tests", 1)):
            for number in range(count):
                id_ = f"20261129T1200{number:02}000Z-{'b' if sort else 'a'}{count:03}{sort}"
                await store.add_note(id_, {"id": id_})
    kept = [note["id"] for note in await store.notes()]
    assert sum(id_.endswith("-tests") for id_ in kept) == 3
    assert len(kept) == KEPT_NOTES + 3
    assert kept == sorted(kept)


async def test_the_document_is_bounded(tmp_path: Path) -> None:
    store = http_store(tmp_path)
    async with store.lock("apply", 0):
        for number in range(1, KEPT_REVISIONS + 4):
            await store.add_revision(number, {"number": number, "pad": "x" * 10_000})
    assert next(revision["number"] for revision in await store.revisions()) == 4
    assert (await store.revision_numbers())[-1] == KEPT_REVISIONS + 3
    assert len(json.dumps(terraform_server().document(_name(tmp_path)))) < 20_000


async def test_gitlab_is_known_by_its_address(server: TerraformServer) -> None:
    name = "api/v4/projects/7/terraform/state/voice-dev"

    store = _store(server.url(name))
    async with store.lock("apply", 0) as lease:
        await lease.check()
        await store.append([{"n": 1}])
        with pytest.raises(Locked, match=r"locked by ops since .*lock \w+\)"):
            async with _store(server.url(name)).lock("apply", 0):
                pass
    assert await _store(server.url(name)).journal() == [{"n": 1}]
    assert {method for method, _, _ in server.requests} == {"GET", "POST", "DELETE"}


def test_settings_are_those_of_terraform() -> None:
    settings = Settings.of(GITLAB, "dev", {})
    assert (settings.lock_address, settings.lock_method, settings.unlock_method) == (GITLAB + "/lock", "POST", "DELETE")
    job = {"CI_JOB_TOKEN": "t0ken", "CI_API_V4_URL": "https://gitlab.example/api/v4"}
    assert (Settings.of(GITLAB, "dev", job).username, Settings.of(GITLAB, "dev", job).password) == (
        "gitlab-ci-token",
        "t0ken",
    )
    elsewhere = Settings.of(GITLAB.replace("gitlab.example", "evil.example"), "dev", job)
    assert elsewhere.password == "", "the job's token goes to its own GitLab alone"
    environ = {
        "TF_HTTP_LOCK_ADDRESS": "https://locks/{environment}",
        "TF_HTTP_LOCK_METHOD": "PUT",
        "TF_HTTP_UNLOCK_METHOD": "DELETE",
        "TF_HTTP_UPDATE_METHOD": "PUT",
        "TF_HTTP_USERNAME": "u",
        "TF_HTTP_PASSWORD": "p4ss",
    }
    given = Settings.of("https://states/x", "dev", environ)
    assert (given.lock_address, given.unlock_address) == ("https://locks/dev", "https://locks/dev")
    assert (given.lock_method, given.update_method, given.username) == ("PUT", "PUT", "u")
    assert "p4ss" not in repr(given)
    plain = Settings.of("https://a:b%2Fc@host/x", "dev", {})
    assert (plain.address, plain.lock_address, plain.lock_method) == ("https://host/x", "https://host/x", "LOCK")
    assert (plain.username, plain.password) == ("a", "b/c")


def test_nothing_travels_in_the_clear() -> None:
    with pytest.raises(StateError, match="in the clear"):
        _store("http://states.example/x")


async def test_a_wrong_password_is_said_and_not_shown(server: TerraformServer) -> None:
    with pytest.raises(StateError, match="401") as caught:
        await _store(server.url("x", login=("ops", "wr0ng"))).read()
    assert "wr0ng" not in f"{caught.value} {caught.value.to_data()} {_store(server.url('x')).place}"
    assert "TF_HTTP_PASSWORD" in caught.value.hint


terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")


def _terraform(folder: Path, server: TerraformServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CHECKPOINT_DISABLE": "1",
            "TF_HTTP_ADDRESS": f"http://127.0.0.1:{server.port}/tf",
            "TF_HTTP_LOCK_ADDRESS": f"http://127.0.0.1:{server.port}/tf",
            "TF_HTTP_UNLOCK_ADDRESS": f"http://127.0.0.1:{server.port}/tf",
            "TF_HTTP_USERNAME": LOGIN[0],
            "TF_HTTP_PASSWORD": LOGIN[1],
            "TF_HTTP_RETRY_MAX": "0",
        },
    )


@terraform
def test_a_real_terraform_takes_the_server_of_these_tests_for_one(server: TerraformServer, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('terraform {\n  backend "http" {}\n}\noutput "x" {\n  value = "1"\n}\n')
    assert _terraform(tmp_path, server, "init", "-input=false").returncode == 0
    ran = _terraform(tmp_path, server, "apply", "-auto-approve", "-input=false")
    assert ran.returncode == 0, ran.stderr
    assert server.document("tf")["outputs"]["x"]["value"] == "1"
    assert {"LOCK", "UNLOCK", "POST"} <= {method for method, _, _ in server.requests}
    assert server.states["tf"].lock is None


@terraform
async def test_a_real_terraform_reads_our_document_and_respects_our_lock(
    server: TerraformServer, tmp_path: Path
) -> None:
    (tmp_path / "main.tf").write_text('terraform {\n  backend "http" {}\n}\n')
    assert _terraform(tmp_path, server, "init", "-input=false").returncode == 0

    store = _store(server.url("tf"))
    async with store.lock("apply", 0):
        await store.write({"serial": 1}, if_serial=None)
        refused = await asyncio.to_thread(_terraform, tmp_path, server, "apply", "-auto-approve", "-no-color")
        assert refused.returncode != 0
        assert f"already locked: ID={(server.states['tf'].lock or {})['ID']}" in refused.stderr
    pulled = await asyncio.to_thread(_terraform, tmp_path, server, "state", "list")
    assert (pulled.returncode, pulled.stdout) == (0, ""), pulled.stderr
    assert await store.read() == {"serial": 1}
