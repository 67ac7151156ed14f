"""Measure any command against the sandbox: `python -m benchmarks.compare [OPTIONS] -- COMMAND…`.

The command finds the sandbox by its environment. It runs several times against the same account, so that the second
run shows what a tool does where there is nothing left to do. docs/benchmarks.md says how to read the figures.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from benchmarks.measure import run, sandbox
from voiceops.sandbox.client import SandboxClient
from voiceops.sandbox.numbers import NUMBERS

Objects = dict[str, list[dict[str, Any]]]
ANY_CODE = tuple(range(-64, 256))
OWN = {"id", "sid", "createdAt", "updatedAt", "date_created", "date_updated"}
E164 = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the command, and what the account holds after it."""

    run: int
    exit: int
    seconds: float
    megabytes: float
    requests: int
    writes: int
    executed: int
    objects: int
    duplicates: int


def compare(
    command: Sequence[str], *, repeat: int = 2, latency: float = 0.0, numbers: Sequence[str] = ()
) -> Iterator[Measured]:
    """Run the command so many times against one sandbox. Raises OSError where it can't be started."""
    arguments = ["--switch", f"latency={latency}"]
    for number in numbers:
        arguments += ["--number", number]
    with sandbox(*arguments) as found, SandboxClient(found["VAPI_BASE_URL"] + "/_sandbox") as control:
        there = {_id(body) for bodies in control.dump().values() for body in bodies}
        for count in range(1, repeat + 1):
            control.reset_requests()
            ran = run(list(command), environ(found), codes=ANY_CODE)
            counts = control.counts()
            made = live(control.dump(), there)
            if ran.code:
                print(f"run {count} ended with {ran.code}:\n{ran.output[-2000:]}", file=sys.stderr)
            yield Measured(
                run=count,
                exit=ran.code,
                seconds=round(ran.seconds, 3),
                megabytes=round(ran.megabytes, 1),
                requests=counts["requests"],
                writes=counts["writes"],
                executed=sum(counts[vendor]["executedWrites"] for vendor in ("vapi", "twilio")),
                objects=sum(map(len, made.values())),
                duplicates=duplicates(made),
            )


def environ(found: dict[str, str]) -> dict[str, str]:
    """What points a command at the sandbox, and keeps keys of real accounts from it."""
    return {**found, "VAPI_TOKEN": found["VAPI_API_KEY"], "TWILIO_API_KEY": "", "TWILIO_API_SECRET": ""}


def live(dump: Objects, there: set[str]) -> Objects:
    """The vendors' objects that were not there before the first run; not what the sandbox keeps for itself."""
    made = {
        name: [body for body in bodies if _id(body) not in there]
        for name, bodies in dump.items()
        if name.startswith("/") or name == NUMBERS
    }
    return {name: bodies for name, bodies in made.items() if bodies}


def duplicates(made: Objects) -> int:
    """How many objects are one too many: equal to another of their collection apart from ids and times.

    Ids in bodies count as equal where the objects that they name are: the copy of an agent that uses the copy of a
    tool is a copy. Beginning with all objects of a collection as equal, each round tells apart what differs.
    """
    bodies = [(name, body) for name, of_name in made.items() for body in of_name]
    classes = {_id(body): name for name, body in bodies}
    count = len(set(classes.values()))
    while True:
        texts = {_id(body): f"{name} {_text(body, classes)}" for name, body in bodies}
        numbered = {text: f"#{number}" for number, text in enumerate(sorted(set(texts.values())))}
        classes = {id_: numbered[text] for id_, text in texts.items()}
        if len(numbered) == count:
            return sum(times - 1 for times in Counter(classes.values()).values())
        count = len(numbered)


def _id(body: dict[str, Any]) -> str:
    return str(body.get("id") or body.get("sid") or "")


def _text(body: dict[str, Any], classes: dict[str, str]) -> str:
    """A body without what the vendor gave it, in which ids are replaced by their objects' classes."""

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: replaced(item) for key, item in value.items()}
        if isinstance(value, list):
            return [replaced(item) for item in value]
        return classes.get(value, value) if isinstance(value, str) else value

    return json.dumps({k: replaced(v) for k, v in body.items() if k not in OWN}, sort_keys=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row a run; 0 whatever the command said, 1 where it can't be started."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description="Measure a command.")
    parser.add_argument("--latency", type=_seconds, default=0.0, metavar="S", help="seconds added to every request")
    parser.add_argument("--number", type=_number, action="append", default=[], help="Twilio owns it; repeat")
    parser.add_argument("--repeat", type=_times, default=2, metavar="N", help="how many runs (2)")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="after --: the command and its arguments")
    given = parser.parse_args(arguments)
    names = [field.name for field in fields(Measured)]
    print("  ".join(f"{name:>10}" for name in names))
    try:
        for row in compare(given.command, repeat=given.repeat, latency=given.latency, numbers=given.number):
            print("  ".join(f"{getattr(row, name):>10}" for name in names), flush=True)
    except OSError as error:
        print(f"{given.command[0]} can't be started: {error}", file=sys.stderr)
        return 1
    return 0


def _seconds(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(text)
    return value


def _times(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def _number(text: str) -> str:
    if not E164.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text} is no number in E.164: +14155550100")
    return text


if __name__ == "__main__":
    sys.exit(main())
