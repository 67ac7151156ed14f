"""How a preview is called, and what it makes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.preview.preview_names import MOST, environment_of, live_name, name_in, name_problem, suffix_of


@pytest.mark.parametrize("name", ["pr-12", "a", "0", "x" * MOST, "a--b"])
def test_names_that_are_taken(name: str) -> None:
    assert name_problem(name) == ""
    assert name_in(environment_of(name)) == name


@pytest.mark.parametrize("name", ["", "-a", "PR", "a_b", "a b", "ä", "a\n", "x" * (MOST + 1), "a/b"])
def test_names_that_are_not(name: str) -> None:
    assert name_problem(name)


@pytest.mark.parametrize("environment", ["dev", "previews", "preview", None, ""])
def test_other_environments_are_no_previews(environment: str | None) -> None:
    assert name_in(environment) is None


def test_a_short_name_stays_whole() -> None:
    assert live_name("support", suffix_of("pr-12"), 40) == "support (pr-12)"
    assert live_name("x" * 33, suffix_of("pr-1"), 40) == "x" * 33 + " (pr-1)"
    assert live_name("x" * 500, suffix_of("pr-1")) == "x" * 500 + " (pr-1)"


@given(st.text(max_size=60), st.text(alphabet="abc-09", min_size=1, max_size=MOST), st.integers(40, 80))
def test_a_long_one_is_shortened_and_still_says_whose_it_is(name: str, preview: str, most: int) -> None:
    found = live_name(name, suffix_of(preview), most)
    assert len(found) <= most
    assert found.endswith(suffix_of(preview))
    assert found == live_name(name, suffix_of(preview), most)


def test_two_that_begin_alike_are_told_apart() -> None:
    names = [f"customer-support-front-desk-for-the-region-{n}" for n in range(200)]
    assert len({live_name(name, suffix_of("x" * MOST), 40) for name in names}) == len(names)
