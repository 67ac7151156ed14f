"""`watch`: the calls since an apply against as many before it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.bench import Bench, bench
from voiceops import use

AGENT = """kind: Agent
name: desk
spec: {firstMessage: Hello, model: {provider: openai, model: gpt-4.1-mini}, voice: {provider: vapi, voiceId: Elliot}}
"""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        made.write("agents/desk.yaml", AGENT)
        made.apply()
        made.edit("agents/desk.yaml", "Hello", "Good day")
        made.apply()
        yield made


def calls(made: Bench, n: int, good: float, seconds: float) -> None:
    """So many calls around so many seconds from now, of which this share was judged to be good."""
    agent = made.id_of("Agent/desk")
    for number in range(n):
        at = time.time() + seconds + number * 0.001
        made.control.create(
            "/call",
            {
                "type": "webCall",
                "status": "ended",
                "assistantId": agent,
                "createdAt": iso(at),
                "startedAt": iso(at),
                "endedAt": iso(at + 60),
                "endedReason": "customer-ended-call",
                "analysis": {"successEvaluation": "true" if number % 100 < good * 100 else "false"},
            },
        )


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_nothing_is_said_of_few_calls(made: Bench) -> None:
    calls(made, 10, 0.0, 30)
    ran = made.run("watch", "--for", "1s")
    assert ran.out == "Revision 2: 10 calls since; from 30 on they are compared.\n"


def test_calls_without_any_before_are_not_compared(made: Bench) -> None:
    calls(made, 60, 0.2, 30)
    assert "0 calls before it to compare with" in made.run("watch", "--for", "1s").out


def test_calls_that_are_as_before_end_well(made: Bench) -> None:
    calls(made, 200, 0.9, -3600)
    calls(made, 130, 0.9, 30)
    ran = made.run("watch", "--for", "2s", "--interval", "1s", "--format", "json")
    assert {line["worse"] == [] and line["look"] for line in ran.lines} == {4}
    assert ran.lines[-1]["calls"] == 130


def test_worse_calls_end_with_2_and_are_rolled_back(made: Bench) -> None:
    calls(made, 200, 0.9, -3600)
    calls(made, 130, 0.5, 30)
    ran = made.run("watch", "--for", "60s", code=2)
    assert "✗ worse beyond chance" in ran.out
    assert "voiceops rollback" in ran.err
    assert made.live("Agent/desk")["firstMessage"] == "Good day"
    made.run("watch", "--for", "60s", "--rollback", "--auto-approve", code=2)
    assert made.live("Agent/desk")["firstMessage"] == "Hello"
    calls(made, 3, 0.9, 60)
    made.run("calls", "sync", "--since", "7d")
    newest = made.run("calls", "--limit", "3", "--format", "json").data
    assert [call["revision"] for call in newest] == [1] * 3  # the manifests of revision 1 are in force again
    assert "rolled back in revision 3" in made.run("apply", "--auto-approve", code=5).err


async def test_an_apply_while_it_watches_is_noticed(made: Bench) -> None:
    calls(made, 1, 0.9, -60)
    looks = use.watch(
        use.load(made.folder, "live", use.ProcessContext(environ=made.environ)), seconds=60, interval=0.05
    )
    await anext(looks)
    made.edit("agents/desk.yaml", "Good day", "Good evening")
    await asyncio.to_thread(made.process, "apply", "--auto-approve")
    calls(made, 1, 0.9, 30)
    await anext(looks)
    await looks.aclose()
    newest = (await asyncio.to_thread(made.process, "calls", "--limit", "1", "--format", "json")).data
    assert [call["revision"] for call in newest] == [3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--after", "99"), "there is no revision 99"),
        (("--for", "soon"), "is no length of time"),
        (("--rollback",), "--auto-approve"),
    ],
)
def test_bad_input_is_one_error(made: Bench, arguments: tuple[str, ...], said: str) -> None:
    assert said in made.run("watch", *arguments, code=1).err
