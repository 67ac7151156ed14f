"""Vapi's messages, decoded no further than the runtime has to look; transcripts and artifacts stay bytes.

Accepts every shape of a tool call that is in the wild. Knows nothing of answers.
"""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import msgspec
from msgspec import Raw, Struct

_NOTHING = Raw()


class Malformed(ValueError):
    """The body is no message."""


class Function(Struct, frozen=True, gc=False):
    name: str | None = None
    arguments: Raw = _NOTHING


class ToolCall(Struct, frozen=True, gc=False):
    """`{id, type, function: {name, arguments}}`, `{id, name, arguments}` or `{id, name, parameters}`."""

    id: str | None = None
    name: str | None = None
    function: Function | None = None
    arguments: Raw = _NOTHING
    parameters: Raw = _NOTHING


class ToolWithCall(Struct, frozen=True, gc=False):
    """`{type, function, …, toolCall: {…}}`: the whole tool beside its call."""

    name: str | None = None
    function: Function | None = None
    toolCall: ToolCall | None = None


class Customer(Struct, frozen=True, gc=False):
    number: str | None = None
    sipUri: str | None = None


class Number(Struct, frozen=True, gc=False):
    id: str | None = None
    number: str | None = None
    name: str | None = None


class Assistant(Struct, frozen=True, gc=False):
    id: str | None = None
    name: str | None = None


class CallInfo(Struct, frozen=True, gc=False):
    id: str | None = None
    assistantId: str | None = None
    squadId: str | None = None
    phoneNumberId: str | None = None
    customer: Customer | None = None
    phoneNumber: Number | None = None
    assistant: Assistant | None = None


class Message(Struct, frozen=True, gc=False):
    """One server message."""

    type: str
    timestamp: float | None = None
    call: CallInfo | None = None
    phoneNumber: Number | None = None
    customer: Customer | None = None
    assistant: Assistant | None = None
    toolCallList: list[ToolCall] | None = None
    toolCalls: list[ToolCall] | None = None
    toolWithToolCallList: list[ToolWithCall] | None = None
    functionCall: ToolCall | None = None
    transcriptType: str | None = None
    status: str | None = None
    endedReason: str | None = None

    @property
    def call_id(self) -> str:
        return (self.call.id if self.call is not None else None) or ""

    @property
    def number(self) -> str:
        """The number that was called."""
        return _first("number", self.phoneNumber, self.call.phoneNumber if self.call else None)

    @property
    def line_name(self) -> str:
        """The live name of the line that was called."""
        return _first("name", self.phoneNumber, self.call.phoneNumber if self.call else None)

    @property
    def line_id(self) -> str:
        """Vapi's id of the line that was called."""
        if self.phoneNumber is not None and self.phoneNumber.id:
            return self.phoneNumber.id
        return (self.call.phoneNumberId if self.call is not None else None) or ""

    @property
    def caller(self) -> str:
        for holder in (self.customer, self.call.customer if self.call else None):
            if holder is not None and (holder.number or holder.sipUri):
                return holder.number or holder.sipUri or ""
        return ""

    @property
    def agent(self) -> str:
        return _first("name", self.assistant, self.call.assistant if self.call else None)

    @property
    def agent_id(self) -> str:
        if self.assistant is not None and self.assistant.id:
            return self.assistant.id
        return (self.call.assistantId if self.call is not None else None) or ""

    @property
    def sent(self) -> float | None:
        """When Vapi says that it was made, in epoch seconds."""
        value = self.timestamp
        if value is None or value <= 0:
            return None
        return value / 1000 if value > 1e11 else value

    @property
    def kind(self) -> str:
        """The type without what a subscription writes into it: `transcript[transcriptType="final"]`."""
        return self.type.partition("[")[0]

    @property
    def is_final(self) -> bool:
        """A transcript that will not be corrected any more."""
        return self.transcriptType == "final" or '"final"' in self.type

    def tool_calls(self) -> list[ToolCall]:
        """The calls of a `tool-calls` message, whichever of its lists holds them."""
        if self.toolCallList:
            return self.toolCallList
        if self.toolCalls:
            return self.toolCalls
        found = []
        for item in self.toolWithToolCallList or ():
            call = item.toolCall
            if call is not None:
                function = item.function.name if item.function is not None else None
                found.append(call if name_of(call) else msgspec.structs.replace(call, name=function or item.name))
        return found


def _first(field: str, *holders: Number | Assistant | None) -> str:
    """Vapi names the same thing beside the call, or in it."""
    return next((text for holder in holders if holder is not None and (text := getattr(holder, field))), "")


class _Envelope(Struct, frozen=True, gc=False):
    message: Message


_decoder = msgspec.json.Decoder(_Envelope)
_arguments = msgspec.json.Decoder(dict[str, Any])
_text = msgspec.json.Decoder(str)


def decode(body: bytes) -> Message:
    """The message in a request's body. Raises Malformed."""
    try:
        return _decoder.decode(body).message
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _lenient(body)  # a field that is not what it should be may be none of our business


def _lenient(body: bytes) -> Message:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from None
    message = data.get("message") if isinstance(data, dict) else None
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(kind, str) or not kind:
        raise Malformed("no message with a type")
    fields: dict[str, Any] = {"type": kind}
    for field in msgspec.structs.fields(Message):
        value = message.get(field.name)
        if field.name == "type" or value is None:
            continue
        if field.name == "timestamp":
            with contextlib.suppress(OverflowError):
                if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(float(value)):
                    fields["timestamp"] = float(value)
            continue
        if field.name in _LISTS and isinstance(value, list):
            # Lists lose what is no tool call, and nothing else.
            fields[field.name] = [call for item in value if (call := _lenient_item(item, field.type)) is not None]
            continue
        try:
            fields[field.name] = msgspec.json.decode(json.dumps(value), type=field.type)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
    return Message(**fields)


_LISTS = ("toolCallList", "toolCalls", "toolWithToolCallList")


def _lenient_item(item: Any, type_: Any) -> Any:
    """One of a list, whose ids may be numbers; None where it is nothing of the kind."""
    if isinstance(item, dict) and isinstance(item.get("id"), int):
        item = {**item, "id": str(item["id"])}
    try:
        return msgspec.json.decode(json.dumps([item]), type=type_)[0]
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def name_of(call: ToolCall) -> str:
    """The function that a tool call names."""
    return (call.function.name if call.function is not None else None) or call.name or ""


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """A tool call's arguments: an object, or an object in a text. Raises ValueError."""
    text = b""
    for raw in (call.function.arguments if call.function is not None else _NOTHING, call.arguments, call.parameters):
        text = bytes(raw)
        if text and text != b"null":
            break
    try:
        if text.startswith(b'"'):
            text = _text.decode(text).strip().encode()
        if not text or text == b"null":
            return {}
        return _arguments.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise ValueError("the arguments are no object") from None
