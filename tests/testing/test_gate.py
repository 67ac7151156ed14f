"""Tests as a gate: `test` keeps what came of it, `apply --require-tests` asks, `test --changed` runs its part."""

from __future__ import annotations

import subprocess
import sys
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
    # What changes is not live, so that a run in the environment itself would test the old content.
    assert "voiceops preview up NAME --from live\n    voiceops -e preview-NAME test opens\n" in said
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
        said = gate(desk, *part, code=5)
        assert "opens was not run on this content" in said
        assert "It tests Agent/desk, too, which this plan leaves out" in said
        assert "preview up" not in said, "a preview has the whole content"
    gate(desk, "--exclude", "Phone/*")


ASKED = "version: 1\nproject: shop\nenvironments: [live]\nsafety: {requireTests: true}\n"


def test_the_project_may_ask_for_it(desk: Bench) -> None:
    desk.write("voiceops.yaml", ASKED)
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    desk.apply(code=5)
    desk.run("preview", "up", "one")
    desk.run("-e", "preview-one", "test")
    desk.apply()
    # Untested, and rolled back to all the same: with a warning.
    ran = desk.run("rollback", "--auto-approve")
    assert "the test opens" in ran.out + ran.err
    assert "preview up" not in ran.out + ran.err, "it would be of today's manifests"


def test_a_plan_comes_before_its_tests_and_says_that_apply_waits_for_them(desk: Bench) -> None:
    desk.write("voiceops.yaml", ASKED)
    assert desk.run("plan", "--detailed-exitcode", "--format", "json").data["diagnostics"] == []
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    desk.edit("agents/desk.yaml", "name: lookup\n", "name: search\n")
    desk.edit("agents/desk.yaml", "tools: [lookup]", "tools: [search]")
    saved = desk.folder / "plan.json"
    found = desk.run("plan", "--format", "json", "--out", str(saved)).data
    assert (found["applyable"], found["errored"]) == (False, False)
    assert [(d["code"], d["severity"]) for d in found["diagnostics"]] == [("tests-required", "warning")]
    assert found["summary"]["create"] == 1, "it can be made: only not yet"
    waits = "Apply refuses this plan until its tests have passed."
    for form in ("text", "markdown", "html"):
        ran = desk.run("plan", "--format", form, "--detailed-exitcode", code=2)
        assert waits in ran.out
        assert "can't be applied" not in ran.out
    assert "the test opens was never run" in desk.run("apply", str(saved), code=5).err
    desk.run("preview", "up", "one")
    desk.run("-e", "preview-one", "test", "--changed")
    assert desk.run("plan", "--format", "json").data["applyable"]
    desk.run("apply", str(saved))


def test_scripts_of_today_stop_no_rollback(desk: Bench) -> None:
    """At three in the morning it has to work."""
    desk.edit("agents/desk.yaml", "tools: [lookup]", "tools: [lookup, parcels]")
    parcels = "type: function, function: {name: parcels}, server: {url: 'https://tools.example.com'}"
    desk.write("agents/parcels.yaml", f"kind: Tool\nname: parcels\nspec: {{{parcels}}}\n")
    desk.apply()
    desk.write("tests/parcels.yaml", "agent: desk\nsteps:\n  - tool: parcels\n  - hangup\n")
    desk.write("tests/half.yaml", "agent: [desk\n")
    (desk.folder / "agents/handlers").mkdir()
    (desk.folder / "agents/handlers/gone.py").symlink_to("nowhere.py")
    desk.write("voiceops.yaml", ASKED)
    assert "tests-required" in desk.run("rollback", "--plan-only").out
    desk.run("rollback", "--auto-approve")
    # Of what is applied they are tests: what is wrong with one is said before.
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    assert "tests/half.yaml:2:1: warning[yaml-syntax]" in desk.run("plan", code=None).out
    assert "tests/half.yaml:2:1: error[yaml-syntax]" in desk.apply("--release-hold", code=5).err


def test_where_something_else_stands_against_it_a_plan_is_refused_as_ever(desk: Bench) -> None:
    desk.edit("agents/desk.yaml", "name: desk\n", "name: desk\nlifecycle: {preventDestroy: true}\n")
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\n")
    desk.apply()
    desk.write("voiceops.yaml", ASKED)
    desk.write("agents/desk.yaml", OTHER.replace("night", "other"))
    desk.remove("agents/opens.yaml")
    found = desk.run("plan", "--format", "json", code=5).data
    assert (found["applyable"], found["errored"]) == (False, True)


