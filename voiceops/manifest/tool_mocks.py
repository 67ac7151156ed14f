"""Mocks of a scenario: a Tool manifest's name becomes the function name that Vapi wants, and is checked.

A mock of a tool that no agent under test can call would do nothing: the real tool would run in the middle of a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.manifest.documents import Document
from voiceops.manifest.problems import Problems, did_you_mean
from voiceops.manifest.resolve import Index
from voiceops.manifest.vendor_bodies import default_tool_name, tool_name
from voiceops.model.graph import Graph, Resource
from voiceops.model.json_in import as_list
from voiceops.model.located import Map, Seq
from voiceops.model.values import Outside, Path, Ref

_TYPES_AS_NAMES = frozenset({"endCall", "transferCall", "dtmf", "voicemail"})  # called by their type in prompts
_OPEN = "mcp"  # a tool that brings functions along which nobody here knows
_HANDOFF = "handoff_to_"
_LISTS = frozenset({"tools", "tools:append"})


def name_mocked_tools(scenario: Document, spec: Map, tools: Mapping[str, Map], index: Index, problems: Problems) -> Map:
    """The scenario's spec with each tool that a mock names by its manifest under the tool's function name.

    `tools` are the specs of the Tool manifests by address. A function's name comes first: Vapi knows no other.
    """
    mocks = spec.get("toolMocks")
    if not isinstance(mocks, Seq):
        return spec
    functions = {name for tool in tools.values() if (name := tool_name(tool))}
    named = Seq()
    for mock, here in zip(mocks, mocks.marks, strict=True):
        text = mock.get("toolName") if isinstance(mock, Map) else None
        if isinstance(text, str) and text not in functions and index.knows("Tool", text):
            mock = mock.clone()
            mock["toolName"] = _function_of(scenario, mock, text, tools, index, problems)
        named.put(mock, here)
    result = spec.clone()
    result["toolMocks"] = named
    return result


def _function_of(
    scenario: Document, mock: Map, text: str, tools: Mapping[str, Map], index: Index, problems: Problems
) -> str:
    mark = mock.marks["toolName"]
    try:
        address = index.find("Tool", text, scenario)
    except LookupError as error:
        problems.error("tool-mock", error.args[0], mark, error.args[1], scenario.address)
        return text
    outside = index.documents[address].external
    name = outside.get("name") if outside is not None else _called(tools.get(address))
    if isinstance(name, str):
        return name
    problems.error(
        "tool-mock",
        f"{address} has no function name that could be read here",
        mark,
        "Write the name by which the model calls it.",
        scenario.address,
    )
    return text


def _called(tool: Any) -> str | None:
    """The name by which a model calls a tool, written or not."""
    written = tool_name(tool)
    if written is not None or not isinstance(tool, dict):
        return written
    type_ = tool.get("type")
    return type_ if isinstance(type_, str) and type_ in _TYPES_AS_NAMES else default_tool_name(tool)


def check_mocks(graph: Graph, problems: Problems) -> None:
    """Report the mocks of tools that no agent reaches which the scenario is run against."""
    for scenario in graph.resources.values():
        mocks = scenario.body.get("toolMocks") if scenario.kind == "Scenario" else None
        if not isinstance(mocks, list) or not mocks:
            continue
        reached = _reached(graph, scenario)
        for place, mock in enumerate(mocks):
            text = mock.get("toolName") if isinstance(mock, dict) else None
            if isinstance(text, str) and not reached.takes(text):
                _report(graph, scenario, ("toolMocks", place, "toolName"), text, reached, problems)


def _report(graph: Graph, scenario: Resource, path: Path, text: str, reached: _Reached, problems: Problems) -> None:
    anywhere = any(_called(tool.body) == text for tool in graph.resources.values() if tool.kind == "Tool")
    who = ", ".join(reached.agents) or "any agent"
    summary = f"no tool of {who} is called {text!r}" if anywhere else f"there is no tool {text!r}"
    known = ", ".join(sorted(reached.names)[:12])
    hint = did_you_mean(text, reached.names) or (f"Its tools: {known}." if known else "It has no tools.")
    told = problems.warning if "" in scenario.allows else problems.error
    told("tool-mock", summary, scenario.source_of(path), hint, scenario.address)


@dataclass(slots=True)
class _Reached:
    """The names by which tools can be called; `open`: there may be others, which nobody here knows."""

    agents: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    open: bool = False
    hands_over: bool = False

    def takes(self, name: str) -> bool:
        """May a mock of this name do something? Vapi makes the names of handoffs up from whom they go to."""
        return self.open or name in self.names or (self.hands_over and name.startswith(_HANDOFF))


def _reached(graph: Graph, scenario: Resource) -> _Reached:
    """What can be called in the runs of a scenario: by whom its suites are for, else by any agent or squad."""
    found = _Reached()
    targets = _targets(graph, scenario)
    if targets is None:
        targets = {address for address, resource in graph.resources.items() if resource.kind in ("Agent", "Squad")}
        found.open = any(outside.kind in ("Agent", "Squad") for outside in graph.externals.values())
    else:
        found.agents = sorted(targets)
    _look(graph, targets, found, scenario.body.get("targetOverrides"))
    return found


def mockable(graph: Graph, target: str) -> Callable[[str], bool]:
    """May a mock of this name do something in a run against this agent or squad?"""
    found = _Reached()
    _look(graph, {target}, found)
    return found.takes


def _look(graph: Graph, targets: Iterable[str], found: _Reached, more: Any = None) -> None:
    """All tools that these reach, and what stands in one more body."""
    seen: set[str] = set()
    bodies: list[Any] = [more, *(_body(graph, where, found) for where in targets)]
    while bodies:
        for address in _tools_in(bodies.pop(), found):
            if address not in seen:
                seen.add(address)
                bodies.append(_body(graph, address, found))


def _body(graph: Graph, address: str, found: _Reached) -> Any:
    resource = graph.resources.get(address)
    if resource is None:
        found.open = True
        return None
    if resource.kind == "Tool":
        _add(resource.body, found)
    return resource.body


def _targets(graph: Graph, scenario: Resource) -> set[str] | None:
    """The agents and squads that the suites with this scenario are for; None where a run may name any."""
    simulations = {
        address
        for address, resource in graph.resources.items()
        if resource.kind == "Simulation" and _names(resource.body.get("scenarioId"), {scenario.address})
    }
    suites = [
        resource
        for resource in graph.resources.values()
        if resource.kind == "SimulationSuite"
        and any(_names(item, simulations) for item in as_list(resource.body.get("simulationIds")))
    ]
    found: set[str] = set()
    for suite in suites:
        told = [item for item in as_list(suite.body.get("targetAssignments")) if item]
        assigned: list[Any] = [item.get("targetId") if isinstance(item, dict) else None for item in told]
        if not assigned or not all(isinstance(item, Ref | Outside) for item in assigned):
            return None
        found |= {item.address for item in assigned}
    return found or None


def _names(item: Any, addresses: set[str]) -> bool:
    return isinstance(item, Ref) and item.address in addresses


def _tools_in(value: Any, found: _Reached, key: str = "") -> Iterator[str]:
    """The addresses that a body refers to and may get tools from; tools that stand in it are added at once."""
    if isinstance(value, Ref):
        if value.address.partition("/")[0] in ("Tool", "Agent"):
            yield value.address
    elif isinstance(value, Outside):
        found.open = found.open or value.address.partition("/")[0] in ("Tool", "Agent")
    elif isinstance(value, dict):
        if key in _LISTS:
            _add(value, found)
        for name, item in value.items():
            yield from _tools_in(item, found, name)
    elif isinstance(value, list):
        for item in value:
            if key == "toolIds" and isinstance(item, str):
                found.open = True  # a live tool's id: its name is not known here
            yield from _tools_in(item, found, key)


def _add(tool: dict[str, Any], found: _Reached) -> None:
    names = {name for name in (_called(tool), default_tool_name(tool)) if name is not None}
    found.names |= names
    if tool.get("type") == "handoff":
        found.hands_over = True
    elif tool.get("type") == _OPEN or not names:
        found.open = True
