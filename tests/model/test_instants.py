"""Points in time as text."""

from __future__ import annotations

from typing import Any

import pytest

from voiceops.model.instants import instant_of, to_millisecond, to_second

AT = 1_793_525_400.0625


def test_written() -> None:
    assert to_second(AT) == "2026-11-01T09:30:00Z"
    assert to_millisecond(AT) == "2026-11-01T09:30:00.062Z"


@pytest.mark.parametrize(
    "text",
    ["2026-11-01T09:30:00.0625Z", "2026-11-01T10:30:00.0625+01:00", "2026-11-01 09:30:00.0625"],
)
def test_read(text: str) -> None:
    assert instant_of(text) == AT


@pytest.mark.parametrize("value", ["", "yesterday", "2026-13-01", None, 12, {}])
def test_what_is_no_time(value: Any) -> None:
    assert instant_of(value) is None
