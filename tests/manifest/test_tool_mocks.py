"""Mocks of scenarios: by a Tool manifest's name or a function's, of a tool that the agent under test has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.folder import Folder, body

TOOLS = """\
kind: Tool
name: lookup-order
spec: {type: function, function: {name: lookupOrder}}
---
kind: Tool
name: refund
spec: {type: function, function: {name: refundOrder}}
---
kind: Tool
name: hang-up
spec: {type: endCall}
---
kind: Tool
name: to-back-office
spec: {type: handoff, destinations: [{type: assistant, assistantId: back-office}]}
---
kind: Agent
name: desk
spec:
  model:
    provider: openai
    model: gpt-4o
    tools: [lookup-order, hang-up, {type: function, function: {name: inlineOne}}]
---
kind: Agent
name: back-office
spec: {model: {provider: openai, model: gpt-4o, tools: [refund]}}
---
kind: Squad
name: everyone
spec: {members: [{assistantId: desk}, {assistantId: back-office}]}
---
kind: Personality
name: calm
spec: {assistant: {model: {provider: openai, model: gpt-4o}}}
---
kind: Simulation
name: asks
spec: {scenarioId: asks, personalityId: calm}
"""
SUITE = """\
kind: SimulationSuite
name: suite
spec: {simulationIds: [asks], targetAssignments: [{targetType: TYPE, targetId: NAME}]}
"""


def _scenario(folder: Folder, *mocks: str, also: str = "", target: tuple[str, str] | None = None, **more: str) -> None:
    folder.write("agents/shop.yaml", TOOLS)
    if target:
        folder.write("agents/suite.yaml", SUITE.replace("TYPE", target[0]).replace("NAME", target[1]))
    if also:
        folder.write("agents/also.yaml", also)
    lines = "\n".join(f"    - {{toolName: {mock}, result: ok}}" for mock in mocks)
    output = "{name: o, schema: {type: boolean, description: x}}"
    folder.write(
        "agents/scenario.yaml",
        "kind: Scenario\nname: asks\n"
        + "".join(f"{key}: {value}\n" for key, value in more.items())
        + "spec:\n  instructions: Ask.\n"
        + f"  evaluations: [{{structuredOutput: {output}, comparator: '=', value: true}}]\n"
        + f"  toolMocks:\n{lines}\n",
    )


def _told(folder: Folder) -> list[tuple[str, int, str, str]]:
    return [(d.code, d.mark.line if d.mark else 0, d.summary, d.hint) for d in folder.problems()]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("lookup-order", "lookupOrder"),
        ("Tool/lookup-order", "lookupOrder"),
        ("lookupOrder", "lookupOrder"),
        ("inlineOne", "inlineOne"),
        ("hang-up", "endCall"),
        ("endCall", "endCall"),
        ("end_call_tool", "end_call_tool"),
        ("refund", "refundOrder"),
    ],
)
def test_a_manifests_name_is_sent_as_the_functions(folder: Folder, written: str, sent: str) -> None:
    _scenario(folder, written)
    mocks: Any = body(folder.graph(), "Scenario/asks")["toolMocks"]
    assert mocks == [{"toolName": sent, "result": "ok"}]


def test_an_unknown_tool_is_an_error_with_its_place(folder: Folder) -> None:
    _scenario(folder, "lookup-order", "lookup-ordre")
    (told,) = _told(folder)
    assert told[:3] == ("tool-mock", 8, "there is no tool 'lookup-ordre'")
    assert "lookupOrder" in told[3]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (("assistant", "desk"), "no tool of Agent/desk is called 'refundOrder'"),
        (("assistant", "back-office"), ""),
        (("squad", "everyone"), ""),
        (None, ""),
    ],
)
def test_the_agent_under_test_must_reach_the_tool(folder: Folder, target: tuple[str, str] | None, told: str) -> None:
    _scenario(folder, "refund", target=target)
    assert [found[2] for found in _told(folder)] == ([told] if told else [])


def test_a_handoff_reaches_the_other_agents_tools(folder: Folder) -> None:
    _scenario(folder, "refund", target=("assistant", "desk"))
    shop = TOOLS.replace("tools: [lookup-order, hang-up", "tools: [lookup-order, to-back-office, hang-up")
    folder.write("agents/shop.yaml", shop)
    assert _told(folder) == []


def test_a_handoff_has_the_name_that_vapi_makes_up(folder: Folder) -> None:
    _scenario(folder, "handoff_to_somebody", target=("assistant", "desk"))
    (told,) = _told(folder)
    assert told[0] == "tool-mock"
    shop = TOOLS.replace("tools: [lookup-order, hang-up", "tools: [lookup-order, to-back-office, hang-up")
    folder.write("agents/shop.yaml", shop)
    assert _told(folder) == []


@pytest.mark.parametrize(
    "tool",
    [
        "{type: query, knowledgeBases: []}",
        "{type: mcp, server: {url: 'https://mcp.example'}}",
        "11111111-1111-4111-8111-111111111111",
    ],
)
def test_what_nobody_here_can_know_is_no_error(folder: Folder, tool: str) -> None:
    _scenario(folder, "somethingElse")
    folder.write("agents/shop.yaml", TOOLS.replace("tools: [refund]", f"tools: [refund, {tool}]"))
    assert _told(folder) == []


def test_an_external_tool_is_known_by_its_name(folder: Folder) -> None:
    also = "kind: Tool\nname: theirs\nexternal: {name: theirFunction}\n"
    _scenario(folder, "theirs", also=also)
    folder.write("agents/shop.yaml", TOOLS.replace("tools: [refund]", "tools: [refund, theirs]"))
    assert body(folder.graph(), "Scenario/asks")["toolMocks"][0]["toolName"] == "theirFunction"
    folder.write(
        "agents/also.yaml", also.replace("{name: theirFunction}", "{id: 11111111-1111-4111-8111-111111111111}")
    )
    (told,) = _told(folder)
    assert told[2] == "Tool/theirs has no function name that could be read here"


def test_a_tool_of_other_environments_is_said(folder: Folder) -> None:
    also = "kind: Tool\nname: later\nenvironments: [prod]\nspec: {type: function, function: {name: later}}\n"
    _scenario(folder, "later", also=also)
    folder.project("defaultEnvironment: dev\n")
    (told,) = _told(folder)
    assert (told[0], told[2]) == ("tool-mock", "Tool/later does not exist in this environment")


def test_unknown_names_may_be_allowed(folder: Folder) -> None:
    _scenario(folder, "somethingElse", allowUnknown="true")
    assert [(d.code, d.severity) for d in folder.problems()] == [("tool-mock", "warning")]


@pytest.mark.parametrize("type_", ["{a: 1}", "[function]", "7", "null"])
def test_values_of_any_shape_are_no_traceback(folder: Folder, type_: str) -> None:
    odd = f"kind: Tool\nname: odd\nallowUnknown: true\nspec: {{type: {type_}, function: 3}}\n---\n"
    odd += "kind: SimulationSuite\nname: all\nallowUnknown: true\n"
    odd += "spec: {simulationIds: [asks, 4], targetAssignments: [desk, 5, {targetId: 6}]}\n"
    _scenario(folder, "somethingElse", "odd", also=odd)
    assert "tool-mock" in {d.code for d in folder.problems()}


def test_a_result_is_text(folder: Folder) -> None:
    _scenario(folder, "lookup-order")
    path = folder.root / "agents/scenario.yaml"
    path.write_text(path.read_text().replace("result: ok", "result: {state: packed}"))
    (told,) = _told(folder)
    assert (told[0], told[1]) == ("schema-type", 7)


def test_each_instance_mocks_its_own(folder: Folder) -> None:
    _scenario(folder, "look", forEach="[a, b]")
    folder.write(
        "agents/shop.yaml",
        "kind: Tool\nname: look\nforEach: [a, b]\nspec: {type: function, function: {name: 'look_${each:key}'}}\n---\n"
        "kind: Agent\nname: desk\nforEach: [a, b]\nspec: {model: {provider: openai, model: gpt-4o, tools: [look]}}\n",
    )
    graph = folder.graph()
    names = [body(graph, f"Scenario/asks[{key}]")["toolMocks"][0]["toolName"] for key in ("a", "b")]
    assert names == ["look_a", "look_b"]
