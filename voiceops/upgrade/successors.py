"""What stands today for each old field, and how its value is to be written there. Pure.

The schema's facts name the successors: where one is a path that takes the same value, the value moves there. Here is
what more has to be known: values of another form, fields that only say a default, and why something is left to people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.errors import Mark
from voiceops.kinds.nodes import entries_of, option_for
from voiceops.kinds.places import known_place
from voiceops.kinds.schema import Node
from voiceops.manifest.problems import Problems
from voiceops.manifest.schema_check import Checker
from voiceops.model.located import located
from voiceops.upgrade.decisions import OLD, Append, Decision, Left, Path, Put, Respelled, Rewrite, held_at
from voiceops.upgrade.known_manifests import NOTHING_KNOWN, KnownManifests

_NOWHERE = Mark("", 1, 1)
_PATH = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)*")
_TRANSCRIPT = "Here is the transcript:\n\n{{transcript}}\n\n"
_SCHEMA = "Json Schema:\n{{schema}}\n\nOnly respond with the JSON."
_RUBRIC = "Rubric:\n{{rubric}}\n\nOnly respond with the result."
_PROMPT = "Here was the system prompt of the call:\n\n{{systemPrompt}}\n\n"
_SPOKEN_ELSEWHERE = "its results would arrive in artifact.structuredOutputs, no longer in call.analysis: "
# Keys that were the API's once and that its schema knows no more, and the types they stood in.
_ONCE = frozenset(
    {
        *("fallbackForwardingPhoneNumber", "fillerInjectionEnabled", "forwardingPhoneNumbers", "functions"),
        *("inputMinCharacters", "inputPreprocessingEnabled", "inputReformattingEnabled", "interruptionsEnabled"),
        *(
            "knowledgeBaseId",
            "llmRequestNonPunctuatedDelaySeconds",
            "serverUrl",
            "serverUrlSecret",
            "smartEndpointingEnabled",
            "structuredDataPrompt",
        ),
        *("structuredDataSchema", "successEvaluationPrompt", "successEvaluationRubric", "summaryPrompt"),
        *("systemMessage", "systemPrompt", "toolIds", "tools", "twilioPhoneNumber", "videoRecordingEnabled"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OldField:
    """One field of a manifest: what it holds, what stands beside it, and what is known of the place."""

    key: str
    value: Any
    around: Mapping[str, Any]
    type_name: str
    node: Node | None  # the facts of the map that holds it
    laid_over: str = ""  # of what is laid over a body: `an override`, `a patch`, `a default`; empty: a body itself
    known: KnownManifests = NOTHING_KNOWN


def decision_for(field: OldField) -> Decision | None:
    """What becomes of a field; None where it is none of the old ones."""
    facts = entries_of(field.node, field.around).get(field.key)
    if found := _respelled(field, facts or {}):
        return found
    if facts is not None and not facts.get("deprecated"):
        return None
    place = str(facts.get("successor", "")) if facts is not None else _once_at(field)
    if facts is None and not place:
        return None
    target = _path_of(place, field.type_name)
    if field.value is None:
        return None if not field.laid_over else _null(field, target, place)
    if field.key in _RULES:
        return _RULES[field.key](field, target)
    if target:
        return _moved(field, target)
    return Left(_no_successor(place), successor=place)


def _once_at(field: OldField) -> str:
    """Where a key belongs today that its type knows no more; empty where it never was one, or nothing is known."""
    if field.key not in _ONCE or not field.type_name:
        return ""
    return known_place(field.type_name, field.key)


def _path_of(place: str, type_: str) -> Path:
    """A successor as a path below the map that holds the old field; empty where it is said in words."""
    if not _PATH.fullmatch(place):
        return ()
    path = tuple(place.split("."))
    return path[1:] if type_.endswith("Voice") and path[0] == "voice" else path


def _no_successor(place: str) -> str:
    if not place:
        return "Vapi names no successor"
    return (
        place[0].lower() + place[1:] if place.startswith("Vapi") else f"{place}: how it is to read there is not known"
    )


def _null(field: OldField, target: Path, place: str) -> Decision:
    if target and (field.key not in _RULES or field.key == "serverUrl"):
        return Rewrite(steps=(Put(target),), successor=".".join(target))
    return Left("null takes out what the manifest sets: write it for the successor", successor=place)


def _moved(field: OldField, target: Path, note: str = "") -> Decision:
    """The value as it is, at the place of its successor, if that takes it."""
    if target[0] == "model" and not isinstance(field.around.get("model"), Mapping):
        return Left("the manifest sets no model here that could take it", successor=".".join(target))
    if why := _refusal(field, target, field.value):
        return Left(why, successor=".".join(target))
    return Rewrite(steps=(Put(target),), successor=".".join(target), note=note)


def _refusal(field: OldField, target: Path, value: Any) -> str:
    """Why the place would not take the value; empty where it does, or where that shows only in an environment."""
    if _is_substituted(value):
        return ""
    node, held = field.node, field.around
    for key in target:
        node = entries_of(node, held).get(key) if node is not None else None
        inner = held.get(key) if isinstance(held, Mapping) else None
        held = inner if isinstance(inner, Mapping) else {}
    if node is None:
        return ""
    problems = Problems()
    Checker(problems, partial=True).check(node, located(value, _NOWHERE), _NOWHERE)
    errors = [found for found in problems.all if found.severity == "error"]
    return f"{'.'.join(target)} does not take this value: {errors[0].summary}" if errors else ""


def _is_substituted(value: Any) -> bool:
    return isinstance(value, str) and "${" in value.replace("$${", "")


def _respelled(field: OldField, facts: Node) -> Decision | None:
    """A value in its old spelling or form."""
    chosen = option_for(field.node, field.around)
    aliases = chosen.get("aliases", {}) if chosen is not None and chosen.get("by") == field.key else {}
    renamed = {**(facts.get("renamed") or {}), **aliases}
    if isinstance(field.value, str) and field.value in renamed:
        return Respelled(str(renamed[field.value]))
    if field.key == "delimiters" and isinstance(field.value, str) and not _is_substituted(field.value):
        return Respelled([field.value])
    return None


def _decided_later(field: OldField) -> Left | None:
    if isinstance(field.value, bool):
        return None
    return Left(f"whether it is true shows only where {_shown(field.value)} is known: write the successor yourself")


def _shown(value: Any) -> str:
    return value[:60] if isinstance(value, str) else "its value"


def _denoising(field: OldField, target: Path) -> Decision:
    return _moved(field, (*target, "smartDenoisingPlan", "enabled"))


def _tool(type_: str) -> Callable[[OldField, Path], Decision]:
    def rule(field: OldField, target: Path) -> Decision:
        if later := _decided_later(field):
            return later
        if not field.value:
            return Rewrite(successor="nothing: that is what holds without it")
        return _with_tool(field, {"type": type_})

    return rule


def _with_tool(field: OldField, tool: dict[str, Any]) -> Decision:
    """A tool at the end of the model's own."""
    type_, words = tool["type"], f"model.tools with {{type: {tool['type']}}}"
    if field.laid_over:
        return Left(f"a list in {field.laid_over} takes the place of the agent's tools", successor=words)
    model = field.around.get("model")
    if isinstance(model, str):
        return Left(f"the tools belong to the part Model/{model}: add {{type: {type_}}} there", successor=words)
    if not isinstance(model, Mapping):
        return Left("the manifest sets no model that could take a tool", successor=words)
    tools = model.get("tools")
    if "from" in model and tools is None:
        return Left(f"tools here would take the place of those of Model/{model['from']}", successor=words)
    if tools is not None and not isinstance(tools, list):
        return Left("model.tools is not written out here", successor=words)
    named = [item for item in (*(tools or ()), *_names(model.get("toolIds"))) if isinstance(item, str)]
    of_type = next((name for name in named if field.known.tools.get(name) == type_), None)
    if of_type is not None and tool == {"type": type_}:
        return Rewrite(successor=f"the tool {of_type}, which the model has")
    if of_type is not None:
        return Left(f"the model has a {type_} already: {of_type}", successor=words)
    return Rewrite(steps=(Append(("model", "tools"), tool),), successor=words)


