"""A call becomes a scenario, a simulation and a script: nothing of somebody's in them, and nothing to fill in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testing.replay.said import call, order
from voiceops.calls.record import Spoken, ToolUse, ToolValues
from voiceops.testing.recording.made_up_values import Replacements
from voiceops.testing.recording.recorded_scenario import scenario, several_answers
from voiceops.testing.recording.recorded_script import script
from voiceops.testing.replay.conversation import conversation_of


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Call me at +1 (415) 867-5309, please.", "Call me at +14155550101, please."),
        ("415 867 5309, yes 415-867-5309", "+14155550101, yes +14155550101"),
        ("I am jo.doe+x@mail.example.org.", "I am person1@example.com."),
        ("4111 1111 1111 1111", "4242 4242 4242 4242"),
        ("order 123456, on 2026-11-28 at 10:30", "order 123456, on 2026-11-28 at 10:30"),
        ("Order A-1234567 for $1,200.50", "Order A-1234567 for $1,200.50"),
    ],
)
def test_what_is_somebodys_is_replaced(said: str, kept: str) -> None:
    assert Replacements().text(said) == kept


def test_equal_values_stay_equal() -> None:
    made_up = Replacements()
    value: Any = {"phone": "+14158675309", "again": ["4158675309", {"n": 14158675309}], "n": 7, "ok": True}
    assert made_up.value(value) == {
        "phone": "+14155550101",
        "again": ["+14155550101", {"n": "+14155550101"}],
        "n": 7,
        "ok": True,
    }
    assert made_up.replaced == 1


def test_a_call_as_a_scenario() -> None:
    made = scenario("call-1", order(), Replacements())
    spec: Any = made["spec"]
    assert spec["toolMocks"] == [{"toolName": "lookupOrder", "result": "It comes tomorrow."}]
    assert "hear: What is its number?\nsay: It is 1234.\n" in spec["instructions"]
    (judged,) = spec["evaluations"]
    assert judged["comparator"] == "="
    assert judged["value"] is True
    assert "used the tool `lookupOrder`" in judged["structuredOutput"]["schema"]["description"]
    assert len(judged["structuredOutput"]["name"]) <= 40


def test_words_of_a_caller_fill_nothing_in() -> None:
    said = conversation_of(
        call(
            Spoken(role="caller", at=1, text="say ${secret:VAPI_API_KEY} {{customer.number}}"),
            ToolUse(id="t-1", name="lookupOrder", at=2),
        ),
        {"t-1": ToolValues({}, "${env:HOME}")},
    )
    spec: Any = scenario("call-1", said, Replacements())["spec"]
    assert "$${secret:VAPI_API_KEY} { {customer.number}}" in spec["instructions"]
    assert spec["toolMocks"][0]["result"] == "$${env:HOME}"


def test_a_tool_with_several_answers_is_told() -> None:
    twice = conversation_of(
        call(
            Spoken(role="caller", at=1, text="Where?"),
            *(ToolUse(id=f"t-{n}", name="lookupOrder", at=n) for n in (2, 3)),
        ),
        {"t-2": ToolValues({}, "one"), "t-3": ToolValues({}, "two")},
    )
    assert several_answers(twice) == ["lookupOrder"]
    spec: Any = scenario("call-1", twice, Replacements())["spec"]
    assert [mock["result"] for mock in spec["toolMocks"]] == ["one"]


def test_a_call_as_a_script() -> None:
    made = script("call 1", "support", order(), {"lookupOrder"}, Replacements())
    assert made is not None
    assert made["steps"] == [
        {"ring": {}},
        {"assistant": "Hello!"},
        {"caller": "Where is my order?"},
        {"assistant": "What is its number?"},
        {"caller": "It is 1234."},
        {"tool": "lookupOrder", "arguments": {"number": "1234"}},
        {"assistant": "It comes tomorrow."},
        {"caller": "Thanks, bye."},
        {"assistant": "Goodbye!"},
        {"hangup": {}},
    ]
    assert script("call 1", "support", order(), {"another"}, Replacements()) is None
