"""SIGKILL at every write of `preview up` and of `preview down`; then a `sweep`: the account is as it was before.

By default every so many writes are taken, by another beginning each way; VOICEOPS_EVERY_WRITE=1 takes all of them.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.bench import REPOSITORY, Bench, bench, shop

KILLED = -9
LATER = 150.0  # seconds by which the server's clock is put forward each time: nothing can still turn up
STEP = 1 if os.environ.get("VOICEOPS_EVERY_WRITE") else 41
KEYPAD = "kind: Tool\nname: keypad\nspec: {type: dtmf}\n"
NUMBER = "+14155550191"


class Mortal:
    """Runs commands that die at their nth write."""

    def __init__(self, made: Bench) -> None:
        self.made = made
        self.skew = 0.0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.use.preview_dying"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env=made.environ,
        )

    def run(self, *arguments: str, nth: int) -> tuple[int, int]:
        """The exit code, or the signal; and how many writes it came to."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {
            "arguments": ["-C", str(self.made.folder), *arguments],
            "nth": nth,
            "folder": str(self.made.folder),
            "output": str(self.made.folder.parent / "output.txt"),
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        code, writes = json.loads(self.process.stdout.readline())
        return code, writes

    def later(self) -> None:
        self.skew += LATER
        self.made.control.switches(clock_skew=self.skew)

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    """The example shop, applied, with one number in the pool that is bound to somebody's agent."""
    with bench(tmp_path_factory.mktemp("mortal") / "shop") as made:
        shop(made)
        made.write("agents/keypad.yaml", KEYPAD)
        text = (made.folder / "voiceops.yaml").read_text()
        made.write("voiceops.yaml", f'{text}\npreviews: {{lines: ["{NUMBER}"]}}\n')
        made.apply("-q")
        agent = made.control.create("/assistant", {"name": "Out of hours"})
        made.control.create("/phone-number", {"provider": "vapi", "number": NUMBER, "assistantId": agent["id"]})
        running = Mortal(made)
        yield running
        running.close()


def account(made: Bench) -> dict[str, Any]:
    """Everything that is live, with its ids; in any order, without times. A route of null is none."""
    return {
        collection: sorted(
            ({key: value for key, value in one.items() if key != "updatedAt" and value is not None} for one in objects),
            key=lambda one: str(one.get("id") or one.get("sid")),
        )
        for collection, objects in made.control.dump().items()
        if objects and collection not in ("call",)
    }


UP = ("preview", "up", "pr-7", "--line", "main-line", "-q")
DOWN = ("preview", "down", "pr-7", "-q")


@pytest.mark.parametrize("phase", ["up", "up again", "down"])
def test_killed_and_swept(mortal: Mortal, phase: str, record_property: Callable[[str, object], None]) -> None:
    made = mortal.made
    made.write("agents/keypad.yaml", KEYPAD)
    before = account(made)
    dice = random.Random(phase)
    command = DOWN if phase == "down" else UP
    nth, points, again, writes = dice.randrange(STEP) + 1, 0, 0, 0
    while True:
        if phase != "up":
            made.write("agents/keypad.yaml", KEYPAD)
            made.run(*UP)
        if phase == "up again":
            made.write("agents/keypad.yaml", KEYPAD.replace("dtmf", "endCall"))
        code, writes = mortal.run(*command, nth=nth)
        if code != KILLED:
            break
        points += 1
        mortal.later()
        if dice.random() < 0.3:  # and killed again while it is swept
            again += 1
            mortal.run("preview", "sweep", "--all", "-q", nth=dice.randrange(1, 60))
            mortal.later()
        made.run("preview", "sweep", "--all")
        assert account(made) == before, f"killed in {phase} at write {nth}"
        assert made.run("preview", "list", "--format", "json").data == []
        nth += STEP
    assert code == 0
    mortal.later()
    made.run("preview", "sweep", "--all")
    assert account(made) == before
    assert not list((made.folder / ".voiceops/state").glob("preview-*/state.json"))
    made.write("agents/keypad.yaml", KEYPAD)
    assert made.changes() == {}
    assert writes > 40
    record_property(
        "figure", f"killed in preview {phase}: {points} of {writes} writes, {again} of them twice, all swept"
    )
