"""Assistants and squads of the account, or out of a request, as the stand-in reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from voiceops.sandbox.account import World
from voiceops.sandbox.catalog import TOOLS
from voiceops.sandbox.stand_in import HANDS_OVER, StandIn, ToolAtHand
from voiceops.sandbox.store import Body
from voiceops.sandbox.tool_servers import server_of

# The words by which a caller asks for the built-in tools.
_BUILT_IN = {
    "endCall": "goodbye bye hang",
    "transferCall": "transfer connect human person colleague operator",
    "dtmf": "press key keypad",
    "voicemail": "voicemail",
}
_VARIABLE = re.compile(r"\{\{\s*([\w.]+)\s*(?:\|[^}]*)?\}\}")


def cast_of(world: World, target: Body, overrides: Body | None = None) -> tuple[StandIn, ...]:
    """Who answers: an assistant alone, or the members of a squad, the first of them first."""
    given = [overrides] if overrides else []
    if target.get("squadId") or target.get("squad"):
        squad = _kept(world, "/squad", target.get("squadId")) or target.get("squad") or {}
        every = [item for item in (squad.get("membersOverrides"), *given) if item]
        return tuple(_member(world, member, every) for member in squad.get("members") or ())
    return (read(world, snapshot(world, target), given),)


def snapshot(world: World, target: Body) -> Body:
    """The assistant that a target names, as it is now."""
    return _kept(world, "/assistant", target.get("assistantId")) or target.get("assistant") or {}


def read(world: World, assistant: Body, overrides: list[Body]) -> StandIn:
    """An assistant under its overrides, later ones above earlier ones; variables get their values."""
    body: Body = dict(assistant)
    values: Body = {}
    for given in overrides:
        values |= given.get("variableValues") or {}
        body |= {key: value for key, value in given.items() if value is not None and key != "variableValues"}
    model = _map(body.get("model"))
    messages = [item for item in model.get("messages") or () if isinstance(item, dict)]
    prompt = "\n".join(str(item.get("content") or "") for item in messages if item.get("role") == "system")
    tools = [tool for tool in model.get("tools") or () if isinstance(tool, dict)]
    tools += [row.body for id_ in model.get("toolIds") or () if (row := world.store.get(TOOLS, str(id_)))]
    for override in overrides:  # what an override appends is taken as well
        tools += [tool for tool in override.get("tools:append") or () if isinstance(tool, dict)]
    speaks = body.get("firstMessageMode") in (None, "assistant-speaks-first")
    return StandIn(
        name=str(body.get("name") or ""),
        first_message=_filled(str(body.get("firstMessage") or ""), values) if speaks else "",
        prompt=_filled(prompt, values),
        tools=tuple(tool for item in tools for tool in _tools(world, item, body.get("server"))),
        model={key: model[key] for key in ("provider", "model") if key in model},
    )


def with_mocked_functions(cast: tuple[StandIn, ...], mocks: Iterable[str]) -> tuple[StandIn, ...]:
    """An mcp tool has the functions that its server tells; here those that are mocked, and are nobody's tool."""
    known = {tool.name for who in cast for tool in who.tools}
    functions = tuple(ToolAtHand(name=name, kind="mcp") for name in mocks if name not in known)
    return tuple(
        replace(who, tools=(*(tool for tool in who.tools if tool.kind != "mcp"), *functions))
        if functions and any(tool.kind == "mcp" for tool in who.tools)
        else who
        for who in cast
    )


def _member(world: World, member: Body, every: list[Body]) -> StandIn:
    own = [item for item in (member.get("assistantOverrides"), *every) if item]
    found = read(world, _kept(world, "/assistant", member.get("assistantId")) or member.get("assistant") or {}, own)
    handoffs = tuple(_handoffs(world, member.get("assistantDestinations"), {}))
    return StandIn(found.name, found.first_message, found.prompt, (*found.tools, *handoffs), found.model)


def _kept(world: World, path: str, id_: Any) -> Body | None:
    row = world.store.get(path, str(id_)) if id_ else None
    return row.body if row is not None else None


def _tools(world: World, body: Body, assistants: Any) -> list[ToolAtHand]:
    kind = str(body.get("type") or "function")
    function = _map(body.get("function"))
    if kind == "handoff":
        return list(_handoffs(world, body.get("destinations"), function))
    parameters = _map(function.get("parameters"))
    about = [str(function.get("description") or body.get("description") or "")]
    about += [str(item.get("description") or "") for item in body.get("destinations") or () if isinstance(item, dict)]
    return [
        ToolAtHand(
            name=str(function.get("name") or body.get("name") or kind),
            description=" ".join(text for text in about if text),
            also=_BUILT_IN.get(kind) or _BUILT_IN.get(str(function.get("name")), ""),
            kind=kind,
            parameters=parameters.get("properties") or {},
            required=tuple(str(name) for name in parameters.get("required") or ()),
            server=server_of(world, body.get("server"), assistants) if kind == "function" else None,
        )
    ]


def _handoffs(world: World, destinations: Any, function: Body) -> Iterator[ToolAtHand]:
    """A tool for each member that can take over, by its name or its id."""
    for item in destinations or ():
        if not isinstance(item, dict):
            continue
        kept = _kept(world, "/assistant", item.get("assistantId")) or {}
        to = str(item.get("assistantName") or kept.get("name") or "")
        if to:
            spelled = re.sub(r"[^\w-]", "_", to)
            about = f"{function.get('description') or ''} {item.get('description') or ''}".strip()
            yield ToolAtHand(
                name=str(function.get("name") or "") or f"{HANDS_OVER}{spelled}",
                description=about,
                also=to,
                kind="handoff",
                hands_to=to,
                greeting=_greeting(_map(item.get("assistantOverrides"))),
            )


def _greeting(overrides: Body) -> str | None:
    """What overrides make of a first message; None: it stays the assistant's own."""
    if overrides.get("firstMessageMode") not in (None, "assistant-speaks-first"):
        return ""
    return str(overrides["firstMessage"]) if isinstance(overrides.get("firstMessage"), str) else None


def _map(value: Any) -> Body:
    return value if isinstance(value, dict) else {}


def _filled(text: str, values: Mapping[str, Any]) -> str:
    """`{{name}}` by its value; a variable without one stays as it is."""

    def value(match: re.Match[str]) -> str:
        found: Any = values
        for key in match[1].split("."):
            found = found.get(key) if isinstance(found, dict) else None
        return match[0] if found is None else str(found)

    return _VARIABLE.sub(value, text)
