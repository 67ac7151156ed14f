"""A project with every kind that an agent's tests, documents and pronunciations are made of, and what uses them."""

from __future__ import annotations

from typing import Any

from tests.support.bench import Bench

FILES = """\
kind: File
name: menu
spec: {path: menu.md, purpose: knowledge-base-v2, metadata: {season: autumn, pages: 2}}
---
kind: File
name: wines
spec: {path: wines.txt, name: Our wines}
---
kind: KnowledgeBase
name: house
spec:
  description: What guests ask.
  files: [menu, wines]
---
kind: Tool
name: look-up
spec:
  type: query
  function: {name: lookUp}
  knowledgeBases: [{provider: google, name: menu, description: The menu, fileIds: [menu]}]
"""

VOICES = """\
kind: Dictionary
name: names
spec:
  provider: 11labs
  rules:
    - {type: alias, stringToReplace: Beaune, alias: Bone}
---
kind: Dictionary
name: dishes
spec:
  provider: cartesia
  items: [{text: Gnocchi, alias: NYOH-kee}]
---
kind: Agent
name: waiter
spec:
  firstMessage: Good evening.
  model: {provider: openai, model: gpt-4o, systemPrompt: Be short., toolIds: [look-up, KnowledgeBase/house]}
  voice:
    provider: 11labs
    voiceId: sarah
    pronunciationDictionaryLocators: [{pronunciationDictionaryId: names}]
    fallbackPlan: {voices: [{provider: cartesia, voiceId: a-voice, pronunciationDictId: dishes}]}
---
kind: Agent
name: host
spec:
  model: {provider: openai, model: gpt-4o}
  voice:
    provider: vapi
    voiceId: Elliot
    pronunciationDictionary: [{pronunciationDictId: dishes}, {pronunciationDictId: names}]
"""

JUDGED = """\
kind: StructuredOutput
name: seated
spec: {schema: {type: boolean}}
---
kind: Scorecard
name: service
spec:
  description: Was the guest served?
  metrics:
    - structuredOutputId: seated
      conditions: [{type: comparator, comparator: "=", value: true, points: 100}]
  assistantIds: [waiter]
---
kind: Personality
name: hungry
spec:
  assistant:
    model: {provider: openai, model: gpt-4o, systemPrompt: You are hungry., toolIds: [look-up]}
---
kind: Scenario
name: table-for-two
spec:
  instructions: Ask for a table for two.
  evaluations: [{structuredOutputId: seated, comparator: "=", value: true}]
---
kind: Simulation
name: hungry-couple
spec: {scenarioId: table-for-two, personalityId: hungry}
---
kind: Simulation
name: calm-couple
spec: {scenarioId: table-for-two, personalityId: a0000000-0000-4000-8000-000000000001}
---
kind: SimulationSuite
name: evening
spec:
  simulationIds: [hungry-couple, calm-couple]
  slackWebhookUrl: ${secret:SLACK_HOOK}
  targetAssignments: [{targetType: assistant, targetId: waiter}]
---
kind: Eval
name: greets
spec:
  type: chat.mockConversation
  description: Greets back.
  messages:
    - {role: user, content: Hello}
    - {role: assistant, judgePlan: {type: exact, content: Good evening.}}
"""

COUNT = 16  # resources of the three
COLLECTIONS = (
    "/file",
    "/v2/knowledge-base",
    "/provider/11labs/pronunciation-dictionary",
    "/provider/cartesia/pronunciation-dictionary",
    "/tool",
    "/assistant",
    "/structured-output",
    "/observability/scorecard",
    "/eval/simulation/personality",
    "/eval/simulation/scenario",
    "/eval/simulation",
    "/eval/simulation/suite",
    "/eval",
)


def is_ours(live: dict[str, Any]) -> bool:
    """Neither Vapi's stock nor the tool that a knowledge base comes with."""
    return live.get("orgId") is not None and live.get("type") != "knowledgeBase"


def library(made: Bench) -> None:
    """All of it, with the files."""
    made.write("agents/menu.md", "# Menu\n\nGnocchi 14\n")
    made.write("agents/wines.txt", "Beaune 2019\n")
    for name, text in (("files", FILES), ("voices", VOICES), ("judged", JUDGED)):
        made.write(f"agents/{name}.yaml", text)
