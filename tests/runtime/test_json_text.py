"""Bodies that strict readers refuse cost the place that is odd, and not the message."""

from __future__ import annotations

import pytest

from voiceops.runtime.json_text import loads


@pytest.mark.parametrize(
    ("odd", "read"),
    [
        (b"NaN", None),
        (b"-Infinity", None),
        (b"1e999", None),
        (b"9" * 5000, None),
        (b"9" * 40, int("9" * 40)),
        (rb'"\ud83d"', "\ufffd"),
        (b'"\xff"', "\ufffd"),
    ],
)
def test_an_odd_value_costs_its_place(odd: bytes, read: object) -> None:
    assert loads(b'{"a": 1, "odd": %s}' % odd) == {"a": 1, "odd": read}


def test_what_is_no_json_is_said() -> None:
    for body in (b"", b"{", b"[" * 100_000):
        with pytest.raises(ValueError, match=r"."):
            loads(body)
