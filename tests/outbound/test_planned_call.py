"""What becomes of a person: by what the number tells, the rules, and what was done before."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from voiceops.errors import Mark
from voiceops.model.calling import Calling
from voiceops.outbound.calling_hours import Opening
from voiceops.outbound.claims import CallClaim, State
from voiceops.outbound.people_file import Person
from voiceops.outbound.phone_facts import PhoneFacts, facts_of
from voiceops.outbound.planned_call import Rules, Spacing, planned, spaced, zones_that_count

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC).timestamp()  # in Berlin two in the afternoon, in New York eight
BERLIN = PhoneFacts(zones=("Europe/Berlin",))
BOTH = PhoneFacts(zones=("Europe/Berlin", "America/New_York"))


def person(number: str = "+4930123456", **given: object) -> Person:
    return Person(**{"place": Mark("p.csv", 2, 1), "given": number, "number": number, **given})  # type: ignore[arg-type]


def claim(state: State) -> CallClaim:
    return CallClaim(key="k", batch="b", state=state, token="t", at=NOON, since=NOON)


def rules(now: float = NOON, **given: object) -> Rules:
    return Rules(calling=Calling(**given), now=now, never={"+14155550199"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("who", "facts", "known", "step", "reason"),
    [
        (person(), BERLIN, None, "call", ""),
        (person(problem="has no number"), PhoneFacts(), None, "not", "has no number"),
        (person("+14155550199"), BERLIN, None, "not", "on the do-not-call list"),
        (person("+14155550199"), BERLIN, claim("placed"), "not", "on the do-not-call list"),
        (person(), PhoneFacts(refused="a premium number"), None, "not", "a premium number"),
        (person(), BERLIN, claim("placed"), "done", ""),
        (person(), BERLIN, claim("refused"), "call", ""),
        (person(), BERLIN, claim("lost"), "look", ""),
        (person(), BERLIN, claim("sending"), "look", ""),
        (person(), BERLIN, claim("unclear"), "look", ""),
        (person(was={"result": "called"}), BERLIN, None, "done", "the file says so"),
        (person(was={"result": "refused"}), BERLIN, None, "call", ""),
        (person(), BOTH, None, "later", ""),
        (person(), PhoneFacts(), None, "not", "does not tell its time zone"),
        (person(), PhoneFacts(zones=("Europe/Berlin", "Pacific/Honolulu")), None, "not", "2 time zones, and no time"),
    ],
)
def test_what_becomes_of_somebody(
    who: Person, facts: PhoneFacts, known: CallClaim | None, step: str, reason: str
) -> None:
    found = planned(who, rules(), facts, known)
    assert (found.step, bool(found.reason)) == (step, bool(reason))
    assert reason in found.reason


def test_a_setting_says_which_zone_counts_only_where_the_number_leaves_it_open() -> None:
    assert zones_that_count(PhoneFacts(), Calling(timezone="Asia/Tokyo")) == ("Asia/Tokyo",)
    assert zones_that_count(BOTH, Calling(timezone="Europe/Berlin")) == ("Europe/Berlin",)
    assert zones_that_count(BOTH, Calling(timezone="Asia/Tokyo")) == BOTH.zones
    assert zones_that_count(BERLIN, Calling(timezone="Asia/Tokyo")) == BERLIN.zones
    assert zones_that_count(PhoneFacts(), Calling()) == ()


def test_a_later_time_is_the_earliest_that_counts() -> None:
    found = planned(person(), Rules(calling=Calling(), now=NOON, at=NOON + 3600), BERLIN, None)
    assert (found.step, found.opening and found.opening.start) == ("later", NOON + 3600)
    night = planned(person(), Rules(calling=Calling(), now=NOON, at=NOON + 8 * 3600), BERLIN, None)
    assert night.opening is not None
    assert night.opening.start == NOON + 19 * 3600  # nine o'clock in Berlin


def test_calls_for_later_keep_to_the_bounds() -> None:
    """Ten a minute, and no more than two of two minutes at once: one each minute."""
    spacing = Spacing(Calling(per_minute=10, max_concurrent=2), taken=[NOON])
    starts = [spacing.placed(Opening(NOON, NOON + 600)) for _ in range(12)]
    assert [start and start.start for start in starts] == [*(NOON + 60 * n for n in range(1, 9)), *[None] * 4]
    assert starts[0] == Opening(NOON + 60, NOON + 600)


def test_who_finds_no_room_today_is_called_tomorrow() -> None:
    calling = Calling(start=9 * 60, end=9 * 60 + 10, per_minute=1)
    evening = rules(NOON, start=calling.start, end=calling.end, per_minute=1)
    spacing = Spacing(calling)
    days: list[int] = []
    for _ in range(20):
        found = spaced(planned(person(), evening, BERLIN, None), evening, spacing)
        assert found.opening is not None
        days.append(datetime.fromtimestamp(found.opening.start, UTC).day)
    assert days == [16] * 9 + [17] * 9 + [18] * 2
    rest = [spaced(planned(person(), evening, BERLIN, None), evening, spacing) for _ in range(60)]
    assert [found.step for found in rest] == ["later"] * (7 * 9 - 20) + ["not"] * 17
    assert "no time is left for it within a week" in rest[-1].reason


@pytest.mark.parametrize(
    ("number", "zones", "refused"),
    [
        ("+14155550123", ("America/Los_Angeles",), ""),
        ("+4915112345678", ("Europe/Berlin",), ""),
        ("+19005550100", None, "a premium number"),
        ("+449098790000", None, "a premium number"),
        ("+19115550123", None, "an emergency number"),
        ("+491120000", None, "an emergency number"),
        ("+999123456789", None, "a number of no country"),
        ("+1555555", None, "a number that nobody can have"),
        ("+88216123456", None, "costs extra"),
        ("+80012345678", (), ""),
    ],
)
def test_what_a_number_tells(number: str, zones: tuple[str, ...] | None, refused: str) -> None:
    found = facts_of(number)
    assert refused in found.refused
    assert bool(found.refused) == bool(refused)
    if zones is not None:
        assert found.zones == zones


def test_a_number_of_a_large_country_may_be_in_many_zones() -> None:
    assert {"America/New_York", "Pacific/Honolulu"} <= set(facts_of("+18005550100").zones)
    assert len(facts_of("+61412345678").zones) > 3


def test_without_the_package_a_few_facts_are_known() -> None:
    """In a process of its own, where the package can't be imported."""
    script = (
        "import sys; sys.modules['phonenumbers'] = None\n"
        "from voiceops.outbound.phone_facts import facts_of\n"
        "for number in ('+14155550123', '+19005550100', '+19115550100', '+449098790000', '+4930123456'):\n"
        "    found = facts_of(number)\n"
        "    print(found.zones, found.refused)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        "() ",
        "() a number that costs extra",
        "() an emergency number",
        "() a number that costs extra",
        "() ",
    ]
