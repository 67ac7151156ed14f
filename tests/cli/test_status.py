"""How the lines stand, and what stands between this machine and a working line."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench
from voiceops.calls.record import CallRecord
from voiceops.calls.store import CallStore
from voiceops.runtime.store.sqlite import SqliteBackend


@pytest.fixture
def line(live: Bench) -> Bench:
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    return live


def test_a_line_in_order(line: Bench) -> None:
    line.apply()
    rows = line.run("status", "--format", "json").data
    assert [(r["number"], r["answers"], r["target"], r["revision"], r["off"]) for r in rows] == [
        ("+14155550100", "vapi", "Agent/desk", 1, [])
    ]
    assert "+14155550100" in line.run("status", "line").out
    assert line.run("status", "+14155550100").out == line.run("status").out
    assert "no line other" in line.run("status", "other", code=1).err


def test_a_line_that_was_never_applied_is_off(line: Bench) -> None:
    assert "was never applied" in line.run("status", code=2).out


def test_drift_of_what_a_line_reaches_is_off(line: Bench) -> None:
    line.apply()
    line.control.edit(line.id_of("Tool/lookup"), {"function": {"description": "Edited"}})
    assert "Tool/lookup was edited" in line.run("status", code=2).out


def test_a_runtime_that_does_not_answer_is_off(line: Bench) -> None:
    line.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nruntime: {url: http://127.0.0.1:9}\n")
    line.edit("agents/line.yaml", "agent: desk", "agent: desk, answer: runtime")
    line.apply()
    assert "does not answer" in line.run("status", code=2).out


def test_the_doctor_finds_nothing_wrong(line: Bench) -> None:
    line.apply()
    found = line.run("doctor", "--format", "json").data
    assert {f["level"] for f in found} <= {"ok", "warning"}
    assert {"Vapi key", "Twilio key", "clock", "project"} <= {f["check"] for f in found}


def test_the_doctor_counts_call_slots(line: Bench) -> None:
    line.apply()
    slots = {f["check"]: f for f in line.run("doctor", "--format", "json").data}["call slots"]
    assert (slots["level"], "0 of the 10 slots" in slots["summary"]) == ("ok", True)
    taken = {"concurrencyLimit": 2, "activeSimulations": 2}
    line.control.fault("status", path="/eval/simulation/concurrency", status=200, answer=taken)
    slots = {f["check"]: f for f in line.run("doctor", "--format", "json").data}["call slots"]
    assert (slots["level"], "2 of the 2 slots" in slots["summary"]) == ("warning", True)
    line.control.clear_faults()
    line.control.fault("status", path="/eval/simulation/concurrency", status=404)
    slots = {f["check"]: f for f in line.run("doctor", "--format", "json").data}["call slots"]
    assert (slots["level"], "only when a call is made" in slots["summary"]) == ("ok", True)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"VAPI_API_KEY": "wrong-key"}, "Vapi key"),
        ({"TWILIO_AUTH_TOKEN": "wrong-token"}, "Twilio key"),
        ({"VAPI_API_KEY": ""}, "VAPI_API_KEY is not set"),
    ],
)
def test_the_doctor_names_a_key_that_does_not_work(line: Bench, environ: dict[str, str], named: str) -> None:
    ran = line.run("doctor", code=1, **environ)
    assert named in ran.out
    assert "wrong-" not in ran.out + ran.err


def test_the_doctor_finds_a_clock_that_is_off(line: Bench) -> None:
    line.control.switches(clock_skew=900)
    assert "behind Vapi" in line.run("doctor", code=1).out


def test_a_sandbox_needs_no_secret_not_even_an_empty_one(live: Bench) -> None:
    live.write(
        "voiceops.yaml",
        "version: 1\nproject: shop\nenvironments: [live]\nproviders: sandbox\nruntime: {url: http://127.0.0.1:9}\n",
    )
    live.write("agents/agent.yaml", AGENT + "  server: runtime\n")
    live.write("agents/tool.yaml", TOOL)
    live.run("apply", "--auto-approve", VAPI_WEBHOOK_SECRET="")
    assert "Nothing to do" in live.run("plan", VAPI_WEBHOOK_SECRET="").out


def test_the_runtime_gives_a_line_to_another_agent(line: Bench) -> None:
    line.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nruntime: {url: http://127.0.0.1:9}\n")
    line.edit("agents/line.yaml", "agent: desk", "agent: desk, answer: runtime")
    line.write("agents/night.yaml", AGENT.replace("name: desk", "name: night"))
    line.apply()
    line.edit("agents/line.yaml", "agent: desk", "agent: night")
    plan = line.run("plan", "--detailed-exitcode", code=2).out
    assert "another answers this line (agent): Agent/desk → Agent/night" in plan
    line.apply()
    line.run("plan", "--detailed-exitcode")

    line.edit("agents/night.yaml", "name: night", "name: late\nmoved: {from: Agent/night}")
    line.edit("agents/line.yaml", "agent: night", "agent: late")
    line.apply()
    line.edit("agents/night.yaml", "name: late\nmoved: {from: Agent/night}", "name: late")
    line.run("plan", "--detailed-exitcode")
    line.run("state", "mv", "Agent/late", "Agent/later")
    line.edit("agents/night.yaml", "name: late", "name: later")
    line.edit("agents/line.yaml", "agent: late", "agent: desk")
    assert "another answers this line (agent): Agent/later → Agent/desk" in line.run("plan").out


@pytest.mark.parametrize(
    ("policy", "fix"),
    [
        ("revert", "`voiceops apply` puts it back."),
        ("keep", "drift: keep leaves it so; with drift: revert `voiceops apply` puts it back."),
        ("refuse", "drift: refuse keeps `voiceops apply` from it"),
    ],
)
def test_what_puts_a_line_right_depends_on_the_policy(line: Bench, policy: str, fix: str) -> None:
    line.apply()
    line.write("voiceops.yaml", f"version: 1\nproject: shop\nenvironments: [live]\ndrift: {policy}\n")
    line.control.edit(line.id_of("Phone/line"), {"assistantId": None})
    reasons = line.run("status", "--format", "json", code=2).data[0]["reasons"]
    assert any(reason["fix"].startswith(fix) for reason in reasons if reason["code"] == "unbound"), reasons


def _last(line: Bench) -> tuple[str, str | None, bool | None]:
    (row,) = line.run("status", "--format", "json").data
    return row["lastCall"], row["lastCallEndedReason"], row["lastCallOk"]


def test_the_last_call_of_a_line(line: Bench) -> None:
    line.apply()
    assert _last(line) == ("", None, None)
    assert "no call yet" in line.run("status").out
    assert line.control.make_calls(40, seed=3) == 40
    told = line.run("status", "--format", "json").data[0]
    assert (told["lastCallOk"], told["lastCallEndedReason"]) != (None, None)
    assert f"last call {told['lastCall']} {'ok' if told['lastCallOk'] else 'not ok'} (" in line.run("status").out


def test_a_kept_call_that_is_newer_is_the_last_one(line: Bench) -> None:
    """Vapi's list may lag, and forget; the store was told by the runtime."""
    line.apply()
    store = line.folder / ".voiceops" / "calls.db"
    broken = "pipeline-error-openai-llm-failed"
    with _calls(store) as calls:
        calls.keep([CallRecord(id="old", phone="line", started_at=1e9, ended_at=1e9 + 9, reason=broken)])
        calls.keep([CallRecord(id="played", phone="line", started_at=3e9, simulated=True)])
    assert _last(line) == ("2001-09-09T01:46:40Z", broken, False)
    assert "last call 2001-09-09T01:46:40Z not ok (pipeline-error-openai-llm-failed)" in line.run("status").out
    with _calls(store) as calls:
        calls.keep([CallRecord(id="new", phone="+14155550100", started_at=2e9)])
    assert _last(line) == ("2033-05-18T03:33:20Z", None, None)


