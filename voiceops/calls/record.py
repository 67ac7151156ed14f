"""A call as voiceops keeps it, with what was said and which tools ran. Pure data.

What is not known is None or empty: a call is told in parts, by messages and by lists, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from voiceops.model.values import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """Somebody said something. `ms`: what the caller waited for it, where it is the agent's."""

    role: str  # agent | caller
    at: float | None = None  # seconds since the call began
    seconds: float | None = None  # that it took
    text: str = ""
    ms: float | None = None
    agent: str = ""  # the live id of the assistant that spoke, in a squad


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """A tool was called. `outcome` is ok, or what went wrong in a word; empty where nobody said how it ended."""

    id: str
    name: str
    at: float | None = None  # seconds since the call began
    ms: float | None = None
    outcome: str = ""
    arguments: tuple[str, ...] = ()  # their names; never their values


@dataclass(frozen=True, slots=True)
class ToolValues:
    """What a tool was asked and what it answered (None: nothing). No part of a record: nobody keeps it.

    Arguments that can't be read are None.
    """

    arguments: Mapping[str, JSON] | None
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call. Times are epoch seconds, money US dollars.

    `agent` and `phone` are manifests' names, or what stands for them where no manifest is known: the live name, the
    number, the id. `assistant_id` and `phone_id` are live ids.
    """

    id: str
    agent: str = ""
    assistant_id: str = ""
    assistant_version: str = ""
    revision: int | None = None
    phone: str = ""
    phone_id: str = ""
    direction: str = ""  # inbound | outbound | web
    customer: str = ""  # the other side's number or SIP URI
    created_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    status: str = ""
    reason: str = ""
    cost: float | None = None
    costs: Mapping[str, float] = field(default_factory=dict)  # by part: model, voice, transcriber, transport, …
    success: bool | None = None
    evaluation: str = ""
    summary: str = ""
    outputs: Mapping[str, JSON] = field(default_factory=dict)  # structured outputs by name
    interruptions: int | None = None  # of the agent, by the caller
    transferred: bool | None = None
    transfer_to: str = ""
    turns: tuple[Spoken, ...] = ()
    tools: tuple[ToolUse, ...] = ()
    turn_ms: tuple[float, ...] = ()  # how long the caller waited, turn by turn
    simulated: bool = False

    @property
    def duration(self) -> float | None:
        """Seconds from its start to its end; None while it runs, and of one that was never answered."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0.0, self.ended_at - self.started_at)

    @property
    def began(self) -> float | None:
        """The time that it is listed under: its start, or when it was made, if nobody answered."""
        return self.started_at if self.started_at is not None else self.created_at


_WHOLE = ("turns", "tools", "turn_ms", "costs", "outputs")


def merged(known: CallRecord, told: CallRecord) -> CallRecord:
    """What both say, `told` where both say something: the same for messages in any order, once or often.

    A call that has ended does not go on again: a status that comes late says nothing. Of lists the longer one counts,
    since an early message holds the beginning of what a later one tells.
    """
    late = known.ended_at is not None and told.ended_at is None and told.status not in ("", "ended")
    values: dict[str, Any] = {}
    for one in fields(CallRecord):
        before, now = getattr(known, one.name), getattr(told, one.name)
        if one.name in _WHOLE:
            values[one.name] = now if len(now) >= len(before) and now else before
        elif one.name == "simulated":
            values[one.name] = before or now
        elif one.name == "revision" and before is not None:
            values[one.name] = before  # it was noted when the call began
        elif one.name == "status" and late:
            values[one.name] = before
        else:
            values[one.name] = before if now is None or now == "" else now
    return CallRecord(**values)
