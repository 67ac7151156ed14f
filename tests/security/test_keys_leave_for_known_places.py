"""No key leaves for a place that a folder names: every way to name one, with a listener that would have been asked.

Requests to hosts that do not exist go through a proxy on this machine, which writes down what would have been sent.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import PROJECT, Bench, bench
from voiceops.model.hosts import Hosts, is_vendors_own, place_of

COMMANDS = (("plan",), ("drift",), ("status",), ("apply", "--auto-approve"), ("plan", "--destroy"))
KEYS = ("VAPI_API_KEY", "TWILIO_AUTH_TOKEN")


class Listener:
    """A proxy that answers nothing useful and keeps what it was sent."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.1)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.port = self._server.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                connection, _ = self._server.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(1)
                self.heard.append(connection.recv(65536).decode("latin-1"))
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")

    def close(self) -> None:
        self._done.set()
        self._thread.join()
        self._server.close()


@pytest.fixture
def evil() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "shop") as made:
        for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
            made.write(f"agents/{name}.yaml", text)
        yield made


def through(evil: Listener, **more: str) -> dict[str, str]:
    names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    return {**dict.fromkeys(names, evil.url), "NO_PROXY": "127.0.0.1,localhost,::1", **more}


FOREIGN = (
    "http://evil.example",
    "https://evil.example",
    "http://api.vapi.ai",
    "http://api.vapi.ai.evil.example",
    "https://evil.example/api.vapi.ai",
    "https://api.vapi.ai:8443",
    "https://apixvapi.ai",
    "https://vapi.ai",
    "https://api.us.vapi.ai.evil.example",
    "http://127.0.0.1.nip.io",
    "http://localhost.evil.example",
    "http://localtest.me",
    "http://0x7f.1",
    "http://2130706433",
    "http://127.1",
    "http://[::ffff:8.8.8.8]",
    "http://10.0.0.1",
    "http://169.254.169.254",
    "http://0.0.0.0:1",
    "https://api.sip.twilio.com",
    "https://api.twilio.com.evil.example",
    "https://evil-api.twilio.com",
    "https://api.evil.twilio.com",
)


@pytest.mark.parametrize("url", FOREIGN)
@pytest.mark.parametrize("way", ["project", "environment", "env file", "process"])
def test_a_base_url_of_the_folder_gets_no_key(desk: Bench, evil: Listener, url: str, way: str) -> None:
    environ: dict[str, str | None] = {**through(evil)}
    match way:
        case "project":
            desk.write("voiceops.yaml", PROJECT + f"providers: {{vapi: {{baseUrl: '{url}'}}}}\n")
        case "environment":
            desk.write("environments/live.yaml", f"providers: {{vapi: {{baseUrl: '{url}'}}}}\n")
        case "env file":
            desk.write(".env", f"VAPI_BASE_URL={url}\n")
            environ["VAPI_BASE_URL"] = None  # the process's own would win
        case "process":
            environ["VAPI_BASE_URL"] = url
    ran = desk.run("plan", code=None, **environ)
    assert evil.heard == []
    assert ran.code == 5, ran.err
    assert "not sent to" in ran.err
    assert "VOICEOPS_ALLOWED_HOSTS" in ran.err
    where = {"project": "voiceops.yaml:4", "environment": "environments/live.yaml:1", "env file": "in .env"}
    assert where.get(way, "VAPI_BASE_URL says") in ran.err


TWO_READINGS = (
    "https://api.vapi.ai@evil.example",
    "https://api.vapi.ai.",
    "https://evil.example\\@api.vapi.ai",
    "https://api.vapi.ai%2f@evil.example",
    "https://\u0430pi.vapi.ai",
    "https://evil.example#@api.vapi.ai",
    "https://api.vapi.ai?@evil.example",
    "https:///evil.example",
    "https://api.vapi.ai:443:80",
    "https://api.vapi.ai\t.evil.example",
    "//evil.example",
    "https://${secret:VAPI_API_KEY}.evil.example",
)


