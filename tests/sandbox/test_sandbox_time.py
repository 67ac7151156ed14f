"""Time: objects that appear late and go late, work that takes a while, clocks that are off."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import pytest

from tests.sandbox.sandbox_bench import Bench


def ids(bench: Bench) -> list[str]:
    return [item["id"] for item in bench.vapi.get("/assistant").json()]


def test_a_new_object_is_invisible_for_a_while(bench: Bench) -> None:
    bench.control.switches(lag=60)
    made = bench.make("/assistant", {"name": "late"})
    path = f"/assistant/{made['id']}"
    assert bench.vapi.get(path).status_code == 404
    assert ids(bench) == []
    assert bench.vapi.patch(path, json={"name": "still late"}).status_code == 200
    assert bench.vapi.get(path).status_code == 404
    bench.control.switches(clock_skew=61)
    assert bench.vapi.get(path).json()["name"] == "still late"
    assert ids(bench) == [made["id"]]


def test_reads_may_show_what_was(bench: Bench) -> None:
    made = bench.make("/assistant", {"name": "old"})
    bench.control.switches(lag_update=60, lag_delete=60)
    path = f"/assistant/{made['id']}"
    assert bench.vapi.patch(path, json={"name": "new"}).json()["name"] == "new"
    assert bench.vapi.get(path).json()["name"] == "old"
    bench.control.switches(clock_skew=61)
    assert bench.vapi.get(path).json()["name"] == "new"
    assert bench.vapi.delete(path).status_code == 200
    assert bench.vapi.get(path).status_code == 200
    assert ids(bench) == [made["id"]]
    assert bench.vapi.delete(path).status_code == 404
    bench.control.switches(clock_skew=122)
    assert bench.vapi.get(path).status_code == 404
    assert ids(bench) == []


def test_a_number_is_active_after_a_while(bench: Bench) -> None:
    bench.control.switches(settle=60)
    made = bench.make("/phone-number", {"provider": "vapi"})
    assert made["status"] == "activating"
    bench.control.switches(clock_skew=61)
    assert bench.vapi.get(f"/phone-number/{made['id']}").json()["status"] == "active"


@pytest.mark.parametrize("skew", [3600.0, -3600.0])
def test_the_clock_can_be_off(bench: Bench, skew: float) -> None:
    bench.control.switches(clock_skew=skew)
    response = bench.vapi.post("/assistant", json={})
    assert parsedate_to_datetime(response.headers["date"]).timestamp() == pytest.approx(time.time() + skew, abs=5)
    number = bench.control.add_number("+14155550188")
    assert parsedate_to_datetime(number["date_created"]).timestamp() == pytest.approx(time.time() + skew, abs=5)


def test_latency(bench: Bench) -> None:
    bench.control.switches(latency=0.2)
    began = time.monotonic()
    bench.vapi.get("/assistant")
    assert time.monotonic() - began >= 0.2
