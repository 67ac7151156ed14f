"""The stand-in for a model: what an assistant says or calls next, decided by nothing but its own words.

It knows no language. It compares the caller's words with those of the tools and of the prompt's sentences, so that
the same assistant always answers the same, and a changed word of its prompt can change the answer.
docs/sandbox.md has its rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voiceops.sandbox.plain_words import sentences, words
from voiceops.sandbox.tool_servers import ToolServer

HANDS_OVER = "handoff_to_"
LOST = "I am sorry, I can't help with that."
_FORBIDS = re.compile(r"\b(?:never|not|cannot|\w+n['’]t)\b", re.I)
_CONDITION = re.compile(r"\b(?:unless|before|until|if|when|while|twice|once|again|without)\b", re.I)
# What a shared word is worth: of a tool's name, of a sentence of the prompt that names it, and of anything else said.
_NAME, _NAMED, _SAID = 6, 4, 3
_ENOUGH = 4  # a tool is called from this score on: one word of its description is too little
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class ToolAtHand:
    """One tool: the name that a call has, and what it is for. `hands_to` is the member that takes over."""

    name: str
    description: str = ""
    also: str = ""  # words that name it as well as its name does
    kind: str = "function"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    server: ToolServer | None = None
    hands_to: str = ""
    greeting: str | None = None  # what who takes over says, where the handoff says so; empty: nothing

    @property
    def served(self) -> bool:
        """Does Vapi, or somebody's server, answer it?"""
        return self.server is not None or self.kind != "function"


@dataclass(frozen=True, slots=True)
class StandIn:
    """One assistant as it is read."""

    name: str
    first_message: str = ""
    prompt: str = ""
    tools: tuple[ToolAtHand, ...] = ()
    model: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of a conversation; `calls` are an assistant's tool calls, by name with their arguments."""

    role: str  # user, assistant, tool, system
    text: str = ""
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()


@dataclass(frozen=True, slots=True)
class NextTurn:
    """What the assistant does: it says something, or calls a tool."""

    text: str = ""
    tool: ToolAtHand | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def turn(self) -> Said:
        """The reply as a turn of the conversation."""
        return Said("assistant", self.text, ((self.tool.name, self.arguments),) if self.tool else ())


def speaking(cast: Sequence[StandIn], turns: Sequence[Said]) -> StandIn:
    """Who of a squad speaks now: its first member, or whom the last handoff named."""
    who = cast[0]
    for turn in turns:
        for name, _ in turn.calls:
            tool = next((tool for tool in who.tools if tool.name == name and tool.hands_to), None)
            if tool is not None:
                who = next((member for member in cast if member.name == tool.hands_to), who)
    return who


def answer(cast: Sequence[StandIn], turns: Sequence[Said]) -> NextTurn:
    """The next turn of an assistant, or of a squad whose first member takes the call."""
    who = speaking(cast, turns)
    asked = [turn.text for turn in turns if turn.role == "user"]
    if turns and turns[-1].role == "tool":
        if not _handed(cast, turns):
            return NextTurn(spoken(turns[-1].text))
        greeting = _greeting(cast, turns)
        if greeting and len(cast) > 1:
            return NextTurn(greeting)
    if not asked:
        return NextTurn(who.first_message or _first_sentence(who))
    wanted = _wanted(who, turns, asked[-1])
    if wanted is None:
        return NextTurn(_sentence(who, asked[-1]) or LOST)
    arguments, missing = _arguments(wanted, asked)
    return NextTurn(question(missing)) if missing else NextTurn(tool=wanted, arguments=arguments)


def spoken(result: str) -> str:
    """A tool's result as it is said: an object as `key: value`, text as it is."""
    try:
        data = json.loads(result)
    except ValueError:
        data = result
    if isinstance(data, dict):
        result = ", ".join(f"{key}: {value}" for key, value in data.items()) + "."
    return result[:_LONGEST]


def as_arguments(given: Any) -> dict[str, Any]:
    """A call's arguments, which come as a map, or as its JSON; nothing where they are neither."""
    try:
        data = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def question(parameter: str) -> str:
    """How the assistant asks for what a tool needs."""
    return f"Could you tell me the {' '.join(_apart(parameter))}?"


def _first_sentence(who: StandIn) -> str:
    return next(iter(sentences(who.prompt)), LOST)


def _greeting(cast: Sequence[StandIn], turns: Sequence[Said]) -> str:
    """What the one who took over says first: its first message, or what the handoff says instead."""
    place = max((place for place, turn in enumerate(turns) if turn.calls), default=-1)
    called = {name for name, _ in turns[place].calls} if place >= 0 else set()
    handing = speaking(cast, turns[: max(place, 0)])
    tool = next((tool for tool in handing.tools if tool.name in called and tool.hands_to), None)
    own = speaking(cast, turns).first_message
    return own if tool is None or tool.greeting is None else tool.greeting


