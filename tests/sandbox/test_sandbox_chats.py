"""Chats: what an assistant answers, alone, in a row and in a session."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_bench import MODEL, NOBODY, Bench
from tests.sandbox.shop import LOOKUP, agent, look

OPEN = "We are open Monday to Saturday, nine to six."


def _chat(bench: Bench, text: Any, **more: Any) -> dict[str, Any]:
    return bench.make("/chat", {"input": text, **more})


def _said(chat: dict[str, Any]) -> list[Any]:
    return [
        [call["function"]["name"] for call in message["tool_calls"]] if "tool_calls" in message else message["content"]
        for message in chat["output"]
    ]


def test_the_same_question_has_the_same_answer(bench: Bench) -> None:
    id_ = agent(bench)
    chats = [_chat(bench, "When are you open?", assistantId=id_) for _ in range(2)]
    assert [_said(chat) for chat in chats] == [[OPEN]] * 2
    assert chats[0]["messages"] == [{"role": "user", "content": "When are you open?"}]
    assert chats[0]["cost"] == pytest.approx(sum(item["cost"] for item in chats[0]["costs"]))


def test_a_chat_goes_on_with_its_tools_answered_from_outside(bench: Bench) -> None:
    id_ = agent(bench)
    first = _chat(bench, "Where is my order?", assistantId=id_)
    assert _said(first) == ["Could you tell me the order number?"]
    second = _chat(bench, "It is 1234", previousChatId=first["id"])
    assert _said(second) == [["lookupOrder"]]
    (call,) = second["output"][0]["tool_calls"]
    result = {"role": "tool", "content": '{"state": "packed"}', "tool_call_id": call["id"]}
    third = _chat(bench, [result], previousChatId=second["id"])
    assert _said(third) == ["state: packed."]
    assert [message["role"] for message in third["messages"]] == ["user", "assistant", "user", "assistant", "tool"]
    assert third["assistantId"] == id_


def test_a_tool_with_a_server_is_answered_there(bench: Bench) -> None:
    served = agent(bench, server={"url": "https://runtime.example"})
    assert _said(_chat(bench, "Where is order 1234?", assistantId=served)) == [
        ["lookupOrder"],
        "No result returned.",
        "No result returned.",
    ]


def test_a_whole_conversation_is_one_input(bench: Bench) -> None:
    messages = [
        {"role": "user", "content": "When are you open?"},
        {"role": "assistant", "content": OPEN},
        {"role": "user", "content": "Where is parcel 7?"},
    ]
    assert _said(_chat(bench, messages, assistantId=agent(bench))) == [["lookupOrder"]]


def test_variables_are_filled_in(bench: Bench) -> None:
    id_ = agent(bench, "The shop is in {{city}}.")
    values = {"variableValues": {"city": "Aachen"}}
    assert _said(_chat(bench, "Where is the shop?", assistantId=id_, assistantOverrides=values)) == [
        "The shop is in Aachen."
    ]


def test_an_inline_assistant_answers_as_a_kept_one(bench: Bench) -> None:
    body = look(bench, f"/assistant/{agent(bench)}")
    model = {**body["model"], "toolIds": [], "tools": [LOOKUP]}
    chat = _chat(bench, "Where is order 9?", assistant={"name": "copy", "model": model})
    assert _said(chat) == [["lookupOrder"]]
    assert chat["assistant"]["name"] == "copy"


def test_a_squad_hands_over(bench: Bench) -> None:
    returns = agent(bench, "Parcels go back within thirty days.", name="returns", firstMessage="")
    to_returns = {"type": "assistant", "assistantName": "returns", "description": "Sending something back"}
    desk = {"name": "desk", "model": {**MODEL, "messages": [{"role": "system", "content": "You greet."}]}}
    squad = {"members": [{"assistant": desk, "assistantDestinations": [to_returns]}, {"assistantId": returns}]}
    first = _chat(bench, "I want to send a parcel back, returns please", squad=squad)
    assert _said(first) == [["handoff_to_returns"], "Handoff initiated.", "Parcels go back within thirty days."]
    second = _chat(bench, "Within how many days?", squad=squad, previousChatId=first["id"])
    assert _said(second) == ["Parcels go back within thirty days."]


def test_who_takes_over_greets(bench: Bench) -> None:
    returns = agent(bench, "Parcels go back within thirty days.", name="returns", firstMessage="Returns, hello!")
    desk = {"name": "desk", "model": {**MODEL, "messages": [{"role": "system", "content": "You greet."}]}}
    to_returns: dict[str, Any] = {"type": "assistant", "assistantName": "returns", "description": "Sending it back"}
    squad = {"members": [{"assistant": desk, "assistantDestinations": [to_returns]}, {"assistantId": returns}]}
    first = _chat(bench, "I want to send a parcel back, returns please", squad=squad)
    assert _said(first) == [["handoff_to_returns"], "Handoff initiated.", "Returns, hello!"]
    to_returns["assistantOverrides"] = {"firstMessageMode": "assistant-speaks-first-with-model-generated-message"}
    silent = _chat(bench, "I want to send a parcel back, returns please", squad=squad)
    assert _said(silent) == [["handoff_to_returns"], "Handoff initiated.", "Parcels go back within thirty days."]
    second = _chat(bench, "Within how many days do parcels go back?", squad=squad, previousChatId=first["id"])
    assert _said(second) == ["Parcels go back within thirty days."]


def test_a_session_remembers_and_ends(bench: Bench) -> None:
    session = bench.make("/session", {"assistantId": agent(bench), "expirationSeconds": 60})
    first = _chat(bench, "Where is my order?", sessionId=session["id"])
    assert _said(_chat(bench, "1234", sessionId=session["id"])) == [["lookupOrder"]]
    kept = look(bench, f"/session/{session['id']}")
    assert len(kept["messages"]) == 4
    assert kept["cost"] > first["cost"]
    bench.control.switches(clock_skew=61)
    body = {"input": "Hello?", "sessionId": session["id"]}
    assert bench.refused("POST", "/chat", body) == f'Session with ID "{session["id"]}" has ended'


def test_lists_select(bench: Bench) -> None:
    one, two = agent(bench), agent(bench)
    first, second = (_chat(bench, "When are you open?", assistantId=id_)["id"] for id_ in (one, two))
    listed = [chat["id"] for chat in look(bench, "/chat", assistantId=one)["results"]]
    assert listed == [first]
    assert len(look(bench, "/chat", assistantIdAny=f"{one},{two}")["results"]) == 2
    assert bench.vapi.delete(f"/chat/{second}").json()["id"] == second
    assert bench.vapi.get(f"/chat/{second}").status_code == 404


def test_bodies_are_checked(bench: Bench) -> None:
    id_ = agent(bench)

    def told(**body: Any) -> Any:
        return bench.refused("POST", "/chat", body)

    assert "input should not be empty" in told(assistantId=id_)
    assert told(input="x") == "Need one of assistantId, assistant, squadId, squad"
    assert told(input="x", assistantId=id_, voice={}) == ["property voice should not exist"]
    assert told(input="x", assistantId=NOBODY) == f'Assistant with ID "{NOBODY}" not found'
    assert told(input="x", previousChatId=NOBODY) == f'Chat with ID "{NOBODY}" not found'
    assert "mutually exclusive" in told(input="x", previousChatId=NOBODY, sessionId=NOBODY)
    assert told(input=[{"role": "tool", "content": "x"}], assistantId=id_) == ["input.0.tool_call_id must be a string"]
    answer = {"role": "tool", "tool_call_id": "t", "content": "x"}
    call = {"role": "assistant", "tool_calls": [{"id": "t", "function": {"name": "lookupOrder", "arguments": "{}"}}]}
    assert "must answer preceding tool_calls" in told(input=[answer, call], assistantId=id_)
    assert "must be followed by tool messages: t" in told(
        input=[call, {"role": "user", "content": "x"}], assistantId=id_
    )
    wrong = [{"role": "caller", "text": 1}, 7]
    assert told(input=wrong, assistantId=id_) == [
        "input.0.property text should not exist",
        "input.0.role must be one of the following values: user, assistant, system, tool, developer",
        "each value in input must be an object",
    ]
    assert told(input=[], assistantId=id_) == "input should not be empty"


def test_an_unpaid_account_does_not_chat(bench: Bench) -> None:
    bench.control.switches(payment="initial_payment_missing")
    response = bench.vapi.post("/chat", json={"input": "x", "assistantId": agent(bench)})
    assert (response.status_code, response.json()["message"]) == (402, "Purchase credits to use chat.")
