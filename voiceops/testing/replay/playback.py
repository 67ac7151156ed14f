"""What came of having a call again. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from voiceops.testing.replay.conversation import AgentTurn, Conversation
from voiceops.testing.replay.differences import Deviation


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """A call that was had again. `answers` begins with what was before the caller's first word, as `was` does.

    `differences`: why it would have ended otherwise, the first turn first. `said`: the turns at which the agent only
    said something else. `error`: why it could not be had to its end.
    """

    answers: tuple[AgentTurn, ...]
    differences: tuple[Deviation, ...] = ()
    said: tuple[int, ...] = ()
    chats: int = 0
    cost: float | None = None
    seconds: float = 0.0
    error: str = ""

    @property
    def same(self) -> bool | None:
        """Would it have ended as it did? None: it could not be had to its end."""
        return None if self.error else not self.differences


def was(conversation: Conversation) -> tuple[AgentTurn, ...]:
    """What the agent did then, by the caller's turns; first what it did before the caller said a word."""
    return (conversation.opening, *(exchange.answer for exchange in conversation.exchanges))
