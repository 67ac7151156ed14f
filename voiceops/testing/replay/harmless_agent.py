"""A live agent as one that can be talked to without doing anything: every tool is offered, and none has a place to run.

Pure. A replay sends such an agent along with each chat, instead of the live agent's id: Vapi would call the live
agent's tools for real. Each tool becomes a plain function of the same name, description and parameters; nothing is
left of servers, addresses to ask, destinations, hooks, credentials of tools and messages to a server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voiceops.manifest.vendor_bodies import default_tool_name, tool_name
from voiceops.testing.replay.conversation import END_CALL, TRANSFER, plain

# Where nothing is: Vapi sends a tool's call to the tool's server, else to the agent's, else to the organization's. An
# agent's own that can't exist keeps the organization's from being asked. https://www.rfc-editor.org/rfc/rfc6761
NOWHERE = "https://replay.invalid/"
_OWN_NAMES = {"endCall": END_CALL, "transferCall": TRANSFER, "dtmf": "dtmf", "voicemail": "voicemail"}
_NO_TOOLS = ("tools", "toolIds", "toolRefs")
_KEPT = ("name", "firstMessage", "firstMessageMode", "credentialIds", "compliancePlan")
_DESCRIPTION = 1000  # characters that Vapi takes
_NAME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmlessAgent:
    """What is sent along with each chat, and what is known of it."""

    body: Mapping[str, Any]
    loose: frozenset[str] = frozenset()  # tools whose parameters are not known: their arguments are not compared
    unseen: tuple[str, ...] = ()  # tools that can't be offered, by their types
    first_message: str = ""
    end_phrases: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """All texts that the model is given with every answer: its messages, and the tools' definitions."""
        model = self.body.get("model", {})
        messages = [str(_map(m).get("content") or "") for m in _list(model.get("messages"))]
        return "\n".join([*messages, *(str(tool) for tool in _list(model.get("tools")))])


def harmless(agent: Mapping[str, Any], tools: Sequence[Mapping[str, Any]]) -> HarmlessAgent:
    """A live agent's body as one without effects. `tools`: the bodies that its `toolIds` name.

    Raises ValueError: the agent has no model that could answer a chat.
    """
    model = _map(agent.get("model"))
    if not model.get("provider"):
        raise ValueError("it has no model")
    given = [*map(_map, _list(model.get("tools"))), *tools]
    functions: dict[str, dict[str, Any]] = {}
    loose, unseen = set(), []
    for tool in given:
        name = _name(tool)
        if not name:
            unseen.append(str(tool.get("type") or "?"))
            continue
        parameters = _parameters(tool)
        if parameters is None:
            loose.add(plain(name))
        functions[name] = {
            "type": "function",
            "function": {
                "name": name,
                "description": _description(tool),
                "parameters": parameters or {"type": "object", "properties": {}},
            },
        }
    body = {key: agent[key] for key in _KEPT if agent.get(key) is not None}
    body["model"] = {key: value for key, value in model.items() if key not in _NO_TOOLS and value is not None}
    body["model"]["tools"] = list(functions.values())
    body |= {"server": {"url": NOWHERE}, "serverMessages": [], "clientMessages": []}
    return HarmlessAgent(
        body=body,
        loose=frozenset(loose),
        unseen=tuple(sorted(set(unseen))),
        first_message=_opening(agent),
        end_phrases=tuple(str(phrase).casefold() for phrase in _list(agent.get("endCallPhrases")) if phrase),
    )


def _opening(agent: Mapping[str, Any]) -> str:
    """What the agent says first; nothing where it waits for the caller, or where the model makes it up."""
    mode = agent.get("firstMessageMode") or "assistant-speaks-first"
    return str(agent.get("firstMessage") or "") if mode == "assistant-speaks-first" else ""


def _name(tool: Mapping[str, Any]) -> str:
    """What the model calls it by; nothing of what only Vapi can name (`mcp`)."""
    kind = str(tool.get("type") or "")
    if kind == "mcp":
        return ""
    if kind == "handoff":
        return tool_name(tool) or _handoff(tool)
    if kind == "query":
        return tool_name(tool) or "knowledge-search"
    return tool_name(tool) or _OWN_NAMES.get(kind) or default_tool_name(tool) or ""


def _handoff(tool: Mapping[str, Any]) -> str:
    """As Vapi builds it for one destination: `handoff_to_` and who it is."""
    destinations = _list(tool.get("destinations"))
    one = _map(destinations[0]) if len(destinations) == 1 else {}
    who = str(one.get("assistantName") or one.get("assistantId") or "")
    return "handoff_to_" + ("".join(c if c.isalnum() or c in "-_" else "_" for c in who) or "assistant")


def _description(tool: Mapping[str, Any]) -> str:
    function = _map(tool.get("function"))
    said = str(function.get("description") or tool.get("description") or "")
    if not said:
        reasons = [str(_map(d).get("description") or "") for d in _list(tool.get("destinations"))]
        said = " ".join(reason for reason in reasons if reason)
    return said[:_DESCRIPTION]


def _parameters(tool: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The JSON schema of its arguments; None where only Vapi knows it."""
    function = _map(tool.get("function"))
    if isinstance(function.get("parameters"), Mapping):
        return _map(function["parameters"])
    kind = tool.get("type")
    if kind == "apiRequest" and isinstance(tool.get("body"), Mapping):
        return _map(tool["body"])
    if kind == "endCall" or (kind == "function" and function):
        return {"type": "object", "properties": {}}
    if kind == "transferCall" and (places := [where for d in _list(tool.get("destinations")) if (where := _place(d))]):
        destination = {"type": "string", "enum": places, "description": "Where to."}
        return {"type": "object", "properties": {"destination": destination}, "required": ["destination"]}
    return None


def _place(destination: Any) -> str:
    found = _map(destination)
    keys = ("number", "sipUri", "assistantName", "assistantId")
    return next((str(found[key]) for key in keys if found.get(key)), "")


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
