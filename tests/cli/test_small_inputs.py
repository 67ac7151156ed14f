"""Keys and addresses as people paste them: one line at once, the same on both sides."""

from __future__ import annotations

import time

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench
from tests.support.odd_server import odd_server
from voiceops._version import __version__
from voiceops.errors import VoiceopsError
from voiceops.runtime.settings import Settings

KEYS = ["VAPI_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]
STRAY = ["\u200b", "\u201c", "\u2026", "\ufeff", "\u00a0", "é", "\x1b", "\u2013", "\udc80", "\n", "\t"]
WEBHOOK = "Credential: runtime"


@pytest.fixture
def line(live: Bench) -> Bench:
    live.write("agents/a.yaml", AGENT + "---\n" + TOOL + "---\n" + LINE)
    return live


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\t", "\n\n "])
def test_what_follows_a_key_is_taken_off(line: Bench, name: str, end: str) -> None:
    line.run("plan", **{name: line.environ[name] + end})


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("character", STRAY, ids=ascii)
def test_a_stray_character_in_a_key_is_one_line_at_once(line: Bench, name: str, character: str) -> None:
    good = line.environ[name]
    line.control.reset_requests()
    started = time.monotonic()
    ran = line.run("plan", code=1, **{name: good[:3] + character + good[3:]})

    assert time.monotonic() - started < 5
    assert ran.err.startswith(f"error: {name} holds ")
    assert "as character 4 of" in ran.err
    assert len(ran.err.splitlines()) == 2
    assert good[3:] not in ran.err
    assert line.control.counts()["requests"] == 0


def test_a_key_under_a_name_of_its_own_is_named_by_it(line: Bench) -> None:
    line.write(
        "voiceops.yaml",
        "version: 1\nproject: shop\nenvironments: [live]\n"
        "providers: {vapi: {apiKey: '${secret:MY_KEY}', baseUrl: '${env:VAPI_BASE_URL}'}}\n",
    )
    assert "MY_KEY holds ZERO WIDTH SPACE" in line.run("plan", code=1, MY_KEY="a\u200bb").err


@pytest.mark.parametrize("name", ["TWILIO_API_KEY", "TWILIO_API_SECRET"])
def test_twilios_api_key(line: Bench, name: str) -> None:
    keys = {"TWILIO_API_KEY": "SK" + "1" * 32, "TWILIO_API_SECRET": "s" * 32}
    assert f"{name} holds" in line.run("plan", code=1, **(keys | {name: "S\u2019x"})).err


@pytest.mark.parametrize("value", ["AC/../../x", "AC?x=1", "AC1 2", "AC%2e"])
def test_an_account_that_is_no_account(line: Bench, value: str) -> None:
    assert "TWILIO_ACCOUNT_SID holds" in line.run("plan", code=1, TWILIO_ACCOUNT_SID=value).err


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("value", ["", " ", "\n", "\t\n"])
def test_nothing_but_blanks_is_nothing(line: Bench, name: str, value: str) -> None:
    assert f"{name} is not set" in line.run("plan", code=1, **{name: value}).err


@pytest.mark.parametrize("name", ["VAPI_BASE_URL", "TWILIO_BASE_URL"])
@pytest.mark.parametrize(
    "value",
    ["http://127.0.0.1:notaport", "http://127.0.0.1:99999", "http://", "127.0.0.1", "http://[::1", "http://a b",
     "https://api\u200b.vapi.ai", "ftp://x", "http://x?y", "\u201chttp://x\u201d", "http://x:80:90"],
)  # fmt: skip
def test_an_address_that_is_none_is_one_line(line: Bench, name: str, value: str) -> None:
    ran = line.run("plan", code=1, **{name: value})
    assert "must be an http(s) address without query: it" in ran.err
    assert len(ran.err.splitlines()) == 3


def test_an_address_with_a_line_end_is_taken(line: Bench) -> None:
    line.run("plan", VAPI_BASE_URL=line.environ["VAPI_BASE_URL"] + "\n")


@pytest.mark.parametrize(
    "value",
    [
        "http://127.0.0.1:x",
        "https://state.example:99999/a",
        "https://",
        "https://a\u200bb/c",
        "s3://",
        "https://[a/b",
        "ftp://x",
        "postgresql://[half",
        "s3://b?endpoint=x y",
    ],
)
def test_a_state_address_that_is_none(line: Bench, value: str) -> None:
    ran = line.run("plan", code=1, VOICEOPS_STATE=value)
    assert ran.err.startswith("error: ")
    assert len(ran.err.splitlines()) <= 2


SERVED = """\
version: 1
project: shop
environments: [live]
runtime: {url: https://voice.example}
defaults: {Agent: {server: runtime}}
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\t"])
def test_the_webhook_secret_is_the_same_on_both_sides(line: Bench, end: str) -> None:
    line.write("voiceops.yaml", SERVED)
    secret = "a-webhook-secret"
    line.run("apply", "--auto-approve", VAPI_WEBHOOK_SECRET=secret + end)
    settings = Settings.from_environ({"VAPI_WEBHOOK_SECRET": secret + end}, database="x", answers_lines=False)

    sent = line.control.objects("/credential")[0]["authenticationPlan"]["secretKey"]
    assert settings.vapi_secrets == (sent.encode(),) == (secret.encode(),)
    line.run("plan", "--detailed-exitcode", VAPI_WEBHOOK_SECRET=secret)


@pytest.mark.parametrize(
    "value", ["a\u200bsecret", '"quoted"', "\u201csmart\u201d", "zwei Wörter", "a\nb", "\ufeffabc"]
)
def test_a_webhook_secret_that_one_side_would_refuse_is_refused_by_both(line: Bench, value: str) -> None:
    line.write("voiceops.yaml", SERVED)
    assert "VAPI_WEBHOOK_SECRET holds" in line.run("apply", "--auto-approve", code=1, VAPI_WEBHOOK_SECRET=value).err
    with pytest.raises(VoiceopsError, match="VAPI_WEBHOOK_SECRET holds"):
        Settings.from_environ({"VAPI_WEBHOOK_SECRET": value}, database="x", answers_lines=False)
    assert line.writes() == []


@pytest.mark.parametrize(
    "name", ["VAPI_WEBHOOK_SECRET_PREVIOUS", "TWILIO_AUTH_TOKEN", "VAPI_API_KEY", "VOICEOPS_DASHBOARD_TOKEN"]
)
def test_the_runtimes_other_keys(name: str) -> None:
    given = {"VAPI_WEBHOOK_SECRET": "good", name: "a\u2026b"}
    with pytest.raises(VoiceopsError, match=f"{name} holds"):
        Settings.from_environ(given, database="x", answers_lines=False)


def test_the_runtimes_address() -> None:
    given = {"VAPI_WEBHOOK_SECRET": "good", "VAPI_BASE_URL": "https://x:port"}
    with pytest.raises(VoiceopsError, match="VAPI_BASE_URL is no address"):
        Settings.from_environ(given, database="x", answers_lines=False)


def test_every_request_says_who_asks(line: Bench) -> None:
    seen = []

    def answer(asked: object) -> None:
        seen.append(asked.handler.headers["user-agent"])  # type: ignore[attr-defined]
        asked.json([])  # type: ignore[attr-defined]

    with odd_server(answer) as server:
        line.write("voiceops.yaml", SERVED.replace("https://voice.example", server.url))
        urls = {"VAPI_BASE_URL": server.url, "TWILIO_BASE_URL": server.url}
        line.run("plan", code=None, VOICEOPS_DASHBOARD_TOKEN="t" * 20, **urls)
        line.run("plan", code=None, VOICEOPS_STATE=f"{server.url}/state")
        line.run("status", code=None, **urls)
        line.run("doctor", code=None, **urls)
        paths = {request.split("?")[0] for request in server.requests}

    assert {"GET /tool", "GET /state", "GET /healthz"} <= paths
    assert any("IncomingPhoneNumbers" in path for path in paths)
    assert set(seen) == {f"voiceops/{__version__}"}
