"""`doctor signature`: what the mistake was, found from the request and its signature."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from twilio.request_validator import RequestValidator

from voiceops.runtime.auth.twilio_auth import signature
from voiceops.use.signature_readings import readings

URL = "https://voice.example.com/twilio/voice/main"
PAIRS = {"CallSid": "CA1", "FromCity": "", "Name": " Ann "}


@pytest.mark.parametrize(
    ("signed_url", "signed", "said"),
    [
        (URL, PAIRS, "as Twilio does it"),
        (URL.replace("https", "http"), PAIRS, "over http"),
        (URL + "/", PAIRS, "with the path"),
        (URL, {"CallSid": "CA1", "Name": " Ann "}, "without blank parameters"),
        (URL, {"CallSid": "CA1", "FromCity": "", "Name": "Ann"}, "with values trimmed"),
        (URL, {}, "without parameters"),
    ],
)
def test_the_mistake_is_named(signed_url: str, signed: dict[str, str], said: str) -> None:
    given = RequestValidator("old").compute_signature(signed_url, signed)
    tokens = [("TWILIO_AUTH_TOKEN", "new"), ("TWILIO_AUTH_TOKEN_PREVIOUS", "old")]
    fitting = [r for r in readings(URL, list(PAIRS.items()), tokens) if signature(r.token, r.url, r.pairs) == given]
    assert fitting[0].what.startswith(said)
    assert fitting[0].what.endswith("with TWILIO_AUTH_TOKEN_PREVIOUS")


def test_a_decoded_path_and_a_cut_query() -> None:
    url = f"{URL}/{quote('a b')}?x=1"
    for signed, said in ((f"{URL}/a b?x=1", "with the path decoded"), (f"{URL}/{quote('a b')}", "without the query")):
        given = RequestValidator("t").compute_signature(signed, PAIRS)
        found = readings(url, list(PAIRS.items()), [("TWILIO_AUTH_TOKEN", "t")])
        assert next(r for r in found if signature(r.token, r.url, r.pairs) == given).what == said
