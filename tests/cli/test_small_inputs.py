"""Keys and addresses as people paste them: one line at once, the same on both sides."""

from __future__ import annotations

import subprocess
import sys
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


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("Agent/dsek", "Did you mean Agent/desk?"),
        ("Tool/lookpu", "Did you mean Tool/lookup?"),
        ("Phone/lines", "Did you mean Phone/line?"),
        ("Squad/nothing-like-it", "voiceops state list"),
        ("Agent/desk[x]", "Did you mean Agent/desk?"),
    ],
)
def test_drift_of_something_that_is_not_there(line: Bench, typed: str, hint: str) -> None:
    line.apply()
    ran = line.run("drift", typed, code=1)
    assert f"there is no {typed} in live" in ran.err
    assert hint in ran.err
    line.run("drift", "Agent/desk", "Phone/line")


def test_bare_voiceops_prints_its_help(live: Bench) -> None:
    ran = subprocess.run([sys.executable, "-m", "voiceops"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert "Usage: voiceops" in ran.stdout
    assert "Traceback" not in ran.stderr


def test_a_state_that_can_no_longer_be_written_after_changes_is_exit_3(live: Bench) -> None:
    for number in range(5):
        live.write(f"agents/t{number}.yaml", TOOL.replace("lookup", f"lookup{number}"))
    pause = live.control.fault("pause", when="before", method="POST", path="^/tool$", nth=[5])
    command = [sys.executable, "-m", "voiceops", "-C", str(live.folder), "apply", "--auto-approve"]
    process = subprocess.Popen(command, env=live.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    live.control.wait_for_pause(pause, 60)
    (live.folder / ".voiceops/state/live/revisions").write_text("in the way")
    live.control.release(pause)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 3, err
    assert "5 changes were made, and the state can't be written" in err
    assert "revisions" in err
    (live.folder / ".voiceops/state/live/revisions").unlink()
    live.apply()
    assert len(live.control.objects("/tool")) == 5
    assert live.changes() == {}


ODD_WORDS = [
    "",
    " ",
    "-",
    "--",
    "\n",
    "a" * 5000,
    "\udc80",
    "-e",
    "/",
    "..",
    "/dev/null",
    "Agent/",
    "0",
    "-1",
    "1e9",
    "[",
    "*",
]


@pytest.mark.parametrize("command", [
    "init", "validate", "plan", "apply", "destroy", "drift", "import", "rollback", "status", "history", "show", "diff",
    "graph", "state", "generate", "simulate", "events", "doctor", "schema", "nonsense",
])  # fmt: skip
def test_odd_words_behind_every_command(live: Bench, command: str) -> None:
    from random import Random

    live.write("agents/tool.yaml", TOOL)
    random = Random(command)
    for _ in range(12):
        words = random.choices(
            [*ODD_WORDS, "--format", "--target", "-l", "-m", "--lock-timeout", "json"], k=random.randint(1, 3)
        )
        ran = live.run(command, *words, code=None)
        assert ran.code in (0, 1, 2, 3, 5), (command, words, ran)


ENVIRONMENT = ["VOICEOPS_ENV", "VOICEOPS_STATE", "VOICEOPS_STATE_IDENTITY", "VOICEOPS_STATE_KEY", "NO_COLOR", "COLUMNS"]
ENVIRONMENT += ["TERM", "LANG", "HTTP_PROXY", "NO_PROXY", "GITHUB_ACTOR", "HOME", "USER"]


@pytest.mark.parametrize("name", ENVIRONMENT)
@pytest.mark.parametrize("value", ["", " ", "\n", "x\udc80", "a" * 3000, "-1", "[", "\u202e"])
def test_odd_environments(live: Bench, name: str, value: str) -> None:
    live.write("agents/tool.yaml", TOOL)
    ran = live.run("plan", code=None, **{name: value})
    assert ran.code in (0, 1, 5), ran


@pytest.mark.parametrize(
    "file", ["voiceops.yaml", ".env", "agents", "environments/live.yaml", "policies", ".voiceops", "agents/a.yaml"]
)
@pytest.mark.parametrize("what", ["folder", "pipe", "link to itself", "link to nothing", "not UTF-8", "file"])
def test_what_is_not_the_file_that_it_should_be(live: Bench, file: str, what: str) -> None:
    import os
    import shutil

    live.write("agents/tool.yaml", TOOL)
    path = live.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    match what:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link to itself":
            path.symlink_to(path)
        case "link to nothing":
            path.symlink_to("nowhere")
        case "not UTF-8":
            path.write_bytes(b"version: 1\xff\xfe")
        case _:
            path.write_text("")
    started = time.monotonic()
    for command in ("validate", "plan", "apply --auto-approve", "history"):
        ran = live.run(*command.split(), code=None)
        assert ran.code in (0, 1, 3, 5), (command, ran)
    assert time.monotonic() - started < 60
