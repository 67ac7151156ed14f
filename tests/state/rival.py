"""Another process at the same state: `python rival.py hold|add LOCATION PROJECT ENVIRONMENT [ROUNDS]`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from voiceops.errors import Locked
from voiceops.state.open import open_store
from voiceops.state.s3_lock import Timing
from voiceops.state.store import Store

QUICK = Timing(renew=0.5, void=6.0, pause=0.05)


def start(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    """The process, once it has said that it is at work."""
    process = subprocess.Popen(
        [sys.executable, __file__, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )
    assert process.stdout is not None
    if process.stdout.readline().strip() != "at work":
        process.communicate()
        raise AssertionError("the rival could not start")
    return process


def end(process: subprocess.Popen[str]) -> str:
    """Let it end; what it said."""
    said, _ = process.communicate("go\n", timeout=60)
    return said.strip()


def _open(location: str, project: str, environment: str) -> Store:
    store = open_store(location, Path("/"), environment, project=project)
    if location.startswith("s3://"):
        store._lock._timing = QUICK  # type: ignore[attr-defined]
    return store


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def _hold(store: Store) -> None:
    """Hold the lock until told to go on; then say whether it still is ours."""
    async with store.lock("apply", 0) as lease:
        _say("at work")
        await asyncio.to_thread(sys.stdin.readline)
        try:
            await lease.check()
        except Locked as error:
            _say(f"lost: {error}")
        else:
            _say("held")


async def _add(store: Store, rounds: int) -> None:
    """Count in the state, so that no write of a rival may get lost."""
    _say("at work")
    for _ in range(rounds):
        async with store.lock("apply", 60) as lease:
            held = await store.read()
            serial = held["serial"] if held else None
            await store.append([{"n": (serial or 0) + 1}])
            await lease.check()
            await store.write({"serial": (serial or 0) + 1}, if_serial=serial)


if __name__ == "__main__":
    what, location, project, environment, *rest = sys.argv[1:]
    store = _open(location, project, environment)
    asyncio.run(_hold(store) if what == "hold" else _add(store, int(rest[0])))
