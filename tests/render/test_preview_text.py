"""Previews as a reviewer reads them."""

from __future__ import annotations

from voiceops.preview.registered import LentNumber, Preview
from voiceops.render.preview_text import down, listed, up

NUMBER = LentNumber(phone="Phone/main-line", number="+14155550191", id="n1")
ONE = Preview(name="pr-12", source="dev", made_at=0.0, expires_at=86_400.0, runtime="https://pr.example", lent=NUMBER)
OTHER = Preview(name="b", source="staging", made_at=0.0, expires_at=10.0)


def test_what_a_reviewer_needs() -> None:
    made = [("Agent/front-desk", "front-desk (pr-12)", "id-1"), ("Squad/care", "care (pr-12)", "id-2")]
    assert up(ONE, made, ["mind\nthis"]).splitlines() == [
        "Preview pr-12, made of dev, until 1970-01-02T00:00:00Z",
        "  call +14155550191: what Phone/main-line reaches, in this preview",
        "  runtime https://pr.example",
        "  front-desk (pr-12)  id-1  Agent/front-desk",
        "  care (pr-12)        id-2  Squad/care",
        "  ! mind\\nthis",
        "Test it: voiceops -e preview-pr-12 test. Take it down: voiceops preview down pr-12",
    ]


def test_the_list_fits_a_terminal() -> None:
    rows = listed([OTHER, ONE], now=20.0).splitlines()
    assert rows == [
        "b      of staging  until 1970-01-01T00:00:10Z  -  past its time",
        "pr-12  of dev      until 1970-01-02T00:00:00Z  +14155550191",
    ]
    longest = Preview(name="x" * 20, source="dev", made_at=0.0, expires_at=1.0, going=True, lent=NUMBER)
    assert len(listed([longest], now=2.0)) <= 100
    assert listed([], now=0.0) == "There are no previews."


def test_what_is_gone() -> None:
    found = {"name": "a", "found": True, "gone": True, "deleted": 1, "number": "+1", "notes": ["left"], "error": None}
    assert down(found).splitlines() == ["✓ Preview a is gone: 1 object deleted, +1 given back.", "  ! left"]
    assert down(found | {"found": False}) == "There is no preview a: nothing to do."
    assert down(found | {"gone": False}) == "✗ Preview a is not gone."
