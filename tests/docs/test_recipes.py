"""docs/recipes.md: every file in it is written and every command run, in the order in which they stand there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.state.backends import s3_bucket
from tests.support.bench import Bench, bench
from tests.support.recipe import BLOCK, page, recipe
from tests.support.recipe import follow as follow_text

PAGE = page("recipes.md")


def follow(made: Bench, heading: str, environ: dict[str, str], look: Callable[[str], None]) -> int:
    """Do what the recipe says, from an empty folder; `look` is called with each line that has run."""
    made.remove("voiceops.yaml")
    return follow_text(made, recipe(PAGE, heading), environ, lambda line, _: look(line))


def agents(made: Bench) -> dict[str, dict[str, object]]:
    return {agent["name"]: agent for agent in made.control.objects("/assistant")}


def test_every_block_of_the_page_belongs_to_a_recipe() -> None:
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert headings == ["Solo", "Agency", "Enterprise"]
    assert sum(len(BLOCK.findall(recipe(PAGE, heading))) for heading in headings) == len(BLOCK.findall(PAGE))


def test_solo(tmp_path: Path) -> None:
    with bench(tmp_path / "bakery", numbers=()) as made:
        seen: list[int] = []
        live: list[bool] = []

        def look(line: str) -> None:
            live.append("-e live" in line)
            assert any(live) or not made.control.requests(), f"{line}: dev needs no account"
            seen.append(len(made.control.objects("/phone-number")))

        assert follow(made, "Solo", {}, look) == 11
        assert seen[-1] == 1
        assert "seven to three" in str(agents(made)["desk"]["model"])
        assert {request["vendor"] for request in made.control.requests()} == {"vapi"}, "one key is enough"


def test_agency(tmp_path: Path) -> None:
    numbers = ("+14155550100", "+14155550101", "+14155550102")
    with bench(tmp_path / "desks", numbers=numbers) as made:
        names: dict[str, list[str]] = {}

        def look(line: str) -> None:
            names[line] = sorted(agents(made))

        follow(made, "Agency", {}, look)

        def after(text: str) -> list[str]:
            return next(found for line, found in names.items() if text in line)

        assert after("Acme goes first") == ["front-desk-acme"]
        assert after("all clients") == after("Acme's new name") == ["front-desk-acme", "front-desk-birch"]
        assert after("welcome, Cedar") == ["front-desk-acme", "front-desk-birch", "front-desk-cedar"]
        found = agents(made)
        assert sorted(found) == ["front-desk-acme", "front-desk-birch", "front-desk-cedar"]
        models = {name: agent["model"]["model"] for name, agent in found.items()}  # type: ignore[index]
        assert models == {
            "front-desk-acme": "gpt-4.1",
            "front-desk-birch": "gpt-4.1-mini",
            "front-desk-cedar": "gpt-4.1-mini",
        }
        assert found["front-desk-acme"]["firstMessage"] == "Acme Plumbing and Heating, how can I help you?"
        lines = {phone["number"]: phone["assistantId"] for phone in made.control.objects("/phone-number")}
        owners = ("front-desk-acme", "front-desk-birch", "front-desk-cedar")
        assert lines == {number: found[name]["id"] for number, name in zip(numbers, owners, strict=True)}
        assert made.control.number("+14155550100")["friendly_name"] == "Acme Plumbing and Heating"


@pytest.fixture
def bucket() -> dict[str, str]:
    """The bucket of the recipe, on an S3 of this machine; what the AWS tools would read."""
    return s3_bucket("fern-voice")


def test_enterprise(tmp_path: Path, bucket: dict[str, str]) -> None:
    with bench(tmp_path / "support") as made:
        greeted: list[tuple[str, list[str]]] = []

        def look(line: str) -> None:
            greeted.append((line, sorted(agents(made))))

        follow(made, "Enterprise", bucket, look)
        refused = next(found for line, found in greeted if "prod is protected" in line)
        assert refused == ["support (staging)"], "nothing of prod before it was confirmed"
        found = agents(made)
        assert sorted(found) == ["support", "support (staging)"]
        assert "gpt-4.1'" in str(found["support"]["model"])
        for agent in found.values():
            assert "nine to seven" in str(agent["model"])
            assert agent["maxDurationSeconds"] == 600, "the rule held"
        assert not (made.folder / ".voiceops/state/prod").exists(), "the state is in the bucket"
        workflow = yaml.safe_load((made.folder / ".github/workflows/voiceops.yml").read_text())
        for job in ("plan", "apply", "drift"):
            assert workflow["jobs"][job]["strategy"]["matrix"]["environment"] == ["staging", "prod"]
