"""For any manifest, applied and live: no owned field lost, no foreign field touched, nothing created too early."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.world import World, agent, graph, phone, resource
from voiceops.engine.fields.body import set_values, update_body
from voiceops.engine.fields.diff import NOTHING_APPLIED, Applied, differences
from voiceops.engine.options import Safety
from voiceops.engine.ordering.creation_order import plan_creation
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import root
from voiceops.model.graph import Graph, Resource
from voiceops.model.values import ABSENT, Ref, copy, delete_path, empty, get_path, refs_in

FREE = Safety(100, 10**6)
AGENT = KINDS["Agent"]
NODE = root("Agent", "update")
# "status" and "id" are names that servers like to use, too.
keys = st.sampled_from(["a", "b", "c", "status", "id"])
scalars = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x", "two\nlines"])
named = st.fixed_dictionaries({"name": st.sampled_from("pqr")}, optional={"a": scalars, "b": scalars})
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner | named, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
providers = st.fixed_dictionaries(
    {"provider": st.sampled_from(["openai", "anthropic"]), "model": st.sampled_from("mn")},
    optional={"temperature": st.integers(0, 1), "maxTokens": st.integers(1, 2), "toolIds": st.lists(st.just("t"))},
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "a": values,
        "b": values,
        "metadata": st.dictionaries(keys, values, max_size=3),
        "model": providers,
    },
)


def _patched(desired: dict[str, Any], applied: Applied, live: dict[str, Any]) -> dict[str, Any]:
    """Live after the PATCH that a plan would send: whole top-level keys are replaced."""
    desired = set_values(AGENT, desired)
    return live | update_body(AGENT, desired, applied, live, differences(desired, applied, live, (), NODE))


@given(desired=bodies, live=bodies)
@settings(max_examples=300)
def test_an_update_settles_any_two_objects(desired: dict[str, Any], live: dict[str, Any]) -> None:
    after = _patched(desired, NOTHING_APPLIED, live)

    desired = set_values(AGENT, desired)
    assert differences(desired, Applied(desired, {}), after, (), NODE) == []
    assert differences(desired, NOTHING_APPLIED, after, (), NODE) == []


@given(desired=bodies, owned=bodies, live=bodies)
@settings(max_examples=300)
def test_no_owned_field_is_lost_and_no_foreign_one_touched(
    desired: dict[str, Any], owned: dict[str, Any], live: dict[str, Any]
) -> None:
    before = (copy(desired), copy(owned), copy(live))

    after = _patched(desired, Applied(owned, {}), live)

    assert (desired, owned, live) == before, "inputs are not changed"
    desired = set_values(AGENT, desired)
    assert differences(desired, Applied(desired, {}), after, (), NODE) == []
    _check_foreign(desired, owned, live, after, ())
    _check_reset(desired, owned, live, after, ())


def _check_foreign(desired: Any, owned: Any, live: Any, after: Any, path: tuple[str, ...]) -> None:
    """What neither side of ours ever set is there as before, as long as the maps around it are."""
    if path == ("model",) and desired and desired.get("provider") != live.get("provider"):
        return  # another provider: what it can't take leaves, and is shown (tests/engine/fields/test_write.py)
    if path == ("model",) and "provider" not in desired and (owned or {}).get("provider"):
        return  # without a provider the API takes no model: it leaves as a whole, and is shown
    for key, value in live.items():
        wanted = desired.get(key, ABSENT) if isinstance(desired, dict) else ABSENT
        was = owned.get(key, ABSENT) if isinstance(owned, dict) else ABSENT
        now = after.get(key, ABSENT) if isinstance(after, dict) else ABSENT
        here = (*path, key)
        if wanted is ABSENT and empty(was):
            known_to_the_server = path == ("model",) and key in ("id", "status")
            if not empty(value) and not known_to_the_server:
                assert now == value, f"{here} was nobody's: {value!r} became {now!r}"
        elif isinstance(value, dict) and (isinstance(wanted, dict) or (wanted is ABSENT and isinstance(was, dict))):
            _check_foreign(wanted if isinstance(wanted, dict) else {}, was, value, now, here)


def _check_reset(desired: Any, owned: Any, live: Any, after: Any, path: tuple[str, ...]) -> None:
    """What left the manifest is not there any more."""
    for key, was in owned.items() if isinstance(owned, dict) else ():
        wanted = desired.get(key, ABSENT) if isinstance(desired, dict) else ABSENT
        there = live.get(key, ABSENT) if isinstance(live, dict) else ABSENT
        now = after.get(key, ABSENT) if isinstance(after, dict) else ABSENT
        if isinstance(was, dict) and isinstance(there, dict) and (wanted is ABSENT or isinstance(wanted, dict)):
            _check_reset({} if wanted is ABSENT else wanted, was, there, now, (*path, key))
        elif wanted is ABSENT and not empty(was):
            assert empty(now), f"{(*path, key)} left the manifest and is still {now!r}"


@given(history=st.lists(st.tuples(bodies, st.none() | bodies), min_size=1, max_size=4))
@settings(max_examples=100)
def test_whatever_happens_in_between_an_apply_ends_with_nothing_to_do(
    history: list[tuple[dict[str, Any], dict[str, Any] | None]],
) -> None:
    world = World()
    for body, edit in history:
        desired = graph(agent(**body))
        world.apply(desired)
        assert world.plan(desired).active == ()
        assert not world.plan(desired).drift
        if edit is not None:
            world.edit("Agent/support", **edit)


@given(owned=bodies, live=bodies)
@settings(max_examples=100)
def test_an_unchanged_manifest_over_an_edited_object_is_drift_and_nothing_else(
    owned: dict[str, Any], live: dict[str, Any]
) -> None:
    world = World()
    world.manage(agent(**owned), live_body={"name": "support", **live})

    plan = world.plan(graph(agent(**owned)))

    (change,) = plan.changes
    assert change.reason in ("drift", "unchanged")
    drifted = {f.path for d in plan.drift for f in d.fields}
    assert {f.path for f in change.fields if f.reason not in ("not_in_variant", "carried_along")} == drifted
    kept = world.plan(graph(agent(**owned)), drift="keep")
    assert kept.active == ()


# graphs


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any references that the kinds allow, circles included."""
    count = st.integers(0, 3)
    names = {
        kind: [f"{kind}/{letter}" for letter in "xyz"[: draw(count)]]
        for kind in ("Credential", "Tool", "Agent", "Squad", "StructuredOutput", "Phone")
    }

    def some(kind: str, *, least: int = 0, most: int = 2) -> list[Ref]:
        pool = names[kind]
        if not pool:
            return []
        found = draw(st.lists(st.sampled_from(pool), min_size=min(least, len(pool)), max_size=most, unique=True))
        return [Ref(address) for address in found]

    items: list[Resource] = [
        resource(a, {"provider": draw(st.sampled_from(["openai", "groq"])), "name": a}) for a in names["Credential"]
    ]
    for address in names["StructuredOutput"]:
        items.append(resource(address, {"name": address, "schema": {"type": "object"}}))
    for address in names["Tool"]:
        if draw(st.booleans()):
            body: dict[str, Any] = {
                "type": "handoff",
                "destinations": [{"type": "assistant", "assistantId": ref} for ref in some("Agent")],
            }
        else:
            body = {"type": "function", "function": {"name": address}}
        items.append(resource(address, body | _server(some("Credential", most=1))))
    for address in names["Agent"]:
        name = address.partition("/")[2]
        items.append(
            agent(
                name,
                model={"provider": "openai", "model": "m", "toolIds": some("Tool")},
                artifactPlan={"structuredOutputIds": some("StructuredOutput")},
                credentialIds=some("Credential"),
            )
        )
    for address in names["Squad"] if names["Agent"] else []:
        members = some("Agent", least=1)
        items.append(resource(address, {"name": address, "members": [{"assistantId": ref} for ref in members]}))
    for number, address in enumerate(names["Phone"]):
        target = draw(st.sampled_from([None, *names["Agent"]]))
        items.append(phone(address.partition("/")[2], target=target, number=f"+1415555010{number}"))
    present = {item.address for item in items}
    return graph(*(item for item in items if all(ref.address in present for ref in refs_in(item.body))))


