"""Models that Vapi retires: what is proposed, what is written, and what is left, against a sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bench import Bench, bench

DATES = {"deprecationDate": "2026-01-01", "retirementDate": "2099-06-01"}
MINI = {"provider": "openai", "model": "gpt-4.1-mini", **DATES, "replacementModel": "gpt-4.1"}
NOVA = {"provider": "deepgram", "model": "nova-2", **DATES}
DESK = """\
kind: Agent
name: desk
spec:
  firstMessage: Hello
  model: {provider: openai, model: gpt-4.1-mini, fallbackModels: [gpt-4.1-mini]} # quick
  transcriber: {provider: deepgram, model: nova-2}
"""
PARTS = """\
kind: Model
name: fast
spec: {provider: openai, model: "gpt-4.1-mini"}
---
kind: Agent
name: one
spec: {model: fast}
---
kind: Agent
name: two
spec: {model: fast}
"""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "shop") as made:
        made.write("agents/desk.yaml", DESK)
        made.apply()
        yield made


def models(live: Bench, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = live.run("upgrade", "--models", "--format", "json", *more).data["models"]
    return found


def test_what_is_proposed(live: Bench) -> None:
    live.control.deprecations(MINI, NOVA)
    live.control.create("/assistant", {"name": "Old", "model": {"provider": "openai", "model": "gpt-4.1-mini"}})
    found = {(one["address"] or one["name"], one["slot"]): one for one in models(live)}
    assert set(found) == {
        ("Agent/desk", "model"),
        ("Agent/desk", "model.fallbackModels[0]"),
        ("Agent/desk", "transcriber"),
        ("Old", "model"),
    }
    first = found["Agent/desk", "model"]
    assert (first["file"], first["line"], first["replacementModel"]) == ("agents/desk.yaml", 5, "gpt-4.1")
    assert first["before"]["turnLatencyMs"] < first["after"]["turnLatencyMs"]
    assert first["before"]["costPerMinute"] < first["after"]["costPerMinute"]
    assert found["Agent/desk", "transcriber"]["replacementStatus"] == "manual-action-required"
    assert found["Old", "model"]["file"] is None
    text = live.run("upgrade", "--models").out
    assert "agents/desk.yaml:5: Agent/desk: gpt-4.1-mini (openai, model) is retired on 2099-06-01" in text
    assert "Vapi recommends: gpt-4.1\n    next answer " in text
    assert "Vapi names no replacement (manual-action-required): choose another model." in text


def test_written(live: Bench) -> None:
    live.control.deprecations(MINI, NOVA)
    found = models(live, "--write")
    assert [(one["slot"], one["written"]) for one in found] == [
        ("model", True),
        ("transcriber", False),
        ("model.fallbackModels[0]", True),
    ]
    assert found[1]["reason"] == "Vapi names no replacement: choose a model"
    assert (live.folder / "agents/desk.yaml").read_text() == DESK.replace("gpt-4.1-mini", "gpt-4.1")
    assert live.changes() == {"Agent/desk": ["update"]}
    live.apply()
    assert [one["slot"] for one in models(live)] == ["transcriber"]


def test_a_part_that_two_agents_have(live: Bench) -> None:
    live.write("agents/parts.yaml", PARTS)
    live.apply()
    live.control.deprecations(MINI)
    live.run("upgrade", "--models", "--write")
    assert (live.folder / "agents/parts.yaml").read_text() == PARTS.replace("gpt-4.1-mini", "gpt-4.1")


def test_a_manifest_that_says_something_else_is_left(live: Bench) -> None:
    live.control.deprecations(MINI)
    live.edit(
        "agents/desk.yaml", "model: gpt-4.1-mini, fallbackModels: [gpt-4.1-mini]", 'model: "${env:MODEL:-gpt-4.1-mini}"'
    )
    (first, second) = models(live, "--write")
    assert "the manifest says '${env:MODEL:-gpt-4.1-mini}' there" in first["reason"]
    assert second["reason"] == "no line of the manifests sets the model by itself"


def test_nothing_retires(live: Bench) -> None:
    assert live.run("upgrade", "--models", "--detailed-exitcode").out == "No model is going to be retired.\n"
    assert "takes no FILE" in live.run("upgrade", "--models", "agents/desk.yaml", code=None).err
    live.control.deprecations(MINI)
    assert live.run("upgrade", "--models", "--detailed-exitcode", code=2).out


def test_one_list_a_kind(live: Bench) -> None:
    before = len(live.control.requests())
    live.run("upgrade", "--models")
    paths = [r["path"].partition("?")[0] for r in live.control.requests()[before:]]
    assert sorted(paths) == ["/assistant", "/squad"]