def test_what_goes_away_needs_no_test(desk: Bench) -> None:
    desk.remove("agents/closed.yaml")
    desk.remove("agents/night.yaml")
    gate(desk)


def test_results_of_live_content_that_is_not_the_manifests_do_not_count(desk: Bench) -> None:
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    desk.run("test")
    assert "opens was never run" in gate(desk, code=5)


def flaky(made: Bench, *, min_pass: float) -> None:
    """A preview in which two of three attempts of the desk's test pass."""
    made.write("voiceops.yaml", f"version: 1\nproject: shop\nenvironments: [live]\ntests: {{minPass: {min_pass}}}\n")
    made.run("preview", "up", "one")
    made.control.outcome("failed", what="eval", nth=[2])
    made.run("-e", "preview-one", "test", "opens", "--repeat", "3", code=None)
    made.control.clear_outcomes()


def test_a_flaky_result_counts_where_enough_attempts_passed(desk: Bench) -> None:
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    flaky(desk, min_pass=1.0)
    assert "the test opens did not pass" in gate(desk, code=5)
    flaky(desk, min_pass=0.66)
    kept = [entry["id"] for entry in desk.run("history", "--format", "json").data if entry["operation"] == "test"]
    assert "  passed     opens (eval, 2 of 3 attempts)\n" in desk.run("show", kept[-1]).out
    desk.edit("voiceops.yaml", "0.66", "0.9")  # who asks for more than where it ran is not content
    assert "the test opens passed 2 of 3 attempts on this content in preview-one" in gate(desk, code=5)
    desk.edit("voiceops.yaml", "0.9", "0.66")
    gate(desk)


@pytest.fixture
def two(desk: Bench) -> Bench:
    """Besides `live` the environment `more`, whose results of the desk's content of today have passed."""
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live, more]\ndefaultEnvironment: live\n")
    desk.write("environments/more.yaml", 'naming: {suffix: " (more)"}\n')
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    return desk


def ran_in_more(made: Bench) -> None:
    made.run("-e", "more", "apply", "--auto-approve", "--exclude", "Phone/*")
    made.run("-e", "more", "test")


def test_another_environment_of_the_same_content_may_use_results(two: Bench) -> None:
    """Names and numbers of an environment are no content."""
    assert "the test opens was never run" in gate(two, code=5)
    ran_in_more(two)
    gate(two)
    assert "nothing that they test changed: closed, opens" in two.run("test", "--changed").err


def test_what_an_environment_patches_is_other_content(two: Bench) -> None:
    patch = "patches: [{target: Agent/desk, merge: {firstMessage: Hello from more.}}]\n"
    two.write("environments/more.yaml", f'naming: {{suffix: " (more)"}}\n{patch}')
    ran_in_more(two)
    assert "the test opens was never run on this content" in gate(two, code=5)
    two.edit("environments/more.yaml", "Agent/desk", "Agent/night")
    ran_in_more(two)
    gate(two)


def test_what_the_local_sandbox_answered_proves_nothing_for_a_live_agent(two: Bench) -> None:
    two.write("environments/more.yaml", "providers: sandbox\n")
    ran_in_more(two)
    assert "the test opens was never run" in gate(two, code=5)


def test_results_that_can_not_be_read_are_said(two: Bench) -> None:
    two.write("environments/more.yaml", "state: https://state.invalid/more\n")
    assert "Not looked at: the results of more: " in gate(two, code=5)


def test_what_another_pipeline_applied_while_tests_ran_was_not_tested(desk: Bench) -> None:
    pause = desk.control.fault("pause", method="GET", path="^/eval/run$", nth=[2])  # while it waits for the runs
    command = [sys.executable, "-m", "voiceops", "-C", str(desk.folder), "test"]
    running = subprocess.Popen(command, env=desk.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    desk.control.wait_for_pause(pause)
    desk.edit("agents/desk.yaml", "Hello", "Good day")
    desk.apply()
    desk.control.release(pause)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert "suites and evals is not kept: Agent/desk changed meanwhile" in " ".join(out.split())
    desk.edit("agents/desk.yaml", "Good day", "Hello")
    assert "the test opens was never run" in gate(desk, code=5)


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
