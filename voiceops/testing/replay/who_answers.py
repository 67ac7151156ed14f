"""Who answers in a replay: one agent alone, or a squad's members that hand the caller on to each other. Pure.

A chat could name a squad as well, but Vapi's answer does not tell which member spoke (`Chat` has no field for it), and
a conversation that is sent as a whole would begin with the first member again. So the members are asked one by one,
and a handoff is a tool that changes who is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.model.values import JSON
from voiceops.testing.replay.conversation import TRANSFER, Used, plain
from voiceops.testing.replay.handoffs import Handoff, spelled, wanted
from voiceops.testing.replay.harmless_agent import HarmlessAgent

_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An agent that can take over. `key` is its manifest's address, or what Vapi calls it."""

    key: str
    agent: HarmlessAgent
    names: frozenset[str] = frozenset()  # all that stands for it: the key, live id, live name
    variables: Mapping[str, JSON] = field(default_factory=dict)  # that a squad gives it
    under: Callable[[Mapping[str, Any]], HarmlessAgent] | None = None  # the same agent under a handoff's overrides

    def after(self, handoff: Handoff | None) -> Member:
        """It as it takes over by this handoff."""
        if handoff is None or not handoff.overrides or self.under is None:
            return self
        values = handoff.overrides.get("variableValues")
        variables = {**self.variables, **(values if isinstance(values, Mapping) else {})}
        return replace(self, agent=self.under(handoff.overrides), variables=variables)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAnswers:
    """The first member takes the call. `squads`: by the live id of a squad, the member that begins in it."""

    members: tuple[Member, ...]
    squads: Mapping[str, str] = field(default_factory=dict)

    @property
    def first(self) -> Member:
        """Who takes the call."""
        return self.members[0]

    @property
    def loose(self) -> frozenset[str]:
        """The plain names of all tools whose arguments are not compared."""
        return frozenset().union(*(member.agent.loose for member in self.members))

    def hands_on(self, tool: str) -> bool:
        """May another member take over after this tool?"""
        return plain(tool).startswith(("handoff", plain(TRANSFER))) or any(
            plain(tool) in one.agent.handoffs for one in self.members
        )

    def find(self, name: str) -> Member | None:
        """The member of that key, live id or live name, however it is spelled."""
        for of in (lambda one: one, spelled):
            for member in self.members:
                if name and name in map(of, member.names):
                    return member
        return None

    def led_to(self, member: Member, tool: str, arguments: Mapping[str, JSON]) -> tuple[str, Handoff | None]:
        """Whom a member's call of a tool leads to: the key, or what the tool says where that is nobody here; and the
        way. ("", None): it is no handoff; ("", way): only a server knows."""
        way = wanted(member.agent.handoffs.get(plain(tool), ()), arguments)
        if way is None:
            return "", None
        name = way.to or self.squads.get(way.squad, way.squad)
        found = self.find(name)
        return (found.key if found is not None else name), way

    def each(self, change: Callable[[HarmlessAgent], HarmlessAgent]) -> WhoAnswers:
        """The same members with changed agents."""
        return replace(self, members=tuple(replace(one, agent=change(one.agent)) for one in self.members))


def functions_used(who: WhoAnswers, used: Iterable[Used]) -> list[tuple[str, Mapping[str, Any]]]:
    """What was called and none of the members' tools is: functions of a server that only Vapi has asked (`mcp`), by
    name, with parameters as far as calls show them."""
    known = frozenset().union(*(member.agent.tools for member in who.members))
    found: dict[str, dict[str, Any]] = {}
    for tool in used:
        if plain(tool.name) in known or who.hands_on(tool.name):
            continue
        properties = found.setdefault(tool.name, {})
        for key, value in tool.arguments.items():
            properties.setdefault(key, {"type": _TYPES[type(value)]} if type(value) in _TYPES else {})
    return [(name, {"type": "object", "properties": properties}) for name, properties in sorted(found.items())]


def overridden(agent: Mapping[str, Any], overrides: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """An agent's body under a squad's overrides, later ones above earlier ones, and the variables that they give."""
    body: dict[str, Any] = dict(agent)
    variables: dict[str, Any] = {}
    for given in overrides:
        if not isinstance(given, Mapping):
            continue
        values = given.get("variableValues")
        variables |= dict(values) if isinstance(values, Mapping) else {}
        more = given.get("tools:append")
        own = {k: v for k, v in given.items() if v is not None and k not in ("variableValues", "tools:append")}
        body |= own
        if isinstance(more, list) and isinstance(body.get("model"), Mapping):
            body["model"] = {**body["model"], "tools": [*(body["model"].get("tools") or ()), *more]}
    return body, variables
