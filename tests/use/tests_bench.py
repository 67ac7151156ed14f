"""A project with suites, evals and call scripts, applied to a sandbox: for tests of `test`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.bench import Bench, Ran, bench
from tests.support.quick import quick

AGENT = """\
kind: Agent
name: desk
spec:
  firstMessage: Hello, this is the shop.
  model: {provider: openai, model: gpt-4o, systemPrompt: We are open from nine to six.}
---
kind: Phone
name: main
spec: {provider: vapi, numberDesiredAreaCode: "415", agent: desk}
---
kind: Personality
name: calm
spec: {assistant: {model: {provider: openai, model: gpt-4o}}}
"""
EVAL = """\
kind: Eval
name: hours
spec:
  agent: desk
  type: chat.mockConversation
  messages:
    - {role: user, content: When are you open?}
    - {role: assistant, judgePlan: {type: regex, content: /nine to six/i}}
"""
SCRIPT = "agent: desk\nsteps:\n  - caller: When are you open?\n  - tool: hours\n    expect: nine\n  - hangup\n"
RUNTIME = """\
version: 1
project: shop
environments: [live]
runtime: {url: "https://voice.example"}
"""


def suite(name: str, *simulations: str, asks: str = "When are you open?", hears: str = "nine to six") -> str:
    """A suite that calls the desk, with simulations of its own that pass as the desk is."""
    played = f"spec: {{scenarioId: {name}-asks, personalityId: calm}}\n"
    parts = [f"kind: Simulation\nname: {one}\n{played}" for one in simulations]
    judged = "{name: told, schema: {type: boolean, description: 'The caller hears \"" + hears + "\".'}}"
    scenario = (
        f"kind: Scenario\nname: {name}-asks\nspec:\n  instructions: 'say: {asks}'\n  evaluations:\n"
        f"    - structuredOutput: {judged}\n"
        '      comparator: "="\n      value: true\n'
    )
    whole = (
        f"kind: SimulationSuite\nname: {name}\nspec:\n  simulationIds: [{', '.join(simulations)}]\n"
        "  targetAssignments: [{targetType: assistant, targetId: desk}]\n"
    )
    return "---\n".join([scenario, *parts, whole])


@contextmanager
def desk_shop(folder: Path, *manifests: str, settle: float = 1.5, **switches: Any) -> Iterator[Bench]:
    """The desk and these manifests, applied. Waits are short, and the log of requests is empty."""
    with quick(settle=settle), bench(folder, **switches) as made:
        made.write("agents/all.yaml", "---\n".join([AGENT, *manifests]))
        made.apply()
        made.control.reset_requests()
        yield made


def verdicts(ran: Ran) -> dict[str, str]:
    """What `test --format json` says of each test."""
    return {result["name"]: result["verdict"] for result in json.loads(ran.out)["results"]}
