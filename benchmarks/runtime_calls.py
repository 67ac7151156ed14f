"""1,000 calls at once against one runtime, generator included: `python -m benchmarks.runtime_calls`.

Each call lasts 30 s and sends 30 messages: 3 tool calls of 4 KB, one report of 60 KB, transcripts of 1 KB.
VOICEOPS_BENCH_CALLS and VOICEOPS_BENCH_OVER make it smaller.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time

from benchmarks.runtime import server
from benchmarks.runtime_load import Bodies, Connection, _connect, _template, request_of

CALLS = int(os.environ.get("VOICEOPS_BENCH_CALLS", "1000"))
OVER = float(os.environ.get("VOICEOPS_BENCH_OVER", "30"))
MESSAGES = 30


async def call(port: int, number: int, bodies: Bodies, times: dict[str, list[float]], wrong: list[str]) -> None:
    """One call after another on one line: each is somewhere in its course when the measurement begins."""
    await asyncio.sleep(random.uniform(0, OVER / MESSAGES))
    connection: Connection = await _connect(port)
    began = time.perf_counter()
    before, after = TRANSCRIPT
    offset = random.randrange(MESSAGES)
    for turn in range(MESSAGES):
        await asyncio.sleep(max(0.0, began + turn * OVER / MESSAGES - time.perf_counter()))
        step = (offset + turn) % MESSAGES
        kind = "tool" if step in (7, 14, 21) else "report" if step == MESSAGES - 1 else "transcript"
        if kind == "transcript":
            id_ = f"{number}-{step}".encode()
            body = before + b"%d" % int(time.time() * 1000) + id_.join(after)
        else:
            body = bodies.make(kind)
        sent = time.perf_counter()
        status, answer = await connection.send(request_of(body))
        times[kind].append(time.perf_counter() - sent)
        if status != 200 or (kind == "tool" and b'"result"' not in answer):
            wrong.append(f"{kind} {status}")
    assert connection.transport is not None
    connection.transport.close()


TRANSCRIPT = _template("transcript", 1_000)


async def run(port: int) -> tuple[dict[str, list[float]], list[str]]:
    bodies = Bodies(f"calls-{os.getpid()}")
    times: dict[str, list[float]] = {"tool": [], "report": [], "transcript": []}
    wrong: list[str] = []
    await asyncio.gather(*(call(port, number, bodies, times, wrong) for number in range(CALLS)))
    return times, wrong


def main() -> int:
    import uvloop

    with server("runtime") as (port, pid):
        before = time.process_time()
        times, wrong = uvloop.run(run(port))
        used = time.process_time() - before
        stored = _metric(port)
    print(
        f"{CALLS} calls of {OVER:g} s, {sum(map(len, times.values()))} messages; generator {used / OVER:.0%} of a core"
    )
    worst = 0.0
    for kind, found in times.items():
        found.sort()
        p50, p99 = (found[min(len(found) - 1, int(len(found) * q))] * 1000 for q in (0.5, 0.99))
        worst = max(worst, p99)
        print(
            f"  {kind:<10} {len(found):>7}   p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   worst {found[-1] * 1000:7.1f} ms"
        )
    lost = len(times["report"]) + len(times["transcript"]) - stored
    ok = not wrong and not lost and worst < 200
    print(f"{'ok  ' if ok else 'MISS'}  p99 {worst:.0f} ms (under 200), {len(wrong)} wrong, {lost} lost")
    del pid
    return 0 if ok else 1


def _metric(port: int) -> int:
    """How many messages the server says that it has stored."""
    from urllib.request import urlopen

    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    found = [line for line in lines if line.startswith("voiceops_messages_total") and 'outcome="stored"' in line]
    return int(sum(float(line.rpartition(" ")[2]) for line in found))


if __name__ == "__main__":
    sys.exit(main())
