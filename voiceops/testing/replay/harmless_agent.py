"""A live agent as one that can be talked to without doing anything: every tool is offered, and none has a place to run.

Pure. A replay sends such an agent along with each chat, instead of the live agent's id: Vapi would call the live
agent's tools for real. Each tool becomes a plain function of the same name, description and parameters; nothing is
left of servers, addresses to ask, destinations, hooks, credentials of tools and messages to a server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.manifest.vendor_bodies import default_tool_name, tool_name
from voiceops.model.json_in import as_list, as_map
from voiceops.testing.replay.conversation import END_CALL, TRANSFER, plain
from voiceops.testing.replay.handoffs import Handoff, handoff_function, handoffs_of

# Where nothing is: Vapi sends a tool's call to the tool's server, else to the agent's, else to the organization's. An
# agent's own that can't exist keeps the organization's from being asked. https://www.rfc-editor.org/rfc/rfc6761
NOWHERE = "https://replay.invalid/"
_OWN_NAMES = {"endCall": END_CALL, "transferCall": TRANSFER, "dtmf": "dtmf", "voicemail": "voicemail"}
# What Vapi's own tools do, where nobody describes them: a model that is offered a plain function sees no type.
_OWN_DEEDS = {
    "endCall": "Ends the call.",
    "transferCall": "Transfers the caller to somebody else.",
    "dtmf": "Presses keys of the telephone.",
    "voicemail": "Leaves a message on the voicemail that answered.",
}
_NO_TOOLS = ("tools", "toolIds", "toolRefs")
_KEPT = ("name", "firstMessage", "firstMessageMode", "credentialIds", "compliancePlan")
_DESCRIPTION = 1000  # characters that Vapi takes


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmlessAgent:
    """What is sent along with each chat, and what is known of it."""

    body: Mapping[str, Any]
    loose: frozenset[str] = frozenset()  # tools whose parameters are not known: their arguments are not compared
    unseen: tuple[str, ...] = ()  # tools that can't be offered, by their types
    handoffs: Mapping[str, tuple[Handoff, ...]] = field(default_factory=dict)  # by the plain name of the tool
    first_message: str = ""
    end_phrases: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """All texts that the model is given with every answer: its messages, and the tools' definitions."""
        model = self.body.get("model", {})
        messages = [str(as_map(m).get("content") or "") for m in as_list(model.get("messages"))]
        return "\n".join([*messages, *(str(tool) for tool in as_list(model.get("tools")))])

    @property
    def tools(self) -> frozenset[str]:
        """The plain names of the tools that it is offered."""
        return frozenset(plain(tool["function"]["name"]) for tool in self.body["model"]["tools"])

    def with_functions(self, functions: Iterable[tuple[str, Mapping[str, Any]]]) -> HarmlessAgent:
        """The same with more functions, by name and parameters; of these the arguments don't count."""
        more = {
            name: _function(name, "", parameters) for name, parameters in functions if plain(name) not in self.tools
        }
        model = {**self.body["model"], "tools": [*self.body["model"]["tools"], *more.values()]}
        return replace(self, body={**self.body, "model": model}, loose=self.loose | set(map(plain, more)))


def harmless(
    agent: Mapping[str, Any], tools: Sequence[Mapping[str, Any]], destinations: Sequence[Any] = ()
) -> HarmlessAgent:
    """A live agent's body as one without effects. `tools`: the bodies that its `toolIds` name; `destinations`: whom it
    hands the caller on to as a member of a squad.

    Raises ValueError: the agent has no model that could answer a chat.
    """
    model = as_map(agent.get("model"))
    if not model.get("provider"):
        raise ValueError("it has no model")
    handing = ({"type": "handoff", "destinations": [destination]} for destination in destinations)
    functions: dict[str, dict[str, Any]] = {}
    handoffs: dict[str, tuple[Handoff, ...]] = {}
    loose, unseen = set(), []
    for tool in [*map(as_map, as_list(model.get("tools"))), *tools, *handing]:
        name = _name(tool)
        if not name:
            unseen.append(str(tool.get("type") or "?"))
            continue
        parameters = _parameters(tool)
        if parameters is None:
            loose.add(plain(name))
        if found := handoffs_of(tool):
            handoffs[plain(name)] = (*handoffs.get(plain(name), ()), *found)
        functions[name] = _function(name, _description(tool), parameters)
    body = {key: agent[key] for key in _KEPT if agent.get(key) is not None}
    body["model"] = {key: value for key, value in model.items() if key not in _NO_TOOLS and value is not None}
    body["model"]["tools"] = list(functions.values())
    body |= {"server": {"url": NOWHERE}, "serverMessages": [], "clientMessages": []}
    return HarmlessAgent(
        body=body,
        loose=frozenset(loose),
        unseen=tuple(sorted(set(unseen))),
        handoffs=handoffs,
        first_message=_opening(agent),
        end_phrases=tuple(str(phrase).casefold() for phrase in as_list(agent.get("endCallPhrases")) if phrase),
    )


def _function(name: str, description: str, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    given = parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": given}}


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
        return tool_name(tool) or handoff_function(tool)
    if kind == "query":
        return tool_name(tool) or "knowledge-search"
    return tool_name(tool) or _OWN_NAMES.get(kind) or default_tool_name(tool) or ""


def _description(tool: Mapping[str, Any]) -> str:
    function = as_map(tool.get("function"))
    said = str(function.get("description") or tool.get("description") or "")
    if not said:
        reasons = [str(as_map(d).get("description") or "") for d in as_list(tool.get("destinations"))]
        said = " ".join(reason for reason in reasons if reason) or _OWN_DEEDS.get(str(tool.get("type")), "")
    return said[:_DESCRIPTION]


def _parameters(tool: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The JSON schema of its arguments; None where only Vapi knows it."""
    function = as_map(tool.get("function"))
    if isinstance(function.get("parameters"), Mapping):
        return as_map(function["parameters"])
    kind = tool.get("type")
    if kind == "apiRequest" and isinstance(tool.get("body"), Mapping):
        return as_map(tool["body"])
    if kind == "endCall" or (kind == "function" and function):
        return {"type": "object", "properties": {}}
    places = [where for d in as_list(tool.get("destinations")) if (where := _place(d))]
    if (kind == "transferCall" and places) or (kind == "handoff" and len(places) > 1):
        destination = {"type": "string", "enum": places, "description": "Where to."}
        return {"type": "object", "properties": {"destination": destination}, "required": ["destination"]}
    return None


def _place(destination: Any) -> str:
    found = as_map(destination)
    keys = ("number", "sipUri", "assistantName", "assistantId")
    return next((str(found[key]) for key in keys if found.get(key)), "")
