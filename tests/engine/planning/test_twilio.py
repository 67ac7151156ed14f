"""The Twilio half of a line: taken over, kept, cleared, given back, released, bought; and what shadows a voice URL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.world import (
    World,
    agent,
    change_of,
    changes,
    codes,
    graph,
    paths_of,
    twilio_line,
    twilio_live,
)
from voiceops.engine.lines.twilio_number import form, settings
from voiceops.engine.options import Safety
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.model.graph import Graph, Resource
from voiceops.model.plan import Plan

CREATE, UPDATE, DELETE, NO_OP = ("create",), ("update",), ("delete",), ("no-op",)
SIDE = "Phone/line/twilio"
VAPI_URL = "https://api.vapi.ai/twilio/inbound_call"
RUNTIME = {
    "voice_url": "https://voice.example/twilio/voice/line",
    "voice_method": "POST",
    "status_callback": "https://voice.example/twilio/status/line",
    "status_callback_method": "POST",
}
UNLIMITED = Safety(100, 99)


def _line(**fields: Any) -> Graph:
    return graph(agent(), twilio_line(**fields))


def _runtime_line(**fields: Any) -> Graph:
    return graph(agent(), twilio_line(twilio=RUNTIME | fields.pop("twilio", {}), **fields))


def _applied(desired: Graph, prior: dict[str, Any] | None = None, **entry: Any) -> World:
    """A world in which the line was taken over long ago."""
    world = World()
    for item in desired.resources.values():
        if item.type == TWILIO_TYPE:
            world.manage(item, "PN1", prior=prior or settings(twilio_live()), **entry)
        else:
            world.manage(item)
    return world


def _side(desired: Graph) -> Resource:
    return desired.resources[SIDE]


# taking over


@pytest.mark.parametrize(
    ("found", "adopt", "expected", "named"),
    [
        ({}, False, (UPDATE, "take_over"), ""),
        ({"voice_url": ""}, False, (UPDATE, "take_over"), ""),
        ({"voice_url": "https://demo.twilio.com/welcome/voice/"}, False, (UPDATE, "take_over"), ""),
        ({"voice_url": RUNTIME["voice_url"]}, False, (UPDATE, "take_over"), ""),
        (
            {"voice_url": "https://other.example/a?key=1"},
            False,
            (UPDATE, "exists_unmanaged"),
            "https://other.example/a",
        ),
        ({"voice_url": "https://other.example/a"}, True, (UPDATE, "adopt"), ""),
        ({"trunk_sid": "TK1"}, False, (UPDATE, "exists_unmanaged"), "the SIP trunk TK1"),
        ({"voice_application_sid": "AP1"}, False, (UPDATE, "exists_unmanaged"), "the TwiML application AP1"),
        (
            {"trunk_sid": "TK1", "voice_url": RUNTIME["voice_url"]},
            False,
            (UPDATE, "exists_unmanaged"),
            "the SIP trunk TK1",
        ),
        ({"voice_application_sid": "AP1"}, True, (UPDATE, "adopt"), ""),
    ],
    ids=[
        "free-null",
        "free-empty",
        "demo",
        "ours-already",
        "foreign-url",
        "adopted",
        "trunk",
        "application",
        "trunk-over-our-url",
        "application-adopted",
    ],
)
@pytest.mark.parametrize("by_manifest", [False, True], ids=["flag", "lifecycle"])
def test_who_answers_the_number_today(
    found: dict[str, Any], adopt: bool, by_manifest: bool, expected: tuple[tuple[str, ...], str], named: str
) -> None:
    world = World()
    world.put(TWILIO_TYPE, "PN1", twilio_live(**found))
    desired = _runtime_line(adopt=adopt and by_manifest)

    plan = world.plan(desired, adopt=adopt and not by_manifest)

    assert changes(plan)[SIDE] == expected
    assert codes(plan) == (["exists_unmanaged"] if named else [])
    if named:
        assert named in plan.diagnostics[0].summary
        assert "key=1" not in str(plan.diagnostics[0])


def test_what_shadows_the_voice_url_is_named_with_what_it_takes_to_clear_it() -> None:
    world = World()
    world.put(TWILIO_TYPE, "PN1", twilio_live(trunk_sid="TK1", voice_application_sid=""))

    (found,) = world.plan(_runtime_line()).diagnostics

    assert "TrunkSid=" in found.hint
    assert "VoiceApplicationSid=" not in found.hint


def test_taking_over_shows_each_setting_that_changes() -> None:
    world = World()
    world.put(TWILIO_TYPE, "PN1", twilio_live(trunk_sid="TK1", friendly_name="Old"))

    plan = world.plan(_runtime_line(twilio={"friendly_name": "New"}), adopt=True)

    assert paths_of(plan, SIDE) == {
        "voice_url": ("", RUNTIME["voice_url"]),
        "status_callback": ("", RUNTIME["status_callback"]),
        "trunk_sid": ("TK1", ""),
        "friendly_name": ("Old", "New"),
    }


def test_what_vapis_import_will_write_is_known_after_apply() -> None:
    world = World()
    world.put(TWILIO_TYPE, "PN1", twilio_live())

    plan = world.plan(_line())

    assert paths_of(plan, SIDE)["voice_url"] == ("", "(known after apply)")
    assert change_of(plan, SIDE).to_data()["change"]["after_unknown"] == {"voice_url": True, "voice_method": True}


# buying


@pytest.mark.parametrize(("purchase", "reported"), [(False, ["number-missing"]), (True, [])])
def test_a_number_that_the_account_does_not_have(purchase: bool, reported: list[str]) -> None:
    plan = World().plan(_line(purchase=purchase))

    assert changes(plan)[SIDE] == (CREATE, "manifest_changed")
    assert codes(plan) == reported
    assert any("buys" in note for note in change_of(plan, SIDE).notes) is purchase


def test_a_number_is_found_by_its_exact_text() -> None:
    world = World()
    world.put(TWILIO_TYPE, "PN1", twilio_live("+141555501001"))

    assert codes(world.plan(_line())) == ["number-missing"]


def test_a_number_that_was_lost_outside_is_not_bought_again_by_itself() -> None:
    desired = _line()
    world = _applied(desired)
    world.gone(SIDE)

    plan = world.plan(desired)

    assert changes(plan)[SIDE] == (CREATE, "deleted_outside")
    assert codes(plan) == ["number-missing"]


# keeping


@pytest.mark.parametrize("make", [_line, _runtime_line], ids=["vapi", "runtime"])
def test_after_a_take_over_there_is_nothing_to_do(make: Any) -> None:
    desired = make()

    plan = _applied(desired).plan(desired)

    assert set(changes(plan).values()) == {(NO_OP, "unchanged")}


@pytest.mark.parametrize(
    ("edit", "paths"),
    [
        ({"voice_url": "https://evil.example"}, {"voice_url": ("https://evil.example", VAPI_URL)}),
        ({"voice_url": None}, {"voice_url": ("", VAPI_URL)}),
        ({"trunk_sid": "TK9"}, {"trunk_sid": ("TK9", "")}),
        ({"voice_application_sid": "AP9"}, {"voice_application_sid": ("AP9", "")}),
        ({"sms_url": "https://sms.example"}, {}),
        ({"friendly_name": "Renamed"}, {}),
        ({"voice_fallback_url": "https://f.example"}, {}),
        ({"trunk_sid": "", "voice_application_sid": None}, {}),
    ],
    ids=["url", "url-cleared", "trunk", "application", "sms", "name", "fallback-of-somebody", "null-is-empty"],
)
def test_edits_at_twilio(edit: dict[str, Any], paths: dict[str, tuple[str, str]]) -> None:
    desired = _line()
    world = _applied(desired)
    world.edit(SIDE, **edit)

    plan = world.plan(desired)

    assert paths_of(plan, SIDE) == paths
    assert changes(plan)[SIDE] == ((UPDATE, "drift") if paths else (NO_OP, "unchanged"))
    assert bool(plan.drift) is bool(paths)


def test_drift_that_is_kept_says_so() -> None:
    desired = _line()
    world = _applied(desired)
    world.edit(SIDE, voice_url="https://other.example")

    assert changes(world.plan(desired, drift="keep"))[SIDE] == (NO_OP, "drift_kept")


def test_a_change_here_and_an_edit_there_is_a_conflict() -> None:
    desired = _runtime_line()
    world = _applied(desired)
    world.edit(SIDE, trunk_sid="TK9")

    assert changes(world.plan(_runtime_line(twilio={"friendly_name": "New"})))[SIDE] == (UPDATE, "conflict")


@pytest.mark.parametrize(
    ("setting", "paths"),
    [
        ("voice_fallback_url", {"voice_fallback_url": ("https://f.example", None)}),
        ("status_callback", {"status_callback": ("https://f.example", None)}),
        ("friendly_name", {}),
        ("voice_fallback_method", {}),
    ],
)
def test_a_setting_that_leaves_the_manifest_is_cleared_where_it_can_be(
    setting: str, paths: dict[str, tuple[Any, Any]]
) -> None:
    world = _applied(_line(twilio={setting: "https://f.example"}))

    plan = world.plan(_line())

    assert paths_of(plan, SIDE) == paths


@pytest.mark.parametrize(("prevent", "protected", "reason"), [(True, False, "protected"), (False, True, "unprotected")])
def test_both_halves_of_a_line_learn_about_protection(prevent: bool, protected: bool, reason: str) -> None:
    """Otherwise the Twilio half of a line stays protected for ever."""
    desired = _line(prevent_destroy=prevent)
    world = _applied(desired, protected=protected)
    world.entries["Phone/line"] = replace(world.entries["Phone/line"], protected=protected)

    plan = world.plan(desired)

    assert changes(plan)["Phone/line"] == changes(plan)[SIDE] == (NO_OP, reason)
    assert change_of(plan, SIDE).state_only


def test_both_halves_move_together() -> None:
    world = _applied(_line())
    vapi, side = twilio_line("new", moved_from="Phone/line")
    desired = graph(agent(), vapi, replace(side, moved_from=SIDE))
    desired = graph(
        *(
            replace(r, body=r.body | {"name": "line"}) if r.address == "Phone/new" else r
            for r in desired.resources.values()
        )
    )

    plan = world.plan(desired)

    assert changes(plan)["Phone/new"] == changes(plan)["Phone/new/twilio"] == (NO_OP, "moved")
    assert set(changes(plan)) == {"Agent/support", "Phone/new", "Phone/new/twilio"}


# another number


def test_another_number_gives_the_old_one_back_and_takes_the_new_one_over() -> None:
    world = _applied(_line())
    world.put(TWILIO_TYPE, "PN2", twilio_live("+14155550111", "PN2"))
    desired = _line(number="+14155550111")

    plan = world.plan(desired, safety=UNLIMITED)

    assert change_of(plan, "Phone/line").actions == ("delete", "create")
    assert change_of(plan, SIDE).actions == ("delete", "create")
    assert plan.applyable
    steps = world.schedule(desired, plan)
    assert set(steps) >= {f"{SIDE}#restore", f"{SIDE}#settings"}


@pytest.mark.parametrize(
    ("there", "reported"),
    [(None, ["number-missing"]), ({"voice_url": "https://other.example"}, ["exists_unmanaged"])],
    ids=["not-in-the-account", "answered-by-somebody-else"],
)
def test_another_number_is_looked_at_like_a_first_one(there: dict[str, Any] | None, reported: list[str]) -> None:
    world = _applied(_line())
    if there is not None:
        world.put(TWILIO_TYPE, "PN2", twilio_live("+14155550111", "PN2", **there))

    plan = world.plan(_line(number="+14155550111"), safety=UNLIMITED)

    assert codes(plan) == reported


# leaving


def test_a_line_that_leaves_gives_the_number_back_as_it_was_found() -> None:
    prior = settings(twilio_live(voice_url="https://before.example", trunk_sid=None))
    world = _applied(_line(), prior=prior)

    plan = world.plan(graph(agent()), safety=UNLIMITED)

    assert changes(plan)[SIDE] == (DELETE, "manifest_removed")
    assert paths_of(plan, SIDE) == {"voice_url": (VAPI_URL, "https://before.example")}
    assert world.schedule(graph(agent()), plan)[f"{SIDE}#restore"].needs == {"Phone/line#delete"}


def test_a_line_with_release_gives_the_number_back_to_twilio_and_says_so() -> None:
    world = _applied(_line(release=True))

    plan = world.plan(graph(agent()), safety=UNLIMITED)

    assert changes(plan)[SIDE] == (DELETE, "manifest_removed")
    assert "lost for good" in change_of(plan, SIDE).notes[0]
    assert f"{SIDE}#release" in world.schedule(graph(agent()), plan)


def test_a_number_that_is_gone_anyway_is_forgotten() -> None:
    world = _applied(_line())
    world.gone(SIDE)

    assert changes(world.plan(graph(agent()), safety=UNLIMITED))[SIDE] == (NO_OP, "forgotten")


def test_a_protected_line_is_refused_with_both_its_halves() -> None:
    world = _applied(_line(prevent_destroy=True))

    plan: Plan = world.plan(graph(agent()), safety=UNLIMITED)

    assert codes(plan) == ["protected", "protected"]


# the form


@pytest.mark.parametrize(
    ("values", "live", "sent"),
    [
        ({"voice_url": "https://a"}, {}, {"VoiceUrl": "https://a"}),
        ({"voice_url": ""}, {}, {"VoiceUrl": ""}),
        ({"trunk_sid": None}, {}, {"TrunkSid": ""}),
        ({"friendly_name": "", "voice_method": None}, {}, {}),
        (
            {"voice_fallback_url": "https://f"},
            {"voice_url": "https://a"},
            {"VoiceFallbackUrl": "https://f", "VoiceUrl": "https://a"},
        ),
        ({"voice_fallback_url": "https://f"}, {}, {"VoiceFallbackUrl": "https://f"}),
        (
            {"voice_fallback_url": "", "voice_url": ""},
            {"voice_url": "https://a"},
            {"VoiceFallbackUrl": "", "VoiceUrl": ""},
        ),
    ],
    ids=["set", "cleared", "null-clears", "sticky", "fallback-brings-its-url", "fallback-alone", "both-cleared"],
)
def test_the_form_that_is_sent(values: dict[str, Any], live: dict[str, Any], sent: dict[str, str]) -> None:
    assert form(values, live) == sent
