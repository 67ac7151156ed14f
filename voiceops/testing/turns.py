"""What an API tells of a conversation, as turns: OpenAI's messages, Vapi's own, or a transcript's lines. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from voiceops.model.json_in import as_number, maps_in
from voiceops.model.safe_text import visible
from voiceops.model.wording import cut
from voiceops.testing.outcome import Role, Turn

_ROLES: Mapping[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "agent": "assistant",
    "tool": "tool",
    "function": "tool",
    "tool_calls": "tool",
    "tool_call_result": "tool",
    "system": "system",
}
_VAPIS = {"bot": "agent", "customer": "user"}  # how Vapi calls them in a call's own messages
_LONGEST = 4000  # characters of one turn: a prompt that somebody repeats is no news
_MOST = 500  # turns
_SPOKEN = re.compile(r"\s*(?P<who>[A-Za-z]+)\s*:\s*(?P<text>.*)", re.DOTALL)


def turns_of(call: Any) -> tuple[Turn, ...]:
    """The turns of a call's data: of its `messages` where there are any, else of its `transcript`."""
    if not isinstance(call, Mapping):
        return ()
    messages = call.get("messages")
    found = tuple(turn for _, turn in numbered(messages))
    return found or tuple(_of_text(call.get("transcript")))


def numbered(messages: Any) -> Iterator[tuple[int, Turn]]:
    """The turns of messages, each with the place (from 0) of its message: one may say something and call tools."""
    begun = False
    for place, item in enumerate(messages[:_MOST] if isinstance(messages, list) else ()):
        if not isinstance(item, Mapping):
            continue
        role = _role(str(item.get("role")))
        if role is None or (role == "system" and not begun):
            continue  # what stands before the first turn is the agent's prompt
        begun = True
        at = as_number(item.get("secondsFromStart"))
        if text := _text(item):
            yield place, Turn(role, text, at)
        for call in _calls(item):
            yield place, Turn("tool", call, at)


def _of_text(transcript: Any) -> Iterator[Turn]:
    for line in str(transcript or "").splitlines()[:_MOST] if isinstance(transcript, str) else ():
        spoken = _SPOKEN.fullmatch(line)
        role = _role(spoken["who"].lower()) if spoken else None
        if spoken and role is not None:
            yield Turn(role, _short(spoken["text"]))


def _role(said: str) -> Role | None:
    return _ROLES.get(_VAPIS.get(said, said))


def _text(message: Mapping[str, Any]) -> str:
    for key in ("content", "message", "result"):
        value = message.get(key)
        if isinstance(value, str) and value.strip():
            return _short(value)
        if isinstance(value, list):  # parts of a message
            parts = [str(part.get("text") or "") for part in value if isinstance(part, Mapping)]
            if any(parts):
                return _short(" ".join(part for part in parts if part))
    return ""


def _calls(message: Mapping[str, Any]) -> Iterator[str]:
    """The tools that a message calls, as `name(arguments)`."""
    calls = message.get("tool_calls") or message.get("toolCalls")
    for call in maps_in(calls):
        function = call.get("function")
        said = function if isinstance(function, Mapping) else call
        arguments = said.get("arguments")
        shown = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
        yield _short(f"{said.get('name')}({shown})")


def _short(text: str) -> str:
    return cut(visible(text.strip()), _LONGEST)
