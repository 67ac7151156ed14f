"""Latency and cost by agent, before and after; budgets; what a project may correct."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import World, agent, codes, graph, phone, twilio_line
from voiceops.engine.review.estimate import Table, estimate, estimates
from voiceops.engine.review.plan_checks import Budgets, Checks, checked
from voiceops.kinds.schema import facts
from voiceops.model.graph import Graph
from voiceops.model.plan import Plan

TABLE = Table.of()
BODY: dict[str, Any] = {
    "model": {"provider": "openai", "model": "gpt-4.1-mini"},
    "voice": {"provider": "11labs", "model": "eleven_turbo_v2_5", "voiceId": "sarah"},
    "transcriber": {"provider": "deepgram", "model": "nova-2", "endpointing": 200},
    "startSpeakingPlan": {"smartEndpointingPlan": {"provider": "livekit"}},
}


HALF = {"onPunctuationSeconds": 0.5, "onNoPunctuationSeconds": 0.5}
ODD: list[dict[str, Any]] = [
    {},
    {"model": None},
    {"model": "x", "voice": [], "transcriber": 3},
    {"startSpeakingPlan": 1},
]


def of(lines: tuple[tuple[str, str], ...] = (), /, **body: Any) -> Any:
    return estimate({**BODY, **body}, lines, TABLE)


def test_the_parts_add_up() -> None:
    found = of((("twilio", "+14155550100"),))

    assert found.latency == {"transcriber": 200, "endpointing": 450, "model": 450, "voice": 275, "network": 150}
    assert found.turn_latency_ms == 1525
    assert set(found.cost) == {"platform", "transcriber", "model", "voice", "telephony"}
    assert found.cost_per_minute == pytest.approx(sum(found.cost.values()), abs=1e-4)
    assert found.assumed == ()


@pytest.mark.parametrize(
    ("body", "part", "value"),
    [
        ({"model": {"provider": "openai", "model": "gpt-4.1-2025-04-14"}}, "model", 600),
        ({"model": {"provider": "openai", "model": "gpt-4o-mini-cluster"}}, "model", 450),
        ({"voice": {"provider": "11labs", "model": "eleven_flash_v2_5"}}, "voice", 200),
        ({"startSpeakingPlan": {}}, "endpointing", 650),
        ({"startSpeakingPlan": {"smartEndpointingEnabled": True}}, "endpointing", 500),
        ({"startSpeakingPlan": {"smartEndpointingEnabled": "livekit"}}, "endpointing", 450),
        (
            {
                "startSpeakingPlan": {
                    "transcriptionEndpointingPlan": {"onPunctuationSeconds": 0.5, "onNoPunctuationSeconds": 0.5}
                }
            },
            "endpointing",
            700,
        ),
        ({"transcriber": {"provider": "deepgram", "model": "flux-general-en"}}, "endpointing", 250),
        ({"transcriber": {"provider": "deepgram", "model": "nova-3"}}, "endpointing", 260),
    ],
)
def test_what_a_part_takes(body: dict[str, Any], part: str, value: int) -> None:
    assert of(**body).latency[part] == value


def test_wait_seconds_are_a_minimum() -> None:
    assert "wait" not in of(startSpeakingPlan={"waitSeconds": 0.7}).latency
    assert of(startSpeakingPlan={"waitSeconds": 1.0}).latency["wait"] == 1000 - 450 - 275


def test_what_the_table_does_not_list_is_named() -> None:
    found = of(model={"provider": "new-ai", "model": "x"}, voice={"provider": "11labs", "model": "eleven_v9"})

    assert found.assumed == ("model", "voice")
    assert found.latency["model"] == 800
    assert found.latency["voice"] == 350


def test_speech_to_speech_needs_neither_transcriber_nor_voice() -> None:
    found = of(model={"provider": "openai", "model": "gpt-realtime-2025-08-28"})

    assert found.latency["transcriber"] == found.latency["voice"] == found.latency["endpointing"] == 0
    assert "voice" not in found.cost


@pytest.mark.parametrize(
    "body", [{}, {"model": None}, {"model": "x", "voice": [], "transcriber": 3}, {"startSpeakingPlan": 1}]
)
def test_any_body_has_an_estimate(body: dict[str, Any]) -> None:
    assert estimate(body, (), TABLE).turn_latency_ms > 0


def test_a_longer_prompt_costs_more() -> None:
    short, long = (
        of(model=BODY["model"] | {"messages": [{"role": "system", "content": "x" * size}]}) for size in (100, 40_000)
    )

    assert long.cost["model"] > short.cost["model"] * 3


def planned(desired: Graph, world: World | None = None, **checks: Any) -> Plan:
    force = checks.pop("force", False)
    return checked((world or World()).plan(desired, force=True), desired, Checks(**checks), force=force)


SLOW = BODY | {"model": {"provider": "openai", "model": "gpt-4"}}


def test_before_and_after() -> None:
    world = World()
    for item in (agent("changed", **BODY), agent("same", **BODY), agent("gone", **BODY)):
        world.manage(item)
    desired = graph(agent("changed", **SLOW), agent("same", **BODY), agent("new", **BODY))

    found = {
        e.address: (e.before and e.before.turn_latency_ms, e.after and e.after.turn_latency_ms)
        for e in estimates(world.plan(desired, force=True), desired, TABLE).agents
    }

    assert found == {
        "Agent/changed": (1450, 2200),
        "Agent/same": (1450, 1450),
        "Agent/gone": (1450, None),
        "Agent/new": (None, 1450),
    }


def test_numbers_are_paid_for_while_the_account_has_them() -> None:
    world = World()
    kept = phone("kept", None, number="+14155550101", provider="vonage")
    gone = phone("gone", None, number="+14155550102", provider="telnyx")
    world.manage(kept)
    world.manage(gone)
    bought = twilio_line("bought", "+18005550103", None, purchase=True)
    desired = graph(kept, bought)

    found = planned(desired, world).estimates

    assert found is not None
    assert (found.numbers_before, found.numbers_after) == (2.0, 1.0 + 2.15)


def test_a_number_that_stays_with_twilio_is_still_paid_for() -> None:
    world = World()
    for item in twilio_line("line", target=None):
        world.manage(item)

    found = planned(graph(), world).estimates

    assert found is not None
    assert (found.numbers_before, found.numbers_after) == (1.15, 1.15)


@pytest.mark.parametrize(
    ("budgets", "found"),
    [
        (Budgets(), []),
        (Budgets(turn_latency_ms=2200, cost_per_minute=9), []),
        (Budgets(turn_latency_ms=2199), ["budget"]),
        (Budgets(cost_per_minute=0.1), ["budget"]),
        (Budgets(turn_latency_ms=1000, cost_per_minute=0.1), ["budget", "budget"]),
    ],
)
def test_budgets(budgets: Budgets, found: list[str]) -> None:
    plan = planned(graph(agent("a", **SLOW)), budgets=budgets)

    assert codes(plan) == found
    assert plan.applyable is not bool(found)


def test_force_passes_a_budget_and_says_so() -> None:
    plan = planned(graph(agent("a", **SLOW)), budgets=Budgets(turn_latency_ms=1000), force=True)

    assert plan.applyable
    assert [d.severity for d in plan.diagnostics] == ["warning"]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (SLOW, SLOW, []),  # nothing is changed
        (SLOW, SLOW | {"firstMessage": "x"}, ["error"]),  # as slow as before
        (SLOW, BODY, ["warning"]),  # better, and still too slow
        (BODY, SLOW, ["error"]),
    ],
)
def test_a_budget_is_about_what_the_plan_changes(
    before: dict[str, Any], after: dict[str, Any], found: list[str]
) -> None:
    world = World()
    world.manage(agent("a", **before))

    plan = planned(graph(agent("a", **after)), world, budgets=Budgets(turn_latency_ms=1000))

    assert [d.severity for d in (*plan.refusals, *plan.diagnostics)] == found


def test_the_table_is_complete() -> None:
    table = facts("estimates")

    for section, figures in (
        ("transcribers", {"latencyMs", "costPerMinute"}),
        ("models", {"latencyMs", "inputPerMillion", "outputPerMillion"}),
        ("voices", {"latencyMs", "perThousandCharacters"}),
        ("telephony", {"costPerMinute", "perMonth"}),
    ):
        for provider, entry in table[section].items():
            assert figures <= set(entry), (section, provider)
            for name, model in entry.get("models", {}).items():
                assert figures <= {*entry, *model} or "speechPerMinute" in model, (section, provider, name)
        assert "default" in table[section]


@pytest.mark.parametrize("section", ["Transcriber", "Voice", "Model"])
def test_the_table_lists_the_providers_that_vapi_has(section: str) -> None:
    known = set(facts("vapi")["roots"][section]["variants"])

    listed = set(facts("estimates")[f"{section.lower()}s"]) - {"default"}
    assert listed == known


PROJECT = """
version: 1
project: shop
providers: sandbox
estimates:
  currency: EUR
  models: {openai: {models: {gpt-4.1: {latencyMs: 111}}}}
  network: {latencyMs: 9}
