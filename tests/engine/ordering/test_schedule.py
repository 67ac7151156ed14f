"""What comes before what: dependencies, deletes in reverse, circles in two steps, replacements, phone lines last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.world import World, agent, graph, in_order, phone, resource, tool, twilio_line, twilio_live, uid
from voiceops.engine.options import Safety
from voiceops.engine.ordering.creation_order import CircleError, plan_creation
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.model.graph import Graph, Resource
from voiceops.model.values import Ref

FREE = Safety(100, 99)


def handoff(name: str, *targets: str, **body: Any) -> Resource:
    return resource(
        f"Tool/{name}",
        {"type": "handoff", "destinations": [{"type": "assistant", "assistantId": Ref(t)} for t in targets], **body},
    )


def user(key: str, *tools: str, **body: Any) -> Resource:
    return agent(key, model={"provider": "openai", "model": "m", "toolIds": [Ref(t) for t in tools]}, **body)


def squad(name: str, *members: str) -> Resource:
    return resource(f"Squad/{name}", {"name": name, "members": [{"assistantId": Ref(m)} for m in members]})


CREDENTIAL = resource("Credential/c", {"provider": "openai", "name": "c"})
CHAIN = graph(
    CREDENTIAL,
    tool("t", server={"url": "https://x", "credentialId": Ref("Credential/c")}),
    user("a", "Tool/t"),
    squad("s", "Agent/a"),
    phone(target=None, squadId=Ref("Squad/s")),
)
CIRCLE = graph(
    user("front", "Tool/to-back"),
    user("back", "Tool/to-front"),
    handoff("to-back", "Agent/back"),
    handoff("to-front", "Agent/front"),
)


def needs(world: World, desired: Graph, **options: Any) -> dict[str, set[str]]:
    plan = world.plan(desired, safety=FREE, **options)
    return {key: set(operation.needs) for key, operation in world.schedule(desired, plan).items()}


def test_everything_is_created_after_what_it_refers_to() -> None:
    assert needs(World(), CHAIN) == {
        "Credential/c#create": set(),
        "Tool/t#create": {"Credential/c#create"},
        "Agent/a#create": {"Tool/t#create"},
        "Squad/s#create": {"Agent/a#create"},
        "Phone/line#create": {"Squad/s#create"},
    }


def test_only_what_changes_is_waited_for() -> None:
    world = World()
    world.apply(CHAIN)
    old = CHAIN.resources["Agent/a"]
    changed = replace(old, body=old.body | {"firstMessage": "Hi"})

    assert needs(world, graph(*(CHAIN.resources | {"Agent/a": changed}).values())) == {"Agent/a#update": set()}


def test_deletes_run_the_other_way_round() -> None:
    world = World()
    world.apply(CHAIN)

    assert needs(world, graph()) == {
        "Phone/line#delete": set(),
        "Squad/s#delete": {"Phone/line#delete"},
        "Agent/a#delete": {"Squad/s#delete"},
        "Tool/t#delete": {"Agent/a#delete"},
        "Credential/c#delete": {"Tool/t#delete"},
    }


def test_a_user_lets_go_before_the_delete() -> None:
    world = World()
    world.apply(graph(tool("t"), user("a", "Tool/t")))

    assert needs(world, graph(user("a"))) == {"Agent/a#update": set(), "Tool/t#delete": {"Agent/a#update"}}


def test_a_replacement_creates_repoints_deletes() -> None:
    world = World()
    world.apply(graph(tool("t"), user("a", "Tool/t"), user("b", "Tool/t")))

    found = needs(world, graph(resource("Tool/t", {"type": "endCall"}), user("a", "Tool/t"), user("b", "Tool/t")))

    assert found == {
        "Tool/t#create": set(),
        "Agent/a#update": {"Tool/t#create"},
        "Agent/b#update": {"Tool/t#create"},
        "Tool/t#delete": {"Tool/t#create", "Agent/a#update", "Agent/b#update"},
    }


def test_a_line_with_another_number_is_deleted_first() -> None:
    world = World()
    world.apply(graph(agent(), phone()))

    assert needs(world, graph(agent(), phone(number="+14155550111"))) == {
        "Phone/line#delete": set(),
        "Phone/line#create": {"Phone/line#delete"},
    }


def test_circles_are_made_in_two_steps() -> None:
    creation = plan_creation(CIRCLE, set(CIRCLE.resources))

    assert creation.deferred == {"Tool/to-back": (("destinations",),)}
    assert needs(World(), CIRCLE) == {
        "Agent/back#create": {"Tool/to-front#create"},
        "Agent/front#create": {"Tool/to-back#create"},
        "Tool/to-back#create": set(),
        "Tool/to-back#link": {"Tool/to-back#create", "Agent/back#create"},
        "Tool/to-front#create": {"Agent/front#create"},
    }


def test_a_line_waits_for_its_targets_second_step() -> None:
    """An agent that refers to itself is whole only after its link."""
    selfish = agent(
        "self",
        model={
            "provider": "openai",
            "model": "m",
            "tools": [{"type": "handoff", "destinations": [{"type": "assistant", "assistantId": Ref("Agent/self")}]}],
        },
    )

    found = needs(World(), graph(selfish, phone(target="Agent/self")))

    assert found["Agent/self#link"] == {"Agent/self#create"}
    assert found["Phone/line#create"] == {"Agent/self#create", "Agent/self#link"}


def test_a_line_is_bound_after_its_target_was_updated() -> None:
    world = World()
    world.apply(graph(agent(), phone(target=None)))

    assert needs(world, graph(agent(firstMessage="Hi"), phone())) == {
        "Agent/support#update": set(),
        "Phone/line#update": {"Agent/support#update"},
    }


def test_what_is_deferred_is_left_out_whole_and_sent_whole() -> None:
    desired = graph(
        user("a", "Tool/h", "Tool/plain"), tool("plain"), handoff("h", "Agent/a", "Agent/other"), agent("other")
    )
    world = World()
    world.apply(desired)

    assert world.log.index("Tool/h#create") < world.log.index("Agent/a#create") < world.log.index("Tool/h#link")
    ids = {a: entry.id for a, entry in world.entries.items()}
    assert world.of("Tool/h")["destinations"] == [
        {"type": "assistant", "assistantId": ids["Agent/a"]},
        {"type": "assistant", "assistantId": ids["Agent/other"]},
    ]
    assert world.plan(desired).active == ()


def test_a_circle_that_no_second_step_closes() -> None:
    circle = graph(
        resource("Squad/a", {"name": "a", "members": [{"x": Ref("Squad/b")}]}),
        resource("Squad/b", {"name": "b", "members": [{"x": Ref("Squad/a")}]}),
    )
    with pytest.raises(CircleError, match="Squad/a → Squad/b → Squad/a"):
        plan_creation(circle, set(circle.resources))


def test_a_circle_through_something_that_is_live_is_no_circle() -> None:
    world = World()
    world.apply(CIRCLE)
    world.gone("Tool/to-back")

    assert needs(world, CIRCLE) == {
        "Tool/to-back#create": set(),
        "Agent/front#update": {"Tool/to-back#create"},
    }


def test_a_circle_is_deleted_in_some_order() -> None:
    world = World()
    world.apply(CIRCLE)
    desired = graph()
    plan = world.plan(desired, safety=FREE)

    assert {o.change.address for o in in_order(world.schedule(desired, plan))} == set(CIRCLE.resources)


def test_the_twilio_half_follows_the_import() -> None:
    """What answered the number before is written down first: the import rewrites it."""
    world = World()
    world.put(TWILIO_TYPE, "PN1", twilio_live())

    assert needs(world, graph(agent(), twilio_line())) == {
        "Agent/support#create": set(),
        "Phone/line/twilio#claim": set(),
        "Phone/line#create": {"Agent/support#create", "Phone/line/twilio#claim"},
        "Phone/line/twilio#settings": {"Phone/line#create", "Phone/line/twilio#claim"},
    }


def test_a_number_is_bought_before_the_import() -> None:
    found = needs(World(), graph(agent(), twilio_line(purchase=True)))

    assert found["Phone/line/twilio#buy"] == set()
    assert found["Phone/line#create"] == {"Agent/support#create", "Phone/line/twilio#buy"}
    assert found["Phone/line/twilio#settings"] == {"Phone/line#create", "Phone/line/twilio#buy"}


def test_another_number_is_bought_after_the_old_one_was_given_back() -> None:
    world = World()
    for item in (agent(), *twilio_line()):
        world.manage(item)
    found = needs(world, graph(agent(), twilio_line(number="+14155550111", purchase=True)))

    assert found == {
        "Phone/line#delete": set(),
        "Phone/line/twilio#restore": {"Phone/line#delete"},
        "Phone/line/twilio#buy": {"Phone/line/twilio#restore"},
        "Phone/line#create": {"Phone/line#delete", "Phone/line/twilio#buy"},
        "Phone/line/twilio#settings": {
            "Phone/line#create",
            "Phone/line/twilio#buy",
            "Phone/line/twilio#restore",
        },
    }


def test_changes_of_the_state_alone_are_one_step() -> None:
    world = World()
    world.manage(agent("old", name="x"))
    world.manage(agent("gone"))
    world.gone("Agent/gone")
    desired = graph(replace(agent("new", name="x"), moved_from="Agent/old", prevent_destroy=True))

    assert needs(world, desired) == {"Agent/new#state": set(), "Agent/gone#state": set()}


def test_a_moved_user_still_goes_before_what_it_used() -> None:
    world = World()
    world.apply(graph(tool("t"), user("old", "Tool/t", name="x")))

    found = needs(world, graph(replace(user("new", name="x"), moved_from="Agent/old")))

    assert found["Tool/t#delete"] == {"Agent/new#update"}


def test_an_unbound_number_lets_go_before_its_agent_is_deleted() -> None:
    world = World()
    world.apply(
        graph(agent(), resource("Phone/v", {"provider": "vapi", "name": "v", "assistantId": Ref("Agent/support")}))
    )

    assert needs(world, graph()) == {"Phone/v#unbind": set(), "Agent/support#delete": {"Phone/v#unbind"}}


def test_leftovers_of_a_replacement_are_deleted() -> None:
    world = World()
    world.manage(agent(), deposed=(uid(50),))
    world.put("vapi_assistant", uid(50), {"id": uid(50)})

    assert needs(world, graph(agent())) == {f"Agent/support/deposed/{uid(50)}#delete": set()}


def test_long_chains_are_no_problem() -> None:
    """Deeper than Python's stack: each agent hands over to the next."""
    length = 1200
    items: list[Resource] = []
    for number in range(length):
        items.append(user(f"a{number}", *([f"Tool/h{number}"] if number < length - 1 else [])))
        if number < length - 1:
            items.append(handoff(f"h{number}", f"Agent/a{number + 1}"))
    desired = graph(*items)

    assert len(needs(World(), desired)) == 2 * length - 1
