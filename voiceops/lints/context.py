"""What every lint looks at: the graph, seen as assistants, voices, tools and lines, each with its place in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from voiceops.errors import Mark
from voiceops.lints.rule import Finding
from voiceops.lints.texts import Texts
from voiceops.manifest.project import Project
from voiceops.model.address import is_twilio_side, twilio_side
from voiceops.model.graph import Graph, Resource, reaching
from voiceops.model.values import ABSENT, Path, Ref, Secret, Template, get_path

_INLINE = "assistant"
_OVERRIDES = ("assistantOverrides", "membersOverrides", "squadOverrides", "targetOverrides")


@dataclass(frozen=True, slots=True)
class Spot:
    """A value somewhere in a resource's body."""

    resource: Resource
    path: Path
    value: Any

    def get(self, *steps: str | int) -> Any:
        """The value below, or None."""
        found = get_path(self.value, steps)
        return None if found is ABSENT else found

    def at(self, *steps: str | int) -> Spot:
        return Spot(self.resource, (*self.path, *steps), self.get(*steps))

    def items(self, *steps: str | int) -> list[Spot]:
        """The items of a list below; none where there is no list."""
        found = self.get(*steps)
        return [self.at(*steps, index) for index in range(len(found))] if isinstance(found, list) else []

    def mark(self, *steps: str | int) -> Mark:
        return self.resource.source_of((*self.path, *steps))

    def finding(self, summary: str, *steps: str | int, hint: str = "") -> Finding:
        return Finding(mark=self.mark(*steps), summary=summary, hint=hint, address=self.resource.address)


@dataclass(frozen=True, slots=True)
class Assistant:
    """An agent, an assistant written into a squad, or what a squad overrides of one."""

    spot: Spot
    override: bool

    @property
    def name(self) -> str:
        return self.spot.resource.address

    @property
    def system_prompts(self) -> list[tuple[Spot, str]]:
        """Its system messages with their texts."""
        found = []
        for message in self.spot.items("model", "messages"):
            text = message.get("content")
            if message.get("role") == "system" and isinstance(text, str):
                found.append((message.at("content"), text))
        return found

    @property
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

    @property
    def voices(self) -> list[Spot]:
        """The voice, and those that stand in for it."""
        return [
            spot
            for spot in (self.spot.at("voice"), *self.spot.items("voice", "fallbackPlan", "voices"))
            if isinstance(spot.value, dict)
        ]


@dataclass(frozen=True, slots=True)
class Attached:
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
        found = self.spot.get("number")
        return found if isinstance(found, str) else None


