"""A team's rules over a plan: what they match, what they see, and how they fail."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.world import World, agent, graph, phone, resource, tool, twilio_line
from voiceops.engine.review.plan_checks import Checks, checked
from voiceops.engine.review.policy import BadExpression, Expression, Policy, compiled, get
from voiceops.errors import Diagnostic, Mark
from voiceops.model.graph import Graph
from voiceops.model.plan import Plan
from voiceops.model.values import secret

HERE = Mark("policies/rules.yaml", 3, 1)


def rule(**fields: Any) -> Policy:
    for key in ("when", "require"):
        if isinstance(fields.get(key), str):
            fields[key] = Expression(fields[key], HERE, compiled(fields[key]))
    return Policy(**{"id": "rule", "message": "Not like this.", "mark": HERE, **fields})


def held(plan: Plan, desired: Graph, *rules: Policy) -> Plan:
    return checked(plan, desired, Checks(policies=rules), force=False)


def found(plan: Plan) -> list[Diagnostic]:
    return [d for d in (*plan.refusals, *plan.diagnostics) if d.code == "policy"]


def broken(rule_: Policy, desired: Graph, world: World | None = None) -> list[str]:
    plan = held((world or World()).plan(desired, force=True), desired, rule_)
    return [d.address for d in found(plan)]


def test_an_error_makes_the_plan_not_applyable() -> None:
    desired = graph(agent("a", firstMessage="hi"))

    plan = held(World().plan(desired), desired, rule(require='after.firstMessage == "hello"', hint="Say hello."))

    (problem,) = found(plan)
    assert plan.applyable is False
    assert problem.to_data() == {
        "severity": "error",
        "code": "policy",
        "summary": "Not like this.",
        "file": "agents/a.yaml",
        "line": 1,
        "column": 1,
        "address": "Agent/a",
        "hint": "Say hello. Rule rule, policies/rules.yaml:3.",
    }


def test_a_warning_does_not() -> None:
    desired = graph(agent("a"))

    plan = held(World().plan(desired), desired, rule(require="false", severity="warning"))

    assert plan.applyable is True
    assert [d.severity for d in found(plan)] == ["warning"]


MANY = graph(agent("a"), agent("b"), tool("t"), phone("p", "Agent/a"))


@pytest.mark.parametrize(
    ("match", "addresses"),
    [
        ({}, ["Agent/a", "Agent/b", "Phone/p", "Tool/t"]),
        ({"kinds": ("Agent",)}, ["Agent/a", "Agent/b"]),
        ({"addresses": ("Agent/b", "Tool/*")}, ["Agent/b", "Tool/t"]),
        ({"actions": ("delete",)}, []),
        ({"actions": ("create", "delete")}, ["Agent/a", "Agent/b", "Phone/p", "Tool/t"]),
        ({"environments": ("prod", "staging-*")}, []),
        ({"environments": ("d*",)}, ["Agent/a", "Agent/b", "Phone/p", "Tool/t"]),
        ({"when": 'kind == "Tool"'}, ["Tool/t"]),
        ({"when": 'size(affects) > 0 && kind != "Phone"'}, ["Agent/a"]),
        ({"when": "true", "require": "true"}, []),
        ({"when": "false", "require": "false"}, []),
    ],
)
def test_match(match: dict[str, Any], addresses: list[str]) -> None:
    assert broken(rule(**match), MANY) == addresses


def test_every_action() -> None:
    world = World()
    for item in (agent("same"), agent("changed", firstMessage="x"), agent("gone")):
        world.manage(item)
    world.manage(phone("line", None, number="+14155550100"))
    desired = graph(
        agent("same"), agent("changed", firstMessage="y"), agent("new"), phone("line", None, number="+14155550199")
    )

    by_action = {
        action: broken(rule(actions=(action,)), desired, world)
        for action in ("create", "update", "replace", "delete", "adopt", "no-op")
    }

    assert by_action == {
        "create": ["Agent/new"],
        "update": ["Agent/changed"],
        "replace": ["Phone/line"],
        "delete": ["Agent/gone"],
        "adopt": [],
        "no-op": ["Agent/same"],
    }


def test_what_a_rule_sees() -> None:
    world = World()
    world.manage(agent("a", firstMessage="x"))
    desired = graph(
        resource("Agent/a", {"name": "a", "firstMessage": "y"}, labels={"team": "care"}), phone("p", "Agent/a")
    )
    seen = """
        address == "Agent/a" && kind == "Agent" && name == "a" && actions == ["update"]
        && reason == "manifest_changed" && before.firstMessage == "x" && after.firstMessage == "y"
        && paths == ["firstMessage"].map(p, paths.filter(f, f.path == p)[0]) && paths[0].source == "spec.firstMessage"
        && affects == ["Phone/p"] && labels.team == "care" && project == "shop" && environment == "dev"
    """

    assert broken(rule(kinds=("Agent",), require=seen), desired, world) == []


def test_before_and_after_are_null_where_there_is_nothing() -> None:
    world = World()
    world.manage(agent("gone"))
    desired = graph(agent("new"))
    every = ("create", "delete")

    assert broken(rule(actions=every, when="before == null"), desired, world) == ["Agent/new"]
    assert broken(rule(actions=every, when="after == null"), desired, world) == ["Agent/gone"]


def test_no_rule_sees_a_secret() -> None:
    desired = graph(resource("Credential/c", {"provider": "x", "apiKey": secret("KEY")}))

    assert broken(rule(require='after.apiKey.startsWith("(sensitive")'), desired) == []


def test_both_sides_of_a_line() -> None:
    desired = graph(twilio_line("line"))

    assert broken(rule(kinds=("Phone",), addresses=("Phone/line/twilio",)), desired) == ["Phone/line/twilio"]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("after.artifactPlan.recordingEnabled", "there is no 'artifactPlan'"),
        ("after.name", "is str, not true or false"),
        ("after.name > 3", "can't be evaluated"),
        ("get(after) == get(after, 'x', 1, 2)", "can't be evaluated"),
    ],
)
@pytest.mark.parametrize("key", ["when", "require"])
def test_what_cannot_be_told_is_broken(expression: str, said: str, key: str) -> None:
    desired = graph(agent("a"))

    plan = held(World().plan(desired), desired, rule(**{key: expression}))

    assert plan.applyable is False
    assert said in found(plan)[0].summary
    assert expression in found(plan)[0].summary


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("after.x ==", "Syntax error"),
        ("", "parse"),
        ("afer.name == 'x'", "'afer'"),
        ("lookup(after)", "'lookup'"),
    ],
)
def test_bad_expressions(text: str, said: str) -> None:
    with pytest.raises(BadExpression) as caught:
        compiled(text)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [("a.b", 1), ("a.c", "d"), ("a.b.c", "d"), ("list.1.x", 2), ("list.7.x", "d"), ("none", "d"), ("", "d")],
)
def test_get(path: str, value: Any) -> None:
    assert get({"a": {"b": 1}, "list": [{}, {"x": 2}], "none": None}, path, "d") == value


def many(count: int) -> Graph:
    return graph(agent("a", metadata={f"k{n}": n for n in range(count)}))


@pytest.mark.parametrize(
    ("expression", "items", "checked"),
    [
        ("paths.all(a, paths.all(b, a.path != b.path || a == b))", 300, True),
        ("after.metadata.all(a, after.metadata.all(b, after.metadata[a] <= 20000 || a == b))", 20_000, False),
        ("after.metadata.map(a, after.metadata.map(b, b)).size() > 0", 20_000, False),
        ("after.metadata.filter(a, a != 'x').size() > 0", 2_000, True),
        ("after.metadata.filter(a, a != 'x').size() > 0", 20_000, False),
        ("after.metadata.all(a, a != 'x')", 20_000, True),
        ("size(after.metadata) > 1", 20_000, True),
    ],
)
def test_a_rule_that_would_take_minutes_is_named_and_not_tried(expression: str, items: int, checked: bool) -> None:
    desired = many(items)
    before = time.process_time()
    plan = held(World().plan(desired), desired, rule(id="slow", require=expression))
    assert time.process_time() - before < 30
    late = [d for d in plan.refusals if d.code == "policy-time"]
    assert bool(late) is not checked
    assert plan.applyable is checked
    for problem in late:
        assert problem.mark == HERE
        assert "rule slow was not checked for Agent/a" in problem.summary


def test_a_time_for_all_rules_together() -> None:
    desired = graph(*(agent(name) for name in "abc"))
    ticks = iter([False, False, True])
    checks = Checks(policies=(rule(id="first", require="1 == 1"),), timer=lambda: lambda: next(ticks))
    plan = checked(World().plan(desired), desired, checks, force=True)
    (late,) = plan.refusals
    assert (late.code, late.address) == ("policy-time", "Agent/c")
    assert "rule first" in late.summary