safety: {maxTurnLatencyMs: 900}
"""
AGENT = """
kind: Agent
name: desk
spec:
  firstMessage: Hello.
  model: {provider: openai, model: gpt-4.1, systemPrompt: Be kind.}
  voice: {provider: 11labs, voiceId: sarah, model: eleven_turbo_v2_5}
  transcriber: {provider: deepgram, model: flux-general-en, language: en}
"""


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "voiceops", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_project_corrects_the_table_and_sets_budgets(tmp_path: Path) -> None:
    (tmp_path / "voiceops.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "desk.yaml").write_text(AGENT, encoding="utf-8")

    planned_ = run(tmp_path, "plan", "--format", "json")
    text = run(tmp_path, "plan")
    (tmp_path / "voiceops.yaml").write_text(PROJECT.replace("900", "500"), encoding="utf-8")
    refused = run(tmp_path, "apply", "--auto-approve")
    forced = run(tmp_path, "apply", "--auto-approve", "--force")

    data = json.loads(planned_.stdout)
    assert data["applyable"] is True, data["diagnostics"]
    assert data["estimates"]["currency"] == "EUR"
    (agent_,) = data["estimates"]["agents"]
    assert agent_["before"] is None
    assert agent_["after"]["latencyParts"]["model"] == 111
    assert agent_["after"]["turnLatencyMs"] == sum(agent_["after"]["latencyParts"].values())
    assert "Agent/desk  809 ms · €" in text.stdout
    assert refused.returncode == 5
    assert "maxTurnLatencyMs allows 500" in refused.stderr
    assert forced.returncode == 0


def test_wrong_figures_are_named(tmp_path: Path) -> None:
    wrong = "version: 1\nproject: shop\nestimates: {models: {openai: {latencyMs: fast}}, voyces: {}}\n"
    (tmp_path / "voiceops.yaml").write_text(wrong, encoding="utf-8")

    ended = run(tmp_path, "validate")

    assert ended.returncode == 1
    assert "estimates.models.openai.latencyMs" in ended.stdout + ended.stderr
    assert "Did you mean voices?" in ended.stdout + ended.stderr


def test_the_settings_of_the_documentation(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "estimates.md").read_text(encoding="utf-8")
    blocks = [part.partition("```")[0] for part in text.split("```yaml\n")[1:]]
    (tmp_path / "voiceops.yaml").write_text("version: 1\nproject: shop\n" + "".join(blocks), encoding="utf-8")
    (tmp_path / "agents").mkdir()

    ended = run(tmp_path, "validate")

    assert len(blocks) == 2
    assert "estimates" not in ended.stdout + ended.stderr
    assert "safety" not in ended.stdout + ended.stderr
