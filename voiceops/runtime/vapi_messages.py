"""Vapi's messages, decoded no further than the runtime has to look; transcripts and artifacts stay bytes.

Accepts every shape of a tool call that is in the wild. Knows nothing of answers.
"""

from __future__ import annotations

import contextlib
import typing
from typing import Any

import msgspec
from msgspec import Raw, Struct

from voiceops.runtime.json_repair import mend

_NOTHING = Raw()


# Those that Vapi sends. https://docs.vapi.ai/server-url/events
KNOWN_TYPES = frozenset(
    [
        "assistant-request",
        "tool-calls",
        "transfer-destination-request",
        "handoff-destination-request",
        "knowledge-base-request",
        "voice-request",
        "call.endpointing.request",
        "campaign.predial",
        "phone-call-control",
        "end-of-call-report",
        "status-update",
        "conversation-update",
        "transcript",
        "speech-update",
        "model-output",
        "user-interrupted",
        "hang",
        "transfer-update",
        "function-call",
        "language-change-detected",
        "voice-input",
        "assistant.started",
        "assistant.speechStarted",
        "chat.created",
        "chat.deleted",
        "session.created",
        "session.updated",
        "session.deleted",
        "call.deleted",
        "call.delete.failed",
        "call.artifact.upload",
    ]
)


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
        """Vapi's id of the phone call; empty where there is none."""
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
        """The caller's number, or SIP address; empty where it is hidden."""
        for holder in (self.customer, self.call.customer if self.call else None):
            if holder is not None and (holder.number or holder.sipUri):
                return holder.number or holder.sipUri or ""
        return ""

    @property
    def agent(self) -> str:
        """The live name of the agent that speaks."""
        return _first("name", self.assistant, self.call.assistant if self.call else None)

    @property
    def agent_id(self) -> str:
        """Vapi's id of the agent that speaks."""
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
        """The calls of a `tool-calls` message, whichever of its lists tells most of them."""
        first = self.toolCallList
        if first and all(map(name_of, first)):
            return first
        listed = [first or [], self.toolCalls or [], [], [self.functionCall] if self.functionCall is not None else []]
        for item in self.toolWithToolCallList or ():
            call = item.toolCall
            if call is not None:
                function = item.function.name if item.function is not None else None
                named = call if name_of(call) else msgspec.structs.replace(call, name=function or item.name)
                listed[2].append(named)
        return max(listed, key=lambda calls: (sum(1 for call in calls if name_of(call)), len(calls)))


def _first(field: str, *holders: Number | Assistant | None) -> str:
    """Vapi names the same thing beside the call, or in it."""
    return next((text for holder in holders if holder is not None and (text := getattr(holder, field))), "")


class _Envelope(Struct, frozen=True, gc=False):
    message: Message


_decoder = msgspec.json.Decoder(_Envelope)
_arguments = msgspec.json.Decoder(dict[str, Any])
_fields = msgspec.json.Decoder(dict[str, Raw])
_text = msgspec.json.Decoder(str)

VALUES = 50_000  # that arguments may hold: more would take longer to read than anything else may take
_UNREAD = (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError)


def decode(body: bytes) -> Message:
    """The message in a request's body. Raises Malformed."""
    message = strict(body)
    return message if message is not None else lenient(body)


def strict(body: bytes) -> Message | None:
    """The message where everything in it is as it should be."""
    try:
        return _decoder.decode(body).message
    except _UNREAD:
        return None


def lenient(body: bytes) -> Message:
    """The message without what is not as it should be, which may be none of our business. Raises Malformed.

    It takes a second for some megabytes, in which others can run beside it in a thread.
    """
    try:
        body = mend(body)
        message = _fields.decode(_fields.decode(body)["message"])
        kind = _text.decode(message["type"])
    except (*_UNREAD, KeyError) as error:
        raise Malformed(f"no message with a type: {error}") from None
    if not kind:
        raise Malformed("no message with a type")
    given = {}
    for field in msgspec.structs.fields(Message):
        if field.name in message and field.name != "type":
            value = _loosely(message[field.name], field.type)
            if value is not None:
                given[field.name] = value
    return Message(type=kind, **given)


def _loosely(raw: Raw, type_: Any) -> Any:
    """A value as its type asks, or as much of it as fits; None for nothing at all."""
    try:
        return msgspec.json.decode(raw, type=type_)
    except _UNREAD:
        pass
    options = typing.get_args(type_)
    listed = next((typing.get_args(one)[0] for one in options if typing.get_origin(one) is list), None)
    if listed is not None:
        return _loose_list(raw, listed)
    for one in options:
        if isinstance(one, type) and issubclass(one, Struct):
            return _loose_struct(raw, one)
    if str in options:
        with contextlib.suppress(*_UNREAD):
            return str(msgspec.json.decode(raw, type=int))  # ids may be numbers
    return None


def _loose_list(raw: Raw, type_: type[Struct]) -> list[Any] | None:
    """A list's items; what is nothing of the kind stays as an empty one, for it is to be answered, too."""
    try:
        items = msgspec.json.decode(raw, type=list[Raw])
    except _UNREAD:
        items = [raw] if bytes(raw).startswith(b"{") else []
    return [_loose_struct(item, type_) or type_() for item in items]


def _loose_struct(raw: Raw, type_: type[Struct]) -> Any:
    try:
        fields = _fields.decode(raw)
    except _UNREAD:
        return None
    known = {field.name: field.type for field in msgspec.structs.fields(type_)}
    return type_(**{name: _loosely(item, known[name]) for name, item in fields.items() if name in known})


def name_of(call: ToolCall) -> str:
    """The function that a tool call names."""
    return (call.function.name if call.function is not None else None) or call.name or ""


def raw_arguments(call: ToolCall) -> bytes:
    """A tool call's arguments as they came; empty where it has none."""
    if call.function is not None:
        text = bytes(call.function.arguments)
        if text and text != b"null":
            return text
    for raw in (call.arguments, call.parameters):
        text = bytes(raw)
        if text and text != b"null":
            return text
    return b""


def arguments_of(text: bytes) -> dict[str, Any]:
    """The arguments in an object, or in an object in a text. Raises ValueError that says what is wrong with them."""
    try:
        if text.startswith(b'"'):
            text = _text.decode(text).strip().encode()
        if not text or text == b"null":
            return {}
        if len(text) > VALUES and text.count(b",") + text.count(b"[") + text.count(b"{") > VALUES:
            raise ValueError(f"the arguments hold more than {VALUES:,} values")
        try:
            return _arguments.decode(text)
        except _UNREAD:
            return _arguments.decode(mend(text))
    except (msgspec.MsgspecError, UnicodeError):
        raise ValueError("the arguments are no object") from None
    except RecursionError:
        raise ValueError("the arguments are nested too deeply") from None