@pytest.mark.parametrize("url", TWO_READINGS)
def test_an_address_that_can_be_read_in_two_ways_is_read_in_none(desk: Bench, evil: Listener, url: str) -> None:
    desk.write("voiceops.yaml", PROJECT + f"providers: {{vapi: {{baseUrl: {json.dumps(url)}}}}}\n")
    for command in (("validate",), ("plan",)):
        assert (
            "voiceops.yaml:4"
            in desk.run(*command, code=1, **through(evil)).out + desk.run(*command, code=1, **through(evil)).err
        )
    assert evil.heard == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_every_command_asks_first(desk: Bench, evil: Listener, command: tuple[str, ...]) -> None:
    desk.write("voiceops.yaml", PROJECT + "providers: {twilio: {baseUrl: 'http://evil.example'}}\n")
    assert desk.run(*command, code=5, **through(evil)).err
    assert evil.heard == []


def test_doctor_and_rollback_ask_first(desk: Bench, evil: Listener) -> None:
    desk.apply()
    desk.edit("agents/agent.yaml", "Hello", "Second")
    desk.apply()
    desk.write("voiceops.yaml", PROJECT + "providers: {vapi: {baseUrl: 'http://evil.example'}}\n")
    desk.run("doctor", code=1, **through(evil))
    desk.run("rollback", "--auto-approve", code=5, **through(evil))
    desk.run("import", "Agent/desk", "x" * 8, code=5, **through(evil))
    assert evil.heard == []


@pytest.mark.parametrize(
    ("allowed", "url", "sent"),
    [
        ("http://evil.example", "http://evil.example", True),
        ("evil.example:80", "http://evil.example", True),
        ("evil.example:8080", "http://evil.example:8080", True),
        ("other.example, http://evil.example", "http://evil.example", True),
        ("EVIL.example:80", "http://evil.example", True),
        ("evil.example", "http://evil.example", False),  # a bare host means https
        ("evil.example:81", "http://evil.example", False),
        ("example", "http://evil.example", False),
        ("*", "http://evil.example", False),
        (".example", "http://evil.example", False),
        ("evil.example.", "http://evil.example", False),
        ("https://evil.example", "http://evil.example", False),
        ("", "http://evil.example", False),
    ],
)
def test_the_process_may_allow_a_host(desk: Bench, evil: Listener, allowed: str, url: str, sent: bool) -> None:
    """This also proves the listener: what is allowed arrives there, with the key."""
    desk.write("voiceops.yaml", PROJECT + f"providers: {{vapi: {{baseUrl: '{url}'}}}}\n")
    ran = desk.run("plan", code=None, **through(evil, VOICEOPS_ALLOWED_HOSTS=allowed))
    assert bool(evil.heard) is sent
    assert ran.code == (1 if sent else 5)
    if sent:
        assert f"Bearer {desk.server.api_key}" in evil.heard[0]


@pytest.mark.parametrize("name", ["VOICEOPS_ALLOWED_HOSTS", "voiceops_allowed_hosts"])
def test_a_file_of_the_folder_allows_nothing(desk: Bench, evil: Listener, name: str) -> None:
    desk.write(".env", f"{name}=http://evil.example\n")
    desk.write("voiceops.yaml", PROJECT + "providers: {vapi: {baseUrl: 'http://evil.example'}}\n")
    assert desk.run("plan", code=5, **through(evil)).err
    assert evil.heard == []


# The binding.


def test_another_place_than_the_states_is_refused_before_anything_is_sent(desk: Bench, evil: Listener) -> None:
    desk.apply()
    for name in ("VAPI_BASE_URL", "TWILIO_BASE_URL"):
        for command in COMMANDS:
            ran = desk.run(*command, code=5, **{name: evil.url})
            assert evil.url in ran.err
            assert "belongs to" in ran.err
    ran = desk.run("plan", code=5, VAPI_BASE_URL=evil.url, VOICEOPS_ALLOWED_HOSTS=f"127.0.0.1:{evil.port}")
    assert evil.heard == []
    assert "TWILIO" not in ran.err
    ran = desk.run("plan", code=5, TWILIO_ACCOUNT_SID="AC" + "9" * 32)
    assert "Twilio account" in ran.err


