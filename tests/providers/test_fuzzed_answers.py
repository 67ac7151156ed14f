"""Both vendors' answers made odd, through plan, apply and the rest: no traceback, no hang, nothing made twice.

VOICEOPS_FUZZ=5000 tries as many.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, bench
from tests.support.mutations import mutated, seeds
from voiceops.sandbox.client import SandboxClient

SECONDS = 60
LISTS = {
    "^/assistant$": "/assistant",
    "^/tool$": "/tool",
    "^/phone-number$": "/phone-number",
    "^/credential$": "/credential",
}
FOREIGN = [
    {"name": "stranger", "firstMessage": "Hi", "model": {"provider": "openai", "model": "gpt-4o", "messages": []}},
    {"name": "desk", "voice": {"provider": "11labs", "voiceId": "x"}},
]
COMMANDS = [
    ["plan"],
    ["plan", "--format", "json"],
    ["plan", "--format", "markdown"],
    ["plan", "--format", "html"],
    ["drift"],
    ["drift", "--format", "json"],
    ["status"],
    ["doctor"],
    ["plan", "--destroy"],
    ["diff", "1"],
]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """An account with ours and a stranger's in it; the next edit is waiting to be applied."""
    with bench(tmp_path_factory.mktemp("lived")) as made:
        made.write(
            "voiceops.yaml",
            "version: 1\nproject: shop\nenvironments: [live]\nruntime: {url: http://127.0.0.1:9}\n"
            "defaults: {Agent: {server: runtime}}\n",
        )
        made.write("agents/a.yaml", AGENT + "---\n" + TOOL + "---\n" + LINE)
        made.apply()
        for body in FOREIGN:
            made.control.create("/assistant", body)
        made.edit("agents/a.yaml", "Hello", "Good day")
        yield made


def numbers(control: SandboxClient) -> dict[str, Any]:
    return {"incoming_phone_numbers": control.numbers(), "next_page_uri": None, "page": 0}


def answers(made: Bench, random: Random) -> tuple[str, Any]:
    """One of the lists, as it is now: where it is asked for, and what it says."""
    place = random.choice([*LISTS, "IncomingPhoneNumbers"])
    if place == "IncomingPhoneNumbers":
        return place, numbers(made.control)
    return place, made.control.objects(LISTS[place])


def run(made: Bench, *arguments: str) -> None:
    started = time.monotonic()
    ran = made.run(*arguments, code=None)
    assert time.monotonic() - started < SECONDS, arguments
    assert ran.code in (0, 1, 2, 3, 5), ran
    if ran.code in (1, 3):
        assert "error" in ran.err or "✗" in ran.out, (arguments, ran)


@pytest.mark.parametrize("seed", seeds(60))
def test_lists_of_any_shape(lived: Bench, seed: int) -> None:
    random = Random(f"lists {seed}")
    place, data = answers(lived, random)
    odd = mutated(data, random)
    lived.control.fault("text", when="before", method="GET", path=place, status=200, answer=json.dumps(odd))
    try:
        run(lived, *random.choice(COMMANDS))
    finally:
        lived.control.clear_faults()


@pytest.fixture
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("small")) as made:
        made.write("agents/a.yaml", AGENT + "---\n" + TOOL + "---\n" + LINE)
        yield made


@pytest.mark.parametrize("seed", seeds(16))
def test_writes_that_are_answered_oddly(small: Bench, seed: int) -> None:
    """Whatever the answer was, the next apply finds what there is, and nothing is made twice."""
    random = Random(f"writes {seed}")
    answer = {"id": "00000000-0000-4000-8000-00000000abcd", "createdAt": "x", "name": "desk", "number": "+1"}
    answer |= {"sid": "PN" + "1" * 32, "phone_number": "+14155550100"}
    place = random.choice(["^/assistant", "^/tool", "^/phone-number", "IncomingPhoneNumbers"])
    small.control.fault(
        "text",
        when="after",
        method="POST|PATCH|DELETE",
        path=place,
        status=200,
        answer=json.dumps(mutated(answer, random)),
        times=2,
    )
    run(small, "apply", "--auto-approve")
    small.control.clear_faults()
    run(small, "apply", "--auto-approve", "--lock-timeout", "5")

    assert len(small.control.objects("/tool")) <= 1
    assert len(small.control.objects("/phone-number")) <= 1
