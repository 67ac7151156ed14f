"""How fast an apply creates: against a bare client with eight lanes, and how its cost grows with the objects."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.core import Row
from benchmarks.measure import Run, project_command, run, sandbox
from benchmarks.projects import write_project
from voiceops.sandbox.client import SandboxClient

TOOLS, AGENTS = 300, 700
LATENCY = 0.03
LANES = 8  # of the bare client
ROUNDS = 3
_MOST_TIME = 4 / 3
_MOST_GROWTH = 1.2
_MOST_MEMORY = 400  # MB


def creating() -> Iterator[Row]:
    """Every row of this page; the large project comes last."""
    with (
        tempfile.TemporaryDirectory() as root,
        sandbox() as environ,
        SandboxClient(environ["VAPI_BASE_URL"] + "/_sandbox") as control,
    ):
        yield _over_bare(Path(root), environ, control)
        yield from _growth(Path(root), environ, control)


def _over_bare(root: Path, environ: Mapping[str, str], control: SandboxClient) -> Row:
    """The whole command, its start and the reading of the manifests included; alternately, the best of each counts."""
    control.switches(latency=LATENCY)
    ours, bare = [], []
    for number in range(ROUNDS):
        ours.append(_made(root / f"latency-{number}", 1, environ, control).seconds)
        control.reset()
        control.switches(latency=LATENCY)
        bare.append(asyncio.run(_bare(environ)))
    control.reset()
    return Row(
        f"apply of 1,000 creations at 30 ms, over a bare client with {LANES} lanes ({min(bare):.2f} s)",
        min(ours) / min(bare),
        _MOST_TIME,
        "times",
    )


def _growth(root: Path, environ: Mapping[str, str], control: SandboxClient) -> Iterator[Row]:
    """Ten times as many objects cost ten times as much CPU, and no more memory than a small machine has."""
    small = min(_made(root / f"small-{number}", 1, environ, control).cpu for number in range(ROUNDS))
    large = _made(root / "large", 10, environ, control)
    name = f"apply of 10,000 creations ({large.cpu:.0f} s CPU), over ten times that of 1,000"
    yield Row(name, large.cpu / (10 * small), _MOST_GROWTH, "times")
    yield Row("apply of 10,000 creations: memory", large.megabytes, _MOST_MEMORY, "MB")


def _made(folder: Path, times: int, environ: Mapping[str, str], control: SandboxClient) -> Run:
    """One apply of a project into an account with nothing in it."""
    latency = control.switches()["latency"]
    control.reset()
    control.switches(latency=latency)
    write_project(folder, tools=TOOLS * times, agents=AGENTS * times)
    return run(project_command(folder, "apply", "--auto-approve", "--local-state", "-q"), environ)


async def _bare(environ: Mapping[str, str]) -> float:
    """Seconds in which a bare client makes as many tools, then as many agents, each with one of them."""
    import httpx

    headers = {"authorization": f"Bearer {environ['VAPI_API_KEY']}"}
    async with httpx.AsyncClient(base_url=environ["VAPI_BASE_URL"], headers=headers) as client:

        async def lanes(path: str, bodies: list[dict[str, Any]]) -> list[str]:
            made: list[str] = []

            async def lane() -> None:
                while bodies:
                    answer = await client.post(path, json=bodies.pop())
                    made.append(answer.raise_for_status().json()["id"])

            await asyncio.gather(*(lane() for _ in range(LANES)))
            return made

        started = time.perf_counter()
        tools = await lanes("/tool", [_tool(n) for n in range(TOOLS)])
        await lanes("/assistant", [_agent(n, tools[n % TOOLS]) for n in range(AGENTS)])
        return time.perf_counter() - started


def _tool(n: int) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"orderNumber": {"type": "string"}}, "required": ["orderNumber"]}
    function = {"name": f"lookup_{n}", "description": f"Finds an order of branch {n}.", "parameters": parameters}
    return {"type": "function", "function": function}


def _agent(n: int, tool: str) -> dict[str, Any]:
    prompt = "You answer the phone. Speak in short sentences, one thought each, and ask one question at a time.\n" * 3
    return {
        "name": f"agent-{n}",
        "firstMessage": f"Hello, branch {n}.",
        "model": {
            "provider": "openai",
            "model": "gpt-4.1-mini",
            "temperature": 0.3,
            "messages": [{"role": "system", "content": prompt}],
            "toolIds": [tool],
            "tools": [{"type": "endCall"}],
        },
        "voice": {"provider": "11labs", "voiceId": "sarah"},
        "transcriber": {"provider": "deepgram", "model": "nova-2", "language": "en", "endpointing": 200},
    }
