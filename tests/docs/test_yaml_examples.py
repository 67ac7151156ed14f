"""The YAML of README.md and docs/: manifests, voiceops.yaml, rules and scripts, in the project that they are about."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.runtime.runtime_bench import served
from tests.support.bench import Bench, shop
from tests.support.pages import Block, blocks, blocks_of, pages
from voiceops.kinds.registry import ALL
from voiceops.kinds.schema import type_of
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import load_project

# What an example takes for granted.
BESIDE = {
    "agents/greeting.txt": "Good day, this is Fern and Field.",
    "agents/warm.yaml": "kind: Voice\nname: warm\nspec: {provider: 11labs, voiceId: sarah}\n",
}
BASE = {"version": 1, "project": "garden-shop", "environments": ["dev"]}


def kind_of(block: Block) -> str:
    """What a block is, by its first document: nothing that we don't know may stand there."""
    first = next(iter(yaml.safe_load_all(block.text)))
    if isinstance(first, dict):
        if first.get("kind") in ALL:
            return "manifest"
        if first.keys() <= type_of("Project", "project")["fields"].keys():
            return "project"
        if {"id", "message"} <= first.keys():
            return "policy"
        if "steps" in first:
            return "script"
        if "repos" in first:
            return "hooks"
    elif all(isinstance(step, dict) and "run" in step for step in first):
        return "steps"
    return "unknown"


# Those of the recipes are files of whole projects, and run as such.
BLOCKS = [b for page in pages() if page.name != "recipes.md" for b in blocks(page) if b.language == "yaml"]


def test_what_each_one_is() -> None:
    assert {kind_of(block) for block in BLOCKS} == {"manifest", "project", "policy", "script", "hooks", "steps"}


@pytest.mark.parametrize("block", [b for b in BLOCKS if kind_of(b) == "manifest"], ids=str)
def test_a_manifest_fits_the_example_project(block: Block, live: Bench) -> None:
    """In the place of the example's manifest of the same name, beside all others."""
    shop(live)
    given = list(yaml.safe_load_all(block.text))
    names = [(document["kind"], document["name"]) for document in given]
    for path in sorted((live.folder / "agents").glob("*.yaml")):
        parts = path.read_text(encoding="utf-8").split("\n---\n")
        kept = [text for text in parts if _named(text) not in names]
        path.write_text("\n---\n".join(kept), encoding="utf-8")
    for name, text in BESIDE.items():
        live.write(name, text)
    live.write("agents/example.yaml", block.text)
    live.run("validate")
    if any("external" in document for document in given):
        return  # somebody else's object: it is in no plan
    assert [change["address"] for change in live.plan()["resource_changes"] if change["address"].endswith(names[0][1])]


def _named(text: str) -> tuple[str, str]:
    document = yaml.safe_load(text)
    return document["kind"], document["name"]


@pytest.mark.parametrize("block", [b for b in BLOCKS if kind_of(b) == "project"], ids=str)
def test_lines_of_voiceops_yaml_are_taken(block: Block, tmp_path: Path) -> None:
    given = yaml.safe_load(block.text)
    missing = {key: value for key, value in BASE.items() if key not in given}
    (tmp_path / "voiceops.yaml").write_text((yaml.safe_dump(missing) if missing else "") + block.text, encoding="utf-8")
    problems = Problems()
    load_project(tmp_path, None, {}, problems)
    assert not problems.all


@pytest.mark.parametrize("block", [b for b in BLOCKS if kind_of(b) == "policy"], ids=str)
def test_rules_hold_for_the_example(block: Block, live: Bench) -> None:
    shop(live)
    live.write("policies/rules.yaml", block.text)
    live.run("validate")
    assert not [d for d in live.plan()["diagnostics"] if d["code"] == "policy"]
    live.edit("agents/front-desk.yaml", "gpt-4.1-mini", "gpt-4o-mini")
    found = live.plan()
    assert not found["applyable"]
    assert "Only models that we have tried." in str(found["diagnostics"])


@pytest.mark.parametrize("block", blocks_of("docs/policies.md", "cel"), ids=str)
def test_expressions_are_rules(block: Block, live: Bench) -> None:
    """Each as `require:` of a rule about updates of an agent: can be evaluated, whatever it says."""
    shop(live)
    live.apply()
    rules = [
        {"id": f"rule-{number}", "message": "m", "match": {"kinds": ["Agent"]}, "require": line}
        for number, line in enumerate(block.lines)
    ]
    live.write("policies/rules.yaml", yaml.safe_dump(rules))
    live.edit("agents/front-desk.yaml", "temperature: 0.3", "temperature: 0.4")
    found = [d for d in live.plan()["diagnostics"] if d["code"] == "policy"]
    assert len(rules) == 3
    assert not [d for d in found if "evaluated" in str(d)], found


@pytest.mark.parametrize("block", [b for b in BLOCKS if kind_of(b) == "script"], ids=str)
def test_a_script_is_played(block: Block, live: Bench, tmp_path: Path) -> None:
    """Against the example's runtime, whose handler knows the order."""
    shop(live)
    live.write(
        "agents/handlers/orders.py",
        "def lookup_order(orderNumber: str) -> str:\n"
        "    if orderNumber == '0': raise LookupError\n"
        "    return 'Sent, and there tomorrow.'\n",
    )
    live.apply()
    live.write("call.yaml", block.text)
    with served(live.folder, live.environ) as client:
        played = live.run("simulate", str(live.folder / "call.yaml"), "--url", f"http://127.0.0.1:{client.port}")
    assert "ok: 1 call" in played.out
