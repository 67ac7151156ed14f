"""A small shop in the sandbox: an agent with a tool, and what tests it."""

from __future__ import annotations

from typing import Any

from tests.sandbox.sandbox_bench import Bench

STOCK = "a0000000-0000-4000-8000-000000000001"
PROMPT = "You answer for a shop. We are open Monday to Saturday, nine to six.\nUse lookupOrder for parcels."
LOOKUP = {
    "type": "function",
    "function": {
        "name": "lookupOrder",
        "description": "Find an order by its number.",
        "parameters": {
            "type": "object",
            "properties": {"orderNumber": {"type": "string"}},
            "required": ["orderNumber"],
        },
    },
}


def agent(bench: Bench, prompt: str = PROMPT, **more: Any) -> str:
    """The shop's agent, with its tool."""
    tool = bench.make("/tool", LOOKUP)
    messages = [{"role": "system", "content": prompt}]
    model = {"provider": "openai", "model": "gpt-4o", "toolIds": [tool["id"]], "messages": messages}
    return str(bench.make("/assistant", {"name": "shop", "firstMessage": "Hello!", "model": model, **more})["id"])


def criterion(text: str, **more: Any) -> dict[str, Any]:
    """An evaluation that a judge decides."""
    output = {"name": "judged", "schema": {"type": "boolean", "description": text}}
    return {"structuredOutput": output, "comparator": "=", "value": True, **more}


def scenario(bench: Bench, *wanted: str, says: str = "say: When are you open?", **more: Any) -> str:
    """A scenario that wants this to be said or called."""
    body = {"name": "hours", "instructions": says, "evaluations": [criterion(text) for text in wanted], **more}
    return str(bench.make("/eval/simulation/scenario", body)["id"])


def simulation(bench: Bench, scenario_id: str, name: str = "") -> str:
    """A simulation of a scenario, with a stock personality."""
    body = {"scenarioId": scenario_id, "personalityId": STOCK, **({"name": name} if name else {})}
    return str(bench.make("/eval/simulation", body)["id"])


def run(bench: Bench, agent_id: str, *simulations: str, **more: Any) -> dict[str, Any]:
    """A run of simulations against the agent, as it was answered."""
    entries = [{"type": "simulation", "simulationId": id_} for id_ in simulations]
    target = {"type": "assistant", "assistantId": agent_id}
    return bench.make("/eval/simulation/run", {"simulations": entries, "target": target, **more})


def look(bench: Bench, path: str, **params: Any) -> Any:
    """What a GET answers."""
    response = bench.vapi.get(path, params=params)
    assert response.status_code == 200, response.text
    return response.json()


def items(bench: Bench, run_id: str, **params: Any) -> list[dict[str, Any]]:
    """The simulations of a run, in order."""
    found: list[dict[str, Any]] = look(bench, f"/eval/simulation/run/{run_id}/item", **params)
    return found[::-1]
