"""100,000 calls with 1,000,000 tool calls and 2,000,000 turns: what the dashboard's pages and the reports take, and
what tool calls notice of somebody who watches the dashboard.

    python -m benchmarks.calls [--calls N] [--store FILE|postgresql://…]

A store that has calls is taken as it is; else it is filled first, which takes minutes. No test runs this.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.runtime import cpu_of, load, server
from tests.runtime.runtime_bench import DASHBOARD, serving, spec_of
from voiceops.calls.counting import BY, Reports
from voiceops.calls.record import CallRecord, Spoken, ToolUse
from voiceops.calls.store import CallFilter, CallStore
from voiceops.runtime.store.backends import backend_of

DAY = 86_400.0
MOST_MS = 300.0  # for a page or a report
LEAST_SHARE = 0.95  # of the tool calls, while somebody watches
_ROUNDS = 3
_AT_ONCE = 1_000
_SAID = "a few words that somebody said " * 2
_REASONS = (
    *["customer-ended-call"] * 6,
    *["assistant-ended-call"] * 3,
    "silence-timed-out",
    "pipeline-error-openai-llm-failed",
)


@dataclass(frozen=True, slots=True)
class Timed:
    """The middle of some times, in milliseconds."""

    name: str
    ms: float


def made_up(count: int, now: float, seed: int = 1) -> Iterator[CallRecord]:
    """Calls of 30 days, 12 revisions, 5 agents and 3 lines, each with 20 turns and 10 tool calls."""
    chance = random.Random(seed)
    for _ in range(count):
        age = chance.random()
        start, revision = now - age * 30 * DAY, 1 + int(12 * (1 - age))
        seconds = chance.expovariate(1 / 150) + 5
        yield CallRecord(
            id=str(uuid.UUID(int=chance.getrandbits(128))),
            agent=chance.choice(["desk", "sales", "returns", "night", "vip"]),
            phone=chance.choice(["main", "second", "third"]),
            assistant_version=f"v{revision}",
            revision=revision,
            started_at=start,
            ended_at=start + seconds,
            status="ended",
            direction="inbound",
            customer=f"+1415555{chance.randint(0, 9999):04}",
            reason=chance.choice(_REASONS),
            cost=seconds / 60 * 0.11,
            success=chance.random() < 0.9,
            turns=tuple(
                Spoken(
                    role="agent" if n % 2 else "caller",
                    at=n * 7.0,
                    seconds=3.0,
                    text=_SAID,
                    ms=900.0 if n % 2 else None,
                )
                for n in range(20)
            ),
            tools=tuple(
                ToolUse(
                    id=str(n),
                    name=chance.choice(["lookup", "book", "cancel", "mail"]),
                    at=5.0 * n,
                    ms=chance.lognormvariate(5, 0.6),
                    outcome="ok" if chance.random() > 0.04 else "failed",
                )
                for n in range(10)
            ),
            turn_ms=tuple(chance.lognormvariate(6.8, 0.4) for _ in range(20)),
        )


def filled(location: str, count: int) -> None:
    """Fill a store that has no calls, and sum them."""
    backend = backend_of(location, worker=False)
    backend.open()
    try:
        store = CallStore(backend)
        store.prepare()
        if store.count(CallFilter(simulated=True)):
            return
        started, batch, done = time.monotonic(), [], 0
        for call in made_up(count, time.time()):
            batch.append(call)
            if len(batch) == _AT_ONCE:
                store.keep(batch)
                batch, done = [], done + _AT_ONCE
                if done % 10_000 == 0:
                    print(f"{done:>9,} calls kept, {time.monotonic() - started:.0f} s", flush=True)
        store.keep(batch)
        started = time.monotonic()
        print(f"{Reports(backend).refresh():>9,} hours summed, {time.monotonic() - started:.0f} s", flush=True)
    finally:
        backend.close()


def reports(location: str, times: int = 5) -> Iterator[Timed]:
    """What each report takes, and each way to list calls."""
    backend = backend_of(location, worker=False)
    backend.open()
    try:
        store, counted, now = CallStore(backend), Reports(backend), time.time()
        month = CallFilter(since=now - 30 * DAY + 1234.5, until=now - 77)
        yield _timed("report", partial(counted.rows, month, ""), times)
        for by in BY:
            yield _timed(f"report --by {by}", partial(counted.rows, month, by), times)
        for name, wanted in (
            ("calls", CallFilter()),
            ("calls --failed", CallFilter(failed=True)),
            ("calls of an agent", CallFilter(agent="desk")),
            ("calls that hold a text", CallFilter(text="0042")),
        ):
            yield _timed(name, partial(store.listed, wanted, 50), times)
            yield _timed(f"{name}, counted", partial(store.count, wanted), times)
    finally:
        backend.close()


def pages(location: str, times: int = 5) -> Iterator[Timed]:
    """What each page of the dashboard takes, from the request to the whole answer, over a real socket."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), spec_of(), database=location) as server:
        newest = _newest(location)
        for path in (
            *("", "?period=24h", "?period=30d", "/calls", "/calls?since=7d&failed=1", "/calls?text=0042"),
            *(f"/call?id={newest}", "/agents", "/agents?since=30d", "/agent?name=desk", "/lines", "/line?name=main"),
            *("/tools", "/queue", "/runtime"),
        ):
            assert server.get(f"/dashboard{path}", DASHBOARD).status == 200  # the first one reads its template
            yield _timed(f"/dashboard{path}", partial(server.get, f"/dashboard{path}", DASHBOARD), times)


