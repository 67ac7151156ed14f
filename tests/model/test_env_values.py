"""Keys and addresses with what comes along when they are pasted."""

from __future__ import annotations

import pytest

from voiceops.errors import VoiceopsError
from voiceops.model.env_values import checked, trimmed, url_problem

KEY = "c0ffee-1234-key"
STRAY = {
    "\u200b": "ZERO WIDTH SPACE (U+200B)",
    "\u201c": "LEFT DOUBLE QUOTATION MARK (U+201C)",
    "\u2019": "RIGHT SINGLE QUOTATION MARK (U+2019)",
    "\u2026": "HORIZONTAL ELLIPSIS (U+2026)",
    "\ufeff": "BYTE ORDER MARK (U+FEFF)",
    "\n": "LINE FEED (U+000A)",
    "\r": "CARRIAGE RETURN (U+000D)",
    "\t": "TAB (U+0009)",
    " ": "SPACE (U+0020)",
    "\xa0": "NO-BREAK SPACE (U+00A0)",
    "é": "LATIN SMALL LETTER E WITH ACUTE (U+00E9)",
    "\x1b": "ESCAPE (U+001B)",
    "\0": "NULL (U+0000)",
    "\u2013": "EN DASH (U+2013)",
    "\u202e": "RIGHT-TO-LEFT OVERRIDE (U+202E)",
    "\ud83d": "a control character (U+D83D)",
}


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\t", "  \n\n"])
def test_blanks_and_line_ends_around_a_key_are_taken_off(end: str) -> None:
    assert checked("VAPI_API_KEY", KEY + end) == KEY
    assert checked("VAPI_API_KEY", end + KEY + end) == KEY
    assert trimmed({"VAPI_WEBHOOK_SECRET": KEY + end, "OTHER": "a" + end}) == {
        "VAPI_WEBHOOK_SECRET": KEY,
        "OTHER": "a" + end,
    }


@pytest.mark.parametrize(("character", "name"), STRAY.items())
def test_a_stray_character_is_named_with_its_place_and_without_the_value(character: str, name: str) -> None:
    with pytest.raises(VoiceopsError) as caught:
        checked("VAPI_API_KEY", KEY[:6] + character + KEY[6:])

    assert caught.value.summary == f"VAPI_API_KEY holds {name} as character 7 of 16, which is no part of a key"
    assert KEY[:6] not in caught.value.summary + caught.value.hint


@pytest.mark.parametrize("character", [c for c in STRAY if c not in "\n\r\t "])
@pytest.mark.parametrize("value", ["{}" + KEY, KEY + "{}"])
def test_stray_characters_at_the_ends_are_named_too(character: str, value: str) -> None:
    with pytest.raises(VoiceopsError, match="TWILIO_AUTH_TOKEN holds"):
        checked("TWILIO_AUTH_TOKEN", value.replace("{}", character))


@pytest.mark.parametrize("value", ['"key"', "'key'", '"key', "key'", "`key`"])
def test_quotes_around_a_key_are_named(value: str) -> None:
    with pytest.raises(VoiceopsError) as caught:
        checked("VAPI_WEBHOOK_SECRET", value)

    assert "U+00" in caught.value.summary
    assert caught.value.hint == "Set VAPI_WEBHOOK_SECRET again, without the quotes."


@pytest.mark.parametrize("value", ["a", "a" * 200, "k-_.~+/=!@#$%^&*()[]{}|;:,<>?", 'a"b', "SK" + "0" * 32])
def test_plain_keys_pass(value: str) -> None:
    assert checked("VAPI_API_KEY", value) == value


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://api.vapi.ai:notaport", "its port is no number"),
        ("https://api.vapi.ai:99999", "its port is no number"),
        ("https://api.vapi.ai:0", "its port is no number"),
        ("https://api.vapi.ai:-1", "its port is no number"),
        ("https://", "it names no host"),
        ("https://:443", "it names no host"),
        ("api.vapi.ai", "does not begin with http"),
        ("ftp://api.vapi.ai", "does not begin with http"),
        ("https://[::1", "can't be read"),
        ("https://api.vapi.ai/a b", "SPACE (U+0020) as character 22"),
        ("https://api\u200b.vapi.ai", "ZERO WIDTH SPACE"),
        ("https://api.vapi.ai?x=1", "query"),
        ("https://api.vapi.ai#x", "fragment"),
        ("https://api..vapi.ai", "empty part"),
        ("https://-/", "no name"),
    ],
)
def test_an_address_that_is_none_is_told_why(url: str, why: str) -> None:
    assert why in (url_problem(url) or "")


@pytest.mark.parametrize(
    "url", ["https://api.vapi.ai", "http://127.0.0.1:8080/", "http://[::1]:80/x", "HTTPS://A.example/v1", "http://a_b"]
)
def test_good_addresses(url: str) -> None:
    assert url_problem(url) is None
