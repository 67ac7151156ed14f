"""Which tests an environment has, whom each is about, and which a name, an agent or a sort chooses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.folder import Folder
from voiceops.errors import VoiceopsError
from voiceops.model.graph import Graph
from voiceops.runtime.spec import spec_of
from voiceops.simulate.script_file import read_script
from voiceops.testing.cases import Chosen, ReadScript, TestsWanted, choose, closure

UUID = "11111111-2222-4333-8444-555555555555"
MANIFESTS = f"""\
kind: Agent
name: desk
spec: {{model: {{provider: openai, model: gpt-4o, tools: [find]}}}}
---
kind: Agent
name: returns
spec: {{model: {{provider: openai, model: gpt-4o}}}}
---
kind: Squad
name: team
spec: {{members: [{{assistantId: desk}}, {{assistantId: returns}}]}}
---
kind: Tool
name: find
spec: {{type: function, function: {{name: find}}, server: runtime}}
---
kind: Phone
name: main
spec: {{provider: vapi, numberDesiredAreaCode: "415", squad: team}}
---
kind: Personality
name: calm
spec: {{assistant: {{model: {{provider: openai, model: gpt-4o}}}}}}
---
kind: Scenario
name: asks
spec:
  instructions: Ask.
  evaluations: [{{comparator: "=", value: true, structuredOutput: {{name: ok, schema: {{type: boolean}}}}}}]
---
kind: Simulation
name: one
spec: {{scenarioId: asks, personalityId: calm}}
---
kind: Simulation
name: two
spec: {{scenarioId: asks, personalityId: calm}}
---
kind: SimulationSuite
name: both
spec:
  simulationIds: [one, two]
  targetAssignments:
    - {{targetType: assistant, targetId: desk}}
    - {{targetType: squad, targetId: team}}
    - {{targetType: squad, targetId: team}}
---
kind: SimulationSuite
name: free
spec: {{simulationIds: [one, {UUID}, one]}}
---
kind: Eval
name: polite
spec: {{agent: returns, type: chat.mockConversation, messages: [{{role: user, content: Hi}}]}}
---
kind: Eval
name: short
spec: {{type: chat.mockConversation, messages: [{{role: user, content: Hi}}]}}
"""


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    folder = Folder(tmp_path)
    folder.write("agents/all.yaml", MANIFESTS)
    return folder.graph()


def scripts(graph: Graph) -> list[ReadScript]:
    spec = spec_of(graph, "https://voice.example", "hmac")
    text = "agent: desk\nsteps: [hangup]\n"
    return [
        ReadScript(name="order", file="tests/order.yaml", script=read_script(text, "tests/order.yaml", spec)),
        ReadScript(name="line", file="tests/line.yaml", script=read_script("steps: [hangup]", "line.yaml", spec)),
    ]


def names(graph: Graph, *given: str, agent: str = "", kinds: tuple[str, ...] = ()) -> list[str]:
    wanted = TestsWanted(names=given, agent=agent, kinds=kinds)  # type: ignore[arg-type]
    return [test.case.name for test in choose(graph, scripts(graph), wanted)]


BOTH = [f"both / {simulation} ({target})" for simulation in ("one", "two") for target in ("desk", "team")]


def test_all(graph: Graph) -> None:
    assert names(graph) == [*BOTH, "free / one", f"free / {UUID}", "polite", "short", "order", "line"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["both"], BOTH),
        (["SimulationSuite/both"], BOTH),
        (["both / two"], BOTH[2:]),
        (["both / two (team)"], BOTH[3:]),
        (["two"], BOTH[2:]),
        (["p*", "order"], ["polite", "order"]),
        (["Eval/short"], ["short"]),
        (["* (team)"], [BOTH[1], BOTH[3]]),
    ],
)
def test_by_name(graph: Graph, given: list[str], found: list[str]) -> None:
    assert names(graph, *given) == found


def test_by_sort_and_by_agent(graph: Graph) -> None:
    assert names(graph, kinds=("eval",)) == ["polite", "short"]
    assert names(graph, kinds=("script", "eval")) == ["polite", "short", "order", "line"]
    # A squad's tests are its members'; whatever names nobody is about the agent that was asked for.
    assert names(graph, agent="returns") == [
        BOTH[1], BOTH[3], "free / one", f"free / {UUID}", "polite", "short", "line",
    ]  # fmt: skip
    assert names(graph, agent="Squad/team", kinds=("suite",)) == [BOTH[1], BOTH[3], "free / one", f"free / {UUID}"]


@pytest.mark.parametrize(
    ("given", "agent", "kinds", "said"),
    [
        (["poliet"], "", (), "there is no test 'poliet' Did you mean polite?"),
        (["polite"], "", ("suite",), "there is no test 'polite' of this sort Known: both, free."),
        ([], "nobody", (), "there is no agent or squad 'nobody' Known: desk, returns, team."),
        (["order"], "returns", (), "there is no test 'order' of this sort"),
        (["pol[i]te"], "", (), "there is no test 'pol[i]te'"),  # an instance's name has brackets
    ],
)
def test_what_there_is_not(graph: Graph, given: list[str], agent: str, kinds: tuple[str, ...], said: str) -> None:
    with pytest.raises(VoiceopsError) as raised:
        names(graph, *given, agent=agent, kinds=kinds)
    assert f"{raised.value.summary} {raised.value.hint}".startswith(said)


def one(graph: Graph, name: str, agent: str = "") -> Chosen:
    (found,) = choose(graph, scripts(graph), TestsWanted(names=(name,), agent=agent))
    return found


def test_whom_a_test_is_about_and_which_lines_reach_it(graph: Graph) -> None:
    found = one(graph, "both / one (team)")
    assert found.case.agents == ("Squad/team", "Agent/desk", "Agent/returns")
    assert found.on_squad
    assert found.case.lines == ("Phone/main",)
    assert (found.case.agent_at, found.case.manifest) == ("agents/all.yaml:9", "agents/all.yaml:31")
    assert one(graph, "both / one (desk)").case.lines == ("Phone/main",)
    assert one(graph, "order").case.agents == ("Agent/desk",)
    assert one(graph, "line").case.agents[0] == "Squad/team"


def test_what_names_nobody_says_what_to_write_where(graph: Graph) -> None:
    assert one(graph, "short").why_not == (
        "the eval says not whom to test: write agent: NAME in agents/all.yaml:56, or give --agent"
    )
    assert "targetAssignments in agents/all.yaml:48" in one(graph, "free / one").why_not
    assert one(graph, "short", "desk").target == "Agent/desk"
    assert one(graph, "short", "desk").why_not == ""


def test_an_eval_is_about_the_only_agent(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(
        "agents/all.yaml",
        "kind: Agent\nname: a\nspec: {}\n---\nkind: Eval\nname: e\n"
        "spec: {type: chat.mockConversation, messages: [{role: user, content: Hi}]}\n",
    )
    (found,) = choose(folder.graph(), (), TestsWanted())
    assert (found.target, found.why_not) == ("Agent/a", "")


def test_a_test_reaches_what_its_parts_refer_to(graph: Graph) -> None:
    assert closure(graph, one(graph, "both / two (desk)")) >= {
        "SimulationSuite/both", "Simulation/two", "Scenario/asks", "Personality/calm", "Agent/desk", "Tool/find",
    }  # fmt: skip
    assert "Agent/returns" not in closure(graph, one(graph, "both / two (desk)"))