def test_a_state_in_the_folder_vouches_for_nobody(desk: Bench, evil: Listener) -> None:
    """A pull request may bring a state along, with any binding."""
    desk.apply()
    path = desk.folder / ".voiceops/state/live/state.json"
    from voiceops.state import sealed

    data = sealed.opened(json.loads(path.read_text()))
    assert data is not None
    data["binding"]["vapiUrl"] = "http://evil.example"
    path.write_text(json.dumps(sealed.sealed(data)))
    desk.write("voiceops.yaml", PROJECT + "providers: {vapi: {baseUrl: 'http://evil.example'}}\n")
    assert "not sent to" in desk.run("plan", code=5, **through(evil)).err
    where = str(desk.folder / ".voiceops/state")
    assert "not sent to" in desk.run("plan", code=5, **through(evil, VOICEOPS_STATE=where)).err
    assert evil.heard == []


def test_a_state_that_the_process_names_vouches_for_its_places(desk: Bench, evil: Listener, tmp_path: Path) -> None:
    shared = str(tmp_path / "shared")
    desk.write("voiceops.yaml", PROJECT + "providers: {vapi: {baseUrl: 'http://evil.example'}}\n")
    from voiceops.state import sealed

    desk.run("plan", code=5, **through(evil, VOICEOPS_STATE=shared))
    desk.write("voiceops.yaml", PROJECT)
    desk.run("apply", "--auto-approve", VOICEOPS_STATE=shared)
    path = Path(shared) / "live/state.json"
    data = sealed.opened(json.loads(path.read_text()))
    assert data is not None
    data["binding"]["vapiUrl"] = "http://evil.example"
    path.write_text(json.dumps(sealed.sealed(data)))
    desk.write("voiceops.yaml", PROJECT + "providers: {vapi: {baseUrl: 'http://evil.example'}}\n")
    assert evil.heard == []
    desk.run("plan", code=1, **through(evil, VOICEOPS_STATE=shared))
    assert evil.heard != []


# Which secret is the key.


