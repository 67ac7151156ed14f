"""kill -9 under load, again and again: nothing that was acknowledged is lost, no side effect happens twice.

VOICEOPS_KILLS=200 runs it in full.
"""

from __future__ import annotations

import collections
import http.client
import json
import os
import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.runtime.places import place_of
from tests.runtime.runtime_bench import SECRET, Client, served, wait_for
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.records import DONE

KILLS = int(os.environ.get("VOICEOPS_KILLS", "3"))
THREADS = 6

PROJECT = """
version: 1
project: shop
environments: [live]
runtime: {url: "https://voice.example.com", handlers: handlers}
"""
MANIFEST = """
kind: Tool
name: charge
spec:
  type: function
  function: {name: charge, parameters: {type: object, properties: {id: {type: string}}, required: [id]}}
  server: runtime
handler: shop:charge
"""
HANDLER = """
import asyncio, os
from voiceops.runtime import on_end_of_call

CHARGED = os.open(os.environ["CHARGED"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)
REPORTED = os.open(os.environ["REPORTED"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)

async def charge(id: str):
    os.write(CHARGED, (id + "\\n").encode())
    await asyncio.sleep(0.002)
    return "charged " + id

@on_end_of_call
async def report(event):
    os.write(REPORTED, (event.message["n"] + "\\n").encode())
"""


@dataclass(slots=True)
class _Seen:
    """What was acknowledged, over all rounds."""

    reported: set[str] = field(default_factory=set)
    charged: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


class _Load:
    """Threads that send, and note what was acknowledged; a tool call without an answer is sent again, as Vapi does."""

    def __init__(self, port: int, seen: _Seen) -> None:
        self.port = port
        self.seen = seen
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(THREADS)]

    def _run(self) -> None:
        client = Client(self.port, secret=SECRET)
        seen = self.seen
        while not self.stop.is_set():
            name = uuid.uuid4().hex
            id_ = seen.unanswered.pop() if seen.unanswered else uuid.uuid4().hex
            try:
                got = client.message("end-of-call-report", n=name, call={"id": name}, timestamp=time.time() * 1000)
                if got.status == 200:
                    seen.reported.add(name)
                for _ in range(random.choice([1, 1, 1, 2])):
                    entry = json.dumps(client.tool("charge", {"id": id_}, id=id_))
                    if seen.charged.setdefault(id_, entry) != entry:
                        seen.changed.append(id_)
            except (OSError, http.client.HTTPException, AssertionError, json.JSONDecodeError):
                seen.unanswered.append(id_)
                time.sleep(0.02)


def project(tmp_path: Path, database: str) -> dict[str, str]:
    """Write it; returns the environment that it is served with."""
    (tmp_path / "handlers").mkdir()
    (tmp_path / "agents").mkdir()
    (tmp_path / "voiceops.yaml").write_text(PROJECT)
    (tmp_path / "agents/tools.yaml").write_text(MANIFEST)
    (tmp_path / "handlers/shop.py").write_text(HANDLER)
    return {
        "VAPI_WEBHOOK_SECRET": SECRET,
        "CHARGED": str(tmp_path / "charged.txt"),
        "REPORTED": str(tmp_path / "reported.txt"),
        "VOICEOPS_RUNTIME_DB": database,
    }


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_nothing_is_lost_and_nothing_done_twice(tmp_path: Path, kind: str) -> None:
    database = place_of(kind, tmp_path)
    environ = project(tmp_path, database)
    seen = _Seen()
    for kill in range(KILLS + 1):
        with served(tmp_path, environ) as client:
            load = _Load(client.port, seen)
            for thread in load.threads:
                thread.start()
            time.sleep(random.uniform(0.3, 0.8))
            if kill < KILLS:
                client.kill()
            load.stop.set()
            for thread in load.threads:
                thread.join(40)
            if kill == KILLS:
                until = time.monotonic() + 60
                while set((tmp_path / "reported.txt").read_text().split()) < seen.reported:
                    assert time.monotonic() < until, "reports were not worked on"
                    time.sleep(0.1)
    assert len(seen.reported) > 10 * KILLS
    assert not seen.changed
    times = collections.Counter((tmp_path / "charged.txt").read_text().split())
    assert [id_ for id_, count in times.items() if count > 1] == []
    store = backend_of(database, worker=False)
    store.open()
    kept = {event.call for event in store.find(state=DONE, type_="end-of-call-report", limit=10_000_000)}
    store.close()
    assert seen.reported <= kept


def test_two_machines_on_one_database(tmp_path: Path) -> None:
    """Two servers that share nothing but PostgreSQL: a call delivered to both runs once, and both answer the same;
    what a killed one had stored and not worked on, the other one does."""
    environ = project(tmp_path, place_of("postgres", tmp_path))
    with served(tmp_path, environ) as one, served(tmp_path, environ) as two:
        ids = [uuid.uuid4().hex for _ in range(60)]
        with ThreadPoolExecutor(8) as pool:
            sent = [pool.submit(client.tool, "charge", {"id": id_}, id=id_) for id_ in ids for client in (one, two)]
            answers = [future.result() for future in sent]
        assert answers[::2] == answers[1::2]
        assert sorted((tmp_path / "charged.txt").read_text().split()) == sorted(ids)
        for number in range(60):
            got = one.message("end-of-call-report", n=f"r{number}", call={"id": f"r{number}"}, timestamp=time.time())
            assert got.status == 200
        one.kill()
        again = two.tool("charge", {"id": ids[0]}, id=ids[0])
        assert again == answers[0]
        wait_for(lambda: len(set((tmp_path / "reported.txt").read_text().split())) == 60, 60)
