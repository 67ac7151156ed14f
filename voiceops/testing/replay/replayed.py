"""What comes of a replay: each call as it was and as it would have been, and which were left out. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.testing.outcome import TestReport, TestResult, Verdict
from voiceops.testing.replay.conversation import AgentTurn, Conversation
from voiceops.testing.replay.playback import Playback, was


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCost:
    """Ballpark figures, no bill. `assumed`: models that the table does not list."""

    calls: int = 0
    chats: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    money: float = 0.0
    currency: str = "USD"
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedCall:
    """A call, and how it was had again, once or more often."""

    conversation: Conversation
    result: TestResult
    played: tuple[Playback, ...]
    began: float | None = None  # epoch seconds

    @property
    def verdict(self) -> Verdict:
        """Would it have ended as it did?"""
        return self.result.verdict

    @property
    def shown(self) -> Playback | None:
        """The round to look at: the first in which it ended otherwise, else the first."""
        return next((one for one in self.played if one.differences), self.played[0] if self.played else None)

    def at(self, turn: int) -> tuple[str, AgentTurn, AgentTurn]:
        """A turn: what the caller said, what the agent did then, and what it does now."""
        then, now = was(self.conversation), self.shown.answers if self.shown else ()
        caller = self.conversation.exchanges[turn - 1].caller if turn else ""
        return caller, then[turn], now[turn] if turn < len(now) else AgentTurn()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """All calls of a replay. `left_out`: how many, by the reason. `chats_left`: chats that could not be deleted."""

    report: TestReport
    calls: tuple[ReplayedCall, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    estimate: ReplayCost = field(default_factory=ReplayCost)
    chats: int = 0
    cost: float | None = None
    chats_left: int = 0

    @property
    def otherwise(self) -> tuple[ReplayedCall, ...]:
        """The calls that would have ended otherwise."""
        return tuple(call for call in self.calls if any(one.differences for one in call.played))

    def to_data(self) -> dict[str, Any]:
        """What is beside the report in JSON: by call, what was and what is at the first turn that differs."""
        return {
            "leftOut": dict(self.left_out),
            "chats": self.chats,
            "cost": self.cost,
            "estimatedCost": self.estimate.money,
            "calls": [_call(call) for call in self.calls],
        }


def _call(call: ReplayedCall) -> dict[str, Any]:
    played = call.shown
    differences = played.differences if played else ()
    data: dict[str, Any] = {
        "call": call.conversation.call,
        "verdict": call.verdict,
        "differences": [{"turn": d.turn, "sort": d.sort, "text": d.text} for d in differences],
        "saidOtherwise": list(played.said) if played else [],
    }
    if differences:
        caller, then, now = call.at(differences[0].turn)
        data["first"] = {"turn": differences[0].turn, "caller": caller, "was": _answer(then), "is": _answer(now)}
    return data


def _answer(answer: AgentTurn) -> dict[str, Any]:
    tools = [{"name": u.name, "arguments": dict(u.arguments), "answer": u.answer} for u in answer.used]
    return {"said": answer.said, "tools": tools}