@pytest.mark.parametrize(
    "key",
    [
        "${secret:GITHUB_TOKEN}",
        "${secret:AWS_SECRET_ACCESS_KEY}",
        "${secret:TWILIO_AUTH_TOKEN}",
        "x${secret:GITHUB_TOKEN}",
        "${secret:VAPI_API_KEY}${secret:STRIPE_KEY}",
        "${secret:NPM_TOKEN:-}",
    ],
)
def test_another_secret_is_no_key(desk: Bench, evil: Listener, key: str) -> None:
    names = ("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "STRIPE_KEY", "NPM_TOKEN")
    values = {name: f"a-value-of-{name.lower()}" for name in names}
    url = "https://api.vapi.ai"
    desk.write("voiceops.yaml", PROJECT + f"providers: {{vapi: {{apiKey: '{key}', baseUrl: '{url}'}}}}\n")
    assert "is not sent to Vapi as its key" in desk.run("plan", code=5, **through(evil, **values)).err
    assert evil.heard == []


def test_a_key_of_another_name_of_the_vendors_is_taken(desk: Bench) -> None:
    desk.write("voiceops.yaml", PROJECT + "providers: {vapi: {apiKey: '${secret:ACME_VAPI_KEY}'}}\n")
    desk.run("plan", ACME_VAPI_KEY=desk.server.api_key)


# States.


@pytest.mark.parametrize("way", ["project", "environment", "env file"])
@pytest.mark.parametrize(
    "location",
    [
        "http://evil.example/state",
        "https://evil.example/{environment}",
        "https://user:password@evil.example/x",
        "https://127.0.0.1.nip.io/x",
        "https://evil.example/api/v4/projects/1/terraform/state/x",
        "s3://bucket/x?endpoint=http://evil.example",
        "s3://bucket/x?endpoint=https://s3.amazonaws.com.evil.example&region=eu-west-1",
        "postgresql://evil.example/x",
        "postgresql://127.0.0.1,evil.example/x",
        "postgresql://localhost/x?hostaddr=203.0.113.1",
        "postgresql:///x?host=evil.example",
        "postgresql:///x?service=prod",
    ],
)
def test_a_state_of_the_folder_gets_no_credentials(desk: Bench, evil: Listener, location: str, way: str) -> None:
    match way:
        case "project":
            desk.write("voiceops.yaml", PROJECT + f"state: '{location}'\n")
        case "environment":
            desk.write("environments/live.yaml", f"state: '{location}'\n")
        case "env file":
            desk.write(".env", f"VOICEOPS_STATE={location}\n")
    secrets = {"TF_HTTP_PASSWORD": "the-password", "TF_HTTP_USERNAME": "u", "PGPASSWORD": "the-password"}
    secrets |= {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "the-secret", "CI_JOB_TOKEN": "the-token"}
    for command in (("plan",), ("history",), ("state", "list"), ("diff", "1"), ("state", "unlock", "x")):
        ran = desk.run(*command, code=None, **through(evil, **secrets))
        plain_http = location.startswith("http://evil") and ran.code == 1  # said before: it would travel in the clear
        assert ran.code == 5 or plain_http, (command, ran.err)
    assert evil.heard == []


@pytest.mark.parametrize("name", ["TF_HTTP_LOCK_ADDRESS", "TF_HTTP_UNLOCK_ADDRESS"])
def test_a_lock_elsewhere_by_the_folders_env_file(desk: Bench, evil: Listener, name: str) -> None:
    desk.write("voiceops.yaml", PROJECT + "state: 'http://127.0.0.1:9/state'\n")
    desk.write(".env", f"{name}=http://evil.example/lock\n")
    assert name in desk.run("apply", "--auto-approve", code=5, **through(evil, TF_HTTP_PASSWORD="the-password")).err
    assert evil.heard == []


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_an_endpoint_by_the_folders_env_file(desk: Bench, evil: Listener, name: str) -> None:
    desk.write(".env", f"{name}=http://evil.example\n")
    for more in ({}, {"VOICEOPS_STATE": "s3://bucket/x"}):
        desk.write("voiceops.yaml", PROJECT + "state: 's3://bucket/x'\n")
        ran = desk.run("plan", code=5, **through(evil, AWS_ACCESS_KEY_ID="A", AWS_SECRET_ACCESS_KEY="s", **more))
        assert f"{name} says in .env" in ran.err
    assert evil.heard == []


def test_a_database_by_another_address_than_its_name(desk: Bench, evil: Listener) -> None:
    """Also the proof that a connection would have been made: once the host is allowed, one is."""
    desk.write("voiceops.yaml", PROJECT + f"state: 'postgresql://evil.example:{evil.port}/x?hostaddr=127.0.0.1'\n")
    desk.run("history", code=5, PGPASSWORD="the-password")
    assert evil.heard == []
    desk.run("history", code=1, PGPASSWORD="the-password", VOICEOPS_ALLOWED_HOSTS="evil.example")
    assert evil.heard != []


def test_the_runtimes_store_by_the_folders_env_file(desk: Bench, evil: Listener) -> None:
    url = f"postgresql://evil.example:{evil.port}/x?hostaddr=127.0.0.1"
    desk.write(".env", f"VOICEOPS_RUNTIME_DB={url}\n")
    assert "VOICEOPS_RUNTIME_DB says in .env" in desk.run("events", "list", code=5, PGPASSWORD="the-password").err
    assert evil.heard == []


@pytest.mark.parametrize(
    "given",
    [
        {"VOICEOPS_STATE": "http://127.0.0.1:9/state"},
        {"TF_HTTP_ADDRESS": "https://evil.example/other"},
        {"VOICEOPS_ALLOWED_HOSTS": "evil.example"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_what_the_process_says_of_a_state_counts(desk: Bench, evil: Listener, given: dict[str, str]) -> None:
    desk.write("voiceops.yaml", PROJECT + "state: 'https://evil.example/state'\n")
    assert desk.run("history", code=1, **through(evil, **given)).err
    assert bool(evil.heard) is ("VOICEOPS_STATE" not in given)


def test_no_secret_stands_in_a_states_address(desk: Bench) -> None:
    desk.write("voiceops.yaml", PROJECT + "state: 'https://x:${secret:VAPI_API_KEY}@127.0.0.1/x'\n")
    assert "voiceops.yaml:4" in desk.run("plan", code=1).err


# The runtime.


@pytest.mark.parametrize("url", ["http://evil.example", "http://localhost.evil.example", "http://127.0.0.1.nip.io"])
def test_the_dashboards_token_goes_to_no_runtime_of_the_folder(desk: Bench, evil: Listener, url: str) -> None:
    desk.write("voiceops.yaml", PROJECT + f"runtime: {{url: '{url}'}}\n")
    token = {"VOICEOPS_DASHBOARD_TOKEN": "the-dashboards-token"}
    ran = desk.run("plan", **through(evil, **token))
    assert evil.heard == []
    assert "VOICEOPS_DASHBOARD_TOKEN is not sent there" in ran.out + ran.err
    desk.run("plan", **through(evil, VOICEOPS_ALLOWED_HOSTS=url, **token))
    assert any("the-dashboards-token" in text for text in evil.heard)


def test_what_answers_at_the_runtimes_address_gets_no_key(desk: Bench, evil: Listener) -> None:
    desk.write("voiceops.yaml", PROJECT + "runtime: {url: 'http://evil.example'}\n")
    desk.apply()
    environ = desk.environ
    for command in (("status",), ("doctor",), ("plan",)):
        desk.run(*command, code=None, **through(evil, VOICEOPS_DASHBOARD_TOKEN="the-dashboards-token"))
    for text in evil.heard:
        assert not any(environ[name] in text for name in (*KEYS, "VAPI_WEBHOOK_SECRET"))
        assert "the-dashboards-token" not in text


# The rules themselves.


@pytest.mark.parametrize("url", ["https://api.vapi.ai", "https://api.eu.vapi.ai", "https://API.vapi.ai:443/"])
def test_vapis_own_hosts(url: str) -> None:
    place = place_of(url)
    assert place is not None
    assert is_vendors_own("Vapi", place)
    assert not is_vendors_own("Twilio", place)


@pytest.mark.parametrize("host", ["api", "api.us1", "api.ie1", "api.dublin.ie1", "api.sao-paulo.br1", "api.sydney.au1"])
def test_twilios_own_hosts(host: str) -> None:
    place = place_of(f"https://{host}.twilio.com")
    assert place is not None
    assert is_vendors_own("Twilio", place)
    assert not is_vendors_own("Vapi", place)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "[::1]", "LOCALHOST"])
def test_loopback(host: str) -> None:
    place = place_of(f"http://{host}:8080/x")
    assert place is not None
    assert place.is_loopback


@given(st.text(alphabet="abc.:/@%\\#?[]-_1273\u0430\u2024 \t", max_size=24))
def test_every_parser_reads_the_same_host(rest: str) -> None:
    """What is taken for an address leads to the very host that the client of the requests would ask."""
    import httpx

    url = f"https://{rest}"
    place = place_of(url)
    if place is None:
        return
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return
    assert parsed.host == place.host
    assert (parsed.port or 443) == place.port
    assert parsed.userinfo == b""


@given(st.text(max_size=40))
def test_a_list_of_hosts_never_fails(text: str) -> None:
    place: Any = place_of("https://evil.example")
    assert Hosts.of(text).allow(place) in (True, False)
