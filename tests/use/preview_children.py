"""Commands on previews in processes of their own: many at once, or killed at a chosen write."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tests.support.bench import REPOSITORY, Bench

KILLED = -9
LATER = 150.0  # seconds by which the server's clock is put forward each time: nothing can still turn up


class Children:
    """Forked from a process that has imported everything: each runs a real command."""

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
        """One that dies at its nth write: the exit code, or the signal; and how many writes it came to."""
        return self.at_once([arguments], nth=nth)[0]

    def at_once(self, commands: Sequence[Sequence[str]], nth: int = 0) -> list[tuple[int, int]]:
        """All of them at once; `output` has what each printed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        orders = [
            {
                "arguments": ["-C", str(self.made.folder), *command],
                "nth": nth,
                "folder": str(self.made.folder),
                "output": str(self.made.folder.parent / f"output-{number}.txt"),
            }
            for number, command in enumerate(commands)
        ]
        self.process.stdin.write(json.dumps(orders) + "\n")
        self.process.stdin.flush()
        return [(code, writes) for code, writes in json.loads(self.process.stdout.readline())]

    def output(self, number: int) -> str:
        return (self.made.folder.parent / f"output-{number}.txt").read_text()

    def later(self) -> None:
        self.skew += LATER
        self.made.control.switches(clock_skew=self.skew)

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


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
