"""The core's figures: plan, apply with nothing to do, creates, start, validate."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import VOICEOPS, best, project_command, run, sandbox
from benchmarks.projects import write_project
from voiceops.sandbox.client import SandboxClient

LATENCY = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """One figure against its bound; `unit` says of what."""

    name: str
    value: float
    bound: float
    unit: str

    @property
    def kept(self) -> bool:
        return self.value <= self.bound


def core() -> Iterator[Row]:
    """Every figure of the core."""
    yield from _start()
    with tempfile.TemporaryDirectory() as root:
        yield from _thousand(Path(root) / "thousand")
        yield from _creates(Path(root) / "creates")


def _start() -> Iterator[Row]:
    bare = best([sys.executable, "-c", "pass"], times=10).seconds
    version = best([*VOICEOPS, "--version"], times=10).seconds
    yield Row("voiceops --version, over python -c pass", version / bare, 3, "times")


def _thousand(folder: Path) -> Iterator[Row]:
    write_project(folder, tools=300, agents=700)
    validate = best(project_command(folder, "validate")).seconds
    yield Row("validate of 1,000 manifests", validate, 3, "s")
    with sandbox() as environ, SandboxClient(environ["VAPI_BASE_URL"] + "/_sandbox") as control:
        run(project_command(folder, "apply", "--auto-approve", "--local-state", "-q", "--parallelism", "50"), environ)
        time.sleep(10)  # everything has settled, as in daily use
        control.switches(latency=LATENCY)
        bare = min(asyncio.run(_bare(environ)) for _ in range(3))
        control.reset_requests()
        plan = best(project_command(folder, "plan"), environ)
        counts = control.counts()
        yield Row("plan of 1,000 objects: requests", counts["requests"] / 3, 20, "requests")
        allowed = validate + 1.5 * bare + 0.5
        yield Row(
            f"plan of 1,000 objects, over validate + 1.5 x bare client ({bare:.2f} s) + 0.5 s",
            plan.seconds / allowed,
            1,
            "times",
        )
        yield Row("plan of 1,000 objects: memory", plan.megabytes, 200, "MB")
        control.reset_requests()
        run(project_command(folder, "apply", "--auto-approve", "--local-state", "-q"), environ)
        yield Row("apply with nothing to do: writes", control.counts()["writes"], 0, "requests")


async def _bare(environ: dict[str, str]) -> float:
    """A bare client that reads the same lists to their ends."""
    import httpx

    headers = {"authorization": f"Bearer {environ['VAPI_API_KEY']}"}
    async with httpx.AsyncClient(base_url=environ["VAPI_BASE_URL"], headers=headers) as client:
        started = time.perf_counter()
        for answer in await asyncio.gather(
            *(client.get(f"/{p}", params={"limit": 1000}) for p in ("tool", "assistant"))
        ):
            answer.json()
        return time.perf_counter() - started


def _creates(folder: Path) -> Iterator[Row]:
    write_project(folder, tools=100, agents=200)
    ideal = 300 / 8 * LATENCY
    with sandbox() as environ, SandboxClient(environ["VAPI_BASE_URL"] + "/_sandbox") as control:
        control.switches(latency=LATENCY)
        validate = best(project_command(folder, "validate")).seconds
        made = run(project_command(folder, "apply", "--auto-approve", "--local-state", "-q"), environ)
    yield Row(
        f"300 creates, start and validate ({validate:.2f} s) aside, over 300 / 8 x 50 ms",
        (made.seconds - validate) / ideal,
        2,
        "times",
    )
