"""Handing a caller on within a squad: to whom a tool leads, and what the one who takes over gets to read. Pure.

https://docs.vapi.ai/squads/handoff: `HandoffDestinationAssistant`, `…Squad`, `…Dynamic` and the older
`TransferDestinationAssistant` of Vapi's published schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voiceops.model.values import JSON

ANSWER = "Handoff initiated."  # what a handoff returns where the record does not tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """One destination of a tool. `to` is a live name or id; empty where only a server knows it (`dynamic`)."""

    to: str = ""
    by_id: bool = False
    squad: str = ""  # the live id of a squad that takes over as a whole; `to` is its member that begins, if named
    context: str = "all"  # what is carried along: the type of `contextEngineeringPlan`
    most: int = 0  # messages, of `lastNMessages`
    overrides: Mapping[str, Any] = field(default_factory=dict)  # of who takes over


def handoffs_of(tool: Mapping[str, Any]) -> tuple[Handoff, ...]:
    """Whom a tool's body hands on to, within Vapi: nobody of a tool that is no handoff, and of telephone numbers."""
    if tool.get("type") not in ("handoff", "transferCall"):
        return ()
    found = [item for item in tool.get("destinations") or () if isinstance(item, Mapping)]
    return tuple(_handoff(item) for item in found if item.get("type") in ("assistant", "squad", "dynamic"))


def _handoff(destination: Mapping[str, Any]) -> Handoff:
    plan = destination.get("contextEngineeringPlan")
    told = plan if isinstance(plan, Mapping) else {}
    context = "none" if destination.get("transferMode") == "delete-history" else str(told.get("type") or "all")
    most = told.get("maxMessages")
    overrides = destination.get("squadOverrides" if destination.get("type") == "squad" else "assistantOverrides")
    names = ("entryAssistantName",) if destination.get("type") == "squad" else ("assistantName", "assistantId")
    return Handoff(
        to=next((str(destination[key]) for key in names if destination.get(key)), ""),
        by_id=not destination.get(names[0]),
        squad=str(destination.get("squadId") or "") if destination.get("type") == "squad" else "",
        context=context,
        overrides=overrides if isinstance(overrides, Mapping) else {},
        most=int(most) if isinstance(most, int | float) and not isinstance(most, bool) else 0,
    )


def handoff_function(tool: Mapping[str, Any]) -> str:
    """The name that Vapi makes up for one destination: `handoff_to_` and who it is."""
    destinations = tool.get("destinations")
    one = destinations[0] if isinstance(destinations, list) and len(destinations) == 1 else {}
    found = one if isinstance(one, Mapping) else {}
    who = str(found.get("assistantName") or found.get("assistantId") or "")
    return f"handoff_to_{spelled(who) or 'assistant'}"


def spelled(name: str) -> str:
    """A live name as it stands in the name of a function."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)


def wanted(handoffs: Sequence[Handoff], arguments: Mapping[str, JSON]) -> Handoff | None:
    """Which of a tool's destinations a call of it means; None where it means none of them."""
    to = arguments.get("destination")
    if len(handoffs) == 1 and not (isinstance(to, str) and to):
        return handoffs[0]
    named = [one for one in handoffs if isinstance(to, str) and to in (one.to, spelled(one.to), one.squad)]
    open_ = [one for one in handoffs if not one.to and not one.squad and to == "dynamic"]
    return next(iter(named or open_), None)


def carried(messages: Sequence[Mapping[str, JSON]], handoff: Handoff | None, since: int) -> list[Mapping[str, JSON]]:
    """What the one who takes over reads of what was said. `since`: where the one who hands on took over itself.

    The caller's last words are always in it: Vapi's chats take no empty input.
    """
    context = handoff.context if handoff is not None else "all"
    if context == "none":
        kept: list[Mapping[str, JSON]] = []
    elif context == "lastNMessages":
        kept = list(messages[-handoff.most :]) if handoff is not None and handoff.most else []
    elif context == "userAndAssistantMessages":
        kept = [_said(message) for message in messages if message.get("content") and message.get("role") != "tool"]
    elif context == "previousAssistantMessages":
        kept = list(messages[:since])
    else:
        return list(messages)
    while kept and kept[0].get("role") == "tool":  # the answer to a call that is not carried along
        kept.pop(0)
    callers = [message for message in messages if message.get("role") == "user"]
    if callers and not any(message is callers[-1] for message in kept):
        kept.append(callers[-1])
    return kept


def _said(message: Mapping[str, JSON]) -> Mapping[str, JSON]:
    if "tool_calls" not in message:
        return message
    return {key: value for key, value in message.items() if key != "tool_calls"}