class Context:
    """One environment's graph for the lints."""

    def __init__(self, project: Project, graph: Graph, texts: Texts, tracked: tuple[str, ...] = ()) -> None:
        self.project = project
        self.graph = graph
        self.texts = texts
        self.tracked = tracked  # `.env` files that git keeps

    @cached_property
    def bodies(self) -> list[Spot]:
        """Every object's body. A Twilio number's settings are part of its line."""
        return [
            Spot(resource, (), resource.body)
            for address, resource in self.graph.resources.items()
            if not is_twilio_side(address)
        ]

    @cached_property
    def maps(self) -> list[Spot]:
        """Every map in those bodies, they themselves among them."""
        return [spot for body in self.bodies for spot in _maps(body.resource, (), body.value)]

    def mentions(self, part: str) -> bool:
        """Does any text of the manifests have this in it? Quicker than to look at every text with its place."""
        return any(part in text for resource in self.graph.resources.values() for text in _texts(resource.body))

    @cached_property
    def assistants(self) -> list[Assistant]:
        found = []
        for spot in self.maps:
            if not spot.path and spot.resource.kind == "Agent":
                found.append(Assistant(spot, override=False))
            if spot.path and spot.path[-1] in (_INLINE, *_OVERRIDES):
                found.append(Assistant(spot, override=spot.path[-1] != _INLINE))
        return found

    @cached_property
    def edges(self) -> dict[str, tuple[str, ...]]:
        return {address: self.graph.dependencies(address) for address in self.graph.resources}

    @cached_property
    def _on_lines(self) -> dict[str, tuple[str, ...]]:
        return reaching(self.edges, "Phone")

    def lines_of(self, address: str) -> tuple[str, ...]:
        """The phone lines whose calls can come to this object."""
        return tuple(a for a in self._on_lines.get(address, ()) if not is_twilio_side(a) and a != address)

    def on_a_line(self, spot: Spot) -> bool:
        return bool(self.lines_of(spot.resource.address))

    @cached_property
    def phone_lines(self) -> list[Line]:
        found = []
        for body in self.bodies:
            if body.resource.kind != "Phone":
                continue
            side = self.graph.resources.get(twilio_side(body.resource.address))
            twilio = Spot(side, (), side.body) if side else None
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
                return Assistant(Spot(resource, (), resource.body), override=False)
        return None

    def tools(self, assistant: Assistant) -> list[Attached]:
        """What a model of this assistant can call, as far as the manifests say."""
        found = []
        for place in assistant.spot.items("model", "toolIds"):
            if isinstance(place.value, Ref) and place.value.address in self.graph.resources:
                resource = self.graph.resources[place.value.address]
                found.append(Attached(place, Spot(resource, (), resource.body)))
        for key in (("model", "tools"), ("tools:append",)):
            found += [Attached(spot, spot) for spot in assistant.spot.items(*key) if isinstance(spot.value, dict)]
        return found

    @cached_property
    def all_tools(self) -> list[Spot]:
        """Every tool once: manifests, and those written into agents, squads and hooks."""
        found = []
        for spot in self.maps:
            if not spot.path and spot.resource.kind == "Tool":
                found.append(spot)
            inside = spot.path[-2:-1] in (("tools",), ("tools:append",)) or spot.path[-1:] == ("tool",)
            if inside and isinstance(spot.value.get("type"), str):
                found.append(spot)
        return found

    @cached_property
    def servers(self) -> list[Spot]:
        """Everything that is called at a `server`."""
        return [spot for spot in self.maps if spot.path and spot.path[-1] == "server"]

    @cached_property
    def strings(self) -> list[tuple[Spot, str]]:
        """Every text, with the literal parts of texts that hold secrets or references."""
        found = []
        for resource in self.graph.resources.values():
            for spot in walk(Spot(resource, (), resource.body)):
                match spot.value:
                    case str():
                        found.append((spot, spot.value))
                    case Secret() if spot.value.names:
                        found.append((spot, "\0".join(spot.value.parts)))
                    case Template():
                        parts = (part if isinstance(part, str) else "\0" for part in spot.value.parts)
                        found.append((spot, "".join(parts)))
        return found

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


def walk(spot: Spot) -> Iterator[Spot]:
    """Every value below, the value itself first."""
    yield spot
    if isinstance(spot.value, dict):
        inside: Iterable[tuple[str | int, Any]] = spot.value.items()
    elif isinstance(spot.value, list):
        inside = enumerate(spot.value)
    else:
        return
    for step, value in inside:
        below = Spot(spot.resource, (*spot.path, step), value)
        if isinstance(value, (dict, list)):
            yield from walk(below)
        else:  # most of all there is: no generator for each
            yield below


def _maps(resource: Resource, path: Path, value: Any) -> Iterator[Spot]:
    """As `walk`, the maps alone."""
    if isinstance(value, dict):
        yield Spot(resource, path, value)
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                yield from _maps(resource, (*path, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from _maps(resource, (*path, index), item)


def _texts(value: Any) -> Iterator[str]:
    """Every text below, and the literal parts of those that hold secrets or references; keys aside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, (Secret, Template)):
        yield from (part for part in value.parts if isinstance(part, str))


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
