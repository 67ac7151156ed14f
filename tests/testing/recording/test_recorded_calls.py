"""A call becomes a scenario, a simulation and a script: nothing of somebody's in them, and nothing to fill in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testing.replay.said import call, order
from voiceops.calls.record import Spoken, ToolUse, ToolValues
from voiceops.testing.recording.made_up_values import Replacements
from voiceops.testing.recording.recorded_scenario import scenario, several_answers, shortened
from voiceops.testing.recording.recorded_script import script
from voiceops.testing.replay.conversation import conversation_of


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Call me at +1 (415) 867-5309, please.", "Call me at +14155550101, please."),
        ("415 867 5309, yes 415-867-5309", "+14155550101, yes +14155550101"),
        ("I am jo.doe+x@mail.example.org.", "I am person1@example.com."),
        ("4111 1111 1111 1111", "4242 4242 4242 4242"),
        ("867-5309, or room 12-3456", "+14155550101, or room 12-3456"),
        ("four one five, eight six seven - five three oh nine", "+14155550101"),
        ("one or two, or three of them, not four", "one or two, or three of them, not four"),
        ("sk-proj-abcdefghijklmnopqrstuvwxyz012345 is it", "made-up is it"),
        ("https://x.example/?token=abcdefgh12&n=1", "https://x.example/?token=made-up&n=1"),
        (
            '{"userPassword": "let me in", "pin": 1234, "shipping": "7"}',
            '{"userPassword": "made-up", "pin": "made-up", "shipping": "7"}',
        ),
        ("I'm bob SMITH, Bob that is; bobby is another.", "I'm Alex Example, Alex that is; bobby is another."),
        ("order 123456, on 2026-11-28 at 10:30", "order 123456, on 2026-11-28 at 10:30"),
        ("Order A-1234567 for $1,200.50", "Order A-1234567 for $1,200.50"),
    ],
)
def test_what_is_somebodys_is_replaced(said: str, kept: str) -> None:
    assert Replacements(name="Bob Smith").text(said) == kept


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


def test_secrets_that_are_known_and_fields_of_secrets_are_made_up() -> None:
    made_up = Replacements(hide=lambda text: text.replace("hunter22", "***"))
    value: Any = {"apiKey": "abc", "pin": 1234, "token": None, "note": "hunter22", "deep": [{"cvv": "123", "ok": True}]}
    assert made_up.value(value) == {
        "apiKey": "made-up",
        "pin": "made-up",
        "token": None,
        "note": "***",
        "deep": [{"cvv": "made-up", "ok": True}],
    }


def test_a_call_without_tools_is_judged_by_what_was_not_called_and_what_was_told() -> None:
    said = [Spoken(role="caller", at=1, text="When?"), Spoken(role="agent", at=2, text='From "nine" to six.')]
    made: Any = scenario("call-1", conversation_of(call(*said), {}), Replacements(), ["lookupOrder"])["spec"]
    question = made["evaluations"][0]["structuredOutput"]["schema"]["description"]
    assert "the agent did not use the tool `lookupOrder`" in question
    assert question.endswith("told this, in these or other words: From nine to six.")
    bare: Any = scenario("call-1", conversation_of(call(*said), {}), Replacements())["spec"]
    question = bare["evaluations"][0]["structuredOutput"]["schema"]["description"]
    assert question == "True if the caller was told this, in these or other words: From nine to six."


def test_a_call_that_is_too_long_is_recorded_up_to_a_turn() -> None:
    said = [Spoken(role="caller", at=1, text="word " * 4000)]
    for at in range(2, 400, 2):
        said += [Spoken(role="agent", at=at, text="Go on."), Spoken(role="caller", at=at + 1, text="and so " * 10)]
    tool = ToolUse(id="t", name="lookupOrder", at=999)
    whole = conversation_of(call(*said, tool), {"t": ToolValues({}, "late")})
    spec: Any = scenario("call-1", whole, Replacements())["spec"]
    lines = [line for line in spec["instructions"].splitlines() if line.startswith("say: ")]
    assert len(spec["instructions"]) <= 10_000
    assert 50 < len(lines) < len(whole.exchanges)
    assert len(lines) == len(shortened(whole, Replacements()).exchanges)
    assert "toolMocks" not in spec, "what was never asked for is not expected"
    assert "lookupOrder" not in spec["evaluations"][0]["structuredOutput"]["schema"]["description"]


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
