"""Which manifests a call was answered by: of each agent that spoke its prompt, of each tool its manifest. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.calls.record import CallRecord, Spoken, ToolUse
from voiceops.model.graph import Graph, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Places are `file:line`, as the revision kept them; what it does not tell is left out.

    `manifests` and `prompts` by address, agents before tools; `agents` by live id, `tools` by the name that is called.
    """

    manifests: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    handlers: Mapping[str, str] = field(default_factory=dict)
    agents: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)

    def speaker(self, turn: Spoken, call: CallRecord) -> str:
        """The address of the agent that said it; empty where nobody knows."""
        if turn.role != "agent":
            return ""
        if turn.agent:
            return self.agents.get(turn.agent, "")
        address = f"Agent/{call.agent}"
        return address if address in self.manifests else ""

    def tool(self, used: ToolUse) -> str:
        """The manifest of a tool that was called: `Tool/name, file:line`; empty where nobody knows."""
        address = self.tools.get(used.name, "")
        return f"{address}, {self.manifests[address]}" if address else ""


def manifests_in_force(call: CallRecord, graph: Graph, ids: Mapping[str, str]) -> InForce:
    """Of a call, by the graph of the revision in which it began. `ids`: addresses by live id."""
    spoke = {turn.agent for turn in call.turns if turn.agent} | {call.assistant_id} - {""}
    agents = {id_: address for id_ in spoke if (address := ids.get(id_, "")) in graph.resources}
    used = {tool.name for tool in call.tools}
    named = {f"Agent/{call.agent}", *agents.values()}
    shown = [address for address in graph.resources if address in named]
    tools: dict[str, str] = {}
    for address, resource in graph.resources.items():
        if resource.kind == "Tool" and (name := _function(resource)) in used:
            tools.setdefault(name, address)
    return InForce(
        manifests={address: graph.resources[address].mark.place for address in (*shown, *tools.values())},
        prompts={address: place for address in shown if (place := _prompt(graph, address))},
        handlers={a: handler for a in tools.values() if (handler := graph.resources[a].handler)},
        agents=agents,
        tools=tools,
    )


def _prompt(graph: Graph, address: str) -> str:
    """Where the first prompt of an agent stands."""
    for path, mark in graph.spoken_by(address).items():
        if path[:2] == ("model", "messages"):
            return mark.place
    return ""


def _function(resource: Resource) -> str:
    function: Any = resource.body.get("function")
    return str(function.get("name", "")) if isinstance(function, Mapping) else ""
