"""What handlers choose: names become live ids, and what Vapi would refuse is a fallback and a line in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import AgentSpec, LineSpec, Serving, Told, serving, spec_of, tool
from voiceops.runtime.messages.answer_check import refused
from voiceops.runtime.messages.choices import NO_TRANSFER
from voiceops.runtime.messages.questions import UNAVAILABLE

DESK, TEAM = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"
FALLBACK = {"type": "number", "number": "+14155550199"}
HANDLERS = """
import json
from pathlib import Path
HERE = Path(__file__).with_name("value.json")
def given(call=None): return json.loads(HERE.read_text())
def choose(call): return given()
def where(call): return given()
def hand(call): return given()
@on_knowledge_base_request
def known(call): return given()
@answers("call.endpointing.request")
def pause(call): return given()
@answers("campaign.predial")
def dial(call): return given()
"""
SPEC = spec_of(
    tool("transfer", "h:where", type="transferCall"),
    tool("hand", "h:hand", type="handoff"),
    lines=(
        LineSpec(address="Phone/a", path="a", number="+14155550100", handler="h:choose", fallback=FALLBACK),
        LineSpec(address="Phone/b", path="b", number="+14155550101", handler="h:choose"),
        LineSpec(address="Phone/c", path="c", number="+14155550102", handler="h:choose", target="Agent/desk"),
    ),
    agents=(AgentSpec(address="Agent/desk", name="Front desk (dev)"), AgentSpec(address="Squad/team", name="team")),
)


TOLD = Told()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("choices")
    with serving(folder, SPEC, HANDLERS, known={"Agent/desk": DESK, "Squad/team": TEAM}, observers=(TOLD,)) as found:
        yield found


@pytest.fixture
def log() -> list[str]:
    TOLD.failed.clear()
    return TOLD.failed


def ask(server: Serving, kind: str, value: Any, number: str = "+14155550100") -> Any:
    folder = Path(server.parts.settings.database).parent
    next(folder.glob("handlers-*")).joinpath("value.json").write_text(json.dumps(value))
    answer = server.message(kind, phoneNumber={"number": number}, messages=[], parameters={})
    assert answer.status == 200
    return answer.data


VALUES = {"variableValues": {"who": "Ada"}}


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("desk", {"assistantId": DESK}),
        ("Agent/desk", {"assistantId": DESK}),
        ("Front desk (dev)", {"assistantId": DESK}),
        ("team", {"squadId": TEAM}),
        (OTHER, {"assistantId": OTHER}),
        ("+14155550111", {"destination": {"type": "number", "number": "+14155550111"}}),
        ("sip:desk@example.com", {"destination": {"type": "sip", "sipUri": "sip:desk@example.com"}}),
        ({"assistantId": "desk"}, {"assistantId": DESK}),
        ({"assistantId": OTHER}, {"assistantId": OTHER}),
        ({"squadId": "team"}, {"squadId": TEAM}),
        ({"assistant": "desk"}, {"assistantId": DESK}),
        ({"assistantName": "desk"}, {"assistantId": DESK}),
        ({"agent": "desk"}, {"assistantId": DESK}),
        ({"agent": OTHER}, {"assistantId": OTHER}),
        ({"agent": "desk", "overrides": VALUES}, {"assistantId": DESK, "assistantOverrides": VALUES}),
        ({"squad": "team", "overrides": VALUES}, {"squadId": TEAM, "squadOverrides": VALUES}),
        ({"squadId": TEAM, "overrides": VALUES}, {"squadId": TEAM, "squadOverrides": VALUES}),
        ({"agent": "desk", "variables": {"who": "Ada"}}, {"assistantId": DESK, "assistantOverrides": VALUES}),
        (
            {"agent": "desk", "overrides": {"firstMessage": "Hi"}, "variables": {"who": "Ada"}},
            {"assistantId": DESK, "assistantOverrides": {"firstMessage": "Hi", **VALUES}},
        ),
        ({"assistantId": "desk", "assistantOverrides": VALUES}, {"assistantId": DESK, "assistantOverrides": VALUES}),
        ({"assistant": {"firstMessage": "Hello"}}, {"assistant": {"firstMessage": "Hello"}}),
        ({"error": "We are closed."}, {"error": "We are closed."}),
        ({"destination": FALLBACK}, {"destination": FALLBACK}),
    ],
)
def test_a_choice_becomes_vapis_answer(server: Serving, log: list[str], value: Any, answer: dict[str, Any]) -> None:
    assert ask(server, "assistant-request", value) == answer
    assert log == []
    assert refused("assistant-request", answer) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nobody", "there is no agent or squad 'nobody'"),
        ({"assistantId": "nobody"}, "there is no agent 'nobody'"),
        ({"squadId": "desk"}, "there is no squad 'desk'"),
        ({"agent": "team"}, "there is no agent 'team'"),
        ({"agent": "desl"}, "there is no agent 'desl'. Did you mean desk?"),
        ({"agent": "desk", "squad": "team"}, "chose two"),
        ({"agent": {"name": "desk"}}, "agent must be a name, not dict"),
        ({"agent": 7}, "agent must be a name, not int"),
        ({"agent": "desk", "assistantId": OTHER}, "chose two"),
        ({"agent": "desk", "assistant": "desk"}, "chose two"),
        ({"agent": "desk", "overrides": "x"}, "overrides must be a map"),
        ({"agent": "desk", "variables": ["x"]}, "variables must be a map"),
        ({"agent": "desk", "greeting": "Hi"}, "greeting: unknown key"),
        ({"agentId": "desk"}, "the handler chose nobody: it gave agentId"),
        ({"assistant": {"firstMesage": "Hi"}}, "assistant.firstMesage: unknown key firstMesage"),
        ({"assistant": {"model": {"provider": "openai", "model": 5}}}, "assistant.model.model"),
        ({"assistant": {"model": {"provider": "openai", "model": "gpt-4o", "toolIds": ["look"]}}}, "'look' is no id"),
        ({"assistant": {"maxDurationSeconds": "long"}}, "assistant.maxDurationSeconds"),
        ({"agent": "desk", "overrides": {"voice": {"provider": "nobody"}}}, "assistantOverrides.voice"),
        ({"destination": {"type": "number"}}, "destination: number is missing"),
        ({"destination": {"type": "pigeon"}}, "destination.type"),
        ({"destination": "+14155550111"}, "destination: must be a map"),
        ({"error": 5}, "error: must be a text"),
        ({}, "the handler chose nobody"),
        (None, "the handler chose nobody"),
        ([], "a handler's choice is a name or a map, not list"),
        (5, "not int"),
        (True, "not bool"),
    ],
)
def test_what_vapi_would_refuse_is_a_fallback_and_a_line(
    server: Serving, log: list[str], value: Any, said: str
) -> None:
    assert ask(server, "assistant-request", value) == {"destination": FALLBACK}
    assert ask(server, "assistant-request", value, "+14155550101") == {"error": UNAVAILABLE}
    assert len(log) == 2
    assert said in log[0]
    assert "\n" not in log[0]


def test_a_line_with_an_agent_of_its_own(server: Serving, log: list[str]) -> None:
    assert ask(server, "assistant-request", None, "+14155550102") == {"assistantId": DESK}
    own = ask(server, "assistant-request", {"variables": {"who": "Ada"}}, "+14155550102")
    assert own == {"assistantId": DESK, "assistantOverrides": VALUES}
    assert log == []


LIVE = {"type": "assistant", "assistantName": "Front desk (dev)"}


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("desk", {"destination": LIVE}),
        ({"agent": "desk"}, {"destination": LIVE}),
        ({"type": "assistant", "assistantName": "desk"}, {"destination": LIVE}),
        ({"destination": {"type": "assistant", "assistantName": "desk"}}, {"destination": LIVE}),
        ({"type": "number", "number": "+14155550111"}, {"destination": {"type": "number", "number": "+14155550111"}}),
        ({"type": "number", "phone": "+1"}, {"error": NO_TRANSFER}),
        ({"type": "assistant", "assistantName": "nobody"}, {"error": NO_TRANSFER}),
        ({"number": "+14155550111"}, {"error": NO_TRANSFER}),
    ],
)
def test_transfers(server: Serving, value: Any, answer: Any) -> None:
    assert ask(server, "transfer-destination-request", value) == answer


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("desk", {"destination": {"type": "assistant", "assistantId": DESK}}),
        ({"agent": "desk"}, {"destination": {"type": "assistant", "assistantId": DESK}}),
        ({"squad": "team"}, {"destination": {"type": "squad", "squadId": TEAM}}),
        ({"type": "assistant", "assistantId": "desk"}, {"destination": {"type": "assistant", "assistantId": DESK}}),
        ({"type": "squad", "squadId": "team"}, {"destination": {"type": "squad", "squadId": TEAM}}),
        ({"type": "assistant", "assistantId": "nobody"}, {"error": NO_TRANSFER}),
        ({"type": "assistant", "assistantIdd": "desk"}, {"error": NO_TRANSFER}),
    ],
)
def test_handoffs(server: Serving, value: Any, answer: Any) -> None:
    assert ask(server, "handoff-destination-request", value) == answer


@pytest.mark.parametrize(
    ("kind", "value", "answer"),
    [
        ("knowledge-base-request", [{"content": "x"}], {"documents": []}),
        ("knowledge-base-request", [{"text": "x", "similarity": 1}], {"documents": []}),
        ("knowledge-base-request", [5], {"documents": []}),
        ("call.endpointing.request", 40, {"timeoutSeconds": 0.5}),
        ("call.endpointing.request", {"seconds": 1}, {"timeoutSeconds": 0.5}),
        ("call.endpointing.request", 1.5, {"timeoutSeconds": 1.5}),
        ("campaign.predial", {"eligible": "yes"}, {"eligible": False}),
        ("campaign.predial", True, {"eligible": True}),
    ],
)
def test_other_questions(server: Serving, kind: str, value: Any, answer: Any) -> None:
    assert ask(server, kind, value) == answer


def test_what_the_project_allows_passes(tmp_path: Path) -> None:
    from dataclasses import replace

    newer = {"assistant": {"firstMessage": "Hi", "newerThanTheSchema": True}}
    with serving(tmp_path, replace(SPEC, allow_unknown=True), HANDLERS, known={"Agent/desk": DESK}) as lenient:
        assert ask(lenient, "assistant-request", newer) == newer
    assert refused("assistant-request", newer)
    assert not refused("assistant-request", newer, allow_unknown=True)
    assert replace(SPEC, allow_unknown=True) == type(SPEC).from_data(replace(SPEC, allow_unknown=True).to_data())


def test_a_line_that_the_runtime_answers(tmp_path: Path) -> None:
    """The call is made at Vapi only with what Vapi takes; else the line's fallback answers, and says so."""
    line = LineSpec(
        address="Phone/r", path="r", number="+14155550103", answer="runtime", handler="h:choose", fallback=FALLBACK
    )
    spec = spec_of(lines=(line,), agents=SPEC.agents)
    with serving(tmp_path, spec, HANDLERS, known={"Agent/desk": DESK}) as server:
        for value in (
            {"agent": "desk", "greeting": "Hi"},
            {"assistantId": "nobody"},
            {"agent": "desk", "overrides": 5},
        ):
            folder = Path(server.parts.settings.database).parent
            next(folder.glob("handlers-*")).joinpath("value.json").write_text(json.dumps(value))
            twiml = server.twilio("/twilio/voice/r", {"From": "+14155550111", "To": "+14155550103"}).text
            assert "<!-- fallback -->" in twiml
            assert "+14155550199" in twiml
