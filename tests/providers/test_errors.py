"""What an API's error tells: redacted before anything is cut or escaped."""

from __future__ import annotations

import json

import httpx
import pytest

from voiceops.providers.http import _messages

SECRET = "sk-very-secret-0001"
KEY = "-----BEGIN PRIVATE KEY-----\nabc'\"def\\\n-----END PRIVATE KEY-----"


def _redact(text: str) -> str:
    return text.replace(SECRET, "(sensitive)").replace(KEY, "(sensitive)")


@pytest.mark.parametrize("length", range(470, 505, 3))
def test_a_secret_at_the_end_of_what_is_shown(length: int) -> None:
    answer = httpx.Response(400, content=json.dumps({"message": "x" * length + " " + SECRET}))
    (text,), _ = _messages(answer, _redact)
    assert "sk-" not in text
    assert len(text) <= 500


@pytest.mark.parametrize("echo", [{"property": "key", "value": KEY}, [KEY], {KEY: 1}, {"a": [{"b": KEY}]}])
def test_a_secret_whose_letters_are_escaped(echo: object) -> None:
    answer = httpx.Response(400, content=json.dumps({"message": [echo]}))
    assert "PRIVATE KEY" not in str(_messages(answer, _redact))


@pytest.mark.parametrize("body", [b"[" * 100_000, b"nothing", b"[]", b"\xff", b'{"message": null}'])
def test_what_tells_nothing(body: bytes) -> None:
    assert _messages(httpx.Response(500, content=body), _redact) == ([], "")
