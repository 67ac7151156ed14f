"""Checks that need the whole graph: numbers, function names, squads, circles, transfers on runtime-answered lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voiceops.engine.ordering.creation_order import CircleError, plan_creation
from voiceops.manifest.problems import Problems
from voiceops.manifest.vendor_bodies import Line, default_tool_name, tool_name
from voiceops.model.graph import Graph, Resource, walk
from voiceops.model.values import Path, Ref, get_path


def check_graph(graph: Graph, lines: Mapping[str, Line], problems: Problems) -> None:
    """Report what is wrong between resources."""
    _numbers(graph, problems)
    for resource in graph.resources.values():
        if resource.kind == "Agent":
            _tool_names(graph, resource, problems)
        elif resource.kind == "Squad":
            _member_names(graph, resource, problems)
    _transfers(graph, lines, problems)
    try:
        plan_creation(graph, set(graph.resources))
    except CircleError as error:
        first = graph.resources[error.circle[0]]
        problems.error(
            "circle",
            f"references run in a circle that can't be made in two steps: {' → '.join(error.circle)}",
            first.mark,
            "Take one of the references out.",
            first.address,
        )


def _numbers(graph: Graph, problems: Problems) -> None:
    """One line a number, and a SIP address, whose case means nothing."""
    seen: dict[str, str] = {}
    for address, resource in graph.resources.items():
        for key in ("number", "sipUri") if resource.type == "vapi_phone_number" else ():
            given = resource.body.get(key)
            if not isinstance(given, str):
                continue
            same = given.strip().lower() if key == "sipUri" or given.lower().startswith("sip") else given.strip()
            if same in seen:
                problems.error(
                    "number-twice",
                    f"{given} belongs to {seen[same]} already",
                    resource.source_of((key,)),
                    "A line is known by its number or its SIP address, whose capitals don't count: one manifest each.",
                    address=address,
                )
            seen.setdefault(same, address)


def _tool_names(graph: Graph, agent: Resource, problems: Problems) -> None:
    seen: dict[str, Any] = {}
    for path, tool in _tools_of(graph, agent):
        name = tool_name(tool) or default_tool_name(tool)
        if name is None or tool is seen.get(name):  # attached twice: a lint says so
            continue
        if name in seen:
            summary = f"two tools of this agent have the function name {name}"
            hint = "A model can't tell them apart: rename one."
            # Names that Vapi gave, because nobody wrote one, are equal on live agents, too.
            given = default_tool_name(tool) == name or default_tool_name(seen[name]) == name
            if given or "" in agent.allows:
                problems.warning("function-twice", summary, agent.source_of(path), hint, agent.address)
            else:
                problems.error("function-twice", summary, agent.source_of(path), hint, agent.address)
        seen.setdefault(name, tool)


def _tools_of(graph: Graph, agent: Resource) -> list[tuple[Path, Any]]:
    found: list[tuple[Path, Any]] = []
    ids = get_path(agent.body, ("model", "toolIds"))
    for index, item in enumerate(ids if isinstance(ids, list) else ()):
        if isinstance(item, Ref) and item.attribute == "id" and item.address in graph.resources:
            found.append((("model", "toolIds", index), graph.resources[item.address].body))
    inline = get_path(agent.body, ("model", "tools"))
    for index, item in enumerate(inline if isinstance(inline, list) else ()):
        found.append((("model", "tools", index), item))
    return found


def _member_names(graph: Graph, squad: Resource, problems: Problems) -> None:
    seen: set[str] = set()
    members = squad.body.get("members")
    for index, member in enumerate(members if isinstance(members, list) else ()):
        if not isinstance(member, dict):
            continue
        target = member.get("assistantId")
        inline = member.get("assistant")
        name = None
        if isinstance(target, Ref) and target.address in graph.resources:
            name = graph.resources[target.address].name
        elif isinstance(inline, dict):
            name = inline.get("name")
        if isinstance(name, str) and name in seen:
            summary, hint = f"two members of this squad are called {name!r}", "Vapi tells members apart by name."
            if "" in squad.allows:
                problems.warning("member-twice", summary, squad.source_of(("members", index)), hint, squad.address)
            else:
                problems.error("member-twice", summary, squad.source_of(("members", index)), hint, squad.address)
        if isinstance(name, str):
            seen.add(name)


def _transfers(graph: Graph, lines: Mapping[str, Line], problems: Problems) -> None:
    """A call that the runtime answered goes through Vapi's provider bypass, which disables transfers."""
    for address, line in lines.items():
        if line.answer != "runtime" or address not in graph.resources:
            continue
        for reached in walk(graph.edges, address):
            resource = graph.resources[reached]
            path = _transfer_in(resource)
            if path is not None:
                problems.error(
                    "transfer-on-runtime",
                    f"{reached} transfers calls, but {address} is answered by the runtime",
                    resource.source_of(path),
                    "Vapi can't transfer such calls: answer the line with answer: vapi, or take the transfer out.",
                    address,
                )


def _transfer_in(resource: Resource) -> Path | None:
    if resource.kind == "Tool" and resource.body.get("type") == "transferCall":
        return ("type",)
    inline = get_path(resource.body, ("model", "tools"))
    for index, tool in enumerate(inline if isinstance(inline, list) else ()):
        if isinstance(tool, dict) and tool.get("type") == "transferCall":
            return ("model", "tools", index)
    return None
