"""Runs of simulations: what decides them, what can be ordered of them, and how they take their turns."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest

from tests.sandbox.sandbox_bench import NOBODY, Bench
from tests.sandbox.shop import PROMPT, STOCK, agent, criterion, items, look, run, scenario, simulation


def _ended(bench: Bench, run_id: str) -> dict[str, Any]:
    """The run once it has ended, which takes it some tenths of a second."""
    until = time.monotonic() + 10
    while (found := look(bench, f"/eval/simulation/run/{run_id}"))["status"] != "ended":
        assert time.monotonic() < until, found
        time.sleep(0.02)
    return dict(found)


def test_one_word_of_a_prompt_decides(bench: Bench) -> None:
    id_ = agent(bench)
    simulated = simulation(bench, scenario(bench, 'Tells the caller "Monday to Saturday".'))
    statuses = []
    for day in ("Saturday", "Friday", "Saturday"):
        text = PROMPT.replace("Saturday", day)
        model = look(bench, f"/assistant/{id_}")["model"]
        model["messages"] = [{"role": "system", "content": text}]
        assert bench.vapi.patch(f"/assistant/{id_}", json={"model": model}).status_code == 200
        (item,) = items(bench, run(bench, id_, simulated)["id"])
        statuses.append((item["status"], item.get("failureReason", "")))
    passed = ("passed", "")
    assert statuses == [
        passed,
        ("failed", 'the assistant never said "Monday to Saturday"'),
        passed,
    ]


def test_a_run_is_as_the_schema_has_it(bench: Bench) -> None:
    made = run(bench, agent(bench), simulation(bench, scenario(bench, '"Saturday"')), iterations=2)
    assert made["status"] == "queued"
    assert len(made["simulationRunItemIds"]) == 2
    assert made["url"].startswith("https://")
    found = look(bench, f"/eval/simulation/run/{made['id']}")
    assert found["status"] == "ended"
    assert found["itemCounts"] == {
        "total": 2,
        "passed": 2,
        "failed": 0,
        "canceled": 0,
        "running": 0,
        "queued": 0,
        "distinctSimulationTotal": 1,
        "distinctSimulationFailed": 0,
    }
    first, second = items(bench, made["id"])
    assert (first["iterationNumber"], second["iterationNumber"]) == (1, 2)
    assert first["results"]["passed"] is True
    assert first["metadata"]["assistant"]["name"] == "shop"
    assert first["metadata"]["scenario"]["name"] == "hours"
    assert first["metadata"]["call"]["messages"] == [
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "When are you open?"},
        {"role": "assistant", "content": "We are open Monday to Saturday, nine to six."},
    ]
    call = look(bench, f"/call/{first['callId']}")
    assert call["type"] == "vapi.websocketCall"
    assert call["cost"] > 0


def test_tools_answer_by_their_mocks(bench: Bench) -> None:
    mocks = [{"toolName": "lookupOrder", "result": '{"state": "packed"}'}]
    wanted = 'Calls `lookupOrder` and says "packed".'
    simulated = simulation(bench, scenario(bench, wanted, says="say: Where is my order 1234?", toolMocks=mocks))
    (item,) = items(bench, run(bench, agent(bench), simulated)["id"])
    assert item["status"] == "passed"
    calls = [call for message in item["metadata"]["call"]["messages"] for call in message.get("tool_calls", ())]
    assert [call["function"] for call in calls] == [{"name": "lookupOrder", "arguments": '{"orderNumber": "1234"}'}]
    forbidden = agent(bench, PROMPT.replace("Use", "Never use"))
    (item,) = items(bench, run(bench, forbidden, simulated)["id"])
    assert item["failureReason"] == 'the assistant never called "lookupOrder"'


@pytest.mark.parametrize(
    ("schema", "comparator", "value", "passes"),
    [
        ({"type": "integer"}, ">=", 6, False),
        ({"type": "string", "enum": ["Sunday", "Saturday"]}, "=", "Saturday", True),
        ({"type": "string", "enum": ["Sunday", "Saturday"]}, "!=", "Saturday", False),
        ({"type": "string"}, "=", "nine to six", True),
        ({"type": "boolean", "description": 'never says "Sunday"'}, "=", True, True),
        ({"type": "boolean", "description": "The opening of the shop"}, "=", True, True),
        ({"type": "boolean", "description": "Refund policy for damaged glass"}, "=", True, False),
    ],
)
def test_evaluations_extract_and_compare(
    bench: Bench, schema: dict[str, Any], comparator: str, value: Any, passes: bool
) -> None:
    plan = {"structuredOutput": {"name": "o", "schema": schema}, "comparator": comparator, "value": value}
    simulated = simulation(bench, scenario(bench, evaluations=[plan]))
    (item,) = items(bench, run(bench, agent(bench), simulated)["id"])
    assert item["results"]["evaluations"][0]["passed"] is passes


def test_an_evaluation_that_is_not_required_decides_nothing(bench: Bench) -> None:
    simulated = simulation(bench, scenario(bench, evaluations=[criterion('"Sunday"', required=False)]))
    (item,) = items(bench, run(bench, agent(bench), simulated)["id"])
    assert (item["status"], item["results"]["evaluations"][0]["passed"]) == ("passed", False)


@pytest.mark.parametrize(
    ("metric", "most", "transport", "status", "why"),
    [
        ("turn", 900, "vapi.websocket", "passed", ""),
        ("turn", 800, "vapi.websocket", "failed", "the latency of turn is 900 ms, over 800"),
        ("model", 100, "vapi.websocket", "failed", "the latency of model is 500 ms, over 100"),
        ("turn", 1, "vapi.webchat", "passed", ""),
    ],
)
def test_latencies_are_expected(bench: Bench, metric: str, most: int, transport: str, status: str, why: str) -> None:
    expects = [{"metric": metric, "aggregation": "p95", "thresholdMs": most}]
    simulated = simulation(bench, scenario(bench, '"Saturday"', latencyExpectations=expects))
    (item,) = items(bench, run(bench, agent(bench), simulated, transport={"provider": transport})["id"])
    assert (item["status"], item.get("failureReason", "")) == (status, why)
    (found,) = item["results"]["latencyEvaluations"]
    assert found.get("isSkipped", False) is (transport == "vapi.webchat")


def test_voice_takes_two_call_slots_each_and_nobody_overtakes(bench: Bench) -> None:
    bench.control.switches(run_seconds=0.2, call_slots=4)
    simulated = simulation(bench, scenario(bench, '"Saturday"'))
    made = run(bench, agent(bench), simulated, iterations=5)
    slots = look(bench, "/eval/simulation/concurrency")
    assert (slots["activeSimulations"], slots["availableToStart"]) == (4, 0)
    assert [item["status"] for item in items(bench, made["id"])] == ["running"] * 2 + ["queued"] * 3
    _ended(bench, made["id"])
    times = [item["startedAt"] for item in items(bench, made["id"])]
    assert times == sorted(times)
    assert len(set(times)) == 3
    assert bench.control.runs() == {
        "started": {"simulation": 5},
        "ended": {"passed": 5},
        "mostAtOnce": {"simulation": 2},
    }


def test_chats_take_no_call_slots(bench: Bench) -> None:
    bench.control.switches(run_seconds=60, call_slots=2)
    simulated = simulation(bench, scenario(bench, '"Saturday"'))
    made = run(bench, agent(bench), simulated, iterations=4, transport={"provider": "vapi.webchat"})
    assert {item["status"] for item in items(bench, made["id"])} == {"running"}
    assert look(bench, "/eval/simulation/concurrency")["activeSimulations"] == 0


def test_what_hangs_ends_when_it_is_canceled(bench: Bench) -> None:
    bench.control.outcome("hang", name="^slow$")
    written = scenario(bench, '"Saturday"')
    made = run(bench, agent(bench), simulation(bench, written, "slow"), simulation(bench, written, "quick"))
    slow, quick = items(bench, made["id"])
    assert (slow["status"], quick["status"]) == ("running", "passed")
    path = f"/eval/simulation/run/{made['id']}"
    assert look(bench, path)["status"] == "running"
    assert bench.vapi.patch(path).json()["itemCounts"]["canceled"] == 1
    ended = look(bench, path)
    assert (ended["status"], ended["endedReason"]) == ("ended", "canceled")
    assert bench.refused("PATCH", path) == "Simulation run has already ended"
    assert bench.refused("PATCH", f"{path}/item/{quick['id']}") == "Simulation run item has already ended"


def test_one_item_is_canceled_alone(bench: Bench) -> None:
    bench.control.switches(run_seconds=60)
    made = run(bench, agent(bench), simulation(bench, scenario(bench, '"Saturday"')), iterations=2)
    path = f"/eval/simulation/run/{made['id']}"
    one = made["simulationRunItemIds"][0]
    assert bench.vapi.patch(f"{path}/item/{one}").json()["status"] == "canceled"
    assert [item["status"] for item in items(bench, made["id"])] == ["canceled", "running"]
    assert look(bench, path)["status"] == "running"


def test_outcomes_are_ordered_by_number(bench: Bench) -> None:
    bench.control.outcome("failed", what="simulation", nth=[2], reason="on order")
    bench.control.outcome("error", nth=[3], reason="No payment method on file")
    bench.control.outcome("canceled", nth=[4])
    made = run(bench, agent(bench), simulation(bench, scenario(bench, '"Saturday"')), iterations=5)
    found = [(item["status"], item.get("failureReason", "")) for item in items(bench, made["id"])]
    assert found == [
        ("passed", ""),
        ("failed", "on order"),
        ("failed", "No payment method on file"),
        ("canceled", ""),
        ("passed", ""),
    ]
    counts = look(bench, f"/eval/simulation/run/{made['id']}")["itemCounts"]
    assert (counts["passed"], counts["failed"], counts["canceled"]) == (2, 2, 1)


@pytest.mark.parametrize(("outcome", "wanted", "value"), [("failed", "Saturday", False), ("passed", "Sunday", True)])
def test_an_ordered_outcome_has_values_that_go_with_it(bench: Bench, outcome: str, wanted: str, value: bool) -> None:
    bench.control.outcome(outcome)
    (item,) = items(bench, run(bench, agent(bench), simulation(bench, scenario(bench, f'"{wanted}"')))["id"])
    (evaluation,) = item["results"]["evaluations"]
    assert (item["status"], evaluation["passed"], evaluation["extractedValue"]) == (outcome, value, value)


def test_seconds_are_ordered_for_some(bench: Bench) -> None:
    bench.control.outcome(name="slow", seconds=60)
    written = scenario(bench, '"Saturday"')
    made = run(bench, agent(bench), simulation(bench, written, "slow"), simulation(bench, written, "quick"))
    assert [item["status"] for item in items(bench, made["id"])] == ["running", "passed"]


def test_an_unpaid_account_starts_nothing(bench: Bench) -> None:
    bench.control.switches(payment="payment_method_missing")
    target = {"type": "assistant", "assistantId": agent(bench)}
    entry = {"type": "simulation", "simulationId": simulation(bench, scenario(bench, '"x"'))}
    response = bench.vapi.post("/eval/simulation/run", json={"simulations": [entry], "target": target})
    assert response.status_code == 402
    assert (response.json()["statusCode"], response.json()["reason"]) == (402, "payment_method_missing")
    assert look(bench, "/eval/simulation/run") == []


def test_lists_select(bench: Bench) -> None:
    id_, simulated = agent(bench), simulation(bench, scenario(bench, '"Saturday"'))
    bench.control.outcome("failed", nth=[2])
    good, bad = (run(bench, id_, simulated)["id"] for _ in range(2))
    path = "/eval/simulation/run"
    assert [found["id"] for found in look(bench, path)] == [bad, good]
    assert [found["id"] for found in look(bench, path, filterStatus="failed")] == [bad]
    assert [found["id"] for found in look(bench, path, status="ended", targetId=id_, filterStatus="passed")] == [good]
    assert look(bench, path, targetType="squad") == []
    (only,) = look(bench, path, page=1, limit=1)["results"]
    assert only["id"] == bad
    assert only["summary"]["source"]["simulationIds"] == [simulated]
    assert items(bench, bad, status="passed") == []


def test_a_call_is_over_before_its_result_is_there(bench: Bench) -> None:
    bench.control.switches(run_seconds=100)
    made = run(bench, agent(bench), simulation(bench, scenario(bench, '"Saturday"')))
    seen = []
    for seconds in (79, 81, 101):
        bench.control.switches(clock_skew=seconds)
        (item,) = items(bench, made["id"])
        seen.append(item["status"])
        assert [found["id"] for found in items(bench, made["id"], status=seen[-1])] == [item["id"]]
    assert seen == ["running", "evaluating", "passed"]
    path = f"/eval/simulation/run/{made['id']}/item"
    assert bench.refused("GET", f"{path}?status=done")[0].startswith("status must be one of")


def test_the_same_time_passes_however_late_somebody_looks(bench: Bench) -> None:
    bench.control.switches(run_seconds=10, call_slots=2)
    made = run(bench, agent(bench), simulation(bench, scenario(bench, '"Saturday"')), iterations=3)
    bench.control.switches(clock_skew=1000)
    found = look(bench, f"/eval/simulation/run/{made['id']}")
    began, ended = (datetime.fromisoformat(found[key]) for key in ("startedAt", "endedAt"))
    assert (ended - began).total_seconds() == pytest.approx(30, abs=0.01)


def test_new_runs_are_seen_after_the_lag(bench: Bench) -> None:
    id_, simulated = agent(bench), simulation(bench, scenario(bench, '"Saturday"'))
    bench.control.switches(lag=60)
    made = run(bench, id_, simulated)
    assert bench.vapi.get(f"/eval/simulation/run/{made['id']}").status_code == 404
    assert look(bench, "/eval/simulation/run") == []
    bench.control.switches(clock_skew=61)
    assert look(bench, f"/eval/simulation/run/{made['id']}")["status"] == "ended"


def test_answers_may_hold_what_no_schema_knows(bench: Bench) -> None:
    id_, simulated = agent(bench), simulation(bench, scenario(bench, '"Saturday"'))
    bench.control.switches(adversarial=True)
    made = run(bench, id_, simulated)
    (item,) = items(bench, made["id"])
    assert item["status"] == "passed"
    assert "sandboxInternal" in item
    assert "sandboxInternal" in look(bench, f"/eval/simulation/run/{made['id']}")


def test_inline_parts_run_too(bench: Bench) -> None:
    written = {"name": "inline", "instructions": 'Ask "When are you open?"', "evaluations": [criterion('"noon"')]}
    entry = {"type": "simulation", "scenario": written, "personalityId": STOCK}
    model = {"provider": "openai", "model": "gpt-4o", "messages": [{"role": "system", "content": "We open at noon."}]}
    body = {"simulations": [entry], "target": {"type": "assistant", "assistant": {"name": "a", "model": model}}}
    (item,) = items(bench, bench.make("/eval/simulation/run", body)["id"])
    assert item["status"] == "passed"
    assert "simulationId" not in item


def test_bodies_are_checked(bench: Bench) -> None:
    target = {"type": "assistant", "assistantId": agent(bench)}
    entry = {"type": "simulation", "simulationId": simulation(bench, scenario(bench, '"x"'))}
    path = "/eval/simulation/run"

    def told(**changes: Any) -> Any:
        return bench.refused("POST", path, {"simulations": [entry], "target": target, **changes})

    assert told(iterations=11) == ["iterations must not be greater than 10"]
    assert told(speed=2) == ["property speed should not exist"]
    assert told(simulations=[]) == ["simulations must contain at least 1 elements"]
    assert told(simulations=[{"type": "suite"}])[0].startswith("simulations.0.type must be one of")
    assert told(target={"type": "assistant"}) == "Need one of assistantId, assistant, squadId, squad"
    assert told(target={"type": "assistant", "assistantId": NOBODY}) == f'Assistant with ID "{NOBODY}" not found'
    missing = {"type": "simulationSuite", "simulationSuiteId": NOBODY}
    assert told(simulations=[missing]) == f'Simulation suite with ID "{NOBODY}" not found'
    assert told(simulations=[{"type": "simulation"}]).startswith("Need either scenarioId or scenario")
    assert bench.vapi.get(f"{path}/{NOBODY}").status_code == 404


def test_wrong_orders_are_refused(bench: Bench) -> None:
    for order in ({"outcome": "lost"}, {"name": "("}, {"often": 2}, {"what": "call"}):
        with pytest.raises(ValueError, match=r"outcome|expression|what"):
            bench.control.outcome(**{"outcome": "", **order})
    id_ = bench.control.outcome("failed")
    assert [order["id"] for order in bench.control.outcomes()] == [id_]
    bench.control.clear_outcomes(id_)
    assert bench.control.outcomes() == []


def test_runs_that_ended_long_ago_are_forgotten(bench: Bench) -> None:
    bench.control.switches(kept_runs=2)
    id_, simulated = agent(bench), simulation(bench, scenario(bench, '"Saturday"'))
    bench.control.outcome("hang", nth=[1])
    made = [run(bench, id_, simulated)["id"] for _ in range(5)]
    left = [made[0], *made[2:]]  # what hangs stays, and one ended after the last look
    assert [found["id"] for found in look(bench, "/eval/simulation/run")] == left[::-1]
    assert {item["runId"] for item in bench.control.objects("/eval/simulation/run/{id}/item")} == set(left)
    assert len(bench.control.objects("/call")) == 3
