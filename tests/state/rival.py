"""Another process at the same state: `python -m tests.state.rival hold|add LOCATION PROJECT [ROUNDS]`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from voiceops.errors import Locked
from voiceops.state.open import open_store
from voiceops.state.s3_lock import Timing
from voiceops.state.store import Store

REPOSITORY = Path(__file__).parent.parent.parent
QUICK = Timing(renew=0.5, void=3.0, pause=0.05)


def start(*arguments: str) -> subprocess.Popen[str]:
    """The process, once it has said that it is at work."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.state.rival", *arguments],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "at work"
    return process


def end(process: subprocess.Popen[str]) -> str:
    """Let it end; what it said."""
    said, _ = process.communicate("go\n", timeout=60)
    return said.strip()


def _open(location: str, project: str) -> Store:
    store = open_store(location, Path("/"), "dev", project=project)
    if location.startswith("s3://"):
        store._lock._timing = QUICK  # type: ignore[attr-defined]
    return store


async def _hold(store: Store) -> None:
    """Hold the lock until told to go on; then say whether it still is ours."""
    async with store.lock("apply", 0) as lease:
        print("at work", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        try:
            await lease.check()
        except Locked as error:
            print(f"lost: {error}", flush=True)
        else:
            print("held", flush=True)


async def _add(store: Store, rounds: int) -> None:
    """Count in the state, so that no write of a rival may get lost."""
    print("at work", flush=True)
    for _ in range(rounds):
        async with store.lock("apply", 60) as lease:
            held = await store.read()
            serial = held["serial"] if held else None
            await store.append([{"n": (serial or 0) + 1}])
            await lease.check()
            await store.write({"serial": (serial or 0) + 1}, if_serial=serial)


if __name__ == "__main__":
    what, location, project, *rest = sys.argv[1:]
    store = _open(location, project)
    asyncio.run(_hold(store) if what == "hold" else _add(store, int(rest[0])))