def _names(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _forwarding(field: OldField, target: Path) -> Decision:
    return _with_tool(field, {"type": "transferCall", "destinations": [{"type": "number", "number": OLD}]})


def _forwarding_many(field: OldField, target: Path) -> Decision:
    return Left("a tool of type transferCall names its destinations, each with a description of its own")


def _fallback(field: OldField, target: Path) -> Decision:
    if "fallbackDestination" in field.around:
        return Left("fallbackDestination is there already", successor="fallbackDestination")
    number = {"type": "number", "number": OLD}
    return Rewrite(steps=(Put(("fallbackDestination",), number),), successor="fallbackDestination")


def _smart_endpointing(field: OldField, target: Path) -> Decision:
    if field.value == "livekit":
        return Rewrite(steps=(Put(target, {"provider": "livekit"}),), successor=".".join(target))
    if later := _decided_later(field):
        return later
    if field.value:
        return Rewrite(steps=(Put(target, {"provider": "vapi"}),), successor=".".join(target))
    if held_at(field.around, target) is not None:
        return Left(f"it says no, and {target[-1]} says yes: take one out", successor=".".join(target))
    return Rewrite(successor="nothing: that is what holds without it")


def _only_default(default: bool, words: str) -> Callable[[OldField, Path], Decision]:
    """A field that can go where it says what holds anyway."""

    def rule(field: OldField, target: Path) -> Decision:
        if field.value is default:
            return Rewrite(successor="nothing: that is what holds without it")
        return Left(words)

    return rule


def _summary_prompt(field: OldField, target: Path) -> Decision:
    if field.value in ("", "off"):
        path = (*target[:-1], "enabled")
        return Rewrite(steps=(Put(path, False),), successor=".".join(path))
    return _messages(field, target, ())


def _data_prompt(field: OldField, target: Path) -> Decision:
    return _messages(field, target, (("system", _SCHEMA),))


def _evaluation_prompt(field: OldField, target: Path) -> Decision:
    if field.value in ("", "off"):
        path = (*target[:-1], "enabled")
        return Rewrite(steps=(Put(path, False),), successor=".".join(path))
    plan = held_at(field.around, target[:-1])
    rubric = "successEvaluationRubric" in field.around or (isinstance(plan, Mapping) and "rubric" in plan)
    found = _messages(field, target, (("system", _RUBRIC),) if rubric else ())
    if isinstance(found, Rewrite) and isinstance(found.steps[0], Put):
        found.steps[0].value.append({"role": "user", "content": _PROMPT})
    return found


def _messages(field: OldField, target: Path, more: tuple[tuple[str, str], ...]) -> Decision:
    """A prompt as the first of the messages that Vapi would send with it."""
    if held_at(field.around, target) is not None:
        return Left(f"{'.'.join(target)} is there already", successor=".".join(target))
    rest = [*more, ("user", _TRANSCRIPT)]
    messages = [{"role": "system", "content": OLD}, *({"role": role, "content": text} for role, text in rest)]
    return Rewrite(
        steps=(Put(target, messages),),
        successor=".".join(target),
        note="the messages beside the prompt are Vapi's own default ones, written out",
    )


def _data_schema(field: OldField, target: Path) -> Decision:
    enabled = (*target[:-1], "enabled")
    steps = (Put(target),) if held_at(field.around, enabled) is not None else (Put(target), Put(enabled, True))
    return Rewrite(steps=steps, successor=".".join(target))


def _analysis(field: OldField, target: Path) -> Decision:
    return Left(_SPOKEN_ELSEWHERE + "whoever reads them comes first", successor=".".join(target))


def _within_analysis(field: OldField, target: Path) -> None:
    """Said once, of the whole plan."""


def _functions(field: OldField, target: Path) -> Decision:
    return Left(
        "functions are called by a function-call message, tools by a tool-calls message: change the server first, "
        "then write each as {type: function, function: …}",
        successor="model.tools",
    )


def _system_prompt(field: OldField, target: Path) -> Decision:
    path: Path = ("systemPrompt",) if field.type_name.endswith("Model") else ("model", "systemPrompt")
    model = held_at(field.around, path[:-1]) if len(path) > 1 else field.around
    if not isinstance(model, Mapping):
        return Left("the manifest sets no model that could take it", successor=".".join(path))
    messages = model.get("messages")
    if isinstance(messages, list) and any(isinstance(m, Mapping) and m.get("role") == "system" for m in messages):
        return Left("model.messages has a system message already", successor=".".join(path))
    return Rewrite(steps=(Put(path),), successor=".".join(path))


def _server_url(field: OldField, target: Path) -> Decision:
    secret = field.around.get("serverUrlSecret")
    if secret is not None and secret not in field.known.credentials:
        return Left("it goes together with serverUrlSecret", successor="server.url")
    return _moved(field, target or ("server", "url"))


def _server_secret(field: OldField, target: Path) -> Decision:
    """A Credential manifest that sends the same header takes the secret's place."""
    path: Path = ("credentialId",) if field.key == "secret" else ("server", "credentialId")
    name = field.known.credentials.get(field.value) if isinstance(field.value, str) else None
    if name is not None:
        return Rewrite(steps=(Put(path, name),), successor=f"{'.'.join(path)}: {name}")
    return Left(
        "a secret is kept in a Credential. Write one first: {provider: custom-credential, authenticationPlan: {type: "
        "bearer, token: ${secret:…}, headerName: X-Vapi-Secret, bearerPrefixEnabled: false}}, in all environments",
        successor=".".join(path),
    )


def _idle_messages(field: OldField, target: Path) -> Decision:
    return Left(
        "a hook on customer.speech.timeout says one text each time, after its own seconds: choose them",
        successor="hooks on customer.speech.timeout",
    )


def _number(field: OldField, target: Path) -> Decision:
    return _moved(field, ("number",))


_RULES: dict[str, Callable[[OldField, Path], Decision | None]] = {
    "analysisPlan": _analysis,
    "backchannelingEnabled": _only_default(False, "Vapi names no successor"),
    "backgroundDenoisingEnabled": _denoising,
    "dialKeypadFunctionEnabled": _tool("dtmf"),
    "endCallFunctionEnabled": _tool("endCall"),
    "fallbackForwardingPhoneNumber": _fallback,
    "fillerInjectionEnabled": _only_default(False, "Vapi has taken it out of its API: leave it out"),
    "forwardingPhoneNumber": _forwarding,
    "forwardingPhoneNumbers": _forwarding_many,
    "functions": _functions,
    "interruptionsEnabled": _only_default(
        True, "nothing turns interruptions off; stopSpeakingPlan.numWords: 10 comes near"
    ),
    "messagePlan": _idle_messages,
    "secret": _server_secret,
    "serverUrl": _server_url,
    "serverUrlSecret": _server_secret,
    "smartEndpointingEnabled": _smart_endpointing,
    "structuredDataMultiPlan": _within_analysis,
    "structuredDataPlan": _within_analysis,
    "structuredDataPrompt": _data_prompt,
    "structuredDataSchema": _data_schema,
    "successEvaluationPlan": _within_analysis,
    "successEvaluationPrompt": _evaluation_prompt,
    "summaryPlan": _within_analysis,
    "summaryPrompt": _summary_prompt,
    "systemMessage": _system_prompt,
    "systemPrompt": _system_prompt,
    "twilioPhoneNumber": _number,
}
