"""The runtime's figures beside an Express server and a bare ASGI application: `python -m benchmarks.runtime`.

Server on one core, generator on the other, the servers in turn, several rounds; of each its best, which is what the
machine can do when nothing else disturbs it. The ratio of CPU time a request is printed too: it holds also where the
generator or a neighbour on the machine is the limit.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from benchmarks.runtime_load import SECRET

EXPRESS = Path(__file__).parent / "express"
SERVER_CORE, LOAD_CORE = "0", str(max(0, (os.cpu_count() or 1) - 1))
ROUNDS = int(os.environ.get("VOICEOPS_BENCH_ROUNDS", "3"))
SECONDS = float(os.environ.get("VOICEOPS_BENCH_SECONDS", "3"))


@dataclass(frozen=True, slots=True)
class Figure:
    """One server's best."""

    rate: float
    cpu: float  # microseconds a request
    p50: float
    p99: float
    wrong: int


@contextmanager
def server(kind: str, more: Mapping[str, str] | None = None) -> Iterator[tuple[int, int]]:
    """Start one, with `more` in its environment; yields its port and its process id."""
    command = ["node", "server.js"] if kind == "express" else [sys.executable, "-m", "benchmarks.runtime_apps", kind]
    environ = {**os.environ, "VAPI_WEBHOOK_SECRET": SECRET.decode(), "NODE_ENV": "production", **(more or {})}
    process = subprocess.Popen(
        [*_on(SERVER_CORE), *command],
        cwd=EXPRESS if kind == "express" else Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environ,
    )
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        time.sleep(1.0)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def load(port: int, *arguments: str) -> dict[str, float]:
    command = [*_on(LOAD_CORE), sys.executable, "-m", "benchmarks.runtime_load", str(port), *arguments]
    output = subprocess.run(
        command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, float] = json.loads(output)
    return found


def _on(core: str) -> list[str]:
    """Keep a process on one core, where the system can do that."""
    return ["taskset", "-c", core] if shutil.which("taskset") else []


def cpu_of(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def within(port: int, bound: str) -> tuple[float, float]:
    """How many messages the server says that it answered within so many seconds, and how many in all."""
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = [line for line in answer.read().decode().splitlines() if line.startswith("voiceops_message_seconds_b")]
    good = sum(float(line.rpartition(" ")[2]) for line in lines if f'le="{bound}"' in line)
    return good, sum(float(line.rpartition(" ")[2]) for line in lines if 'le="+Inf"' in line)


def measure(kinds: list[str], payload: str) -> dict[str, Figure]:
    """Every server in turn, several times."""
    rows: dict[str, list[tuple[float, float, float, float, int]]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind in kinds:
            with server(kind) as (port, pid):
                load(port, payload, "--seconds", "1")
                before = cpu_of(pid)
                found = load(port, payload, "--seconds", str(SECONDS))
                cpu = (cpu_of(pid) - before) / found["requests"] * 1e6
                rows[kind].append((found["rate"], cpu, found["p50"], found["p99"], int(found["wrong"])))
                print(
                    f"  {kind:<10} {payload:<7} {found['rate']:>8.0f}/s  {cpu:>6.0f} us CPU  p99 {found['p99']} ms"
                    f"  generator {found['generator']:.0%}  wrong {found['wrong']}",
                    flush=True,
                )
    result = {}
    for kind, found_rows in rows.items():
        columns = list(zip(*found_rows, strict=True))
        rate, cpu, p50, p99 = max(columns[0]), *(min(column) for column in columns[1:4])
        result[kind] = Figure(rate, cpu, p50, p99, sum(columns[4]))
    return result


def main() -> int:
    if not shutil.which("npm"):
        print("node and npm are needed, for the Express server beside ours: the runtime is not measured")
        return 0
    if not (EXPRESS / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=EXPRESS, check=True)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {ROUNDS} rounds of {SECONDS:g} s, 64 connections"
    )
    tools = measure(["bare", "express", "runtime", "unstored"], "tool")
    reports = measure(["express", "runtime"], "report")
    with server("runtime") as (port, _):
        load(port, "open", "--seconds", "2", "--connections", "200")
        before = within(port, "0.01")
        opened = load(port, "open", "--seconds", str(SECONDS * 3), "--connections", "200")
        kept_time, seen = (after - past for after, past in zip(within(port, "0.01"), before, strict=True))
    missed = 0
    for name, value, bound, unit in (
        ("tool calls, stored, over Express", tools["runtime"].rate / tools["express"].rate, 2.5, "times"),
        ("  the same by CPU time", tools["express"].cpu / tools["runtime"].cpu, 2.5, "times"),
        ("tool calls, stored, over a bare application", tools["runtime"].rate / tools["bare"].rate, 0.35, "times"),
        ("  the same by CPU time", tools["bare"].cpu / tools["runtime"].cpu, 0.35, "times"),
        ("tool calls, store off, over a bare application", tools["unstored"].rate / tools["bare"].rate, 0.6, "times"),
        ("  the same by CPU time", tools["bare"].cpu / tools["unstored"].cpu, 0.6, "times"),
        ("60 KB reports, stored, over Express", reports["runtime"].rate / reports["express"].rate, 1.0, "times"),
        ("  the same by CPU time", reports["express"].cpu / reports["runtime"].cpu, 1.0, "times"),
    ):
        kept = value >= bound
        missed += not kept
        print(f"{'ok  ' if kept else 'MISS'}  {value:>7.2f} {unit} (at least {bound:g})  {name}")
    kept = kept_time / seen >= 0.99 and not opened["wrong"]
    missed += not kept
    print(
        f"{'ok  ' if kept else 'MISS'}  {kept_time / seen:>7.2%} answered within 10 ms by the server's clock "
        f"(at least 99 %)  open loop, {opened['rate']:.0f}/s, 10 % of 60 KB"
    )
    print(
        f"      from the planned moment, generator and socket included: p50 {opened['p50']} ms, p99 {opened['p99']}, "
        f"p99.9 {opened['p999']}; generator late {opened['late']:.0f} times"
    )
    wrong = sum(figure.wrong for figures in (tools, reports) for figure in figures.values())
    print(f"answers that were wrong: {wrong}")
    return 1 if missed or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
