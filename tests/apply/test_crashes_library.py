"""SIGKILL at every place of every change to the kinds around agents: files, knowledge bases, dictionaries, tests.

What is special about them: a create in two steps, requests beside the object, and collections by provider.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.apply.dying import PLACES
from tests.apply.library import COLLECTIONS, is_ours, library
from tests.apply.test_crashes import KILLED, LATER, Mortal
from tests.support.bench import Bench, bench

PHASES = {"create": 18, "update": 9, "destroy": 16}  # at least so many changes each
# Creates are what is new about these kinds; of the other phases every second point is taken, the odd ones in one
# place and the even ones in the next.
STEP = {"create": 1, "update": 2, "destroy": 2}
CASES = [
    *(("create", place) for place in PLACES),
    *(("update", place) for place in (*PLACES, "within the state")),
    *(("destroy", place) for place in ("before the intent", "before the answer", "before the record")),
]


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    with bench(tmp_path_factory.mktemp("mortal")) as made:
        running = Mortal(made)
        yield running
        running.close()


def begin(made: Bench, phase: str) -> tuple[str, ...]:
    made.control.reset()
    for name in ("agents", ".voiceops"):
        shutil.rmtree(made.folder / name, ignore_errors=True)
    library(made)
    if phase != "create":
        made.apply("-q")
    if phase == "update":
        made.write("agents/menu.md", "# Menu\n\nGnocchi 15\n")
        made.edit("agents/files.yaml", "files: [menu, wines]", "files: [menu]")
        made.edit("agents/files.yaml", "name: Our wines", "name: The wines")
        made.edit("agents/voices.yaml", "alias: Bone", "alias: Bohn")
        made.edit("agents/voices.yaml", "provider: cartesia\n  items", "provider: cartesia\n  name: Dishes\n  items")
        made.edit("agents/judged.yaml", "You are hungry.", "You are starving.")
        made.edit("agents/judged.yaml", "simulationIds: [hungry-couple, calm-couple]", "simulationIds: [calm-couple]")
    return ("destroy" if phase == "destroy" else "apply", "--auto-approve", "--force")


def check_whole(made: Bench, phase: str) -> None:
    """What is live is what the manifests ask for, each thing once, and the state knows all of it."""
    found = [o for path in COLLECTIONS for o in made.control.objects(path) if is_ours(o)]
    live = {o["id"] for o in found}
    attached = made.control.objects("sandbox:knowledge-base-file")
    if phase == "destroy":
        assert (found, attached) == ([], [])
        return
    expected = {entry["id"] for entry in made.state()["resources"].values()}
    assert live == expected, f"orphans {live - expected}, missing {expected - live}"
    names = ["menu"] if phase == "update" else ["menu", "wines"]
    assert sorted(row["fileId"] for row in attached) == sorted(made.id_of(f"File/{name}") for name in names)
    assert made.changes() == {}


@pytest.mark.parametrize(("phase", "place"), CASES)
def test_a_killed_apply_is_completed_by_the_next_one(
    mortal: Mortal, phase: str, place: str, record_property: Callable[[str, object], None]
) -> None:
    made = mortal.made
    dice = random.Random(f"{phase} {place}")
    step = STEP[phase] if place in PLACES else 1
    nth = 1 - step + [*PLACES, place].index(place) % step
    while True:
        nth += step
        command = begin(made, phase)
        ended = mortal.run(*command, place=place, nth=nth)
        if ended != KILLED:
            break
        made.control.switches(clock_skew=LATER)
        if dice.random() < 0.25:
            # Killed again while it recovers.
            mortal.run(*command, place=dice.choice(PLACES), nth=dice.choice((1, 1, 2, 3)))
            made.control.switches(clock_skew=2 * LATER)
        made.run(*command)
        check_whole(made, phase)
    assert ended == 0, (made.folder / "output.txt").read_text()
    check_whole(made, phase)
    assert nth > (PHASES[phase] if place in PLACES else 1)
    record_property("crash-points", f"{phase}, {place}: {nth // step} points")
