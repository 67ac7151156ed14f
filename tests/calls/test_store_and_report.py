"""Calls kept and counted, on SQLite and on PostgreSQL."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.places import place_of
from voiceops.calls.chance import quantile
from voiceops.calls.counting import BY, Reports
from voiceops.calls.ended_reasons import is_failure
from voiceops.calls.record import CallRecord, Spoken, ToolUse
from voiceops.calls.store import CallFilter, CallStore
from voiceops.calls.tables import prepare
from voiceops.errors import VoiceopsError
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.records import DONE, Backend, EventRow

START = 1_793_500_000.0


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    backend = backend_of(place_of(request.param, tmp_path), worker=False)
    backend.open()
    yield backend
    backend.close()


def made(rng: random.Random, n: int) -> CallRecord:
    began = START + rng.random() * 3 * 86_400
    tools = tuple(
        ToolUse(
            id=f"{n}-{k}",
            name=rng.choice(["look", "book"]),
            ms=rng.random() * 900,
            outcome=rng.choice(["ok", "failed"]),
        )
        for k in range(rng.randint(0, 3))
    )
    return CallRecord(
        id=f"call-{n:05}",
        agent=rng.choice(["desk", "sales", ""]),
        phone=rng.choice(["main", "second"]),
        assistant_version=rng.choice(["", "v1", "v2"]),
        revision=rng.choice([None, 1, 2]),
        customer=f"+1415555{rng.randint(0, 20):04}",
        started_at=began,
        ended_at=began + rng.random() * 400,
        status="ended",
        reason=rng.choice(["customer-ended-call", "pipeline-error-openai-llm-failed", ""]),
        cost=rng.choice([None, 0.25]),
        success=rng.choice([None, True, False]),
        transferred=rng.choice([None, False, True]),
        turns=(Spoken(role="agent", text="Hello"),),
        tools=tools,
        turn_ms=tuple(float(rng.randint(300, 2000)) for _ in range(rng.randint(0, 5))),
        simulated=rng.random() < 0.1,
    )  # fmt: skip


def opened(database: Backend) -> tuple[CallStore, Reports]:
    store = CallStore(database)
    store.prepare()
    return store, Reports(database)


def test_a_call_is_kept_once(database: Backend) -> None:
    store, _ = opened(database)
    rng = random.Random(1)
    calls = [made(rng, n) for n in range(450)]
    early = [replace(call, ended_at=None, status="in-progress", reason="", tools=(), success=None) for call in calls]
    mixed = [*calls[:200], *early, *calls]
    rng.shuffle(mixed)
    for start in range(0, len(mixed), 300):
        store.keep(mixed[start : start + 300])
    assert store.count(CallFilter(simulated=True)) == 450
    assert {call.id: call for call in store.listed(CallFilter(simulated=True), 1000)} == {
        call.id: call for call in calls
    }
    assert store.keep(mixed) == 0


def test_calls_are_found(database: Backend) -> None:
    store, _ = opened(database)
    rng = random.Random(2)
    calls = [made(rng, n) for n in range(300)]
    store.keep(calls)
    for wanted in (
        CallFilter(),
        CallFilter(agent="desk", since=START + 50_000, until=START + 150_000),
        CallFilter(phone="second", failed=True),
        CallFilter(revision=2, version="v1", simulated=True),
        CallFilter(text="call-0001"),
        CallFilter(text="5550007"),
        CallFilter(text="%"),
    ):
        fitting = [call for call in calls if fits(call, wanted)]
        fitting.sort(key=lambda call: (call.began, call.id), reverse=True)
        assert store.listed(wanted, 1000) == fitting
        assert store.count(wanted) == len(fitting)
        page = store.listed(wanted, 7)
        if len(page) == 7:
            assert store.listed(wanted, 7, (page[-1].began or 0.0, page[-1].id)) == fitting[7:14]
    assert store.get("call-00007") == calls[7]
    assert store.get("call-9") is None
    assert store.called("call-00007") == calls[7]
    assert store.called("call-9") is store.called("") is None
    with pytest.raises(VoiceopsError, match=r"call-0000: call-00000, call-00001, call-00002, "):
        store.called("call-0000")


def fits(call: CallRecord, wanted: CallFilter) -> bool:
    began = call.began or 0.0
    return (
        (wanted.since is None or began >= wanted.since)
        and (wanted.until is None or began < wanted.until)
        and (not wanted.agent or call.agent == wanted.agent)
        and (not wanted.phone or call.phone == wanted.phone)
        and (wanted.revision is None or call.revision == wanted.revision)
        and (not wanted.version or call.assistant_version == wanted.version)
        and (not wanted.failed or is_failure(call.reason))
        and (wanted.simulated or not call.simulated)
        and (not wanted.text or any(wanted.text in text for text in (call.id, call.customer, call.reason)))
    )


def key(call: CallRecord, by: str) -> set[str]:
    at = call.began or 0.0
    if by == "tool":
        return {tool.name for tool in call.tools}
    if by == "reason":
        return {call.reason} - {""}
    value: Any = {
        "": "all",
        "agent": call.agent,
        "phone": call.phone,
        "version": call.assistant_version,
        "revision": "" if call.revision is None else call.revision,
        "hour": int(at // 3600),
        "day": int(at // 86_400),
    }[by]
    return {str(value)}


@pytest.mark.parametrize(
    "wanted",
    [
        CallFilter(),
        CallFilter(since=START + 5_000, until=START + 200_000),
        CallFilter(since=START + 5_000, until=START + 6_000),
        CallFilter(since=START + 3_600 * 30.5),
        CallFilter(agent="desk"),
        CallFilter(phone="main", version="v2", until=START + 100_000),
        CallFilter(revision=1, simulated=True),
        CallFilter(failed=True),
    ],
)
def test_sums_are_those_of_the_calls(database: Backend, wanted: CallFilter) -> None:
    store, reports = opened(database)
    rng = random.Random(3)
    calls = [made(rng, n) for n in range(600)]
    store.keep(calls[:400])
    reports.refresh()
    store.keep(calls[300:])
    store.forget("+14155550003")
    left = [call for call in calls if call.customer != "+14155550003" and fits(call, wanted)]
    for by in ("", *BY):
        expected: dict[str, list[CallRecord]] = {}
        for call in left:
            for name in key(call, by):
                expected.setdefault(name, []).append(call)
        rows = reports.rows(wanted, by)
        assert [row.sums.calls for row in rows] == (
            [len(group) for _, group in sorted(expected.items())]
            if by in ("hour", "day")
            else sorted((len(group) for group in expected.values()), reverse=True)
        )
        if by in ("hour", "day"):
            continue
        for row in rows:
            same(row.to_data(), expected[row.key], row.key if by == "tool" else None)


def same(data: dict[str, Any], calls: list[CallRecord], tool: str | None) -> None:
    judged = [call.success for call in calls if call.success is not None]
    used = [one for call in calls for one in call.tools if tool is None or one.name == tool]
    assert data["failed"] == sum(is_failure(call.reason) for call in calls)
    assert data["transferred"] == sum(bool(call.transferred) for call in calls)
    assert data["success"]["n"] == len(judged)
    assert data["cost"]["total"] == pytest.approx(sum(call.cost or 0 for call in calls), abs=1e-3)
    assert (data["tools"]["calls"], data["tools"]["failed"]) == (len(used), sum(u.outcome != "ok" for u in used))
    assert sum(data["reasons"].values()) == sum(bool(call.reason) for call in calls)
    waits = sorted(ms for call in calls for ms in call.turn_ms)
    seconds = sorted(call.duration for call in calls if call.duration is not None)
    assert near(data["durationSeconds"]["p50"], seconds, 0.5)
    assert near(data["turnMs"]["p95"], waits, 0.95)


def near(found: float | None, values: list[float], share: float) -> bool:
    """Exact of few values but for its rounding; of many, within 1 % of one of the two neighbours."""
    if not values:
        return found is None
    exact = quantile(values, share)
    if found is None or abs(found - exact) <= 0.06:
        return found is not None
    at = share * (len(values) - 1)
    beside = values[math.floor(at)], values[min(math.ceil(at), len(values) - 1)]
    return len(values) > 64 and any(math.isclose(found, value, rel_tol=0.0105) for value in beside)


def test_a_number_is_forgotten_for_good(database: Backend) -> None:
    store, reports = opened(database)
    rng = random.Random(4)
    calls = [made(rng, n) for n in range(100)]
    store.keep(calls)
    reports.refresh()
    messages = [
        EventRow(n, bytes([n]), "hang", call, START, 0.0, DONE, "", body)
        for n, (call, body) in enumerate(
            [
                ("other", b"from +14155550005"),
                ("other", b"from +14155550006, +141555500051"),
            ]
        )
    ]
    database.write([], [], messages, safe=False)
    theirs = [call for call in calls if call.customer == "+14155550005"]
    assert theirs
    assert store.forget("+14155550005") == len(theirs)
    store.keep(calls)
    assert [event.body for event in (database.get(0), database.get(1)) if event] == [
        b"from +14155550006, +141555500051"
    ]
    assert store.count(CallFilter(simulated=True)) == 100 - len(theirs)
    for table in ("calls", "call_tools", "call_bodies", "call_sums", "call_forgotten"):
        for row in database.rows(f"SELECT * FROM {database.prefix}{table}"):
            assert b"4155550005" not in b"|".join(
                bytes(cell) if isinstance(cell, (bytes, memoryview)) else str(cell).encode() for cell in row
            )
    assert sum(row.sums.calls for row in reports.rows(CallFilter(), "")) == sum(
        not call.simulated for call in calls if call not in theirs
    )


def test_old_calls_go_and_old_words_before_them(database: Backend) -> None:
    store, reports = opened(database)
    rng = random.Random(5)
    calls = [made(rng, n) for n in range(80)]
    store.keep(calls)
    half = START + 1.5 * 86_400
    older = sum((call.began or 0) < half for call in calls)
    assert store.drop_texts(half) == older
    assert all(
        bool(call.turns[0].text) is ((call.began or 0) >= half)
        for call in store.listed(CallFilter(simulated=True), 100)
    )
    assert store.prune(half) == older
    assert store.count(CallFilter(simulated=True)) == 80 - older
    assert sum(row.sums.calls for row in reports.rows(CallFilter(), "day")) == store.count(CallFilter())


def test_a_newer_store_is_left_alone(database: Backend) -> None:
    opened(database)
    database.change(f"UPDATE {database.prefix}call_facts SET value = '99' WHERE name = 'version'")
    with pytest.raises(VoiceopsError, match="newer voiceops"):
        prepare(database)


def test_a_store_whose_sums_were_made_otherwise_sums_its_hours_anew(database: Backend) -> None:
    store, reports = opened(database)
    rng = random.Random(5)
    store.keep([made(rng, n) for n in range(60)])
    shown = {by: [row.to_data() for row in reports.rows(CallFilter(), by)] for by in ("", *BY)}
    database.change(f"DELETE FROM {database.prefix}call_sums WHERE part = 'all'")
    database.change(f"DELETE FROM {database.prefix}call_facts WHERE name = 'sums'")
    prepare(database)
    assert {by: [row.to_data() for row in reports.rows(CallFilter(), by)] for by in ("", *BY)} == shown
    assert reports.changed() == 0
    prepare(database)
    assert reports.changed() == 0
