"""What is kept: across restarts, a killed process, and two processes on one file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.sandbox.sandbox_bench import OWNED, http
from voiceops.sandbox.server import SandboxServer
from voiceops.sandbox.store import Row, Store


@contextmanager
def process(data: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A sandbox as a process of its own, and the variables that it prints."""
    command = [sys.executable, "-m", "voiceops.sandbox", "--data", str(data), "--number", OWNED, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            lines = [running.stdout.readline() for _ in range(5)]
            yield running, dict(line.strip().split("=", 1) for line in lines)
        finally:
            running.kill()


def client(server: SandboxServer) -> httpx.Client:
    return http(server.vapi_url, headers={"authorization": f"Bearer {server.api_key}"})


def test_objects_outlive_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "sandbox.db"
    with SandboxServer(data=data, numbers=[OWNED]) as server, client(server) as vapi, server.control() as control:
        made = [vapi.post("/assistant", json={"name": str(n)}).json() for n in range(3)]
        vapi.patch(f"/assistant/{made[1]['id']}", json={"name": "changed"})
        vapi.delete(f"/assistant/{made[2]['id']}")
        number = control.edit_number(OWNED, voice_url="https://mine.example/")
    with SandboxServer(data=data, numbers=[OWNED]) as server, client(server) as vapi, server.control() as control:
        assert [item["name"] for item in vapi.get("/assistant").json()] == ["changed", "0"]
        assert control.number(OWNED) == number
        assert len(vapi.get("/eval/simulation/personality").json()) == 7
        later = vapi.post("/assistant", json={"name": "later"}).json()
        assert vapi.get("/assistant").json()[0] == later


def test_in_memory_nothing_is_kept() -> None:
    server = SandboxServer()
    for _ in range(2):
        with server, client(server) as vapi:
            assert vapi.get("/assistant").json() == []
            vapi.post("/assistant", json={})


def test_an_answered_write_outlives_a_kill(tmp_path: Path) -> None:
    data = tmp_path / "sandbox.db"
    with process(data) as (running, variables):
        headers = {"authorization": f"Bearer {variables['VAPI_API_KEY']}"}
        with http(variables["VAPI_BASE_URL"], headers=headers) as vapi:
            made = [vapi.post("/assistant", json={"name": str(n)}).json()["id"] for n in range(20)]
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    with SandboxServer(data=data) as server, client(server) as vapi:
        assert [item["id"] for item in vapi.get("/assistant").json()] == made[::-1]


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(tmp_path: Path, name: signal.Signals) -> None:
    with process(tmp_path / "sandbox.db", "--switch", "lag=60") as (running, variables):
        headers = {"authorization": f"Bearer {variables['VAPI_API_KEY']}"}
        with http(variables["VAPI_BASE_URL"], headers=headers) as vapi:
            vapi.post("/assistant", json={})
            assert vapi.get("/assistant").json() == []
        running.send_signal(name)
        assert running.wait(5) == 0


def test_a_switch_that_is_not_there() -> None:
    command = [sys.executable, "-m", "voiceops.sandbox", "--switch", "gravity=1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "gravity" in ended.stderr


def test_two_servers_share_a_file(tmp_path: Path) -> None:
    data = tmp_path / "sandbox.db"
    with (
        SandboxServer(data=data) as one,
        SandboxServer(data=data) as two,
        client(one) as first,
        client(two) as second,
    ):
        a = first.post("/assistant", json={"name": "a"}).json()
        b = second.post("/assistant", json={"name": "b"}).json()
        for vapi in (first, second):
            assert {item["id"] for item in vapi.get("/assistant").json()} == {a["id"], b["id"]}
        second.patch(f"/assistant/{a['id']}", json={"name": "changed"})
        assert first.get(f"/assistant/{a['id']}").json()["name"] == "changed"


def test_a_transaction_is_whole(tmp_path: Path) -> None:
    for path in (None, tmp_path / "store.db"):
        store = Store(path)
        store.put(Row("c", "1", {"n": 1}))
        with pytest.raises(KeyError):
            _fail_halfway(store)
        assert [row.id for row in store.rows("c")] == ["1"]
        store.close()


def _fail_halfway(store: Store) -> None:
    with store.transaction():
        store.put(Row("c", "2", {"n": 2}))
        store.remove("c", "1")
        raise KeyError


def test_a_taken_port_is_an_error() -> None:
    with SandboxServer() as server:
        port = int(server.vapi_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), SandboxServer(port_vapi=port):
            pass


def test_it_starts_and_stops_at_once() -> None:
    with SandboxServer(), SandboxServer():
        pass
    began = time.monotonic()
    with SandboxServer() as server, client(server) as vapi, server.control() as control:
        control.fault("hang", seconds=60)
        with pytest.raises(httpx.ReadTimeout):
            vapi.post("/assistant", json={}, timeout=0.05)
        control.fault("pause")
    assert time.monotonic() - began < 30  # none of them waits for the hang to end
