"""Lengths of time as people write them."""

from __future__ import annotations

import pytest

from voiceops.model.time_spans import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("30m", 1800), (" 24H ", 86_400), ("7 d", 604_800), ("2w", 1_209_600), ("0s", 0)],
)
def test_seconds(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "24", "h", "-1h", "1.5h", "24h 3m", "1234567s", "٣h"])
def test_what_is_none(text: str) -> None:
    assert seconds_of(text) is None
