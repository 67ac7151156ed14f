"""What a replay probably costs, before it runs: so many chats, so many tokens, by the table of estimates. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from voiceops.engine.review.estimate import Table
from voiceops.model.json_in import as_number
from voiceops.testing.replay.conversation import Conversation
from voiceops.testing.replay.replayed import ReplayCost
from voiceops.testing.replay.who_answers import WhoAnswers

_CHARACTERS_PER_TOKEN = 4
_PER_MESSAGE = 8  # tokens around each message


def replay_cost(items: Iterable[tuple[Conversation, WhoAnswers]], table: Table, repeat: int = 1) -> ReplayCost:
    """Of so many rounds of all these calls. Each answer sends the prompt, the tools and all that was said so far; in a
    squad the longest prompt is taken for each."""
    calls = chats = sent = came = 0
    money = 0.0
    assumed: set[str] = set()
    for conversation, who in items:
        agent = max((member.agent for member in who.members), key=lambda one: len(one.prompt))
        model = agent.body.get("model", {})
        provider, name = str(model.get("provider") or "default"), str(model.get("model") or "")
        figures, known = table.figures("models", provider, name)
        if not known:
            assumed.add(f"{provider}/{name}" if name else provider)
        asked, tokens_in, tokens_out = _tokens(conversation, agent.prompt)
        calls, chats, sent, came = calls + 1, chats + asked, sent + tokens_in, came + tokens_out
        money += tokens_in / 1e6 * (as_number(figures.get("inputPerMillion")) or 0.0)
        money += tokens_out / 1e6 * (as_number(figures.get("outputPerMillion")) or 0.0)
        money += asked * table.number("chat", "costPerMessage")
    return ReplayCost(
        calls=calls,
        chats=chats * repeat,
        tokens_in=sent * repeat,
        tokens_out=came * repeat,
        money=round(money * repeat, 4),
        currency=str(table.data.get("currency") or "USD"),
        assumed=tuple(sorted(assumed)),
    )


def _tokens(conversation: Conversation, prompt: str) -> tuple[int, int, int]:
    """Chats, tokens that go in, and tokens that come out."""
    so_far = len(prompt) // _CHARACTERS_PER_TOKEN + _of(conversation.opening.said)
    chats = sent = came = 0
    for exchange in conversation.answered:
        so_far += _of(exchange.caller)
        rounds = 1 + len(exchange.answer.used)
        said = _of(exchange.answer.said)
        for used in exchange.answer.used:
            sent += so_far
            so_far += _of(str(dict(used.arguments))) + _of(used.answer or "")
        sent += so_far
        chats, came, so_far = chats + rounds, came + said + _PER_MESSAGE * rounds, so_far + said
    return chats, sent, came


def _of(text: str) -> int:
    return len(text) // _CHARACTERS_PER_TOKEN + _PER_MESSAGE
