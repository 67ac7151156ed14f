"""Plans as people read them. Each golden file is one screen: VOICEOPS_UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.world import World, agent, graph, live, phone, resource, tool, twilio_line, twilio_live, uid
from voiceops.engine.lines.twilio_number import settings
from voiceops.engine.options import Safety
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.model.graph import Graph
from voiceops.model.plan import Plan
from voiceops.model.values import Ref, secret
from voiceops.render.style import Style
from voiceops.render.text import render_drift, render_plan

Golden = Callable[[str, str], None]

PROMPT = """\
You answer the phone of a garden shop.

Be brief. One question at a time.
Never promise a delivery date.
Ask for the order number before you look anything up.

When the caller is upset, offer a person.
"""
MODEL = {
    "provider": "openai",
    "model": "gpt-4.1-mini",
    "temperature": 0.3,
    "messages": [{"role": "system", "content": PROMPT}],
    "toolIds": [Ref("Tool/lookup-order"), Ref("Tool/to-a-person")],
}
SERVER = {"url": "https://voice.example/vapi/events", "credentialId": Ref("Credential/runtime")}


def shop(**desk: object) -> Graph:
    """Two lines, two agents, two tools."""
    return graph(
        resource(
            "Credential/runtime",
            {
                "provider": "custom-credential",
                "name": "shop runtime",
                "authenticationPlan": {"type": "hmac", "secretKey": secret("VAPI_WEBHOOK_SECRET")},
            },
        ),
        resource(
            "Tool/lookup-order",
            {
                "type": "function",
                "function": {
                    "name": "lookupOrder",
                    "description": "Finds an order by its number.",
                    "parameters": {"type": "object", "properties": {"orderNumber": {"type": "string"}}},
                },
                "server": SERVER,
            },
        ),
        resource(
            "Tool/to-a-person",
            {"type": "transferCall", "destinations": [{"type": "number", "number": "+14155550199"}]},
        ),
        agent("front-desk", firstMessage="Hi, how can I help?", model=MODEL | {}, server=SERVER, **desk),
        agent("reminders", firstMessage="Hello, this is the shop.", model=MODEL, server=SERVER),
        twilio_line("main-line", target="Agent/front-desk"),
        phone("delivery-line", target="Agent/reminders", number="+14155550101"),
    )


def applied() -> World:
    world = World()
    world.put(TWILIO_TYPE, "PN1", twilio_live())
    for item in shop().resources.values():
        world.manage(item, prior=settings(twilio_live()) if item.type == TWILIO_TYPE else None)
    return world


def with_prompt(text: str) -> Graph:
    found = shop()
    desk = found.resources["Agent/front-desk"]
    model = desk.body["model"] | {"messages": [{"role": "system", "content": text}]}
    return replace_in(found, "Agent/front-desk", model=model)


def replace_in(found: Graph, address: str, **body: object) -> Graph:
    old = found.resources[address]
    new = resource(address, {**old.body, **body}, name=old.name, routes=old.routes)
    return graph(*(found.resources | {address: new}).values())


def without(found: Graph, *addresses: str) -> Graph:
    return graph(*(r for a, r in found.resources.items() if not a.startswith(addresses)))


def create() -> Plan:
    world = World()
    world.put(TWILIO_TYPE, "PN1", twilio_live())
    return world.plan(shop(), account="AC1")


def prompt() -> Plan:
    return applied().plan(with_prompt(PROMPT.replace("One question", "Two questions")), account="AC1")


def several() -> Plan:
    """A list that grows, a field that goes, a number that changes, a map that comes."""
    found = replace_in(
        shop(), "Agent/front-desk", firstMessage=None, silenceTimeoutSeconds=20, voice={"provider": "vapi"}
    )
    desk = found.resources["Agent/front-desk"]
    body = {k: v for k, v in desk.body.items() if k != "firstMessage"}
    model = body["model"] | {"temperature": 0.7, "toolIds": [Ref("Tool/lookup-order"), Ref("Tool/new")]}
    items = found.resources | {
        "Agent/front-desk": resource("Agent/front-desk", body | {"model": model}),
        "Tool/new": tool("new"),
    }
    return applied().plan(graph(*items.values()), account="AC1")


def replaced() -> Plan:
    found = shop()
    items = found.resources | {"Tool/to-a-person": resource("Tool/to-a-person", {"type": "endCall"})}
    return applied().plan(graph(*items.values()), account="AC1", safety=Safety(100, 9))


def deleted() -> Plan:
    return applied().plan(without(shop(), "Phone/", "Agent/reminders"), account="AC1", safety=Safety(100, 9))


def drift() -> Plan:
    world = applied()
    world.edit("Agent/front-desk", firstMessage="Yo!")
    world.edit("Phone/main-line/twilio", voice_url="https://elsewhere.example/twiml", trunk_sid="TK1")
    world.gone("Agent/reminders")
    return world.plan(shop(), account="AC1")


def conflict() -> Plan:
    world = applied()
    world.edit("Agent/front-desk", firstMessage="Yo!")
    return world.plan(replace_in(shop(), "Agent/front-desk", firstMessage="Good morning!"), account="AC1")


def refused() -> Plan:
    """Everything that can stand in the way at once."""
    world = applied()
    world.put("vapi_assistant", uid(50), live(uid(50), {"name": "sales"}))
    world.put(TWILIO_TYPE, "PN9", twilio_live("+14155550109", "PN9", voice_application_sid="AP9"))
    world.entries["Agent/reminders"] = replace(world.entries["Agent/reminders"], protected=True)
    found = without(shop(), "Agent/reminders", "Tool/", "Phone/delivery-line")
    desk = found.resources["Agent/front-desk"]
    body = desk.body | {"model": {k: v for k, v in desk.body["model"].items() if k != "toolIds"}}
    items = found.resources | {"Agent/front-desk": resource("Agent/front-desk", body)}
    return world.plan(
        graph(*items.values(), agent("sales"), twilio_line("sales-line", "+14155550109", target="Agent/sales")),
        account="AC1",
    )


def state_only() -> Plan:
    world = applied()
    items = dict(shop().resources)
    desk = items.pop("Agent/front-desk")
    items["Agent/desk"] = replace(desk, address="Agent/desk", moved_from="Agent/front-desk")
    items["Agent/reminders"] = replace(items["Agent/reminders"], prevent_destroy=True)
    items["Phone/main-line"] = replace(
        items["Phone/main-line"], body=items["Phone/main-line"].body | {"assistantId": Ref("Agent/desk")}
    )
    return world.plan(graph(*items.values()), account="AC1")


def adopted() -> Plan:
    world = World()
    world.put(TWILIO_TYPE, "PN1", twilio_live(voice_url="https://old.example/voice", friendly_name="Old"))
    world.put("vapi_assistant", uid(50), live(uid(50), {"name": "front-desk", "firstMessage": "Old"}))
    return world.plan(
        graph(agent("front-desk", firstMessage="New"), twilio_line("main-line", target="Agent/front-desk")),
        account="AC1",
        adopt=True,
    )


def bought() -> Plan:
    return World().plan(graph(agent("a"), twilio_line("line", target="Agent/a", purchase=True)), account="AC1")


def nothing() -> Plan:
    return applied().plan(shop(), account="AC1")


PLANS = {
    f.__name__: f
    for f in (
        create, prompt, several, replaced, deleted, drift, conflict, refused, state_only, adopted, bought, nothing,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_as_text(name: str, golden: Golden) -> None:
    golden(f"plan-text/{name.replace('_', '-')}.txt", render_plan(PLANS[name]()))


def test_a_plan_that_tells_why_nothing_happens(golden: Golden) -> None:
    golden("plan-text/prompt-verbose.txt", render_plan(prompt(), verbose=True))


@pytest.mark.parametrize("name", ["create", "prompt", "drift", "refused", "nothing"])
def test_a_plan_as_json(name: str, golden: Golden) -> None:
    data = PLANS[name]().to_data(version="0", timestamp="2026-01-01T00:00:00+00:00")

    golden(f"plan-json/{name}.json", json.dumps(data, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", PLANS)
def test_colour_changes_nothing_but_colour(name: str) -> None:
    plan = PLANS[name]()

    coloured = render_plan(plan, Style(colour=True))

    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_plan(plan)


@pytest.mark.parametrize("name", PLANS)
def test_no_line_is_longer_than_a_screen_is_wide_twice(name: str) -> None:
    assert max(len(line) for line in render_plan(PLANS[name]()).splitlines()) <= 240


def test_drift_alone(golden: Golden) -> None:
    golden("drift.txt", render_drift(drift().drift) + "\n")
    assert render_drift(()) == ""


def test_a_long_prompt_is_folded_to_what_changes() -> None:
    long = "".join(f"Rule {number}: be kind.\n" for number in range(400))
    world = World()
    world.manage(agent(model={"messages": [{"role": "system", "content": long}]}))

    text = render_plan(
        world.plan(
            graph(
                agent(
                    model={"messages": [{"role": "system", "content": long.replace("Rule 200: be", "Rule 200: stay")}]}
                )
            )
        )
    )

    assert "- Rule 200: be kind." in text
    assert "+ Rule 200: stay kind." in text
    assert len(text.splitlines()) < 20


def test_the_graph_of_a_revision(golden: Golden) -> None:
    """What a rollback plans from: everything that was asked for, no secret."""
    golden("revision-graph.json", json.dumps(shop().to_data(), indent=2, ensure_ascii=False) + "\n")
