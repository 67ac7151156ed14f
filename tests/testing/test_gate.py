"""Tests as a gate: `test` keeps what came of it, `apply --require-tests` asks, `test --changed` runs its part."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bench import Bench, bench
from tests.support.quick import quick

AGENT = """
kind: Agent
name: desk
spec:
  firstMessage: Hello, this is the garden shop.
  model: {provider: openai, model: gpt-4o, systemPrompt: "The shop is open Monday to Saturday.", tools: [lookup]}
---
kind: Tool
name: lookup
spec:
  type: function
  function: {name: lookup, description: Finds parcels., parameters: {type: object, properties: {}}}
  server: {url: "https://tools.example.com/vapi"}
---
kind: Phone
name: main
spec: {number: "+14155550100", provider: twilio, agent: desk}
"""
OTHER = """
kind: Agent
name: night
spec: {model: {provider: openai, model: gpt-4o, systemPrompt: "We are never open: we are closed."}}
"""


def evaluated(name: str, agent: str, words: str) -> str:
    return f"""
kind: Eval
name: {name}
spec:
  agent: {agent}
  type: chat.mockConversation
  messages:
    - {{role: user, content: When are you open?}}
    - {{role: assistant, judgePlan: {{type: regex, content: ".*{words}.*"}}}}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with quick(settle=0.3), bench(tmp_path) as made:
        made.write("agents/desk.yaml", AGENT)
        made.write("agents/night.yaml", OTHER)
        made.write("agents/opens.yaml", evaluated("opens", "desk", "Saturday"))
        made.write("agents/closed.yaml", evaluated("closed", "night", "closed"))
        made.apply()
        yield made


def gate(made: Bench, *arguments: str, code: int | None = 0) -> str:
    ran = made.run("apply", "--auto-approve", "--require-tests", *arguments, code=code)
    return ran.out + ran.err


def test_what_was_never_run_is_not_applied(desk: Bench) -> None:
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    before = desk.live("Agent/desk")
    said = gate(desk, code=5)
    assert "the test opens was never run" in said
    assert "voiceops -e live test opens" in said
    assert "closed" not in said.replace("closed.yaml", "")
    assert desk.live("Agent/desk") == before


def test_a_preview_proves_what_the_environment_then_applies(desk: Bench) -> None:
    desk.edit("agents/desk.yaml", "Monday to Saturday", "Monday to Saturday, nine to six")
    desk.run("preview", "up", "one")
    ran = desk.run("-e", "preview-one", "test", "--changed")
    assert "passed: opens" in ran.err
    assert "passed: closed" not in ran.err
    desk.run("preview", "down", "one")
    gate(desk)
    desk.edit("agents/desk.yaml", "nine to six", "nine to seven")
    assert "was not run on this content" in gate(desk, code=5)
    desk.edit("agents/desk.yaml", "nine to seven", "nine to six")
    desk.edit("agents/desk.yaml", "+14155550100", "+14155550101")  # a number is nothing that a test tells of
    gate(desk)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("agents/desk.yaml", "Finds parcels.", "Finds lost parcels."),
        ("agents/desk.yaml", "Hello", "Hi"),
        ("agents/desk.yaml", "tools.example.com", "other.example.com"),
        ("agents/opens.yaml", "When are you open?", "When do you open?"),
    ],
)
def test_any_part_of_it_counts(desk: Bench, file: str, old: str, new: str) -> None:
    desk.run("test")
    assert "not run, since nothing that they test changed: closed, opens" in desk.run("test", "--changed").err
    desk.edit(file, old, new)
    assert "passed: opens" in desk.run("test", "--changed").err
    assert "passed: closed" not in desk.run("test", "--changed").err
    if not file.endswith("opens.yaml"):
        assert "opens was not run on this content" in gate(desk, code=5)


def test_a_tool_at_the_runtimes_own_address_counts_field_by_field(desk: Bench) -> None:
    desk.write(
        "voiceops.yaml",
        "version: 1\nproject: shop\nenvironments: [live]\nruntime: {url: https://voice.example.com, auth: secret}\n",
    )
    desk.write(
        "agents/stock.yaml",
        "kind: Tool\nname: stock\n"
        "spec: {type: apiRequest, method: GET, url: '${runtime:url}/stock', timeoutSeconds: 5}\n",
    )
    desk.edit("agents/desk.yaml", "tools: [lookup]", "tools: [lookup, stock]")
    desk.run("preview", "up", "one")
    desk.run("-e", "preview-one", "test")
    gate(desk)
    desk.edit("agents/stock.yaml", "timeoutSeconds: 5", "timeoutSeconds: 50")
    assert "opens was not run on this content" in gate(desk, code=5)


