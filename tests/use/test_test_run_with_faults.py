"""Whatever the API answers, or doesn't: each test runs once, and its result is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.bench import Bench
from tests.support.faults import FAULTS
from tests.use.tests_bench import EVAL, desk_shop, suite, verdicts

GOOD = {"orders / open": "passed", "orders / close": "passed", "hours": "passed"}
# Every sort of request that `test` makes to run what is live.
REQUESTS = (
    ("POST", "^/eval/simulation/run$"),
    ("POST", "^/eval/run$"),
    ("GET", "^/eval/simulation/concurrency$"),
    ("GET", "^/eval/simulation/run$"),
    ("GET", "^/eval/run$"),
    ("GET", "^/eval/simulation/run/[^/]+/item$"),
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with desk_shop(tmp_path_factory.mktemp("faults"), suite("orders", "open", "close"), EVAL) as made:
        yield made


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_in_each_sort_of_request(shop: Bench, fault: str) -> None:
    before = shop.control.runs()["started"]
    for method, path in REQUESTS:
        shop.control.fault(**FAULTS[fault], vendor="vapi", method=method, path=path, times=1)
    try:
        ran = shop.run("test", "--format", "json", code=None)
        fired = sum(rule["fired"] for rule in shop.control.faults())
    finally:
        shop.control.clear_faults()
    assert verdicts(ran) == GOOD, ran.out
    assert fired >= len(REQUESTS) - 1  # a run's list is not always asked
    now = shop.control.runs()["started"]
    assert {what: now[what] - before.get(what, 0) for what in now} == {"simulation": 2, "eval": 1}


def test_the_answer_of_an_earlier_run_of_the_same_test_is_not_this_ones(shop: Bench) -> None:
    shop.control.outcome("hang")
    try:
        ran = shop.run("test", "orders", "--budget", "0.02", "--format", "json", code=3)
    finally:
        shop.control.clear_outcomes()
    assert set(verdicts(ran).values()) == {"not run"}  # cancelled: what comes next may be taken for it
    for method, path in REQUESTS:
        shop.control.fault(**FAULTS["another object's answer"], vendor="vapi", method=method, path=path, times=1)
    try:
        assert verdicts(shop.run("test", "--format", "json", code=None)) == GOOD
    finally:
        shop.control.clear_faults()


@pytest.mark.parametrize("fault", ["500 after", "reset after", "not JSON", "another object's answer"])
def test_a_cancelled_run_is_cancelled_though_the_answer_is_lost(shop: Bench, fault: str) -> None:
    shop.control.outcome("hang")
    shop.control.reset_requests()
    for method in ("PATCH", "DELETE"):
        shop.control.fault(**FAULTS[fault], vendor="vapi", method=method, path="^/eval/", times=1)
    try:
        ran = shop.run("test", "--budget", "0.02", "--format", "json", code=3)
    finally:
        shop.control.clear_faults()
        shop.control.clear_outcomes()
    assert set(verdicts(ran).values()) == {"not run"}
    assert {(method, path.count("/")) for method, path in shop.writes() if method != "POST"} == {
        ("PATCH", 4), ("DELETE", 3),
    }  # fmt: skip
    assert "may go on" not in ran.err