def _handed(cast: Sequence[StandIn], turns: Sequence[Said]) -> bool:
    """Did the last call hand over to another member, who now greets, or answers the same question?

    Who is asked alone sees it by a handoff in the conversation that is none of its own.
    """
    calls = next((turn.calls for turn in reversed(turns) if turn.calls), ())
    before = turns[: max(place for place, turn in enumerate(turns) if turn.calls)] if calls else ()
    who = speaking(cast, turns)
    if not calls or speaking(cast, before) is not who:
        return bool(calls)
    return calls[0][0].startswith(HANDS_OVER) and all(tool.name != calls[0][0] for tool in who.tools)


def _wanted(who: StandIn, turns: Sequence[Said], asked: str) -> ToolAtHand | None:
    """The tool that the caller's words name, or that the assistant was asking the details for."""
    open_to = [tool for tool in who.tools if not _forbidden(who, tool)]
    said = next((turn.text for turn in reversed(turns) if turn.role == "assistant"), "")
    for tool in open_to:
        if any(said == question(name) for name in tool.required):
            return tool
    heard = words(asked)
    scored = [(_score(who, tool, heard), tool) for tool in open_to]
    best = max(scored, key=lambda item: item[0], default=None)
    if best is None or best[0] < max(_ENOUGH, _SAID * _best_sentence(who, heard)[0]):
        return None
    return best[1]


def _score(who: StandIn, tool: ToolAtHand, heard: frozenset[str]) -> int:
    score, known = 0, frozenset[str]()
    for text, worth in (
        (f"{tool.name} {tool.also}", _NAME),
        (" ".join(_about(who, tool)), _NAMED),
        (tool.description, _SAID),
    ):
        score += worth * len((heard & words(text)) - known)
        known |= words(text)
    return score


def _about(who: StandIn, tool: ToolAtHand) -> list[str]:
    """The sentences of the prompt that name the tool."""
    name = re.compile(rf"(?<!\w){re.escape(tool.name)}(?!\w)")
    return [text for text in sentences(who.prompt) if name.search(text)]


def _forbidden(who: StandIn, tool: ToolAtHand) -> bool:
    """Do only sentences name it that forbid it? `Never … before` and the like forbid only a time."""
    about = _about(who, tool)
    return bool(about) and all(_FORBIDS.search(text) and not _CONDITION.search(text) for text in about)


def _best_sentence(who: StandIn, heard: frozenset[str]) -> tuple[int, str]:
    """How many words the nearest sentence shares, and the sentence; those that name a tool are not for saying."""
    unsaid = {text for tool in who.tools for text in _about(who, tool)}
    scored = [(len(heard & words(text)), text) for text in sentences(who.prompt) if text not in unsaid]
    return max(scored, key=lambda item: item[0], default=(0, ""))


def _sentence(who: StandIn, asked: str) -> str:
    shared, text = _best_sentence(who, words(asked))
    return text[:_LONGEST] if shared else ""


def _arguments(tool: ToolAtHand, asked: Sequence[str]) -> tuple[dict[str, Any], str]:
    """A tool's arguments out of what the caller said, the newest turn first, and the first that is missing."""
    found: dict[str, Any] = {}
    for name, schema in tool.parameters.items():
        for text in reversed(asked):
            value = _argument(name, schema if isinstance(schema, dict) else {}, text)
            if value is not None:
                found[name] = value
                break
        else:
            if name in tool.required:
                return found, name
    return found, ""


def _argument(name: str, schema: Mapping[str, Any], text: str) -> Any:
    about = words(f"{name} {schema.get('description', '')}")
    if isinstance(schema.get("enum"), list):
        return next((value for value in schema["enum"] if words(str(value)) & words(text)), None)
    if schema.get("type") in ("number", "integer"):
        match = re.search(r"-?\d+(?:\.\d+)?", text)
        return None if match is None else float(match.group()) if "." in match.group() else int(match.group())
    if schema.get("type") == "boolean":
        return True if about & words(text) else None
    if "email" in about:
        match = re.search(r"[^\s@,;]+@[^\s@,;]+\w", text)
        return match.group() if match else None
    if about & {"number", "id", "code", "phone", "date", "time", "zip"}:
        match = re.search(r"\+?[\w-]*\d[\w-]*", text)
        return match.group() if match else None
    return text or None


def _apart(name: str) -> list[str]:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").lower().split()
