"""Our comparison against DeepDiff's, which shares no line with it: they agree on what is equal, and on where it is not.

What ours means otherwise than a plain comparison is said here once more, in a few lines: a manifest speaks only of
what it sets, null and absent are one, and true is not 1. Secrets are not for DeepDiff.
"""

from __future__ import annotations

from typing import Any

from deepdiff import DeepDiff
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceops.engine.fields.diff import NOTHING_APPLIED, Applied, Difference, Outcome, differences, drifted
from voiceops.kinds.schema import Node
from voiceops.model.values import ABSENT, Path, copy, delete_path, set_path

KEYS = st.sampled_from(["a", "b", "name", "status"])
SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.just(0.5) | st.just(1.0) | st.sampled_from(["", "x", "1"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=10
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


@st.composite
def pairs_of_objects(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two objects that have most in common, as a manifest and its live object have."""
    one = draw(OBJECTS)
    return one, _mutated(draw, one) if draw(st.booleans()) else draw(OBJECTS)


def _mutated(draw: st.DrawFn, value: Any) -> Any:
    match draw(st.integers(0, 5)):
        case 0:
            return draw(VALUES) if not isinstance(value, dict) else value | draw(OBJECTS)
        case 1 if isinstance(value, list) and value:
            return value[1:] + value[:1]
    if isinstance(value, dict):
        return {key: _mutated(draw, item) for key, item in value.items()}
    return [_mutated(draw, item) for item in value] if isinstance(value, list) else value


def said(value: Any) -> Any:
    """Without what says nothing: null, and maps of nothing but null."""
    if isinstance(value, dict):
        kept = {key: said(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item != {}}
    return [said(item) for item in value] if isinstance(value, list) else value


def spoken_of(desired: Any, live: Any) -> tuple[Any, Any]:
    """A manifest, and as much of the live object as it speaks of; both without what is the same as nothing."""
    if isinstance(desired, dict) and isinstance(live, dict):
        both = {key: spoken_of(item, live.get(key)) for key, item in desired.items()}
        return tuple({key: pair[side] for key, pair in both.items() if pair[side] is not None} for side in (0, 1))
    if isinstance(desired, list) and isinstance(live, list) and len(desired) == len(live):
        items = [spoken_of(a, b) for a, b in zip(desired, live, strict=True)]
        return [a for a, _ in items], [b for _, b in items]
    if isinstance(desired, dict) and live is None:
        return said(desired) or None, None
    return desired, live


def paths(before: Any, after: Any, **options: Any) -> set[Path]:
    """Where DeepDiff says that two values differ."""
    found = DeepDiff(
        _told_apart(before),
        _told_apart(after),
        view="tree",
        ignore_numeric_type_changes=True,
        threshold_to_diff_deeper=0,
        **options,
    )
    return {tuple(level.path(output_format="list")) for levels in found.values() for level in levels}


def _told_apart(value: Any) -> Any:
    """True is not 1, also where DeepDiff takes all numbers for one type."""
    if isinstance(value, bool):
        return f"the truth value {value}"
    if isinstance(value, dict):
        return {key: _told_apart(item) for key, item in value.items()}
    return [_told_apart(item) for item in value] if isinstance(value, list) else value


def agree(ours: list[Difference], theirs: set[Path]) -> None:
    """Each place of one is a place of the other, or stands above or below one: a list may be one place to ours."""
    places = {difference.path for difference in ours}
    for few, many in ((places, theirs), (theirs, places)):
        for path in few:
            assert any(path[: len(o)] == o or o[: len(path)] == path for o in many), (path, places, theirs)


@given(pair=pairs_of_objects())
@settings(max_examples=400)
def test_what_differs_from_a_manifest(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    desired, live = pair
    ours = differences(desired, NOTHING_APPLIED, live)
    wanted, found = spoken_of(desired, live)
    theirs = paths(found, wanted, zip_ordered_iterables=True)
    assert bool(ours) == bool(theirs)
    agree(ours, theirs)


@given(pair=pairs_of_objects())
@settings(max_examples=300)
def test_what_differs_written_into_the_live_object_leaves_nothing(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    desired, live = pair
    after = copy(live)
    for one in differences(desired, NOTHING_APPLIED, live):
        if one.after is ABSENT:
            delete_path(after, one.path)
        else:
            set_path(after, one.path, one.after)
    wanted, found = spoken_of(desired, after)
    assert paths(found, wanted) == set()


@given(pair=pairs_of_objects())
@settings(max_examples=300)
def test_what_was_edited_since_it_was_applied(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    owned, live = pair
    ours = drifted(Applied(owned, {}), live)
    was, now = spoken_of(owned, live)
    assert bool(ours) == bool(paths(was, now))
    agree(ours, paths(was, now, zip_ordered_iterables=True))
    assert {one.outcome for one in ours} <= {Outcome.DRIFT}


SET: Node = {"type": "object", "values": {"type": "array", "set": True, "items": {"type": "string"}}}
IDS = st.dictionaries(KEYS, st.lists(st.sampled_from("pqrs"), max_size=5), max_size=3)


@given(desired=IDS, live=IDS)
@settings(max_examples=200)
def test_lists_whose_order_means_nothing(desired: dict[str, Any], live: dict[str, Any]) -> None:
    ours = differences(desired, NOTHING_APPLIED, live, (), SET)
    wanted, found = ({key: said for key, said in side.items() if key in desired} for side in (desired, live))
    assert {one.path for one in ours} == {path[:1] for path in paths(found, wanted, ignore_order=True)}
