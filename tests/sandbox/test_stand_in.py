"""The stand-in for a model: the same words, the same answer."""

from __future__ import annotations

import pytest

from voiceops.sandbox.conversations import lines, simulated
from voiceops.sandbox.plain_words import quoted, sentences, words
from voiceops.sandbox.stand_in import LOST, Said, StandIn, ToolAtHand, answer, spoken

ORDER = ToolAtHand("lookupOrder", "Find an order.", parameters={"orderNumber": {}}, required=("orderNumber",))
MAIL = ToolAtHand(
    "saveContact",
    "Write down where somebody can be reached.",
    parameters={
        "email": {"type": "string"},
        "urgent": {"type": "boolean"},
        "way": {"enum": ["by phone", "by letter"]},
        "count": {"type": "integer"},
        "note": {"type": "string"},
    },
)
END = ToolAtHand("endCall", also="goodbye bye", kind="endCall")


def _reply(prompt: str, *asked: str, tools: tuple[ToolAtHand, ...] = (ORDER,)) -> str:
    reply = answer([StandIn("a", "Hello!", prompt, tools)], [Said("user", text) for text in asked])
    return f"{reply.tool.name} {dict(reply.arguments)}" if reply.tool else reply.text


@pytest.mark.parametrize(
    ("prompt", "asked", "wanted"),
    [
        ("We open at nine. We are in Aachen.", "When do you open?", "We open at nine."),
        ("Openings are rare. We open at nine.", "When do you open?", "Openings are rare."),
        ("We sell tea.", "Do you sell cars?", "We sell tea."),
        ("We sell tea.", "Is it raining?", LOST),
        ("", "Where is order 12?", "lookupOrder {'orderNumber': '12'}"),
        ("", "Where is my order?", "Could you tell me the order number?"),
        ("", "Where is my parcel 12?", LOST),
        ("Parcels that are late: call lookupOrder.", "Late parcel 12", "lookupOrder {'orderNumber': '12'}"),
        ("Do not call lookupOrder.", "Where is order 12?", LOST),
        ("Don't call lookupOrder before you know it.", "Where is order 12?", "lookupOrder {'orderNumber': '12'}"),
        ("Call lookupOrder. Never say lookupOrder.", "Where is order 12?", "lookupOrder {'orderNumber': '12'}"),
        ("# Order\n- Order 12 is on its way to you.", "Where is order 12?", "lookupOrder {'orderNumber': '12'}"),
        ("Every order of tea leaves on Monday.", "Does an order of tea leave on Monday?", None),
    ],
)
def test_an_answer_follows_from_the_words(prompt: str, asked: str, wanted: str | None) -> None:
    assert _reply(prompt, asked) == (wanted or prompt)


def test_arguments_come_from_what_was_said() -> None:
    asked = "Save my contact a@b.example, urgent, by letter, 2 times"
    assert _reply("", asked, tools=(MAIL,)) == (
        f"saveContact {{'email': 'a@b.example', 'urgent': True, 'way': 'by letter', 'count': 2, 'note': '{asked}'}}"
    )
    assert _reply("", "My number is A-77", "Where is my order?") == "lookupOrder {'orderNumber': 'A-77'}"


def test_it_opens_and_hangs_up() -> None:
    cast = [StandIn("a", "Hello!", "We open at nine.", (END,))]
    turns = simulated(cast, ("When do you open?", "Goodbye", "Still there?"), {})
    assert [turn.text or turn.calls[0][0] for turn in turns] == [
        "Hello!",
        "When do you open?",
        "We open at nine.",
        "Goodbye",
        "endCall",
    ]


def test_a_call_that_repeats_itself_ends() -> None:
    again = StandIn("b", tools=(ToolAtHand("handoff_to_a", also="order", hands_to="a"),))
    cast = [StandIn("a", tools=(ToolAtHand("handoff_to_b", also="order", hands_to="b"),)), again]
    assert len(simulated(cast, ("My order",), {})) == 11


@pytest.mark.parametrize(
    ("instructions", "wanted"),
    [
        ("You are in a hurry.\nsay: Hello?\n- Say:  Where is it? \nHang up.", ("Hello?", "Where is it?")),
        ('Ask "Where is it?" and then "When?"', ("Where is it?", "When?")),
        ("Ask where it is. Be polite.", ("Ask where it is.", "Be polite.")),
        ("", ()),
    ],
)
def test_what_the_tester_says(instructions: str, wanted: tuple[str, ...]) -> None:
    assert lines(instructions) == wanted


def test_words_and_sentences() -> None:
    assert words("The lookup_order of Orders' openings, 7 x 12!") == {"lookup", "order", "open", "7", "12"}
    assert sentences("# Head\n1. One. Two?\n- three\n\n") == ("One.", "Two?", "three")
    assert sentences("We are open on\n  Saturday. And\n- never on\nSunday") == (
        "We are open on Saturday.",
        "And",
        "never on Sunday",
    )
    assert quoted('Says "a", not "b"; and `c` without “d”. Returns "true".') == (
        ("a", True),
        ("b", False),
        ("c", True),
        ("d", False),
    )
    assert spoken('{"a": 1, "b": "c"}') == "a: 1, b: c."
    assert spoken("[1]") == "[1]"
