"""Every fault over a real socket: what the client sees, and what was done."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest

from tests.sandbox.sandbox_bench import Bench, http

POST = {"vendor": "vapi", "method": "POST", "path": "^/assistant$"}


def count(bench: Bench) -> int:
    return len(bench.control.objects("/assistant"))


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_a_status(bench: Bench, when: str, done: int) -> None:
    bench.control.fault("status", when=when, times=1, status=503, answer={"x": 1}, headers={"retry-after": "7"}, **POST)
    response = bench.vapi.post("/assistant", json={})
    assert response.status_code == 503
    assert response.json() == {"x": 1}
    assert response.headers["retry-after"] == "7"
    assert count(bench) == done
    assert bench.vapi.post("/assistant", json={}).status_code == 201


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_a_reset(bench: Bench, when: str, done: int) -> None:
    bench.control.fault("reset", when=when, times=1, **POST)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        bench.vapi.post("/assistant", json={})
    assert count(bench) == done
    (entry,) = bench.control.requests("vapi", "POST")
    assert (entry["status"], entry["executed"]) == (0, bool(done))
    assert bench.vapi.post("/assistant", json={}).status_code == 201


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_a_hang(bench: Bench, when: str, done: int) -> None:
    bench.control.fault("hang", when=when, times=1, seconds=0.4, **POST)
    with pytest.raises(httpx.ReadTimeout):
        bench.vapi.post("/assistant", json={}, timeout=0.1)
    assert count(bench) == done
    # The request was only late: it is executed although nobody waits for it any more.
    until = time.monotonic() + 5
    while count(bench) == 0 and time.monotonic() < until:
        time.sleep(0.02)
    assert count(bench) == 1


def test_half_an_answer(bench: Bench) -> None:
    bench.control.fault("half", times=1, **POST)
    with pytest.raises(httpx.RemoteProtocolError):
        bench.vapi.post("/assistant", json={"name": "x"})
    assert count(bench) == 1


@pytest.mark.parametrize("answer", [None, "<html>no</html>", "plain", ""])
def test_an_answer_that_is_no_json(bench: Bench, answer: str | None) -> None:
    bench.control.fault("text", when="after", times=1, answer=answer, **POST)
    response = bench.vapi.post("/assistant", json={})
    assert response.status_code == 200
    with pytest.raises(ValueError, match="Expecting"):
        response.json()
    assert count(bench) == 1


def test_another_objects_answer(bench: Bench) -> None:
    first, second = bench.make("/assistant", {"name": "1"}), bench.make("/assistant", {"name": "2"})
    bench.control.fault("other", method="PATCH", path="^/assistant/")
    answer = bench.vapi.patch(f"/assistant/{first['id']}", json={"name": "new"}).json()
    assert answer["id"] == second["id"]
    assert bench.vapi.get(f"/assistant/{first['id']}").json()["name"] == "new"


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_a_pause_until_released(bench: Bench, when: str, done: int) -> None:
    rule = bench.control.fault("pause", when=when, **POST)
    found: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: found.append(bench.vapi.post("/assistant", json={})))
    thread.start()
    bench.control.wait_for_pause(rule)
    assert count(bench) == done
    assert found == []
    assert bench.control.release(rule) == 1
    thread.join(5)
    assert found[0].status_code == 201
    assert bench.vapi.post("/assistant", json={}).status_code == 201


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"nth": [2, 4]}, [201, 500, 201, 500, 201]),
        ({"nth": 3}, [201, 201, 500, 201, 201]),
        ({"times": 2}, [500, 500, 201, 201, 201]),
        ({}, [500] * 5),
        ({"probability": 0.0}, [201] * 5),
        ({"body": '"special"'}, [201] * 5),
        ({"method": "GET|PATCH"}, [201] * 5),
        ({"vendor": "twilio"}, [201] * 5),
    ],
)
def test_which_requests(bench: Bench, rule: dict[str, Any], expected: list[int]) -> None:
    bench.control.fault("status", **{**POST, **rule})
    assert [bench.vapi.post("/assistant", json={}).status_code for _ in range(5)] == expected


def test_chance_repeats_with_its_seed(bench: Bench) -> None:
    runs = []
    for _ in range(2):
        bench.control.clear_faults()
        bench.control.fault("status", probability=0.5, seed=7, **POST)
        runs.append([bench.vapi.post("/assistant", json={}).status_code for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {201, 500}


def test_faults_at_twilio(bench: Bench) -> None:
    bench.control.fault("reset", vendor="twilio", when="after", times=1)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        bench.twilio.post(f"{bench.numbers_path}.json", data={"PhoneNumber": "+14155550142"})
    assert bench.control.counts()["purchases"] == 1


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "meteor"},
        {"kind": "half", "when": "before"},
        {"kind": "status", "path": "("},
        {"kind": "status", "x": 1},
        {"kind": "status", "nth": ["two"]},
    ],
)
def test_a_rule_that_makes_no_sense(bench: Bench, rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="faults"):
        bench.control.fault(**rule)
    assert bench.control.faults() == []


@pytest.mark.parametrize("after", ["", "2"])
def test_a_rate_limit(bench: Bench, after: str) -> None:
    bench.control.switches(rate=2.0, retry_after=after)
    answers = [bench.vapi.get("/assistant") for _ in range(6)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert all(answer.headers.get("retry-after", "") == after for answer in limited)
    twilio = [bench.twilio.get(f"{bench.numbers_path}.json") for _ in range(4)]
    assert twilio[-1].json()["code"] == 20429


def test_a_limit_of_requests_at_once(bench: Bench) -> None:
    bench.control.switches(concurrency=1, latency=0.2)
    statuses: list[int] = []
    with http(bench.server.vapi_url, headers=bench.vapi.headers) as client:
        threads = [
            threading.Thread(target=lambda: statuses.append(client.get("/assistant").status_code)) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(statuses) == [200, 429, 429]
