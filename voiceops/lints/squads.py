"""Squads: members that nobody hands over to, greetings in the middle of a call, overrides that do more than meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voiceops.lints.context import Assistant, Context
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding, Spot, body_of, walk
from voiceops.model.values import Ref

_HANDS_OVER = ("handoff", "transferCall")


def _member_agent(context: Context, member: Spot) -> Assistant | None:
    found = context.agent(member.get("assistantId"))
    if found is None and isinstance(member.get("assistant"), dict):
        found = Assistant(member.at("assistant"), override=False)
    return found


def _destinations(context: Context, squad: Spot, member: Spot) -> tuple[list[Spot], bool]:
    """Where a member hands over to, and whether that is all: a dynamic tool may name anybody."""
    agent = _member_agent(context, member)
    layers = [agent] if agent else []
    layers += [
        Assistant(spot, override=True) for spot in (member.at("assistantOverrides"), squad.at("membersOverrides"))
    ]
    found = member.items("assistantDestinations")
    complete = agent is not None
    for layer in layers:
        attached = context.tools(layer)
        ids = layer.spot.items("model", "toolIds")
        complete = complete and not layer.spot.get("model", "toolRefs")
        complete = complete and len(ids) == sum(a.place.path[-2] == "toolIds" for a in attached)
        for tool in [a.tool for a in attached] + _hook_tools(context, layer):
            if tool.get("type") in _HANDS_OVER:
                destinations = tool.items("destinations")
                complete = complete and bool(destinations)
                found += destinations
            complete = complete and tool.get("type") != "mcp"
    return found, complete and not any(d.get("type") in ("dynamic", "squad") for d in found)


def _hook_tools(context: Context, assistant: Assistant) -> list[Spot]:
    found = []
    for hook in assistant.spot.items("hooks"):
        for action in hook.items("do"):
            if isinstance(action.get("tool"), dict):
                found.append(action.at("tool"))
            ref = action.get("toolId")
            if isinstance(ref, Ref) and ref.address in context.graph.resources:
                resource = context.graph.resources[ref.address]
                found.append(body_of(resource))
    return found


def _goes_to(destination: Spot, keys: Mapping[Any, int]) -> int | None:
    """Which member a destination means: by reference, or by its live name."""
    for field in ("assistantId", "assistantName"):
        value = destination.get(field)
        key = value.address if isinstance(value, Ref) else value
        if isinstance(key, str) and key in keys:
            return keys[key]
    return None


@lint("VO501", "member-unreachable", "A squad member to whom nobody hands over")
def member_unreachable(context: Context) -> Iterator[Finding]:
    for squad in context.bodies:
        members = squad.items("members") if squad.resource.kind == "Squad" else []
        keys: dict[Any, int] = {}
        for index, member in enumerate(members):
            agent = _member_agent(context, member)
            if isinstance(ref := member.get("assistantId"), Ref):
                keys[ref.address] = index
            if agent is not None and isinstance(name := agent.spot.get("name"), str):
                keys[name] = index
        reached, waiting, complete = {0}, [0], True
        while waiting and members:
            destinations, all_known = _destinations(context, squad, members[waiting.pop()])
            complete = complete and all_known
            for destination in destinations:
                next_one = _goes_to(destination, keys)
                if next_one is not None and next_one not in reached:
                    reached.add(next_one)
                    waiting.append(next_one)
        if not complete:
            continue
        for index, member in enumerate(members):
            if index not in reached:
                key = "assistantId" if member.get("assistantId") is not None else "assistant"
                yield member.finding(
                    "no member that a caller can come to hands over to this one",
                    key,
                    hint="Give another member a handoff tool to it, or take it out of the squad.",
                )


@lint("VO502", "greeting-repeated", "An agent greets a caller again who is handed back to it")
def greeting_repeated(context: Context) -> Iterator[Finding]:
    for tool in context.all_tools:
        if tool.get("type") not in _HANDS_OVER:
            continue
        for destination in tool.items("destinations"):
            yield from _greets_again(context, destination)
    for squad in context.bodies:
        for member in squad.items("members") if squad.resource.kind == "Squad" else ():
            for destination in member.items("assistantDestinations"):
                yield from _greets_again(context, destination)


def _greets_again(context: Context, destination: Spot) -> Iterator[Finding]:
    refs = [destination.get(key) for key in ("assistantId", "assistantName")]
    agent = next((found for ref in refs if (found := context.agent(ref))), None)
    if agent is None or destination.get("type") != "assistant":
        return
    changed = destination.get("assistantOverrides") or {}
    settled = any(key in changed for key in ("firstMessage", "firstMessageMode"))
    mode = agent.spot.get("firstMessageMode")
    if settled or mode not in (None, "assistant-speaks-first") or not agent.spot.get("firstMessage"):
        return
    field = "assistantId" if destination.get("assistantId") is not None else "assistantName"
    yield destination.finding(
        f"a caller who comes here in the middle of a call hears {agent.name}'s first message",
        field,
        hint="Add assistantOverrides: {firstMessageMode: assistant-speaks-first-with-model-generated-message} here.",
    )


@lint("VO503", "prompt-overridden", "An override replaces a whole prompt")
def prompt_overridden(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        if assistant.override and assistant.system_prompts:
            prompt = assistant.system_prompts[0][0]
            everybody = assistant.spot.path[-1] in ("membersOverrides", "squadOverrides")
            yield prompt.finding(
                "this replaces the whole prompt of " + ("every member" if everybody else "the agent"),
                hint="Keep one prompt in the agent and override variableValues: {{name}} in the prompt takes them.",
            )


@lint("VO504", "override-null", "A null in an override, which the API drops")
def override_null(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        if not assistant.override:
            continue
        for spot in walk(assistant.spot):
            if spot.value is None and spot.path != assistant.spot.path:
                yield spot.finding(
                    "a null in an override has no effect: the agent's own value stays",
                    hint="Override it with the value that switches it off, or change the agent.",
                )
