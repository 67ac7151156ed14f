"""SIGKILL at every write of `preview up` and of `preview down`; then a `sweep`: the account is as it was before.

By default every so many writes are taken, by another beginning each way; VOICEOPS_EVERY_WRITE=1 takes all of them.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.support.bench import bench, shop
from tests.support.waiting import wait_until
from tests.use.preview_children import KILLED, Children, account

STEP = 1 if os.environ.get("VOICEOPS_EVERY_WRITE") else 53
KEYPAD = "kind: Tool\nname: keypad\nspec: {type: dtmf}\n"
NUMBER = "+14155550191"


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    """The example shop, applied, with one number in the pool that is bound to somebody's agent."""
    with bench(tmp_path_factory.mktemp("mortal") / "shop") as made:
        shop(made)
        made.write("agents/keypad.yaml", KEYPAD)
        text = (made.folder / "voiceops.yaml").read_text()
        made.write("voiceops.yaml", f'{text}\npreviews: {{lines: ["{NUMBER}"]}}\n')
        made.apply("-q")
        agent = made.control.create("/assistant", {"name": "Out of hours"})
        made.control.create("/phone-number", {"provider": "vapi", "number": NUMBER, "assistantId": agent["id"]})
        running = Children(made)
        yield running
        running.close()


UP = ("preview", "up", "pr-7", "--line", "main-line", "-q")
DOWN = ("preview", "down", "pr-7", "-q")


@pytest.mark.parametrize("phase", ["up", "up again", "down"])
def test_killed_and_swept(mortal: Children, phase: str, record_property: Callable[[str, object], None]) -> None:
    made = mortal.made
    made.write("agents/keypad.yaml", KEYPAD)
    before = account(made)
    dice = random.Random(phase)
    command = DOWN if phase == "down" else UP
    nth, points, again, renewed, writes = dice.randrange(STEP) + 1, 0, 0, 0, 0
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
        if dice.random() < 0.3:  # or brought up again first
            renewed += 1
            made.run(*UP)
            assert made.changes("-e", "preview-pr-7") == {}, f"killed in {phase} at write {nth}"
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


@pytest.mark.parametrize("then", ["down", "up"] if STEP == 1 else ["up"])
def test_what_looks_the_same_in_another_preview_is_not_taken(mortal: Children, then: str) -> None:
    """One dies after its tools were made, and before it knows of any; then another makes just the same ones."""
    made = mortal.made
    made.write("agents/keypad.yaml", "---\n".join(KEYPAD.replace("keypad", f"keypad-{n}") for n in range(6)))
    made.apply("-q", "--force")
    before = account(made)
    tools = len(made.control.objects("/tool"))
    rule = made.control.fault("pause", when="after", method="POST", path="^/tool$")
    running = subprocess.Popen([sys.executable, "-m", "voiceops", "-C", str(made.folder), *UP], env=made.environ)
    made.control.wait_for_pause(rule)
    wait_until(lambda: len(made.control.objects("/tool")) >= tools + 6)
    running.kill()
    running.wait()
    made.control.release()
    made.control.clear_faults()
    mortal.later()
    made.run("preview", "up", "other", "-q")
    mortal.later()
    if then == "up":
        made.run(*UP)
        assert made.changes("-e", "preview-pr-7") == {}
    made.run(*DOWN)
    assert made.changes("-e", "preview-other") == {}
    made.run("preview", "down", "other", "-q")
    assert account(made) == before
    made.write("agents/keypad.yaml", KEYPAD)
    made.apply("-q", "--force")
