"""A body in the words that people write: the prompt, the tools, who answers a line.

The reverse of what the manifest layer makes of them (manifest/resolve.py `_model`, manifest/vendor_bodies.py).
"""

from __future__ import annotations

from typing import Any

from voiceops.adopt.found import Written
from voiceops.adopt.leaves import Name, PartHere, Prompt
from voiceops.model.values import JSON

_LONG = 160  # characters of a text that reads better as a file


def eased(value: Any, whose: str = "", *, top: bool = False) -> Any:
    """The value with every model in it in people's words. `whose`: which of a manifest's several prompts this is."""
    if isinstance(value, PartHere):
        inner = {key: eased(item, whose) for key, item in value.value.items()}
        if value.kind != "Model":
            return PartHere(value.kind, inner)
        return _model(inner, whose)
    if isinstance(value, dict):
        name = value.get("name")
        here = name if isinstance(name, str) and "model" in value and not top else whose
        return {key: eased(item, here) for key, item in value.items()}
    if isinstance(value, list):
        return [eased(item, whose) for item in value]
    return value


def _model(model: dict[str, JSON], whose: str) -> PartHere:
    """What several agents may share, and beside it what is each one's own: prompt, messages, tools."""
    own: dict[str, JSON] = {}
    rest = dict(model)
    messages = rest.pop("messages", None)
    if isinstance(messages, list):
        own |= _messages(messages, whose)
    elif messages is not None:
        own["messages"] = messages
    own |= _tools(rest)
    return PartHere("Model", rest, own)


def _messages(messages: list[Any], whose: str) -> dict[str, JSON]:
    first = messages[0] if messages else None
    others = any(isinstance(m, dict) and m.get("role") == "system" for m in messages[1:])
    if isinstance(first, dict) and _is_prompt(first) and not others:
        found: dict[str, JSON] = {"systemPrompt": _text(first["content"], whose, always=True)}
        return found | ({"messages": messages[1:]} if messages[1:] else {})
    return {"messages": [_with_file(message, whose) for message in messages]}


def _is_prompt(message: dict[str, Any]) -> bool:
    """Is it what `systemPrompt` becomes, and nothing more?"""
    return (
        message.keys() == {"role", "content"}
        and message["role"] == "system"
        and isinstance(message["content"], (str, Written))
    )


def _with_file(message: Any, whose: str) -> Any:
    if isinstance(message, dict) and message.get("role") == "system" and isinstance(message.get("content"), str):
        return {**message, "content": _text(message["content"], whose, always=False)}
    return message


def _text(content: Any, whose: str, *, always: bool) -> Any:
    if not isinstance(content, str):
        return content
    return Prompt(content, whose) if content and (always or len(content) > _LONG or "\n" in content) else content


def _tools(model: dict[str, JSON]) -> dict[str, JSON]:
    """`tools` with the names of manifests and the tools that stand here, as far as it says the same as both lists."""
    ids, inline = model.pop("toolIds", None), model.pop("tools", None)
    plain = all(value is None or isinstance(value, list) for value in (ids, inline))
    named = plain and bool(ids) and all(isinstance(item, (Name, str)) for item in ids)
    if named and inline != [] and all(isinstance(item, dict) for item in inline or ()):
        return {"tools": [*ids, *(inline or ())]}
    given = {"tools": inline, "toolIds": ids}
    return {key: value for key, value in given.items() if value is not None}