@pytest.mark.parametrize("wrong", ["newer", "none", "locked"])
def test_a_store_that_cannot_be_read_is_one_line(line: Bench, wrong: str) -> None:
    line.apply()
    store = line.folder / ".voiceops" / "calls.db"
    with _calls(store) as calls:
        calls.keep([CallRecord(id="a", phone="line", started_at=1e9)])
    if wrong == "none":
        store.write_bytes(b"no database" * 100)
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as other:
        if wrong == "newer":
            other.execute("UPDATE live_call_facts SET value = '99' WHERE name = 'version'")
        if wrong == "locked":
            other.execute("BEGIN EXCLUSIVE")
        ran = line.run("status")
    assert ran.out.startswith("✓ +14155550100")
    (said,) = ran.err.splitlines()
    assert said.startswith("The calls that are kept here could not be read: ")


@pytest.mark.parametrize("status", [403, 404])
def test_a_list_of_calls_that_cannot_be_read_costs_nothing_else(line: Bench, status: int) -> None:
    line.apply()
    line.control.fault("status", status=status, vendor="vapi", path="^/call")
    ran = line.run("status")
    assert ran.out.startswith("✓ +14155550100")
    assert "last call unknown" in ran.out
    assert ran.err.startswith("The calls at Vapi could not be read: ")
    assert line.run("status", "--format", "json").data[0]["lastCall"] is None
    (slots,) = [f for f in line.run("doctor", "--format", "json").data if f["check"] == "call slots"]
    assert slots["level"] == "warning"
    assert str(status) in slots["summary"]
    assert "answers for Agent/desk" in line.run("doctor").out
    with _calls(line.folder / ".voiceops" / "calls.db") as calls:
        calls.keep([CallRecord(id="a", phone="line", started_at=1e9)])
    assert _last(line)[0] == "2001-09-09T01:46:40Z"


def test_the_doctor_says_all_that_it_found_before_twilio_failed(line: Bench) -> None:
    line.apply()
    line.control.fault("status", status=404, vendor="twilio")
    found = line.run("doctor", "--format", "json", code=1).data
    assert {"Vapi key", "call slots"} <= {f["check"] for f in found}
    assert [f["check"] for f in found if f["level"] == "error"] == ["Twilio"]


@contextlib.contextmanager
def _calls(store: Path) -> Iterator[CallStore]:
    database = SqliteBackend(store, worker=False)
    database.prefix = "live_"
    database.open()
    try:
        found = CallStore(database)
        found.prepare()
        yield found
    finally:
        database.close()
