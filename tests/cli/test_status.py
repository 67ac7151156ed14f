"""How the lines stand, and what stands between this machine and a working line."""

from __future__ import annotations

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench


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
