"""JSON that somebody else wrote, read for what it should be."""

from __future__ import annotations

from typing import Any

import pytest

from voiceops.model.json_in import as_list, as_map, as_number, maps_in


@pytest.mark.parametrize(("value", "number"), [(1, 1.0), (0.5, 0.5), (True, None), ("1", None), (10**400, None)])
def test_numbers(value: Any, number: float | None) -> None:
    assert as_number(value) == number


@pytest.mark.parametrize("value", [None, "text", 1, True])
def test_what_is_neither_map_nor_list_is_empty(value: Any) -> None:
    assert (dict(as_map(value)), list(as_list(value)), maps_in(value)) == ({}, [], [])


def test_maps_and_lists() -> None:
    assert as_map({"a": 1}) == {"a": 1}
    assert as_list([1, None]) == [1, None]
    assert maps_in([{"a": 1}, None, ["b"]]) == [{"a": 1}]
