"""Commands on previews in processes of their own: many at once, or killed at a chosen write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.bench import Bench
from tests.support.forked import KILLED as KILLED
from tests.support.forked import Forking

LATER = 150.0  # seconds by which the server's clock is put forward each time: nothing can still turn up


class Children:
    """Forked from a process that has imported everything: each runs a real command."""

    def __init__(self, made: Bench) -> None:
        self.made = made
        self.skew = 0.0
        self._forking = Forking("tests.use.preview_dying", made.environ)

    def run(self, *arguments: str, nth: int) -> tuple[int, int]:
        """One that dies at its nth write: the exit code, or the signal; and how many writes it came to."""
        return self.at_once([arguments], nth=nth)[0]

    def at_once(self, commands: Sequence[Sequence[str]], nth: int = 0) -> list[tuple[int, int]]:
        """All of them at once; `output` has what each printed."""
        orders = [
            {
                "arguments": ["-C", str(self.made.folder), *command],
                "nth": nth,
                "folder": str(self.made.folder),
                "output": str(self.made.folder.parent / f"output-{number}.txt"),
            }
            for number, command in enumerate(commands)
        ]
        return [(code, writes) for code, writes in self._forking.ask(orders)]

    def output(self, number: int) -> str:
        return (self.made.folder.parent / f"output-{number}.txt").read_text()

    def later(self) -> None:
        self.skew += LATER
        self.made.control.switches(clock_skew=self.skew)

    def close(self) -> None:
        self._forking.close()


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
