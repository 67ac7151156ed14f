"""SIGKILL at every place of every change, and again during the recovery: no duplicate, no orphan, nothing missing."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.apply.dying import PLACES, STATE_PLACES
from tests.support.bench import Bench, bench, shop
from tests.support.forked import KILLED, Forking

LATER = 75.0  # seconds by which the server's clock is put forward, so that nothing can still turn up
BOUGHT = "+14155550177"


class Mortal:
    """Runs commands that die where they are told to."""

    def __init__(self, made: Bench) -> None:
        self.made = made
        self._forking = Forking("tests.apply.dying", made.environ)

    def run(self, *arguments: str, place: str, nth: int) -> int:
        order = {
            "arguments": ["-C", str(self.made.folder), *arguments],
            "place": place,
            "nth": nth,
            "output": str(self.made.folder / "output.txt"),
        }
        return int(self._forking.ask(order))

    def close(self) -> None:
        self._forking.close()


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    with bench(tmp_path_factory.mktemp("mortal")) as made:
        running = Mortal(made)
        yield running
        running.close()


def lay_out(made: Bench) -> None:
    """The example shop, with a purchased line; nothing live, nothing applied."""
    made.control.reset()
    for name in ("agents", ".voiceops"):
        shutil.rmtree(made.folder / name, ignore_errors=True)
    shop(made)
    made.remove("agents/checks.yaml")  # what tests are made of: test_crashes_library.py
    for name in ("agents/front-desk.yaml", "agents/lines.yaml"):
        made.edit(name, "preventDestroy: true", "preventDestroy: false")
    made.write(
        "agents/bought.yaml",
        f"kind: Phone\nname: bought\nspec: {{number: {BOUGHT}, provider: twilio, agent: reminders, purchase: true}}\n"
        "---\nkind: Tool\nname: keypad-a\nspec: {type: dtmf}\n---\nkind: Tool\nname: keypad-b\nspec: {type: dtmf}\n"
        "---\nkind: Phone\nname: free\nspec: {provider: vapi, agent: reminders}\n",
    )


def change_everything(made: Bench) -> None:
    """Updates, a replacement with its users, a line that changes its owner, one thing gone, one new."""
    made.edit("agents/prompts/front-desk.md", "nine to six", "ten to six")
    made.edit("agents/outputs.yaml", "resolved: {type: boolean}", "resolved: {type: string}")
    made.edit("agents/lines.yaml", "answer: runtime", "answer: vapi")
    made.edit("agents/lines.yaml", "friendlyName: Main line", "friendlyName: The main line")
    made.edit("agents/bought.yaml", "name: keypad-a\nspec: {type: dtmf}", "name: keypad-a\nspec: {type: endCall}")
    made.edit("agents/tools.yaml", "name: capture-email", "name: capture-mail")
    made.edit("agents/front-desk.yaml", "capture-email, to-returns", "capture-mail, keypad-a, to-returns")
    made.edit("agents/front-desk.yaml", "capture-email, to-front", "capture-mail, to-front")


PHASES = {"create": 20, "update": 10, "destroy": 19}  # at least so many changes each


def begin(made: Bench, phase: str) -> tuple[str, ...]:
    lay_out(made)
    if phase != "create":
        made.apply("-q")
    if phase == "update":
        change_everything(made)
    return ("destroy" if phase == "destroy" else "apply", "--auto-approve", "--force")


def check_whole(made: Bench, phase: str) -> None:
    """What is live is what the manifests ask for, each thing once, and the state knows all of it."""
    held = {} if phase == "destroy" else made.state()["resources"]
    expected = {entry["id"] for entry in held.values() if entry["type"] != "twilio_phone_number"}
    found = [
        o
        for collection in ("assistant", "tool", "squad", "phone-number", "structured-output", "credential")
        for o in made.control.objects(f"/{collection}")
    ]
    live = {o["id"] for o in found}
    if phase == "destroy":
        # Vapi's own number is unbound and stays.
        found = [o for o in found if o.get("provider") != "vapi" or o.get("assistantId")]
        assert found == []
    else:
        assert live == expected, f"orphans {live - expected}, missing {expected - live}"
        assert made.changes() == {}
    assert made.control.counts()["purchases"] <= 1


@pytest.mark.parametrize("place", [*PLACES, *STATE_PLACES])
@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_apply_is_completed_by_the_next_one(
    mortal: Mortal, phase: str, place: str, record_property: Callable[[str, object], None]
) -> None:
    made = mortal.made
    dice = random.Random(f"{phase} {place}")
    nth, again = 0, 0
    while True:
        nth += 1
        command = begin(made, phase)
        ended = mortal.run(*command, place=place, nth=nth)
        if ended != KILLED:
            break
        if dice.random() < 0.34:
            # Killed again while it recovers; where it gets through, so much the better.
            again += 1
            mortal.run(*command, place=dice.choice((*PLACES, *STATE_PLACES)), nth=dice.choice((1, 1, 2, 3)))
        made.control.switches(clock_skew=LATER)
        made.run(*command)
        check_whole(made, phase)
    assert ended == 0, (made.folder / "output.txt").read_text()
    check_whole(made, phase)
    if place in PLACES:
        assert nth - 1 >= PHASES[phase]
    else:
        assert nth - 1 >= 1
    record_property("figure", f"killed {place} in {phase}: {nth - 1} points, {again} of them twice, all completed")
