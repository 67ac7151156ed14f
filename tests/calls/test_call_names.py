"""Live ids, live names and numbers become the names of the manifests, where they are one object's."""

from __future__ import annotations

from dataclasses import replace

from voiceops.calls.call_names import Names, named
from voiceops.calls.record import CallRecord

NAMES = Names.of(
    [
        ("Agent/desk", "id-1"),
        ("Agent/desk", "Front desk"),
        ("Agent/copy", "id-2"),
        ("Agent/copy", "Support"),
        ("Agent/support[acme]", "id-3"),
        ("Agent/support[acme]", "Support"),
        ("Phone/main", "+14155550100"),
        ("Phone/main", None),
        ("Tool/look", "id-4"),
    ],
    [(200.0, 2), (100.0, 1), (300.0, 1)],
)


def test_an_id_says_more_than_a_name() -> None:
    call = CallRecord(id="c", agent="Front desk", assistant_id="id-3", phone="+14155550100", started_at=250.0)
    found = named(call, NAMES)
    assert (found.agent, found.phone, found.revision) == ("support[acme]", "main", 2)


def test_a_live_name_that_two_have_tells_nothing() -> None:
    assert named(CallRecord(id="c", agent="Support"), NAMES).agent == "Support"
    assert named(CallRecord(id="c", agent="Front desk"), NAMES).agent == "desk"


def test_what_is_unknown_stays_as_vapi_calls_it() -> None:
    call = CallRecord(id="c", agent="Other", phone="+1", started_at=50.0)
    assert named(call, NAMES) == call
    assert [NAMES.revision_at(at) for at in (None, 99.0, 100.0, 350.0)] == [None, None, 1, 1]


def test_a_call_of_others_has_no_revision_of_ours() -> None:
    """An account is shared with other environments, and with previews."""
    foreign = CallRecord(id="c", agent="Front desk (pr-7)", assistant_id="id-9", phone="+1", started_at=250.0)
    assert named(foreign, NAMES) == foreign
    assert named(replace(foreign, phone="+14155550100"), NAMES).revision == 2


def test_of_two_revisions_in_one_second_the_later_one_counts() -> None:
    """A rollback is in force as the revision that it returned to, whose number is smaller."""
    names = Names.of([], [(100.0, 1), (200.0, 2), (200.0, 1)])
    assert [names.revision_at(at) for at in (150.0, 200.0, 201.0)] == [1, 1, 1]
