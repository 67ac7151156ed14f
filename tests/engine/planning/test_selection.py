"""`--target` and `-l`: what they choose, and what is said where they choose nothing."""

from __future__ import annotations

import pytest

from tests.support.bench import Bench

PROJECT = """
kind: Agent
name: desk
labels: {team: care, tier: one}
spec: {firstMessage: Hello., model: {provider: openai, model: gpt-4.1, tools: [look-up]}}
---
kind: Tool
name: look-up
forEach: [oak, fern]
labels: {team: tools, client: "${each:key}"}
spec: {type: function, function: {name: "lookUp${each:key}"}, server: {url: "https://tools.example/"}}
"""
PROJECT = PROJECT.replace("tools: [look-up]", 'tools: ["look-up[oak]"]')


@pytest.fixture
def shop(live: Bench) -> Bench:
    live.write("agents/all.yaml", PROJECT)
    return live


NOTHING = [
    (["--target", "Agent/none"], "there is no Agent/none in live", "Neither the manifests nor the state have it."),
    (["--target", "Voice/warm"], "there is no Voice/warm in live", "A part has no live object"),
    (["--target", "Agent/dest"], "there is no Agent/dest in live", "Did you mean Agent/desk?"),
    (["--target", "Tool/look-up[ash]"], "there is no Tool/look-up[ash] in live", "Did you mean Tool/look-up[oak]?"),
    (["--target", "Agent/desk", "--target", "Tool/none"], "there is no Tool/none in live", "Neither"),
    (["-l", "team=none"], "nothing in live is labelled team=none", "team is one of: care, tools."),
    (["-l", "owner=me"], "nothing in live is labelled owner=me", "No manifest has a label owner."),
    (["-l", "team=tools", "-l", "tier=one"], "is labelled team=tools, tier=one", "No manifest carries all of them."),
    (["--target", "Agent/desk", "-l", "team=none"], "nothing in live is labelled team=none", "team is one of"),
]


@pytest.mark.parametrize(("arguments", "said", "hint"), NOTHING)
@pytest.mark.parametrize("command", ["plan", "apply", "destroy"])
def test_a_selection_of_nothing_is_an_error(
    shop: Bench, command: str, arguments: list[str], said: str, hint: str
) -> None:
    shop.apply()
    shop.control.reset_requests()
    given = [command, *arguments] if command == "plan" else [command, "--auto-approve", *arguments]
    ended = shop.run(*given, code=1)
    assert f"error: {said}" in ended.err or said in ended.err
    assert hint in ended.err
    assert shop.writes() == []


def test_the_lock_is_free_afterwards(shop: Bench) -> None:
    shop.apply("-l", "team=none", code=1)
    shop.apply("-l", "team=care")
    assert set(shop.changes()) == {"Tool/look-up[fern]"}


def test_chosen_and_unchanged_is_nothing_to_do(shop: Bench) -> None:
    shop.apply()
    for arguments in (["--target", "Agent/desk"], ["--target", "Tool/look-up"], ["-l", "client=oak"]):
        assert "Nothing to do" in shop.run("plan", *arguments).out


def test_what_only_the_state_has_can_be_a_target(shop: Bench) -> None:
    shop.apply()
    shop.edit("agents/all.yaml", "[oak, fern]", "[oak]")
    assert shop.changes("--target", "Tool/look-up[fern]") == {"Tool/look-up[fern]": ["delete"]}


def test_destroy_chooses_by_the_manifests_labels(shop: Bench) -> None:
    shop.apply()
    assert shop.changes("--destroy", "-l", "client=fern") == {"Tool/look-up[fern]": ["delete"]}
    shop.run("destroy", "--auto-approve", "--force", "-l", "client=fern")
    assert set(shop.state()["resources"]) == {"Agent/desk", "Tool/look-up[oak]"}
    # In the manifests, and already gone: chosen, and nothing to do.
    assert "Nothing to do" in shop.run("plan", "--destroy", "-l", "client=fern").out


def test_graph_takes_all_instances_of_a_name(shop: Bench) -> None:
    drawn = shop.run("graph", "--target", "Tool/look-up").out
    assert "oak" in drawn
    assert "fern" in drawn


def test_destroy_of_what_others_use_is_refused_and_names_them(shop: Bench) -> None:
    shop.apply()
    shop.control.reset_requests()

    refused = shop.run("destroy", "--auto-approve", "--target", "Tool/look-up[oak]", code=5)

    assert "still used by Agent/desk" in refused.err
    assert shop.writes() == []
    shop.run("destroy", "--auto-approve", "--target", "Tool/look-up[oak]", "--target", "Agent/desk")
    assert set(shop.state()["resources"]) == {"Tool/look-up[fern]"}


def test_all_but_what_is_excluded(shop: Bench) -> None:
    shown = shop.run("plan", "--exclude", "Tool/look-up[oak]")
    assert "Agent/desk: waits: it depends on the change of Tool/look-up[oak], which is excluded" in shown.out

    shop.apply("--exclude", "Tool/look-up[oak]")
    assert set(shop.state()["resources"]) == {"Tool/look-up[fern]"}
    shop.apply("--exclude", "Agent/*")
    assert set(shop.state()["resources"]) == {"Tool/look-up[fern]", "Tool/look-up[oak]"}
    shop.apply()
    shop.run("destroy", "--auto-approve", "--exclude", "Agent/d?sk")
    assert set(shop.state()["resources"]) == {"Agent/desk", "Tool/look-up[oak]"}
    shop.run("rollback", "3", "--auto-approve", "--exclude", "Tool/look-up[fern]")
    assert set(shop.state()["resources"]) == {"Agent/desk", "Tool/look-up[oak]"}


def test_an_apply_that_left_something_out_is_a_revision_of_what_is_live(shop: Bench) -> None:
    shop.apply()
    shop.edit("agents/all.yaml", "Hello.", "Hi.")
    shop.edit("agents/all.yaml", "https://tools.example/", "https://other.example/")
    assert "waits" in shop.apply("--exclude", "Tool/*").err
    shop.apply("--exclude", "Tool/look-up[fern]")

    assert set(shop.changes()) == {"Tool/look-up[fern]"}
    shop.run("rollback", "2", "--auto-approve")
    assert set(shop.changes()) == {"Tool/look-up[fern]"}, "revision 2 is what was live after it"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [("Agent/dest", "there is no Agent/dest"), ("Squad/*", "there is no Squad/*"), ("desk", "is no address")],
)
def test_excluding_nothing_is_an_error(shop: Bench, pattern: str, said: str) -> None:
    for command in (("plan",), ("apply", "--auto-approve"), ("destroy", "--auto-approve")):
        assert said in shop.run(*command, "--exclude", pattern, code=1).err
