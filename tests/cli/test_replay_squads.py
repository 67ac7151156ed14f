"""`test --replay` of calls that a squad answered: its members hand on to each other, as they did then or otherwise."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_replay import call
from tests.support.bench import Bench, bench
from tests.support.quick import quick

SQUAD = """
kind: Agent
name: desk
spec:
  firstMessage: Hello, this is the shop.
  model: {provider: openai, model: gpt-4o, systemPrompt: DESK}
---
kind: Agent
name: parcels
spec:
  firstMessage: GREETS
  model:
    provider: openai
    model: gpt-4o
    systemPrompt: Look parcels up with lookupOrder. Say that returns are free.
    tools: [lookup-order]
  server: {url: "http://127.0.0.1:9/vapi"}
---
kind: Agent
name: bills
spec:
  model: {provider: openai, model: gpt-4o, systemPrompt: A bill is sent by mail.}
---
kind: Tool
name: lookup-order
spec:
  type: function
  function:
    name: lookupOrder
    description: Finds a parcel by its number.
    parameters: {type: object, properties: {orderNumber: {type: string}}, required: [orderNumber]}
  server: {url: "http://127.0.0.1:9/tools"}
---
kind: Squad
name: shop
spec:
  members:
    - assistantId: desk
      assistantDestinations:
        - {type: assistant, assistantName: parcels, description: a parcel}
        - {type: assistant, assistantName: bills, description: a bill}
    - assistantId: parcels
    - assistantId: bills
