"""What is shown of a caller's number."""

from __future__ import annotations

import pytest

from voiceops.calls.shown_numbers import shown_number


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+14155550123", "+14…23"),
        ("4155550123", "415…23"),
        ("+1 (415) 555-01 99", "+1 …99"),
        ("+49 (30) 1234-5678", "+49…78"),
        ("sip:alice@example.com", "sip:…@example.com"),
        ("SIPS:+14155550123@host:5061", "SIPS:…@host:5061"),
        ("sip:alice", "sip:…"),
        ("", ""),
        ("anonymous", "anonymous"),
        ("support-2", "support-2"),
        ("#3fa9c2d1e0b7a6f5", "#3fa9c2d1"),
        ("+14…23#3fa9c2d1e0b7a6f5", "+14…23"),
    ],
)
def test_a_number_is_shown_without_its_middle(number: str, shown: str) -> None:
    assert shown_number(number) == shown
    assert shown_number(shown) == shown
