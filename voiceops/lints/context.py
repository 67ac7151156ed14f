"""What every lint looks at: the graph, seen as assistants, voices, tools and lines, each with its place in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from voiceops.lints.index import Index
from voiceops.lints.spot import Finding, Spot, body_of
from voiceops.lints.texts import Texts
from voiceops.manifest.project import Project
from voiceops.model.address import is_twilio_side, twilio_side
from voiceops.model.graph import Graph, reaching
from voiceops.model.values import Path, Ref

_INLINE = "assistant"
_OVERRIDES = ("assistantOverrides", "membersOverrides", "squadOverrides", "targetOverrides")


@dataclass(frozen=True)
class Assistant:
    """An agent, an assistant written into a squad, or what a squad overrides of one."""

    spot: Spot
    override: bool

    @property
    def name(self) -> str:
        """The address of the manifest that it stands in."""
        return self.spot.resource.address

    @cached_property
    def system_prompts(self) -> list[tuple[Spot, str]]:
        """Its system messages with their texts."""
        found = []
        for message in self.spot.items("model", "messages"):
            text = message.get("content")
            if message.get("role") == "system" and isinstance(text, str):
                found.append((message.at("content"), text))
        return found

    @cached_property
    def transcribers(self) -> list[Spot]:
        """The transcriber, and those that stand in for it."""
        return [
            spot
            for spot in (
                self.spot.at("transcriber"),
                *self.spot.items("transcriber", "fallbackPlan", "transcribers"),
            )
            if isinstance(spot.value, dict)
        ]

    @cached_property
    def voices(self) -> list[Spot]:
        """The voice, and those that stand in for it."""
        return [
            spot
            for spot in (self.spot.at("voice"), *self.spot.items("voice", "fallbackPlan", "voices"))
            if isinstance(spot.value, dict)
        ]


class Attached(NamedTuple):
    """A tool of an assistant: the place where it is attached, and its body in its own place."""

    place: Spot
    tool: Spot


@dataclass(frozen=True)
class Line:
    """A phone line."""

    spot: Spot
    twilio: Spot | None
    runtime: bool  # the runtime answers it, not Vapi
    target: str | None  # the agent or squad, as an address

    @property
    def silent(self) -> bool:
        """Whether nobody is named who could answer: no agent, no squad, and no server to ask."""
        keys = ("assistantId", "squadId", "workflowId", "server", "serverUrl")
        return not self.runtime and self.target is None and not any(self.spot.get(key) for key in keys)

    @property
    def number(self) -> str | None:
        """What callers dial, where the manifest says it."""
        found = self.spot.get("number")
        return found if isinstance(found, str) else None


class Context:
    """One environment's graph for the lints."""

    def __init__(self, project: Project, graph: Graph, texts: Texts, tracked: tuple[str, ...] = ()) -> None:
        self.project = project
        self.graph = graph
        self.texts = texts
        self.tracked = tracked  # `.env` files that git keeps
        self._tools: dict[tuple[str, Path], list[Attached]] = {}

    @cached_property
    def bodies(self) -> list[Spot]:
        """Every object's body. A Twilio number's settings are part of its line."""
        return [body_of(resource) for address, resource in self.graph.resources.items() if not is_twilio_side(address)]

    @cached_property
    def index(self) -> Index:
        """Every map and text of every body, by the key under which it stands."""
        return Index(self.graph.resources.values())

    @cached_property
    def files(self) -> frozenset[str]:
        """The files that some value of the graph was written in."""
        marks = (mark for resource in self.graph.resources.values() for mark in resource.sources.values())
        return frozenset([mark.file for mark in marks]) | {r.mark.file for r in self.graph.resources.values()}

    @cached_property
    def assistants(self) -> list[Assistant]:
        """Agents, assistants written into squads, and overrides of both."""
        found = [Assistant(body, override=False) for body in self.bodies if body.resource.kind == "Agent"]
        inside = self.index.maps_at(_INLINE, *_OVERRIDES)
        return found + [
            Assistant(spot, override=spot.path[-1] != _INLINE) for spot in inside if isinstance(spot.path[-1], str)
        ]

    @cached_property
    def _on_lines(self) -> dict[str, tuple[str, ...]]:
        return reaching(self.graph.edges, "Phone")

    def lines_of(self, address: str) -> tuple[str, ...]:
        """The phone lines whose calls can come to this object."""
        return tuple(a for a in self._on_lines.get(address, ()) if not is_twilio_side(a) and a != address)

    def on_a_line(self, spot: Spot) -> bool:
        """Does this stand in what a caller can reach?"""
        return bool(self.lines_of(spot.resource.address))

    @cached_property
    def phone_lines(self) -> list[Line]:
        """Every phone line of the project."""
        found = []
        for body in self.bodies:
            if body.resource.kind != "Phone":
                continue
            side = self.graph.resources.get(twilio_side(body.resource.address))
            twilio = body_of(side) if side else None
            # Vapi writes the voice URL of the lines that it answers: it is not known before.
            runtime = twilio is not None and isinstance(twilio.get("voice_url"), str)
            refs = [body.get(key) for key in ("assistantId", "squadId")]
            target = next((ref.address for ref in refs if isinstance(ref, Ref)), None)
            routed = next(iter(body.resource.routes), None)
            found.append(Line(body, twilio, runtime, target or routed))
        return found

    def agent(self, value: Any) -> Assistant | None:
        """The agent that a reference means."""
        if isinstance(value, Ref) and value.address in self.graph.resources:
            resource = self.graph.resources[value.address]
            if resource.kind == "Agent":
                return Assistant(body_of(resource), override=False)
        return None

    def tools(self, assistant: Assistant) -> list[Attached]:
        """What a model of this assistant can call, as far as the manifests say."""
        key = (assistant.spot.resource.address, assistant.spot.path)
        if key not in self._tools:
            self._tools[key] = list(self._attached(assistant))
        return self._tools[key]

    def _attached(self, assistant: Assistant) -> Iterator[Attached]:
        for place in assistant.spot.items("model", "toolIds"):
            if isinstance(place.value, Ref) and place.value.address in self.graph.resources:
                yield Attached(place, body_of(self.graph.resources[place.value.address]))
        for path in (("model", "tools"), ("tools:append",)):
            yield from (Attached(spot, spot) for spot in assistant.spot.items(*path) if isinstance(spot.value, dict))

    @cached_property
    def all_tools(self) -> list[Spot]:
        """Every tool once: manifests, and those written into agents, squads and hooks."""
        found = [body for body in self.bodies if body.resource.kind == "Tool"]
        lists = self.index.maps_at("tools", "tools:append")
        inside = [spot for spot in lists if spot.path[-2:-1] in (("tools",), ("tools:append",))]
        inside += [spot for spot in self.index.maps_at("tool") if spot.path[-1] == "tool"]
        return found + [spot for spot in inside if isinstance(spot.value.get("type"), str)]

    @cached_property
    def servers(self) -> list[Spot]:
        """Everything that is called at a `server`."""
        return [spot for spot in self.index.maps_at("server") if spot.path[-1] == "server"]

    def mentions(self, *parts: str, folded: bool = False) -> bool:
        """Does any text of the manifests have one of these in it? `folded`: capitals don't count."""
        text = self.index.folded if folded else self.index.haystack
        return any(part in text for part in parts)

    def handler_files(self) -> list[str]:
        """The Python files of handlers that manifests name."""
        named = (r.handler for r in self.graph.resources.values() if r.handler is not None)
        found = dict.fromkeys(map(self.handler_file, named))
        return [file for file in found if file is not None]

    def handler_file(self, handler: str) -> str | None:
        """The file of a handler's module, where there is one. A package comes first, as it does for Python."""
        module = f"{self.project.handlers}/{handler.partition(':')[0].replace('.', '/')}"
        return next((file for file in (f"{module}/__init__.py", f"{module}.py") if self.texts.lines(file)), None)

    def text_finding(self, spot: Spot, offset: int, summary: str, hint: str = "") -> Finding:
        """A finding at a character of a text: where it stands in the prompt's own file, if it has one."""
        via = spot.mark()
        mark = self.texts.place(via, spot.value, offset) if isinstance(spot.value, str) else via
        return Finding(mark=mark, summary=summary, hint=hint, address=spot.resource.address, via=via)


def number(value: Any) -> float | None:
    """A number; true and false are none."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def tool_names(tool: Spot) -> str | None:
    """The function name by which a model calls a tool; the built-in ones have their type's."""
    for path in (("function", "name"), ("name",)):
        found = tool.get(*path)
        if isinstance(found, str):
            return found
    kind = tool.get("type")
    return kind if kind in ("endCall", "transferCall", "dtmf", "voicemail") else None
