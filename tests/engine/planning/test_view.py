"""A view is made once and only read: decisions depend on nothing but it, and what it was made of stays as it is."""

from __future__ import annotations

import random
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from tests.support.world import World, agent, graph, phone, resource, tool, twilio_line, twilio_live, uid
from voiceops.engine.options import Options
from voiceops.engine.planning.observe import observe
from voiceops.engine.planning.planner import decide, gathered, make_plan
from voiceops.engine.planning.strategies import strategy_of
from voiceops.engine.planning.view import Inputs, View
from voiceops.kinds.registry import KINDS
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.model.graph import Graph
from voiceops.model.values import Ref, Template, copy


def _busy() -> tuple[World, Graph]:
    """A bit of everything: kept, edited, new, replaced, taken over, gone and adopted."""
    world = World()
    world.manage(agent("kept", firstMessage="Hi"))
    world.manage(agent("edited", firstMessage="Hi", model={"provider": "openai", "messages": [{"role": "system"}]}))
    world.edit("Agent/edited", firstMessage="Yo")
    world.manage(tool("lookup"))
    world.manage(agent("leaves"))
    world.manage(phone(target="Agent/kept"))
    world.put("vapi_assistant", uid(70), {"id": uid(70), "orgId": "o", "name": "twin", "updatedAt": "2026"})
    line = twilio_line("other", "+14155550111", "Agent/new")
    world.put(TWILIO_TYPE, "PN9", twilio_live("+14155550111", "PN9", voice_url="https://old.example/"))
    return world, graph(
        agent("kept", firstMessage="Hi"),
        agent("edited", firstMessage="Hey", model={"provider": "openai", "messages": [{"role": "user"}]}),
        resource("Tool/lookup", {"type": "endCall"}),
        agent("new", model={"toolIds": [Ref("Tool/lookup")]}),
        agent("twin"),
        phone(target="Agent/kept"),
        *line,
    )


def test_a_view_can_not_be_changed() -> None:
    world, desired = _busy()
    view = observe(desired, world.state, world.snapshot, Options())

    for name in ("found", "new", "desired"):
        with pytest.raises(FrozenInstanceError):
            setattr(view, name, {})


def test_a_view_holds_all_that_it_was_made_of() -> None:
    assert {field.name for field in fields(Inputs)} < {field.name for field in fields(View)}


def test_decisions_are_the_same_in_whatever_order_they_are_made() -> None:
    world, desired = _busy()
    view = observe(desired, world.state, world.snapshot, Options())
    addresses = [*desired.resources, "Agent/leaves"]
    once = {address: decide(view, address) for address in addresses}

    for seed in range(5):
        random.Random(seed).shuffle(addresses)
        assert {address: decide(view, address) for address in addresses} == once
    plan = make_plan(desired, world.state, world.snapshot, Options())
    assert {change.address: change for change in plan.changes} == {a: d.change for a, d in once.items()}
    assert plan.diagnostics == gathered(view, [once[a] for a in (*desired.resources, "Agent/leaves")]).diagnostics


def test_planning_changes_nothing_that_it_was_given() -> None:
    world, desired = _busy()
    state, snapshot = world.state, world.snapshot
    before = copy(snapshot.objects), state.to_data(), desired.to_data()

    make_plan(desired, state, snapshot, Options(adopt=True))

    assert (copy(snapshot.objects), state.to_data(), desired.to_data()) == before


def test_every_kind_but_the_twilio_number_is_planned_as_a_whole() -> None:
    whole = {type(strategy_of(kind.type)).__name__ for kind in KINDS.values()}

    assert whole == {"WholeObjects"}
    assert type(strategy_of(TWILIO_TYPE)).__name__ == "NumberSettings"


def test_a_nameless_object_may_speak_of_what_a_new_one_will_be_given() -> None:
    """Whether there is an equal one already is asked before anything is known of the new one's attributes."""
    world = World()
    dictionary = resource("Dictionary/words", {"provider": "11labs", "name": "words", "rules": []})
    ending = resource(
        "Tool/end", {"type": "endCall", "metadata": {"words": Template((Ref("Dictionary/words", "versionId"),))}}
    )
    world.put("vapi_tool", uid(80), {"id": uid(80), "orgId": "o", "type": "endCall", "updatedAt": "2026"})

    plan = world.plan(graph(ending, dictionary))

    assert {change.address: change.actions for change in plan.changes} == {
        "Dictionary/words": ("create",),
        "Tool/end": ("create",),
    }


def test_twins_are_found_whatever_the_letters_of_a_sip_uri_and_only_those() -> None:
    world = World()
    for number, uri in enumerate(("sip:Desk@Sip.vapi.ai", "sip:desk2@sip.vapi.ai", "SIP:DESK@SIP.VAPI.AI")):
        body = {"id": uid(60 + number), "orgId": "o", "provider": "vapi", "sipUri": uri, "updatedAt": "2026"}
        world.put("vapi_phone_number", uid(60 + number), body)
    line = resource("Phone/desk", {"provider": "vapi", "sipUri": "sip:desk@sip.vapi.ai"})

    view = observe(graph(line), world.state, world.snapshot, Options())

    assert view.found["Phone/desk"].twins == (uid(60), uid(62))
    assert view.claims == {uid(60): ("Phone/desk",), uid(62): ("Phone/desk",)}


def test_an_object_deleted_a_moment_ago_is_no_twin() -> None:
    world = World()
    world.put("vapi_assistant", uid(70), {"id": uid(70), "orgId": "o", "name": "support", "updatedAt": "2026"})
    gone = replace(world.state, gone={uid(70): world.date - 1})

    view = observe(graph(agent("support")), gone, world.snapshot, Options())

    assert view.found["Agent/support"].twins == ()
    assert view.claims == {}