def test_what_failed_is_said_to_have_failed(desk: Bench) -> None:
    desk.edit("agents/desk.yaml", "Saturday", "Friday")
    desk.run("preview", "up", "bad")
    desk.run("-e", "preview-bad", "test", "--changed", code=1)
    assert "the test opens did not pass when it was run on this content" in gate(desk, code=5)
    assert "failed: opens" in desk.run("-e", "preview-bad", "test", "--changed", code=1).err


def test_an_agent_that_no_test_reaches_is_named(desk: Bench) -> None:
    desk.remove("agents/closed.yaml")
    desk.apply()
    desk.edit("agents/night.yaml", "we are closed.", "we are closed now.")
    assert "Agent/night changes, and no test reaches it" in gate(desk, code=5)


def test_who_only_hands_calls_to_a_tested_agent_does_not_change_with_it(desk: Bench) -> None:
    desk.write(
        "agents/hands.yaml",
        "kind: Agent\nname: hands\nspec:\n  model: {provider: openai, model: gpt-4o, tools: [to-desk]}\n---\n"
        "kind: Tool\nname: to-desk\nspec: {type: handoff, destinations: [{type: assistant, assistantId: desk}]}\n",
    )
    desk.apply()
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    desk.run("preview", "up", "one")
    desk.run("-e", "preview-one", "test", "--changed")
    gate(desk)
    desk.edit(
        "agents/hands.yaml", "type: handoff,", 'type: handoff, function: {name: to_desk, description: "Hands over."},'
    )
    assert "Agent/hands changes, and no test reaches it" in gate(desk, code=5)


def test_a_part_of_what_was_tested_is_something_else(desk: Bench) -> None:
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    desk.edit("agents/desk.yaml", "Finds parcels.", "Finds lost parcels.")
    desk.run("preview", "up", "one")
    desk.run("-e", "preview-one", "test", "--changed")
    for part in (("--target", "Tool/lookup"), ("--exclude", "Agent/desk")):
        assert "opens was not run on this content" in gate(desk, *part, code=5)
    gate(desk, "--exclude", "Phone/*")


def test_the_project_may_ask_for_it(desk: Bench) -> None:
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nsafety: {requireTests: true}\n")
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    plan = desk.run("plan", "--format", "json", code=5)
    assert not plan.data["applyable"]
    assert "tests-required" in plan.out
    saved = desk.folder / "plan.json"
    desk.run("plan", "--out", str(saved), code=5)
    desk.apply(code=5)
    desk.run("preview", "up", "one")
    desk.run("-e", "preview-one", "test")
    desk.run("plan", "--out", str(saved))
    desk.run("apply", "--auto-approve", str(saved))
    # Untested, and rolled back to all the same: with a warning.
    ran = desk.run("rollback", "--auto-approve")
    assert "the test opens" in ran.out + ran.err


def test_what_goes_away_needs_no_test(desk: Bench) -> None:
    desk.remove("agents/closed.yaml")
    desk.remove("agents/night.yaml")
    gate(desk)


def test_results_of_live_content_that_is_not_the_manifests_do_not_count(desk: Bench) -> None:
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    desk.run("test")
    assert "opens was never run" in gate(desk, code=5)


def test_another_environment_of_the_same_content_may_use_them(desk: Bench) -> None:
    """Names, prefixes and numbers of an environment are no content; what it patches is."""
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live, more]\ndefaultEnvironment: live\n")
    desk.write("environments/more.yaml", 'naming: {suffix: " (more)"}\n')
    digests = {}
    for environment in ("live", "more"):
        desk.run("-e", environment, "apply", "--auto-approve", "--exclude", "Phone/*")
        desk.run("-e", environment, "test")
        notes = sorted((desk.folder / f".voiceops/state/{environment}").rglob("*.json"))
        digests[environment] = {
            line for path in notes for line in path.read_text().split('"') if line.startswith("sha256:")
        }
    assert len(digests["live"] & digests["more"]) >= 2


def test_two_pipelines_that_keep_results_at_once_lose_none(desk: Bench) -> None:
    errors: list[str] = []

    def one(name: str) -> None:
        ran = desk.process("test", name)
        if "could not be kept" in ran.err:
            errors.append(ran.err)

    threads = [threading.Thread(target=one, args=(name,)) for name in ("opens", "closed")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert "closed, opens" in desk.run("test", "--changed").err
