"""A call that there was as a script for `simulate`: what was said, and the tools with their arguments. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from voiceops.model.values import JSON
from voiceops.testing.recording.made_up_values import Replacements
from voiceops.testing.replay.conversation import AgentTurn, Conversation


def script(
    title: str, agent: str, conversation: Conversation, tools: Collection[str], made_up: Replacements
) -> dict[str, JSON] | None:
    """The call as a script; None where no tool in it is one of the runtime's own (`tools`).

    What the tools answered then is left out: the data behind them has changed since. That they answer is checked.
    """
    steps: list[JSON] = [{"ring": {}}, *_steps(conversation.opening, tools, made_up)]
    for exchange in conversation.exchanges:
        steps.append({"caller": made_up.text(exchange.caller)})
        steps += _steps(exchange.answer, tools, made_up)
    if not any(isinstance(step, dict) and "tool" in step for step in steps):
        return None
    return {"name": title, "agent": agent, "steps": [*steps, {"hangup": {}}]}


def _steps(answer: AgentTurn, tools: Collection[str], made_up: Replacements) -> Iterator[JSON]:
    for used in answer.used:
        if used.name in tools and not used.loose:
            arguments = made_up.value(dict(used.arguments))
            yield {"tool": used.name, **({"arguments": arguments} if arguments else {})}
    if answer.said:
        yield {"assistant": made_up.text(answer.said)}
