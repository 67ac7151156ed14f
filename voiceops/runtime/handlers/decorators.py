"""The decorators by which a module of handlers says what its functions answer, and where they are gathered.

Knows functions and names; loads nothing (see `loading`) and runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

# Messages whose answer Vapi waits for, beside tool calls.
ASSISTANT = "assistant-request"
TRANSFER = "transfer-destination-request"
HANDOFF = "handoff-destination-request"
KNOWLEDGE = "knowledge-base-request"
ENDPOINTING = "call.endpointing.request"
VOICE = "voice-request"
PREDIAL = "campaign.predial"
ANSWERED = (ASSISTANT, TRANSFER, HANDOFF, KNOWLEDGE, ENDPOINTING, VOICE, PREDIAL)


@dataclass(slots=True)
class Registry:
    """What the decorators of one set of handler modules have said."""

    tools: dict[str, Callable[..., Any]] = field(default_factory=dict)  # by the function name that the model calls
    answers: dict[str, Callable[..., Any]] = field(default_factory=dict)  # by message type
    events: list[tuple[str, Callable[..., Any]]] = field(default_factory=list)  # message type or "*", in order


_current = Registry()


def collecting() -> Registry:
    """Start anew; the decorators of modules that are loaded from now on end up in what this returns."""
    global _current
    _current = Registry()
    return _current


def tool(name: str) -> Callable[[F], F]:
    """Answers a tool by its function name, where no manifest names a handler for it."""

    def register(function: F) -> F:
        _current.tools[name] = function
        return function

    return register


def answers(message_type: str) -> Callable[[F], F]:
    """Answers a message type that Vapi waits for: the function's value is the answer."""

    def register(function: F) -> F:
        _current.answers[message_type] = function
        return function

    return register


def on(*message_types: str) -> Callable[[F], F]:
    """Works on stored messages of these types after they were acknowledged (`*`: all), with retries.

    A function of `*` that hands the event and its id to a queue of yours is a forwarder.
    """

    def register(function: F) -> F:
        _current.events.extend((name, function) for name in message_types)
        return function

    return register


on_assistant_request = answers(ASSISTANT)
on_transfer = answers(TRANSFER)
on_handoff = answers(HANDOFF)
on_knowledge_base_request = answers(KNOWLEDGE)
on_end_of_call = on("end-of-call-report")
on_status = on("status-update", "twilio.status")
