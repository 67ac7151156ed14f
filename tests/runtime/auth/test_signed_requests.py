"""Who may talk to the runtime: Vapi in three ways, Twilio in its own; everybody else gets nothing and no hint."""

from __future__ import annotations

import hashlib
import os
import random
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from twilio.request_validator import RequestValidator

from tests.runtime.runtime_bench import SECRET, TOKEN, LineSpec, serving, spec_of, tool
from voiceops.runtime.auth import twilio_auth
from voiceops.runtime.auth.vapi_auth import sign, verifier

COUNT = """
def count():
    with open(__file__ + ".ran", "a") as file:
        file.write("x")
    return "ok"
"""
P = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
VECTORS = [
    ("https://mycompany.com/myapp.php?foo=1&bar=2", P.items(), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ("https://mycompany.com:443/myapp.php?foo=1&bar=2", P.items(), "kvajT1Ptam85bY51eRf/AJRuM3w="),
    ("http://mycompany.com:80/myapp.php?foo=1&bar=2", P.items(), "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", P.items(), "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
]


@pytest.mark.parametrize(("url", "pairs", "signature"), VECTORS)
def test_twilios_own_vectors(url: str, pairs: list[tuple[str, str]], signature: str) -> None:
    assert twilio_auth.signature("12345", url, pairs) == signature
    body = "&".join(f"{quote(k)}={quote(v)}" for k, v in pairs).encode()
    form = "application/x-www-form-urlencoded; charset=utf-8"
    assert twilio_auth.verify(["12345"], url, body=body, content_type=form, given=signature) == ""
    assert twilio_auth.verify(["12346"], url, body=body, content_type=form, given=signature) == "signature"


def test_a_json_body_is_covered_by_its_hash_in_the_url() -> None:
    body = b'{"property": "value", "boolean": true}'
    url = (
        "https://mycompany.com/myapp.php?foo=1&bar=2"
        "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    )

    def verdict(content: bytes, address: str = url) -> str:
        given = twilio_auth.signature("12345", address)
        return twilio_auth.verify(["12345"], address, body=content, content_type="application/json", given=given)

    assert twilio_auth.signature("12345", url) == "a9nBmqA0ju/hNViExpshrM61xv4="
    assert verdict(body) == ""
    assert verdict(body + b" ") == "signature"
    assert verdict(body, "https://mycompany.com/x") == "unsigned-body"


def test_the_vendors_validator_agrees_on_random_requests() -> None:
    """Half of the requests are changed after they were signed."""
    chance = random.Random(int(os.environ.get("VOICEOPS_SEED", "11")))
    letters = "abcXYZ019-_.~ %+&=é☎\u00a0/?#"

    def text(most: int) -> str:
        return "".join(chance.choice(letters) for _ in range(chance.randrange(most)))

    accepted = 0
    for _ in range(10_000):
        token = text(20) + "t"
        validator = RequestValidator(token)
        scheme = chance.choice(["https", "http"])
        port = chance.choice(["", ":443", ":80", ":8443"])
        query = "?" + "&".join(f"{quote(text(5))}={quote(text(5))}" for _ in range(2)) if chance.random() < 0.5 else ""
        url = f"{scheme}://voice.example.com{port}/twilio/{quote(text(8), safe='/%')}x{query}"
        fields = {text(8) + str(n): text(12) for n in range(chance.randrange(6))}
        algorithm = chance.choice(["HMAC_SHA1", "HMAC_SHA256"])
        signed_url = chance.choice([url, *twilio_auth.candidates(url)])
        given = validator.compute_signature(signed_url, fields, algorithm)
        if chance.random() < 0.5:
            match chance.randrange(4):
                case 0:
                    fields = {**fields, "new": "1"}
                case 1:
                    url += "x"
                case 2:
                    given = given[:-3] + chance.choice("ABC") + given[-2:]
                case _:
                    given = ""
        body = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in fields.items()).encode()
        ours = twilio_auth.verify(
            [token],
            url,
            body=body,
            content_type="application/x-www-form-urlencoded",
            given=given,
            settings=f"key=k,algorithm={algorithm}",
        )
        theirs = validator.validate(url, fields, given, algorithm)
        assert (ours == "") is theirs, (url, fields, ours)
        accepted += theirs
    assert 4_000 < accepted < 7_000


def test_userinfo_is_dropped_and_an_address_in_brackets_kept() -> None:
    assert twilio_auth.candidates("https://user:pass@h:8443/a?b=1#rc=2") == ["https://h/a?b=1", "https://h:8443/a?b=1"]
    assert twilio_auth.candidates("https://[::1]:8443/a") == ["https://[::1]/a", "https://[::1]:8443/a"]
    assert twilio_auth.candidates("https://h/a?") == ["https://h/a?", "https://h:443/a?"]


def test_the_public_url_keeps_raw_path_and_query() -> None:
    assert twilio_auth.public_url("https://h/base", b"/twilio/voice/a%20b", b"x=%41") == (
        "https://h/base/twilio/voice/a%20b?x=%41"
    )
    assert twilio_auth.public_url("https://h/base", b"/base/twilio/voice/a", b"") == "https://h/base/twilio/voice/a"


@pytest.mark.parametrize("unit", [1, 1000])
def test_hmac_takes_seconds_and_milliseconds_within_five_minutes(unit: int) -> None:
    verify = verifier("hmac", [b"new", b"old"])
    now = 1_800_000_000.0

    def verdict(secret: bytes, at: float, body: bytes = b"{}", change: str = "") -> str:
        timestamp = str(int(at * unit))
        headers = [
            (b"x-vapi-signature", (sign(secret, b"{}", timestamp) + change).encode()),
            (b"x-vapi-timestamp", timestamp.encode()),
        ]
        return verify(headers, body, now)

    assert verdict(b"new", now) == verdict(b"old", now) == ""
    assert verdict(b"new", now - 299) == verdict(b"new", now + 299) == ""
    assert verdict(b"new", now - 301) == verdict(b"new", now + 301) == "expired"
    assert verdict(b"other", now) == verdict(b"new", now, b"{} ") == verdict(b"new", now, change="0") == "signature"
    assert verify([], b"{}", now) == "missing"
    assert verify([(b"x-vapi-signature", b"x"), (b"x-vapi-timestamp", b"nan")], b"{}", now) == "malformed"


def test_an_empty_secret_is_no_secret() -> None:
    for secrets in ([], [b""]):
        with pytest.raises(ValueError, match="secret"):
            verifier("bearer", secrets)


@pytest.mark.parametrize(
    ("auth", "good", "bad"),
    [
        ("bearer", {"authorization": f"Bearer {SECRET}"}, {"authorization": SECRET}),
        ("secret", {"x-vapi-secret": SECRET}, {"x-vapi-secret": SECRET + "x"}),
    ],
)
def test_shared_secrets(tmp_path: Path, auth: str, good: dict[str, str], bad: dict[str, str]) -> None:
    with serving(tmp_path, spec_of(auth=auth)) as server:
        body = b'{"message":{"type":"hang"}}'
        assert server.raw(body, good).status == 200
        assert server.raw(body, bad).status == 401
        assert server.raw(body, {}).status == 401
        assert server.raw(body).status == 401


def test_a_request_that_is_not_vapis_does_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(tool("count", "h:count")), COUNT) as server:
        body = b'{"message":{"type":"tool-calls","toolCallList":[{"id":"1","name":"count"}]}}'
        old = server.signed(body, time.time() - 400)
        for headers in ({}, old, {**server.signed(body), "x-vapi-signature": "0" * 64}, server.signed(b"{}")):
            got = server.raw(body, headers)
            assert (got.status, got.text) == (401, "Unauthorized")
        assert not list(tmp_path.rglob("*.ran"))
        assert server.raw(body).results[0]["result"] == "ok"
        assert len(list(tmp_path.rglob("*.ran"))) == 1
        assert 'voiceops_auth_failures_total{reason="expired",vendor="vapi"} 1' in server.get("/metrics").text


def test_two_secrets_are_good_while_they_are_rotated(tmp_path: Path) -> None:
    secrets = (b"new-secret", SECRET.encode())
    with serving(tmp_path, spec_of(), vapi_secrets=secrets, twilio_tokens=("new", TOKEN)) as server:
        assert server.message("hang").status == 200
        server.secret = "new-secret"
        assert server.message("hang").status == 200
        server.secret = "older"
        assert server.message("hang").status == 401
        fields = {"CallSid": "CA1", "CallStatus": "completed"}
        codes = [server.twilio("/twilio/status/x", fields, token=token).status for token in (TOKEN, "new", "older")]
        assert codes == [200, 200, 403]


def test_twilios_requests_over_the_socket(tmp_path: Path) -> None:
    line = LineSpec(address="Phone/main", path="main", answer="runtime", number="+1")
    with serving(tmp_path, spec_of(lines=(line,)), answer_seconds=0.5) as server:
        fields = {"CallSid": "CA1", "FromCity": "", "Body": "héllo ☎", "From": "+14155550123"}
        assert server.twilio("/twilio/status/a%20b", fields, query="?x=%41&y").status == 200
        assert server.twilio("/twilio/status/main", fields, token="other").status == 403
        got = server.request("POST", "/twilio/voice/main", b"CallSid=CA1")
        assert (got.status, got.text) == (403, "Forbidden")
        assert server.twilio("/twilio/voice/unknown", fields).status == 404
        assert server.request("POST", "/twilio/voice/unknown").status == 403
        assert server.get("/twilio/voice/main").status == 405


def test_bodies_have_a_limit(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(), max_body=1000) as server:
        assert server.raw(b" " * 1001).status == 413
        assert server.message("hang", more="x" * 700).status == 200


def test_sources_have_a_rate(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(), rate=5.0) as server:
        codes = [server.message("hang", n=n).status for n in range(20)]
        assert codes[:10] == [200] * 10
        assert 429 in codes


def test_body_hash_of_an_unsigned_form_does_not_matter() -> None:
    """A form is covered by its parameters, whatever its URL says of a hash."""
    url = "https://h/x?bodySHA256=" + hashlib.sha256(b"").hexdigest()
    form = "application/x-www-form-urlencoded"
    given = twilio_auth.signature("t", url, [("a", "1")])
    assert twilio_auth.verify(["t"], url, body=b"a=1", content_type=form, given=given) == ""
    assert twilio_auth.verify(["t"], url, body=b"a=2", content_type=form, given=given) == "signature"