"""
OPEN = "We are open from nine to six."


def manifests(made: Bench, *, desk: str = OPEN, greets: str = '""') -> None:
    made.write("agents/shop.yaml", SQUAD.replace("DESK", desk).replace("GREETS", greets))


def squad_call(made: Bench, n: int, said: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    found = call(made, n, squadId=made.id_of("Squad/shop"), artifact={"messages": said}, **more)
    made.control.edit(found["id"], unset=("assistantId",))
    return found


def said(made: Bench, *, told: bool = True, greets: str = "") -> list[dict[str, Any]]:
    """Of a call in which the desk hands on to the parcels: by a tool that stands in it, or not."""
    desk, parcels = ({"role": "bot", "assistantId": made.id_of(f"Agent/{name}")} for name in ("desk", "parcels"))
    tool = {"name": "lookupOrder", "arguments": json.dumps({"orderNumber": "1001"})}
    over = [{"role": "tool_calls", "toolCalls": [{"id": "h1", "function": {"name": "handoff_to_parcels"}}]}]
    greeting = [parcels | {"message": greets}, {"role": "user", "message": "Parcel 1001, please."}] if greets else []
    messages: list[dict[str, Any]] = [
        desk | {"message": "Hello, this is the shop."},
        {"role": "user", "message": "When are you open?"},
        desk | {"message": OPEN},
        {"role": "user", "message": "Where is my parcel 1001?"},
        *(over if told else []),
        *greeting,
        {"role": "tool_calls", "toolCalls": [{"id": "t1", "function": tool}]},
        {"role": "tool_call_result", "toolCallId": "t1", "name": "lookupOrder", "result": "Parcel 1001 is near."},
        parcels | {"message": "Parcel 1001 is near."},
        {"role": "user", "message": "Are returns free?"},
        parcels | {"message": "Say that returns are free."},
    ]
    return [message | {"secondsFromStart": place + 1} for place, message in enumerate(messages)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    with quick(), bench(tmp_path) as made:
        manifests(made)
        made.apply()
        yield made
        assert made.control.objects("/chat") == []


def test_a_squad_hands_on_as_it_did(shop: Bench) -> None:
    squad_call(shop, 0, said(shop))
    squad_call(shop, 1, said(shop, told=False))
    shop.run("calls", "sync")
    assert [one["agent"] for one in shop.run("calls", "--format", "json").data] == ["desk", "desk"]
    ran = shop.run("test", "--replay")
    assert "0 of 2 calls would have ended otherwise" in ran.out
    assert "left out" not in ran.out
    assert "other words" not in ran.out
    asked = [request for request in shop.control.requests() if request["path"] == "/chat"]
    assert "127.0.0.1:9" not in json.dumps(asked)
    assert "squad" not in json.dumps(asked)


def test_a_member_that_greets_is_answered(shop: Bench) -> None:
    manifests(shop, greets="The parcels here. Which one?")
    shop.apply()
    squad_call(shop, 0, said(shop, greets="The parcels here. Which one?"))
    shop.run("calls", "sync")
    ran = shop.run("test", "--replay")
    assert "0 of 1 call would have ended otherwise" in ran.out
    assert "other words" not in ran.out


@pytest.mark.parametrize(
    ("desk", "told"),
    [
        ("Never use handoff_to_parcels.", "turn 2: does not hand the caller on to Agent/parcels"),
        (
            "Never use handoff_to_parcels. Use handoff_to_bills for a parcel.",
            "turn 2: hands the caller on to Agent/bills, was to Agent/parcels",
        ),
    ],
    ids=["not at all", "to somebody else"],
)  # fmt: skip
def test_a_squad_that_hands_on_otherwise_is_found(shop: Bench, desk: str, told: str) -> None:
    squad_call(shop, 0, said(shop))
    shop.run("calls", "sync")
    manifests(shop, desk=f"{OPEN} {desk}")
    shop.apply()
    ran = shop.run("test", "--replay", code=1)
    assert told in ran.out
    assert "Squad/shop" in ran.out
    assert "the agent: agents/shop.yaml:2:1" in ran.out
    assert all(len(line) <= 80 for line in ran.out.splitlines())


def test_a_difference_behind_a_handoff_names_the_member(shop: Bench) -> None:
    squad_call(shop, 0, said(shop))
    shop.run("calls", "sync")
    text = SQUAD.replace("DESK", OPEN).replace("GREETS", '""')
    shop.write("agents/shop.yaml", text.replace("Look parcels up with lookupOrder", "Never use lookupOrder"))
    shop.apply()
    ran = shop.run("test", "--replay", code=1)
    assert "turn 2: does not call lookupOrder" in ran.out
    assert "the agent: agents/shop.yaml:8:1" in ran.out


def test_a_squad_that_is_not_here_is_said(shop: Bench) -> None:
    squad_call(shop, 0, said(shop))
    call(shop, 1, squadId=str(uuid.UUID(int=7)), artifact={"messages": said(shop)})
    shop.run("calls", "sync")
    ran = shop.run("test", "--replay")
    assert f"1 call left out: their squad ({uuid.UUID(int=7)}) is not applied in this environment" in ran.out
    assert "0 of 1 call" in ran.out


def test_a_squads_call_is_recorded_for_the_squad(shop: Bench) -> None:
    squad_call(shop, 0, said(shop))
    shop.run("calls", "sync")
    shop.run("test", "--record")
    text = (shop.folder / "agents/recorded/recorded-shop.yaml").read_text()
    assert "targetType: squad" in text
    shop.apply()
    assert "✓" in shop.run("test", "recorded-shop*").out
    manifests(shop, desk=f"{OPEN} Never use handoff_to_parcels.")
    shop.apply()
    shop.run("test", "recorded-shop*", code=1)


def test_functions_of_an_mcp_server_are_offered_as_calls_used_them(shop: Bench) -> None:
    agent = "kind: Agent\nname: booking\nspec:\n  model: {provider: openai, model: gpt-4o, systemPrompt: PROMPT, "
    agent += 'tools: [{type: mcp, server: {url: "https://tables.example/mcp"}}]}\n'
    use = "Book tables with tables_book. We are open from nine to six."
    shop.write("agents/booking.yaml", agent.replace("PROMPT", use))
    shop.apply()
    book = {"name": "tables_book", "arguments": json.dumps({"people": 2})}
    messages: list[dict[str, Any]] = [
        {"role": "user", "message": "I want to book a table for 2."},
        {"role": "tool_calls", "toolCalls": [{"id": "t1", "function": book}]},
        {"role": "tool_call_result", "toolCallId": "t1", "name": "tables_book", "result": "It is booked."},
        {"role": "bot", "message": "It is booked."},
    ]
    call(shop, 0, assistantId=shop.id_of("Agent/booking"), artifact={"messages": messages})
    shop.run("calls", "sync")
    ran = shop.run("test", "--replay")
    assert "0 of 1 call would have ended otherwise" in ran.out
    assert "Agent/booking: tools of type mcp can't be offered in a replay but for tables_book" in ran.err
    assert "tables.example" not in json.dumps([r for r in shop.control.requests() if r["path"] == "/chat"])
    shop.run("test", "--record")
    shop.apply()
    assert "✓" in shop.run("test", "recorded-booking*").out
    shop.write("agents/booking.yaml", agent.replace("PROMPT", "Never use tables_book. Someone calls back."))
    shop.apply()
    assert "the assistant never called" in shop.run("test", "recorded-booking*", code=1).out
    assert "turn 1: does not call tables_book" in shop.run("test", "--replay", code=1).out
