"""Signed requests while strangers attack: `python -m benchmarks.runtime_attack`.

1,000 connections that say nothing, 100 heads that do not end and 100 bodies that come by drops, all at once, each made
anew as soon as the server ends it; beside them 100 signed tool calls a second, half of them on new connections. Bounds:
p99 under 250 ms, under 150 MB more than before. VOICEOPS_BENCH_SECONDS makes it longer.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from benchmarks.runtime import LOAD_CORE, _on, cpu_of, server
from benchmarks.runtime_load import Bodies, Connection, _connect, request_of

SECONDS = float(os.environ.get("VOICEOPS_BENCH_SECONDS", "20"))
RATE = 100.0
SILENT, HEADS, BODIES = 1_000, 100, 100
PAUSE = 0.05  # before an attacker comes again

POST = b"POST /vapi/events HTTP/1.1\r\nhost: x\r\n"


async def _attack(port: int, first: bytes, piece: bytes, pause: float) -> None:
    """One attacker: connects, sends what it sends, and comes again."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(PAUSE)
            continue
        try:
            writer.write(first)
            while not reader.at_eof():
                if piece:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(pause)
                elif not await reader.read(1024):
                    break
        except OSError:
            pass
        finally:
            writer.transport.abort()
        await asyncio.sleep(PAUSE)


async def attack(port: int) -> None:
    """All of them, until the process is ended."""
    await asyncio.gather(
        *(_attack(port, b"", b"", 0.0) for _ in range(SILENT)),
        *(_attack(port, POST + b"x-vapi-signature: ", b"a" * 16_384, 0.0) for _ in range(HEADS)),
        *(
            _attack(port, POST + b"content-length: 4000000\r\n\r\n" + b"x" * 1_000_000, b"x", 0.2)
            for _ in range(BODIES)
        ),
    )


async def ask(port: int, seconds: float) -> tuple[list[float], int]:
    """Signed tool calls: how long each took, connecting included, and how many answers were wrong."""
    bodies = Bodies(f"attack-{os.getpid()}-{random.getrandbits(32):x}")
    kept = [await _connect(port) for _ in range(10)]
    times: list[float] = []
    wrong = 0
    tasks = set()

    async def one(number: int, due: float) -> None:
        nonlocal wrong
        try:
            connection: Connection = kept[number // 2 % 10] if number % 2 else await _connect(port)
            if number % 2 and (connection.transport is None or (connection.waiting and not connection.waiting.done())):
                connection = kept[number // 2 % 10] = await _connect(port)
            status, body = await asyncio.wait_for(connection.send(request_of(bodies.make("tool"))), 30)
            good = status == 200 and b'"result"' in body
            if not number % 2 and connection.transport is not None:
                connection.transport.close()
        except (OSError, TimeoutError):
            good = False
        times.append(time.perf_counter() - due)
        wrong += not good

    began = due = time.perf_counter()
    number = 0
    while due < began + seconds:
        due += random.expovariate(RATE)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.add(asyncio.create_task(one(number, due)))
        number += 1
    await asyncio.gather(*tasks)
    return sorted(times), wrong


def memory_of(pid: int) -> float:
    """Resident memory in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _ended(port: int) -> dict[str, int]:
    """How many connections the server says that it has ended, by reason."""
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    found = [line for line in lines if line.startswith("voiceops_connections_ended_total{")]
    return {line.split('"')[1]: int(float(line.rpartition(" ")[2])) for line in found}


def main() -> int:
    from voiceops.runtime.http.bounds import allow_files

    allow_files()
    if len(sys.argv) > 2 and sys.argv[1] == "attack":
        os.nice(19)  # attackers bring their own machines: here they get what the clients leave
        asyncio.run(attack(int(sys.argv[2])))
    with server("runtime") as (port, pid):
        quiet, wrong = asyncio.run(ask(port, 3))
        before = memory_of(pid)
        command = [*_on(LOAD_CORE), sys.executable, "-m", "benchmarks.runtime_attack", "attack", str(port)]
        attackers = subprocess.Popen(command)
        try:
            time.sleep(3)
            used = cpu_of(pid)
            times, missed = asyncio.run(ask(port, SECONDS))
            used = (cpu_of(pid) - used) / SECONDS
            more = memory_of(pid) - before
            ended = _ended(port)
        finally:
            attackers.kill()
            attackers.wait()
    at = lambda found, q: found[min(len(found) - 1, int(len(found) * q))] * 1000  # noqa: E731
    print(f"quiet    p50 {at(quiet, 0.5):6.1f} ms  p99 {at(quiet, 0.99):6.1f} ms  {len(quiet)} requests, {wrong} wrong")
    print(
        f"attacked p50 {at(times, 0.5):6.1f} ms  p99 {at(times, 0.99):6.1f} ms  worst {times[-1] * 1000:6.1f} ms  "
        f"{len(times)} requests, {missed} wrong; {more:+.0f} MB"
    )
    print(f"the server used {used:.0%} of its core, and has ended connections: {ended}")
    ok = at(times, 0.99) < 250 and more < 150 and not missed
    print(f"{'ok  ' if ok else 'MISS'}  p99 under 250 ms, under 150 MB more, no wrong answer")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