def _server(refs: list[Ref]) -> dict[str, Any]:
    return {"server": {"url": "https://x", "credentialId": refs[0]}} if refs else {}


def _closed(found: Graph) -> Graph:
    """Without what refers to something that is not there."""
    items = dict(found.resources)
    while missing := [a for a, r in items.items() if any(ref.address not in items for ref in refs_in(r.body))]:
        for address in missing:
            del items[address]
    return graph(*items.values())


@given(found=graphs())
@settings(max_examples=150)
def test_every_list_that_waits_is_left_out_whole_and_the_rest_has_an_order(found: Graph) -> None:
    desired = _closed(found)

    creation = plan_creation(desired, set(desired.resources))

    done: set[str] = set()
    while len(done) < len(desired.resources):
        ready = [a for a in desired.resources if a not in done and creation.needs[a] <= done]
        assert ready, "a circle is left"
        done.update(ready)
    for address, item in desired.resources.items():
        rest = copy(item.body)
        for path in creation.deferred.get(address, ()):
            assert get_path(item.body, path) is not ABSENT
            delete_path(rest, path)
        assert {ref.address for ref in refs_in(rest)} <= creation.needs[address] | {address}
        assert address not in {ref.address for ref in refs_in(rest)}


@given(first=graphs(), second=graphs())
@settings(max_examples=120)
def test_from_any_graph_to_any_other_references_are_respected(first: Graph, second: Graph) -> None:
    """World refuses to send an id that is not live yet, or not any more; deferred lists arrive whole."""
    world = World()
    for desired in (_closed(first), _closed(second), graph()):
        plan = world.plan(desired, safety=FREE)
        assert not plan.refused
        world.apply(desired, safety=FREE)
        assert world.plan(desired, safety=FREE).active == ()
        for address, item in desired.resources.items():
            for ref in refs_in(item.body):
                assert world.entries[ref.address].id in str(world.of(address))
        assert sum(len(found) for found in world.objects.values()) == len(desired.resources)


@given(found=graphs(), data=st.data())
@settings(max_examples=60)
def test_a_target_brings_everything_that_it_needs(found: Graph, data: st.DataObject) -> None:
    desired = _closed(found)
    if not desired.resources:
        return
    target = data.draw(st.sampled_from(sorted(desired.resources)))
    world = World()

    world.apply(desired, targets=(target,))

    assert target in world.entries
    assert world.plan(desired, targets=(target,)).active == ()