def watched(location: str) -> float:
    """How many tool calls a CPU second of the runtime answers while somebody opens a page every five seconds, for each
    one that it answers without; the middle of some rounds. (A page that is left open asks once a minute.)"""
    environ = {"VOICEOPS_RUNTIME_DB": location, "VOICEOPS_DASHBOARD_TOKEN": DASHBOARD}
    shares = []
    with server("runtime", environ) as (port, pid):
        load(port, "tool", "--seconds", "1")
        for _ in range(_ROUNDS):
            alone = _a_cpu_second(port, pid)
            with _watching(port):
                shares.append(_a_cpu_second(port, pid) / alone)
    return sorted(shares)[_ROUNDS // 2]


def _a_cpu_second(port: int, pid: int) -> float:
    before = cpu_of(pid)
    return load(port, "tool", "--seconds", "10")["requests"] / (cpu_of(pid) - before)


@contextmanager
def _watching(port: int) -> Iterator[None]:
    """A page every five seconds, in turn; the first one soon."""
    over, seen = threading.Event(), []

    def look() -> None:
        for path in cycle(("", "/calls", "/agents", "/tools", "/agent?name=desk")):
            if over.wait(5.0 if seen else 1.0):
                return
            wanted = Request(
                f"http://127.0.0.1:{port}/dashboard{path}", headers={"authorization": f"Bearer {DASHBOARD}"}
            )
            with urlopen(wanted) as answer:
                seen.append(answer.status)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    assert set(seen) == {200}


def _newest(location: str) -> str:
    backend = backend_of(location, worker=False)
    backend.open()
    try:
        return CallStore(backend).listed(CallFilter(), 1)[0].id
    finally:
        backend.close()


def _timed(name: str, work: Callable[[], object], times: int) -> Timed:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return Timed(name, sorted(taken)[len(taken) // 2])


def main() -> None:
    """Fill the store, and print a line a figure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=100_000)
    options.add_argument("--store", default="")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        location = given.store or str(Path(folder, "calls.db"))
        filled(location, given.calls)
        for row in chain(reports(location), pages(location)):
            print(f"{'ok  ' if row.ms <= MOST_MS else 'MISS'}  {row.ms:>8.1f} ms  {row.name}", flush=True)
        share = watched(location)
        print(f"{'ok  ' if share >= LEAST_SHARE else 'MISS'}  {share:>8.2f} of the tool calls, while somebody watches")


if __name__ == "__main__":
    main()
