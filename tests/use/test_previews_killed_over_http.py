"""SIGKILL at writes of `preview up` and `down` whose state is over HTTP, where a dead holder's lock is never free by
itself, beside another preview: unlocked and swept, the account is as it was before, and the other one is whole.

By default every so many writes are taken, by another beginning each way; VOICEOPS_EVERY_WRITE=1 takes all of them.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.state.backends import key_of, terraform_server
from tests.support.bench import Bench, bench, shop
from tests.use.preview_children import KILLED, Children, account

STEP = 1 if os.environ.get("VOICEOPS_EVERY_WRITE") else 41
NUMBERS = ("+14155550191", "+14155550192")


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Children]:
    with bench(tmp_path / "shop") as made:
        shop(made)
        text = (made.folder / "voiceops.yaml").read_text()
        state = terraform_server().url(f"{key_of(made.folder)}-{{environment}}")
        made.write(
            "voiceops.yaml", f'{text}\nstate: "{state}"\npreviews: {{lines: ["{NUMBERS[0]}", "{NUMBERS[1]}"]}}\n'
        )
        made.apply("-q")
        for number in NUMBERS:
            made.control.create("/phone-number", {"provider": "vapi", "number": number})
        made.run("preview", "up", "other", "--line", "main-line", "-q")
        running = Children(made)
        yield running
        running.close()


def unlocked(made: Bench) -> list[str]:
    """What a dead command left locked; it is not any more."""
    mine, states = f"{key_of(made.folder)}-", terraform_server().states
    locks = {name.removeprefix(mine): kept.lock for name, kept in states.items() if name.startswith(mine)}
    found = [(name, lock["ID"]) for name, lock in locks.items() if lock is not None]
    for environment, id_ in found:
        made.run("-e", environment, "state", "unlock", id_)
    return [environment for environment, _ in found]


@pytest.mark.parametrize("phase", ["up", "down"])
def test_killed_unlocked_and_swept(
    mortal: Children, phase: str, record_property: Callable[[str, object], None]
) -> None:
    made = mortal.made
    up, down = ("preview", "up", "pr-7", "--line", "main-line", "-q"), ("preview", "down", "pr-7", "-q")
    before = account(made)
    nth, points, locks = random.Random(phase).randrange(STEP) + 1, 0, set[str]()
    while True:
        if phase == "down":
            made.run(*up)
        code, writes = mortal.run(*(up if phase == "up" else down), nth=nth)
        if code != KILLED:
            break
        points += 1
        mortal.later()
        locks |= set(unlocked(made))
        made.run(*down)
        assert account(made) == before, f"killed in {phase} at write {nth}"
        assert made.changes("-e", "preview-other") == {}
        nth += STEP
    assert (code, unlocked(made)) == (0, [])
    assert "preview-pr-7" in locks
    made.run(*down)
    assert account(made) == before
    record_property(
        "figure", f"killed in preview {phase} over HTTP: {points} of {writes} writes, all unlocked and swept"
    )


def test_the_list_is_locked_by_a_dead_command(mortal: Children) -> None:
    made = mortal.made
    assert mortal.run("preview", "up", "pr-7", "-q", nth=1)[0] == KILLED
    ran = made.run("preview", "sweep", "--all", "--lock-timeout", "0", code=4)
    assert "the list of previews is locked: " in ran.err
    assert "`voiceops -e _previews state unlock ID`" in ran.err
    assert unlocked(made) == ["_previews"]
    assert [one["name"] for one in made.run("preview", "sweep", "--all", "--format", "json").data] == ["other"]
