"""The example's tests: one word of a prompt stops them, and with the word from before they pass again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.bench import REPOSITORY, bench, shop

PROMPT = "agents/prompts/front-desk.md"
SATURDAY, FRIDAY = "Monday to Saturday", "Monday to Friday"
HOURS, ORDER = "front-desk / opening-hours", "front-desk / order"


def test_one_word_of_the_prompt_decides(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        shop(made)
        (made.folder / "tests").mkdir()
        for script in (REPOSITORY / "tests").glob("*.yaml"):
            shutil.copy(script, made.folder / "tests")
        made.apply()
        told = made.run("test").out
        assert all(name in told for name in (HOURS, ORDER, "looks-orders-up", "unclear-details"))
        assert made.control.runs()["ended"] == {"passed": 3}
        made.edit(PROMPT, SATURDAY, FRIDAY)
        made.apply()
        told = made.run("test", HOURS, code=1).out
        assert 'the assistant never said "Monday to Saturday"' in " ".join(told.split())
        assert "agents/front-desk.yaml:2" in told
        assert "main-line" in told
        made.run("test", ORDER)
        made.edit(PROMPT, FRIDAY, SATURDAY)
        made.apply()
        made.run("test", HOURS)
        assert made.control.runs()["ended"] == {"passed": 5, "failed": 1}


@pytest.mark.parametrize("slow", ["eval", "simulation"])
def test_one_sort_of_tests_does_not_end_the_other(tmp_path: Path, slow: str) -> None:
    with bench(tmp_path) as made:
        shop(made)
        made.apply()
        made.control.outcome(what=slow, seconds=1.2)
        made.run("test")
        assert made.control.runs()["ended"] == {"passed": 3}


def test_what_ended_before_the_others_hung_counts(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        shop(made)
        made.edit("voiceops.yaml", "version: 1\n", "version: 1\ntests: {timeoutSeconds: 1}\n")
        made.apply()
        made.control.outcome("hang", name="opening")
        told = made.run("-q", "test", "--kind", "suite", code=3).out
        assert f"{HOURS}: not run\n    it took longer than 1 s" in told
        assert f"✓ {ORDER}" in told
        assert made.control.runs()["ended"] == {"passed": 1, "canceled": 1}


def test_a_preview_stops_the_word_before_anybody_hears_it(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        shop(made)
        (made.folder / "tests").mkdir()
        shutil.copy(REPOSITORY / "tests/unclear-details.yaml", made.folder / "tests")
        made.edit("voiceops.yaml", "version: 1\n", "version: 1\npreviews: {from: live}\n")
        made.apply()
        made.edit(PROMPT, SATURDAY, FRIDAY)
        made.run("preview", "up", "pr-7")
        made.run("-e", "preview-pr-7", "test", HOURS, code=1)
        made.run("-e", "preview-pr-7", "test", ORDER, "looks-orders-up", "unclear-details")
        made.run("test", HOURS)
        made.run("preview", "down", "pr-7")
