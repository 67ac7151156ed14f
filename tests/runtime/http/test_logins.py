"""Who may see what: health, readiness, metrics, the dashboard; and what becomes of those who guess."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.runtime_bench import DASHBOARD, Got, Serving, serving, spec_of, tool
from voiceops.runtime.http.limits import Attempts, Limiter
from voiceops.runtime.observe.log_observer import Noise
from voiceops.runtime.store.sqlite import SqliteBackend

METRICS = "a-metrics-token"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path, spec_of(tool("ok", "h:ok")), "def ok(): return 1", metrics_token=METRICS) as made:
        yield made


def asked(server: Serving, path: str, **headers: str) -> Got:
    return server.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def failures(server: Serving, reason: str, vendor: str = "dashboard") -> float:
    name = f'voiceops_auth_failures_total{{reason="{reason}",vendor="{vendor}"}} '
    return sum(float(line.removeprefix(name)) for line in server.get("/metrics").text.splitlines() if name in line)


@pytest.mark.parametrize(
    "header",
    ["x-forwarded-for", "X-Forwarded-Host", "forwarded", "via", "x-real-ip", "cf-connecting-ip", "true-client-ip"],
)
def test_what_came_through_a_proxy_is_not_this_machine(server: Serving, header: str) -> None:
    assert server.get("/metrics").status == 200
    assert asked(server, "/metrics", **{header: "127.0.0.1"}).status == 401
    assert asked(server, "/metrics", **{header: ""}).status == 401
    for token in (METRICS, DASHBOARD):
        assert asked(server, "/metrics", authorization=f"Bearer {token}", **{header: "1.2.3.4"}).status == 200
    assert asked(server, "/metrics", authorization="Bearer wrong", **{header: "1.2.3.4"}).status == 401
    assert failures(server, "token") == 1


def test_without_tokens_metrics_are_for_this_machine_alone(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(), dashboard_token="", metrics_token="") as server:
        assert server.get("/metrics").status == 200
        for token in ("", "x", "Bearer"):
            assert asked(server, "/metrics", via="1.1 x", authorization=f"Bearer {token}").status == 401


def test_the_token_for_figures_opens_nothing_else(server: Serving) -> None:
    assert server.get("/dashboard", METRICS).status == 401
    assert server.get("/readyz", METRICS).data == {"status": "ready"}


def test_ready_or_not_and_nothing_else(server: Serving) -> None:
    assert server.get("/readyz").data == {"status": "ready"}
    assert {"environment", "revision", "tools"} <= set(server.get("/readyz", DASHBOARD).data)
    server.parts.health.draining = True
    try:
        assert (server.get("/readyz").status, server.get("/readyz").data) == (503, {"status": "not ready"})
        assert server.get("/readyz", DASHBOARD).data["status"] == "draining"
    finally:
        server.parts.health.draining = False


def basic(token: str, user: str = "") -> str:
    return "Basic " + b64encode(f"{user}:{token}".encode()).decode()


@pytest.mark.parametrize("path", ["/dashboard", "/readyz", "/metrics"])
def test_guessing_ends_soon(server: Serving, path: str) -> None:
    ways = [f"Bearer guess-{number}" for number in range(6)] + [
        basic(f"guess-{number}", str(number)) for number in range(6)
    ]
    statuses = [asked(server, path, authorization=way, via="x").status for way in ways]
    assert statuses[:10] == [200 if path == "/readyz" else 401] * 10
    assert statuses[10:] == [429, 429]
    late = asked(server, path, authorization=f"Bearer {DASHBOARD}", via="x")
    assert (late.status, late.headers["retry-after"]) == (429, "60"), "the right one is not looked at either"
    assert server.get("/readyz").status == 200, "whoever brings no token guesses nothing"
    assert server.get("/metrics").status == 200
    assert failures(server, "token") == 10
    assert failures(server, "too-many") == 3


@pytest.mark.parametrize(
    "way",
    [
        "Bearer",
        "Bearer ",
        f"Bearer {DASHBOARD}x",
        f"Bearer x{DASHBOARD}",
        f"Bearer {DASHBOARD[:-1]}",
        f"Basic {DASHBOARD}",
        "Basic \xff",
        basic(DASHBOARD.upper()),
        basic("", DASHBOARD),
        "Bearer ä",
    ],
    ids=range(10),
)
def test_what_is_not_the_token(server: Serving, way: str) -> None:
    assert asked(server, "/dashboard", authorization=way).status == 401
    assert failures(server, "token") == 1


@pytest.mark.parametrize(
    "way", [f"Bearer {DASHBOARD}", f"bearer  {DASHBOARD}", basic(DASHBOARD), basic(DASHBOARD, "me")]
)
def test_what_is_the_token(server: Serving, way: str) -> None:
    assert asked(server, "/dashboard", authorization=way).status == 200
    assert failures(server, "token") == 0


def test_a_token_of_any_characters(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(), dashboard_token="gr\u00fcn") as server:
        assert asked(server, "/dashboard", authorization="Bearer gr\u00fcn".encode().decode("latin-1")).status == 200


def test_vendors_are_never_held_up_by_those_who_guess(server: Serving) -> None:
    closed = []
    for number in range(40):
        got = server.raw(b"{}", {"x-vapi-signature": f"{number}", "x-vapi-timestamp": "1"})
        assert got.status == 401
        closed.append("connection" in got.headers)
        assert server.twilio("/twilio/voice/x", {}, token="wrong").status == 403
    assert (closed[0], sum(closed) > 20) == (False, True), "who comes too often connects anew each time"
    assert server.tool("ok", id="good")["result"] == "1"
    assert failures(server, "expired", "vapi") == 40
    assert failures(server, "signature", "twilio") == 40


def test_one_line_a_second_tells_of_many(capfd: pytest.CaptureFixture[str]) -> None:
    from voiceops.runtime.observe import log

    log.configure()
    try:
        noise = Noise()
        for number in range(1000):
            noise.say("refused", reason="signature", peer=str(number))
            noise.say("refused", reason="token", peer=str(number))
        log.flush()
    finally:
        log._log.level = 100
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if '"refused"' in line]
    assert 2 <= len(lines) <= 6
    noise._said["refused", "token"] = (0.0, 999)
    log._log.level = 0
    noise.say("refused", reason="token", peer="x")
    log.flush()
    log._log.level = 100
    assert json.loads(capfd.readouterr().err.splitlines()[-1])["more"] == 999


def test_limits_hold_in_bounded_memory() -> None:
    limiter = Limiter(1, 2)
    for number in range(30_000):
        assert limiter.takes(str(number))
    assert len(limiter._buckets) == 10_000
    attempts = Attempts()
    for number in range(200):
        assert attempts.may(f"10.0.0.{number}")
        attempts.failed(f"10.0.0.{number}")
    assert not attempts.may("192.0.2.1"), "many sources together get no further"


def test_asking_how_it_is_looks_once_for_all(tmp_path: Path) -> None:
    looked = []

    class Looking(SqliteBackend):
        def check(self) -> str:
            looked.append(1)
            return super().check()

    with serving(tmp_path, spec_of(), backend=Looking(tmp_path / "runtime.db")) as server:
        for _ in range(100):
            server.get("/readyz")
    assert len(looked) < 60
