"""Which number a preview may have."""

from __future__ import annotations

from voiceops.preview.pool import free, managed
from voiceops.preview.registered import LentNumber, Preview

LINES = ["+14155550191", "+14155550192", "+14155550193"]


def preview(name: str, number: str = "") -> Preview:
    lent = LentNumber(phone="Phone/line", number=number, id="n1", before={"assistantId": None}, bound=("a",))
    return Preview(name=name, source="dev", made_at=1.0, expires_at=2.0, lent=lent if number else None, turn="t")


def test_one_that_another_has_is_not_free() -> None:
    found, taken = free(LINES, [preview("a", LINES[0]), preview("b"), preview("me", LINES[1])], "me")
    assert found == LINES[1:]
    assert taken == [f"{LINES[0]} is the preview a's"]


def test_a_line_of_an_environment_is_named() -> None:
    assert managed(LINES, {LINES[2]: "Phone/main of prod", "+1": "Phone/x of dev"}) == [
        f"{LINES[2]} is Phone/main of prod"
    ]


def test_a_preview_is_kept_as_it_is() -> None:
    for one in (preview("a"), preview("a", LINES[0])):
        assert Preview.from_data("a", one.to_data()) == one
