"""Observers: silent by default, several as one, and told of a runtime's work by whoever does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import LineSpec, serving, spec_of, tool, wait_for
from voiceops.runtime.observe.observer import SILENT, Headers, Observer, Observers, Watch
from voiceops.runtime.vapi_messages import Message, decode

MESSAGE = decode(b'{"message":{"type":"hang","call":{"id":"c"}}}')


class Diary(Observer):
    """Writes everything down, in order."""

    def __init__(self, name: str = "", book: list[str] | None = None) -> None:
        self.name = name
        self.book: list[str] = [] if book is None else book

    def write(self, *words: object) -> None:
        self.book.append(" ".join(filter(None, map(str, (self.name, *words)))))

    def message(self, headers: Headers) -> Watch:
        return Page(self, "message")

    def tool(self, name: str, message: Message, tool_call: str) -> Watch:
        return Page(self, f"tool {name} {message.call_id} {tool_call}")

    def event(self, kind: str, call: str, id_: int, attempt: int) -> Watch:
        return Page(self, f"event {kind} {call} {attempt}")

    def line(self, address: str, call_sid: str) -> Watch:
        return Page(self, f"line {address} {call_sid}")

    def message_ended(self, kind: str, outcome: str, seconds: float) -> None:
        self.write("message-ended", kind, outcome)

    def message_counted(self, kind: str, outcome: str) -> None:
        self.write("message-counted", kind, outcome)

    def call_ended(self, call: str, reason: str) -> None:
        self.write("call-ended", call, reason)

    def tool_ended(self, name: str, outcome: str, detail: str, seconds: float, call: str, tool_call: str) -> None:
        self.write("tool-ended", name, outcome, call, tool_call)

    def tool_counted(self, name: str, outcome: str) -> None:
        self.write("tool-counted", name, outcome)

    def answer_ended(self, kind: str, outcome: str, call: str, detail: str) -> None:
        self.write("answer-ended", kind, outcome, call)

    def line_ended(self, address: str, outcome: str, call_sid: str, seconds: float, detail: str) -> None:
        self.write("line-ended", address, outcome, call_sid)

    def event_ended(self, kind: str, outcome: str, id_: int, seconds: float, detail: str) -> None:
        self.write("event-ended", kind, outcome)

    def refused(self, vendor: str, reason: str, **said: Any) -> None:
        self.write("refused", vendor, reason)

    def connection_ended(self, reason: str, **said: Any) -> None:
        self.write("connection-ended", reason)


class Page(Watch):
    __slots__ = ("diary", "what")

    def __init__(self, diary: Diary, what: str) -> None:
        self.diary = diary
        self.what = what

    def __enter__(self) -> Watch:
        self.diary.write("begin", self.what)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        self.diary.write("end", self.what, *([type(error).__name__] if error else []))

    def about(self, message: Message) -> None:
        self.diary.write("about", message.kind, message.call_id)

    def ended(self, outcome: str, status: int = 0) -> None:
        self.diary.write("ended", outcome, status or "")


def test_an_observer_is_silent_by_itself() -> None:
    for one in (Observer(), Observers(), Observers(Observer(), Observer())):
        one.serves(["a"])
        one.message_ended("hang", "stored", 0.1)
        one.tool_ended("t", "ok", "", 0.1, "c", "i")
        one.refused("vapi", "missing", peer="x")
        for watch in (one.message([]), one.tool("t", MESSAGE, "i"), one.event("hang", "c", 1, 1), one.line("l", "CA1")):
            assert watch is SILENT
            with watch as entered:
                entered.about(MESSAGE)
                entered.ended("ok")


def test_several_are_told_in_order_and_left_in_reverse() -> None:
    book: list[str] = []
    both = Observers(Diary("one", book), Observer(), Diary("two", book))
    with both.tool("t", MESSAGE, "i") as watch:
        watch.ended("ok")
    both.tool_ended("t", "ok", "", 0.1, "c", "i")
    assert book == [
        "one begin tool t c i",
        "two begin tool t c i",
        "one ended ok",
        "two ended ok",
        "two end tool t c i",
        "one end tool t c i",
        "one tool-ended t ok c i",
        "two tool-ended t ok c i",
    ]


def test_an_error_passes_through_and_is_seen_by_all() -> None:
    book: list[str] = []
    both = Observers(Diary("one", book), Diary("two", book))
    with pytest.raises(ValueError, match="x"), both.message([]):
        raise ValueError("x")
    assert book[2:] == ["two end message ValueError", "one end message ValueError"]


def test_one_more_observer_sees_all_of_a_call_s_work(tmp_path: Path) -> None:
    diary = Diary()
    line = LineSpec(address="Phone/main", path="main", number="+14155550100", answer="runtime", target="Agent/x")
    handlers = """
@on_end_of_call
def ended(event): ...
def find(n): return n
def broken(): raise OSError
@on_assistant_request
def choose(call): return None
"""
    spec = spec_of(tool("find", "h:find"), tool("broken", "h:broken"), lines=(line,))
    closed = {"vapi_url": "http://127.0.0.1:1", "vapi_key": "k"}
    with serving(tmp_path, spec, handlers, observers=(diary,), **closed) as server:

        def told(work: Any) -> list[str]:
            diary.book.clear()
            work()
            return list(diary.book)

        assert told(lambda: server.tool("find", {"n": "1"}, id="t1")) == [
            "begin message",
            "about tool-calls call-1",
            "begin tool find call-1 t1",
            "ended ok",
            "end tool find call-1 t1",
            "tool-ended find ok call-1 t1",
            "message-ended tool-calls answered",
            "ended answered 200",
            "end message",
        ]
        repeated = told(lambda: server.tool("find", {"n": "1"}, id="t1"))
        assert repeated[2:4] == ["tool-counted find repeated", "message-ended tool-calls answered"]
        assert "tool-ended broken failed call-1 t2" in told(lambda: server.tool("broken", id="t2"))
        assert "answer-ended assistant-request misused call-1" in told(lambda: server.message("assistant-request"))
        assert told(lambda: server.raw(b"{}", {})) == ["refused vapi missing"]
        assert told(lambda: server.raw(b"{}")) == [
            "begin message",
            "message-counted (malformed) refused",
            "ended refused 400",
            "end message",
        ]
        diary.book.clear()
        server.message("end-of-call-report", endedReason="done")
        wait_for(lambda: "event-ended end-of-call-report done" in diary.book)
        assert "call-ended call-1 done" in diary.book
        assert "begin event end-of-call-report call-1 1" in diary.book
        asked = told(lambda: server.twilio("/twilio/voice/main", {"CallSid": "CA1", "From": "+1", "To": line.number}))
        assert asked == [
            "begin line Phone/main CA1",
            "line-ended Phone/main fallback CA1",
            "end line Phone/main CA1",
        ]
        assert told(lambda: server.request("POST", "/twilio/voice/main")) == ["refused twilio missing"]
        assert told(lambda: server.get("/dashboard", "wrong")) == ["refused dashboard token"]
