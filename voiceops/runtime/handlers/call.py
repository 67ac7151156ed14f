"""What a handler is told: the call that it answers in, or the event that it works on.

Knows the message's fields, decoded only when asked for; knows nothing of servers, stores or signatures.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from voiceops.runtime.handlers.sessions import Session, Sessions
from voiceops.runtime.json_text import message_of
from voiceops.runtime.spec import LineSpec, ToolSpec
from voiceops.runtime.vapi_messages import Message


class Call:
    """One phone call, as far as the message at hand tells. Every text is empty where the message has none."""

    __slots__ = (
        "_body",
        "_deadline",
        "_message",
        "_sessions",
        "agent",
        "customer",
        "id",
        "key",
        "line",
        "number",
        "tool",
        "tool_call_id",
        "type",
    )

    def __init__(
        self,
        body: bytes,
        *,
        type: str = "",
        id: str = "",
        number: str = "",
        customer: str = "",
        agent: str = "",
        line: str = "",
        tool: str = "",
        tool_call_id: str = "",
        key: str = "",
        deadline: float = 0.0,
        message: Mapping[str, Any] | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        self.type = type  # the message's type: "tool-calls", "assistant-request", …
        self.id = id  # Vapi's call id
        self.number = number  # the number that was called
        self.customer = customer  # the caller's number
        self.agent = agent  # the agent's live name
        self.line = line  # the Phone manifest's address
        self.tool = tool  # the Tool manifest's address
        self.tool_call_id = tool_call_id
        self.key = key  # of the forEach instance that the tool or the line belongs to
        self._body = body
        self._deadline = deadline
        self._message = dict(message) if message is not None else None
        self._sessions = sessions

    @classmethod
    def of(
        cls,
        message: Message,
        body: bytes,
        until: float,
        sessions: Sessions | None = None,
        *,
        tool: ToolSpec | None = None,
        tool_call_id: str = "",
        line: LineSpec | None = None,
    ) -> Call:
        """The call that one of Vapi's messages belongs to; `until` by the monotonic clock.

        `tool` is the one that is called, `line` the one that was. https://docs.vapi.ai/server-url/events
        """
        return cls(
            body,
            type=message.kind,
            id=message.call_id,
            number=message.number,
            customer=message.caller,
            agent=message.agent,
            line=line.address if line is not None else "",
            tool=tool.address if tool is not None else "",
            tool_call_id=tool_call_id,
            key=tool.key if tool is not None else line.key if line is not None else "",
            deadline=until,
            sessions=sessions,
        )

    @classmethod
    def of_line(cls, line: LineSpec, fields: Mapping[str, str], until: float) -> Call:
        """A call that Twilio asks about, which Vapi doesn't know yet; `fields` are the webhook's parameters.

        https://www.twilio.com/docs/voice/twiml#request-parameters
        """
        return cls(
            b"",
            type="twilio.voice",
            id=fields.get("CallSid", ""),
            number=fields.get("To", ""),
            customer=fields.get("From") or fields.get("Caller") or "",
            line=line.address,
            key=line.key,
            deadline=until,
            message=fields,
        )

    @property
    def remaining(self) -> float:
        """Seconds until the runtime answers without the handler."""
        return max(0.0, self._deadline - time.monotonic()) if self._deadline else 0.0

    @property
    def session(self) -> Session:
        """What the handlers of this call remember between its messages. Raises RuntimeError where there is none."""
        if self._sessions is None:
            raise RuntimeError("there is no session here: the call has no id at Vapi yet")
        return self._sessions.of(self.id)

    @property
    def message(self) -> dict[str, Any]:
        """The whole message as Vapi sent it."""
        if self._message is None:
            self._message = message_of(self._body) if self._body else {}
        return self._message

    @property
    def variables(self) -> dict[str, Any]:
        """The call's variable values, as far as the message holds them."""
        message = self.message
        for holder in (message.get("artifact"), _inside(message, "call", "assistantOverrides"), message):
            values = holder.get("variableValues") if isinstance(holder, dict) else None
            if isinstance(values, dict):
                return values
        return {}

    def __repr__(self) -> str:
        return f"Call({self.type or 'call'} {self.id or '-'})"


class Event:
    """A stored message on its way through the handlers that work on it after the answer.

    `id` stays the same across retries: hand it on as the idempotency key.
    """

    __slots__ = ("_body", "_data", "attempt", "call_id", "id", "received", "type")

    def __init__(self, id: int, type: str, call_id: str, received: float, attempt: int, body: bytes) -> None:
        self.id = id
        self.type = type
        self.call_id = call_id
        self.received = received  # epoch seconds by this server's clock
        self.attempt = attempt  # 1 for the first
        self._body = body
        self._data: dict[str, Any] | None = None

    @property
    def message(self) -> dict[str, Any]:
        """The message: Vapi's own fields, or Twilio's parameters."""
        if self._data is None:
            self._data = message_of(self._body)
        return self._data

    @property
    def body(self) -> bytes:
        """The request's bytes as they came."""
        return self._body

    def __repr__(self) -> str:
        return f"Event({self.id} {self.type}, attempt {self.attempt})"


def _inside(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
