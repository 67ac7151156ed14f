"""By which manifests a call was answered, as the revision of its time kept them."""

from __future__ import annotations

import pytest

from voiceops.calls.in_force import InForce, manifests_in_force
from voiceops.calls.record import CallRecord, Spoken, ToolUse
from voiceops.errors import Mark, StateError
from voiceops.model.graph import Graph, Resource
from voiceops.model.values import Path
from voiceops.render.call_list import call_details, render_call

PROMPT: Path = ("model", "messages", 0, "content")


def agent(name: str, line: int) -> Resource:
    return Resource(
        address=f"Agent/{name}",
        kind="Agent",
        type="vapi_assistant",
        name=name,
        body={"firstMessage": "Hello.", "model": {"messages": [{"role": "system", "content": "Be kind."}]}},
        mark=Mark("agents/a.yaml", line, 1),
        sources={
            ("firstMessage",): Mark("agents/a.yaml", line + 2, 3, "spec.firstMessage"),
            PROMPT: Mark("agents/a.yaml", line + 3, 5, "spec.model.systemPrompt"),
            ("model", "messages"): Mark("agents/a.yaml", line + 3, 5, "spec.model.systemPrompt"),
        },
    )


def graph() -> Graph:
    tool = Resource(
        address="Tool/lookup",
        kind="Tool",
        type="vapi_tool",
        name="lookupOrder",
        body={"function": {"name": "lookupOrder"}},
        mark=Mark("agents/tools.yaml", 7, 1),
        handler="orders:lookup",
    )
    desk, returns = agent("desk", 1), agent("returns", 20)
    texts = {desk.sources[PROMPT]: Mark("agents/prompts/desk.md", 1, 1)}
    return Graph("shop", "live", {one.address: one for one in (desk, returns, tool)}, texts=texts)


CALL = CallRecord(
    id="c1",
    agent="desk",
    assistant_id="a-1",
    assistant_version="v2",
    revision=4,
    turns=(
        Spoken(role="agent", at=0.0, text="Hello.", agent="a-1"),
        Spoken(role="caller", at=1.0, text="I send it back."),
        Spoken(role="agent", at=2.0, text="Which one?", agent="a-2"),
        Spoken(role="agent", at=3.0, text="Gone.", agent="a-3"),
    ),
    tools=(ToolUse(id="t", name="lookupOrder", at=1.5), ToolUse(id="u", name="other", at=1.6)),
)
IDS = {"a-1": "Agent/desk", "a-2": "Agent/returns"}


@pytest.mark.parametrize("kept", [False, True], ids=["from the manifests", "from a revision"])
def test_each_answer_has_its_prompt_and_each_tool_its_manifest(kept: bool) -> None:
    known = Graph.from_data(graph().to_data()) if kept else graph()
    found = manifests_in_force(CALL, known, IDS)
    assert found.manifests == {
        "Agent/desk": "agents/a.yaml:1",
        "Agent/returns": "agents/a.yaml:20",
        "Tool/lookup": "agents/tools.yaml:7",
    }
    assert found.prompts == {"Agent/desk": "agents/prompts/desk.md:1", "Agent/returns": "agents/a.yaml:23"}
    told = call_details(CALL, found)
    assert [(t.get("agent"), t.get("assistantVersion"), t.get("prompt")) for t in told["turns"]] == [
        ("desk", "v2", "agents/prompts/desk.md:1"),
        (None, None, None),
        ("returns", None, "agents/a.yaml:23"),  # Vapi tells the version of the agent that took the call alone
        (None, None, None),
    ]
    assert [tool["manifest"] for tool in told["tools"]] == ["Tool/lookup, agents/tools.yaml:7", None]
    printed = render_call(CALL, in_force=found)
    assert "handler      orders:lookup" in printed
    assert printed.index("I send it back.") < printed.index("Agent/returns speaks, agents/a.yaml:23")


def test_what_a_revision_keeps_for_it_changes_no_digest() -> None:
    bare = Graph("shop", "live", graph().resources)
    assert graph().digest == bare.digest == Graph.from_data(graph().to_data()).digest


def test_an_older_revision_is_read_and_has_no_prompts() -> None:
    data = graph().to_data()
    for resource in data["resources"]:
        resource.pop("prompts", None)
    found = manifests_in_force(CALL, Graph.from_data(data), IDS)
    assert found.manifests["Agent/desk"] == "agents/a.yaml:1"
    assert found.prompts == {}
    assert "prompt " not in render_call(CALL, in_force=found)


@pytest.mark.parametrize("prompts", [{"model..": "a.md:1"}, {"model": "a.md"}, {"model": "a.md:one"}])
def test_places_that_are_none_are_no_revision(prompts: dict[str, str]) -> None:
    data = graph().to_data()
    data["resources"][0]["prompts"] = prompts
    with pytest.raises(StateError):
        Graph.from_data(data)


def test_nothing_is_said_where_no_revision_is_known() -> None:
    assert call_details(CALL)["manifests"] == {}
    assert "agent" not in call_details(CALL, InForce())["turns"][0]
