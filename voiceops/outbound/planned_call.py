"""What becomes of each person of a batch: called now, given to Vapi for later, called before, or not called. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from voiceops.model.calling import DAYS, Calling, clock
from voiceops.outbound.calling_hours import Opening, next_opening
from voiceops.outbound.claims import CallClaim
from voiceops.outbound.people_file import DOUBLE, Person
from voiceops.outbound.phone_facts import EXTRA, PhoneFacts

LASTING = 60.0  # seconds of its hours that have to be left, so that the phone does not ring after them
AHEAD = 7 * 86_400.0  # seconds: for no later time is a call given to Vapi, but where somebody names one
A_CALL = 120.0  # seconds: what calls that are given to Vapi for later are taken to last

# call: now. later: at `opening`. done: by an earlier run. look: it may have been called by an earlier run. not: why.
Step = Literal["call", "later", "done", "look", "not"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """`reason` says why a person is not called, or what was made of them before. `meant`: it is so on purpose, and
    nothing that somebody has to put right."""

    person: Person
    key: str = ""  # in the store
    mark: str = ""  # at Vapi
    step: Step = "not"
    opening: Opening | None = None
    zones: tuple[str, ...] = ()
    reason: str = ""
    meant: bool = False
    claim: CallClaim | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What decides, beside the hours: `now` and `at` (0: as soon as may be) in epoch seconds."""

    calling: Calling
    now: float
    at: float = 0.0
    never: Collection[str] = field(default_factory=frozenset)

    @property
    def earliest(self) -> float:
        """From when on people may be called."""
        return max(self.now, self.at)


def planned(person: Person, rules: Rules, facts: PhoneFacts, claim: CallClaim | None) -> PlannedCall:
    """What becomes of one person. Raises KeyError: this machine does not know the time zone."""
    plan = PlannedCall(person=person, claim=claim)
    if person.problem:
        return replace(plan, reason=person.problem, meant=person.problem.startswith(DOUBLE))
    if person.number in rules.never:
        return replace(plan, reason="on the do-not-call list", meant=True)
    if facts.refused:
        return replace(plan, reason=facts.refused)
    if person.was.get("result") in ("called", "scheduled", "done"):
        return replace(plan, step="done", reason="the file says so", meant=True)
    if claim is not None and claim.state == "placed":
        return replace(plan, step="done", meant=True)
    if claim is not None and claim.state != "refused":
        plan = replace(plan, step="look")
    return with_opening(plan, rules, facts)


def with_opening(plan: PlannedCall, rules: Rules, facts: PhoneFacts) -> PlannedCall:
    """When it may be made: `opening` is the first time, `reason` why there is none. Raises KeyError as `planned`."""
    zones = zones_that_count(facts, rules.calling)
    if not zones:
        hint = f"{EXTRA}, or set calling.timezone" if not facts.zones else "set calling.timezone"
        return replace(plan, step="not", reason=f"the number does not tell its time zone: {hint}")
    opening = next_opening(rules.calling, zones, rules.earliest, needed=LASTING)
    if opening is None:
        return replace(
            plan,
            step="not",
            zones=zones,
            reason=f"it may be in {len(zones)} time zones, and no time is within {hours(rules.calling)} in all of them",
        )
    if plan.step != "look":
        plan = replace(plan, step="call" if opening.start <= rules.now else "later")
    return replace(plan, opening=opening, zones=zones)


def zones_that_count(facts: PhoneFacts, calling: Calling) -> tuple[str, ...]:
    """Where the phone may be: what the number tells; `calling.timezone` where it tells nothing, or leaves that open."""
    if calling.timezone and (not facts.zones or (len(facts.zones) > 1 and calling.timezone in facts.zones)):
        return (calling.timezone,)
    return facts.zones


def hours(calling: Calling) -> str:
    """The hours as a reader knows them: `09:00-20:00 mon-fri`."""
    text = f"{clock(calling.start)}-{clock(calling.end)}"
    return text if set(calling.days) == set(DAYS) else f"{text} {', '.join(calling.days)}"


class Spacing:
    """Gives calls that are for later a time each, so that no more begin in a minute, and no more are under way if each
    lasts `A_CALL`, than the bounds say."""

    def __init__(self, calling: Calling, taken: Iterable[float] = ()) -> None:
        self.seconds = max(60 / calling.per_minute, A_CALL / calling.max_concurrent)
        self._next: dict[int, int] = {}
        for at in taken:
            self._take(int(at // self.seconds))

    def placed(self, opening: Opening) -> Opening | None:
        """The first free time of an opening; None where it has none left."""
        first = -int(-opening.start // self.seconds)
        place = self._free(first)
        start = max(opening.start, place * self.seconds)
        if opening.end - start <= LASTING:
            return None
        self._take(place)
        return Opening(start, opening.end)

    def _free(self, place: int) -> int:
        path = []
        while place in self._next:
            path.append(place)
            place = self._next[place]
        for passed in path:
            self._next[passed] = place
        return place

    def _take(self, place: int) -> None:
        self._next[place] = place + 1


def spaced(plan: PlannedCall, rules: Rules, spacing: Spacing) -> PlannedCall:
    """The same call with a time of its own, in this opening or in one that follows within a week."""
    opening = plan.opening
    while opening is not None and opening.start < rules.earliest + AHEAD:
        if (found := spacing.placed(opening)) is not None:
            return replace(plan, opening=found)
        opening = next_opening(rules.calling, plan.zones, opening.end, needed=LASTING)
    return replace(plan, step="not", reason="no time is left for it within a week: give it in again later")


def counted(plans: Iterable[PlannedCall]) -> Mapping[str, int]:
    """How many there are of each step."""
    found: dict[str, int] = {}
    for plan in plans:
        found[plan.step] = found.get(plan.step, 0) + 1
    return found
