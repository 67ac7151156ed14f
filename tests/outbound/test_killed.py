"""SIGKILL at every claim and every send of a batch, and again until it is done: everybody is called exactly once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from tests.outbound.dying_calls import PLACES
from tests.support.bench import Bench, bench
from tests.support.forked import KILLED, Forking
from tests.support.waiting import wait_until
from voiceops.use.place_calls import UNDER_WAY

EVERY = os.environ.get("VOICEOPS_TEST_EVERY_KILL") == "1"
AGENT = """kind: Agent
name: desk
spec: {firstMessage: Hello, model: {provider: openai, model: gpt-4o}}
---
kind: Phone
name: main
spec: {provider: vapi, agent: desk}
"""
SETTING = '\ncalling: {hours: "00:00-24:00", perMinute: 6000, maxConcurrent: 1000}\n'
NUMBERS = tuple(f"+1415555010{n}" for n in range(4))


class Mortal:
    def __init__(self, made: Bench) -> None:
        self.made = made
        self._forking = Forking("tests.outbound.dying_calls", made.environ)
        made.write("people.csv", "number\n" + "".join(f"{number}\n" for number in NUMBERS))

    def run(self, batch: str, place: str = "", nth: int = 0) -> int:
        folder = self.made.folder
        called = ["call", "desk", "--to-file", str(folder / "people.csv"), "--batch", batch, "--yes"]
        order = {
            "arguments": ["-C", str(folder), *called],
            "place": place,
            "nth": nth,
            "output": str(folder / "output.txt"),
        }
        return int(self._forking.ask(order))

    def calls(self, batch: str) -> dict[str, int]:
        """How often each number was called in the batch."""
        found = self.made.control.objects("/call")
        return Counter(c["customer"]["number"] for c in found if c["name"].split(" ")[0] == batch)

    def close(self) -> None:
        self._forking.close()


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    with bench(tmp_path_factory.mktemp("mortal"), calls_last=0.0) as made:
        made.write("agents/desk.yaml", AGENT)
        made.write("voiceops.yaml", (made.folder / "voiceops.yaml").read_text() + SETTING)
        made.apply()
        found = Mortal(made)
        yield found
        found.close()


def once(mortal: Mortal, batch: str) -> None:
    assert mortal.calls(batch) == dict.fromkeys(NUMBERS, 1), (mortal.made.folder / "output.txt").read_text()


ALL = [(place, nth) for place in PLACES[:-1] for nth in range(1, len(NUMBERS) + 1)]


@pytest.mark.parametrize(("place", "nth"), ALL if EVERY else random.Random(7).sample(ALL, 5))
def test_killed_once(mortal: Mortal, place: str, nth: int) -> None:
    batch = f"once-{PLACES.index(place)}-{nth}"
    assert mortal.run(batch, place, nth) == KILLED
    assert mortal.run(batch) == 0
    once(mortal, batch)
    assert mortal.run(batch) == 0
    once(mortal, batch)


@pytest.mark.parametrize("place", PLACES if EVERY else ("return claim", "answer"))
def test_killed_again_and_again(mortal: Mortal, place: str) -> None:
    """At the first such place of each run: also where what was lost is looked for, and sent again."""
    batch = f"again-{PLACES.index(place)}"
    nth = 1
    for _ in range(12):
        code = mortal.run(batch, place, nth)
        if code == 0:
            break
        assert code == KILLED
        nth = 2 if place == "call claim" and nth == 1 else 1
    else:
        assert mortal.run(batch) == 0
    once(mortal, batch)


def started(mortal: Mortal, people: Sequence[str], batch: str, *more: str) -> subprocess.Popen[str]:
    """A run of a batch of these people, in a process of its own."""
    made = mortal.made
    file = made.folder / f"{batch}.csv"
    made.write(file.name, "number\n" + "".join(f"{number}\n" for number in people))
    command = ["call", "desk", "--to-file", str(file), "--batch", batch, "--yes", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "voiceops", "-C", str(made.folder), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=made.environ,
    )


def ended(*running: subprocess.Popen[str], seconds: float = 120) -> list[str]:
    """What the runs said. Fails where one does not end, or not well."""
    try:
        said = [process.communicate(timeout=seconds)[0] for process in running]
    finally:
        for process in running:
            process.kill()
            process.communicate()
    assert [process.returncode for process in running] == [0] * len(running), said
    return said


def test_two_runs_of_one_file_share_it(mortal: Mortal) -> None:
    people = [f"+1415555{n:04}" for n in range(200, 230)]
    said = ended(*(started(mortal, people, "shared") for _ in range(2)))
    assert mortal.calls("shared") == dict.fromkeys(people, 1), said


def test_a_run_waits_for_another_one_no_longer_than_that_takes(mortal: Mortal) -> None:
    """What the other one is sending is left to it for two minutes, unless it writes down before what came of it."""
    people = [f"+1415555{n:04}" for n in range(240, 244)]
    control = mortal.made.control
    control.reset_requests()
    control.fault("hang", method="POST", path="^/call$", seconds=8)
    try:
        first = started(mortal, people, "slow")
        wait_until(lambda: bool(control.requests(method="POST")))
        said = ended(first, started(mortal, people, "slow"), seconds=UNDER_WAY / 2)
    finally:
        control.clear_faults()
    assert mortal.calls("slow") == dict.fromkeys(people, 1), said


def test_another_machine_begins_where_the_first_stopped(mortal: Mortal, tmp_path: Path) -> None:
    made, batch = mortal.made, "moved"
    assert mortal.run(batch, "return settle", 2) == KILLED
    assert sum(mortal.calls(batch).values()) in (2, 3, 4)
    people = str(made.folder / "people.csv")
    made.run("call", "desk", "--to-file", people, "--batch", batch, "--yes", "--db", str(tmp_path / "another.db"))
    once(mortal, batch)


def test_two_runs_keep_to_the_bound_of_calls_under_way_together(mortal: Mortal, tmp_path: Path) -> None:
    """On a store of their own: what killed runs left counts as under way for three minutes."""
    made, batch = mortal.made, "bounded"
    people = [f"+1415555{n:04}" for n in range(300, 308)]
    made.write("environments/live.yaml", "calling: {maxConcurrent: 2}\n")
    made.control.switches(calls_last=0.5)
    try:
        said = ended(*(started(mortal, people, batch, "--db", str(tmp_path / "calls.db")) for _ in range(2)))
    finally:
        made.control.switches(calls_last=0.0)
        made.remove("environments/live.yaml")
    assert mortal.calls(batch) == dict.fromkeys(people, 1), said
    begun = sorted(
        datetime.fromisoformat(call["createdAt"]).timestamp()
        for call in made.control.objects("/call")
        if call["name"].split(" ")[0] == batch
    )
    assert all(third - first >= 0.49 for first, third in zip(begun, begun[2:], strict=False)), begun
