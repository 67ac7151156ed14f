"""What is told of a runtime's work as it happens: messages, tool calls, events, calls of lines, strangers.

Metrics, logs and spans each are an `Observer`; several are one (`Observers`). Knows nothing of the work itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

from voiceops.runtime.vapi_messages import Message

Headers = Sequence[tuple[bytes, bytes]]


class Watch:
    """Follows one piece of work from where it is entered to where it is left, in one coroutine. This one does nothing.

    Handlers that run inside belong to the work: a span of theirs is a child of the work's.
    """

    __slots__ = ()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def about(self, message: Message) -> None:
        """It is this message: told when it was read."""

    def ended(self, outcome: str, status: int = 0) -> None:
        """How it ended, in the runtime's words (ok, failed, timeout, …), and with which HTTP status."""


SILENT = Watch()


class Observer:
    """Is told what happens. Silent: override what you want to know. Nothing here may raise, or wait.

    Work that takes time is asked about when it begins (`message`, `tool`, `event`, `line`), and followed by what is
    given back. What is over is told once, in one call (`…_ended`). Times are seconds.
    """

    def message(self, headers: Headers) -> Watch:
        """A request of Vapi's, authentic, begins; its headers may name a trace."""
        return SILENT

    def tool(self, name: str, message: Message, tool_call: str) -> Watch:
        """A tool call of a message begins, after it was found to be nobody else's. `tool_call` is Vapi's id."""
        return SILENT

    def event(self, kind: str, call: str, id_: int, attempt: int) -> Watch:
        """The handlers of a stored message begin, for the first time or again."""
        return SILENT

    def line(self, address: str, call_sid: str) -> Watch:
        """Twilio asks what to do with a call of a line that the runtime answers."""
        return SILENT

    def serves(self, tools: Iterable[str]) -> None:
        """These are the tools that there are; told once, before anything else."""

    def message_ended(self, kind: str, outcome: str, seconds: float) -> None:
        """A message was answered, so long after it came."""

    def message_counted(self, kind: str, outcome: str) -> None:
        """Something that is no message of Vapi's, and that nobody waits for, was taken or refused."""

    def call_ended(self, call: str, reason: str) -> None:
        """The first report of a call's end, with Vapi's `endedReason`."""

    def tool_ended(self, name: str, outcome: str, detail: str, seconds: float, call: str, tool_call: str) -> None:
        """A tool call was answered, so long after its message came. `detail` is for the log alone."""

    def tool_counted(self, name: str, outcome: str) -> None:
        """A tool call did not run here: it was `repeated`, or `lost`."""

    def answer_ended(self, kind: str, outcome: str, call: str, detail: str) -> None:
        """One of Vapi's questions was answered: `ok`, or why the handler did not do it."""

    def line_ended(self, address: str, outcome: str, call_sid: str, seconds: float, detail: str) -> None:
        """A line's call was connected, forwarded, refused, repeated, or fell back; then `detail` says why."""

    def event_ended(self, kind: str, outcome: str, id_: int, seconds: float, detail: str) -> None:
        """A stored message is done, dead, or tried again later, so long after it came; `detail` says why."""

    def refused(self, vendor: str, reason: str, **said: Any) -> None:
        """A request was not who it should be; what is `said` beside it is for the log alone."""

    def older_secret_used(self) -> None:
        """A message of Vapi's was signed with the secret before, which is good while secrets change."""

    def connection_ended(self, reason: str, **said: Any) -> None:
        """A connection, or a request on it, broke a bound; it is worth a line in the log where something is `said`."""


class Observers(Observer):
    """Several observers as one. Only those that override a method are called for it."""

    def __init__(self, *observers: Observer) -> None:
        def of(name: str) -> tuple[Callable[..., Any], ...]:
            silent = getattr(Observer, name)
            return tuple(getattr(one, name) for one in observers if getattr(type(one), name) is not silent)

        self._message, self._tool, self._event, self._line = of("message"), of("tool"), of("event"), of("line")
        self._serves = of("serves")
        self._message_ended, self._message_counted = of("message_ended"), of("message_counted")
        self._tool_ended, self._tool_counted = of("tool_ended"), of("tool_counted")
        self._answer_ended, self._line_ended = of("answer_ended"), of("line_ended")
        self._event_ended, self._call_ended = of("event_ended"), of("call_ended")
        self._refused, self._connection_ended = of("refused"), of("connection_ended")
        self._older_secret_used = of("older_secret_used")

    def message(self, headers: Headers) -> Watch:
        return _together([begin(headers) for begin in self._message]) if self._message else SILENT

    def tool(self, name: str, message: Message, tool_call: str) -> Watch:
        return _together([begin(name, message, tool_call) for begin in self._tool]) if self._tool else SILENT

    def event(self, kind: str, call: str, id_: int, attempt: int) -> Watch:
        return _together([begin(kind, call, id_, attempt) for begin in self._event])

    def line(self, address: str, call_sid: str) -> Watch:
        return _together([begin(address, call_sid) for begin in self._line])

    def serves(self, tools: Iterable[str]) -> None:
        names = list(tools)
        for tell in self._serves:
            tell(names)

    def message_ended(self, kind: str, outcome: str, seconds: float) -> None:
        for tell in self._message_ended:
            tell(kind, outcome, seconds)

    def message_counted(self, kind: str, outcome: str) -> None:
        for tell in self._message_counted:
            tell(kind, outcome)

    def call_ended(self, call: str, reason: str) -> None:
        for tell in self._call_ended:
            tell(call, reason)

    def tool_ended(self, name: str, outcome: str, detail: str, seconds: float, call: str, tool_call: str) -> None:
        for tell in self._tool_ended:
            tell(name, outcome, detail, seconds, call, tool_call)

    def tool_counted(self, name: str, outcome: str) -> None:
        for tell in self._tool_counted:
            tell(name, outcome)

    def answer_ended(self, kind: str, outcome: str, call: str, detail: str) -> None:
        for tell in self._answer_ended:
            tell(kind, outcome, call, detail)

    def line_ended(self, address: str, outcome: str, call_sid: str, seconds: float, detail: str) -> None:
        for tell in self._line_ended:
            tell(address, outcome, call_sid, seconds, detail)

    def event_ended(self, kind: str, outcome: str, id_: int, seconds: float, detail: str) -> None:
        for tell in self._event_ended:
            tell(kind, outcome, id_, seconds, detail)

    def refused(self, vendor: str, reason: str, **said: Any) -> None:
        for tell in self._refused:
            tell(vendor, reason, **said)

    def older_secret_used(self) -> None:
        for tell in self._older_secret_used:
            tell()

    def connection_ended(self, reason: str, **said: Any) -> None:
        for tell in self._connection_ended:
            tell(reason, **said)


class _Watches(Watch):
    """Several that follow the same work; left in the reverse of the order in which they were entered."""

    __slots__ = ("_all",)

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._all = watches

    def __enter__(self) -> Watch:
        for watch in self._all:
            watch.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for watch in reversed(self._all):
            watch.__exit__(kind, error, traceback)

    def about(self, message: Message) -> None:
        for watch in self._all:
            watch.about(message)

    def ended(self, outcome: str, status: int = 0) -> None:
        for watch in self._all:
            watch.ended(outcome, status)


def _together(watches: Sequence[Watch]) -> Watch:
    loud = [watch for watch in watches if watch is not SILENT]
    if len(loud) < 2:
        return loud[0] if loud else SILENT
    return _Watches(loud)
