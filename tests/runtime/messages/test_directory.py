"""Directory tool, whose line: told by number, live name or live id, and never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import AgentSpec, LineSpec, ToolSpec, serving, spec_of
from voiceops.runtime.messages.tool_calls import FAILED

INSTANCES = spec_of(
    *(
        ToolSpec(name="whoami", address=f"Tool/whoami[{key}]", handler=f"h:{key}", agents=(f"Agent/desk[{key}]",))
        for key in ("acme", "beta")
    ),
    agents=tuple(AgentSpec(address=f"Agent/desk[{key}]", name=f"desk-{key}") for key in ("acme", "beta")),
    lines=tuple(
        LineSpec(
            address=f"Phone/ln[{key}]", path=f"ln/{key}", number=number, target=f"Agent/desk[{key}]", name=f"ln-{key}"
        )
        for key, number in (("acme", "+14155550101"), ("beta", ""))
    ),
)
IDS = {"Agent/desk[acme]": "as-a", "Agent/desk[beta]": "as-b", "Phone/ln[beta]": "ph-b"}
OWN = """
def acme(call: Call): return "acme " + call.key
def beta(call: Call): return "beta " + call.key
"""


@pytest.mark.parametrize(
    "given",
    [
        {"assistant": {"name": "desk-beta"}},
        {"assistant": {"id": "as-b"}},
        {"assistant": {"id": "as-b", "name": "renamed by an override"}},
        {"call": {"id": "c", "assistantId": "as-b"}},
        {"phoneNumber": {"name": "ln-beta"}},
        {"phoneNumber": {"id": "ph-b"}},
        {"call": {"id": "c", "phoneNumberId": "ph-b"}},
    ],
)
def test_the_tool_is_that_of_the_agent_that_speaks(tmp_path: Path, given: Any) -> None:
    with serving(tmp_path, INSTANCES, OWN, known=IDS) as server:
        listed = [{"id": "1", "name": "whoami"}]
        assert server.message("tool-calls", toolCallList=listed, **given).results[0]["result"] == "beta beta"
        listed = [{"id": "2", "name": "whoami", "arguments": {}}]
        by_number = {"phoneNumber": {"number": "+14155550101"}}
        assert server.message("tool-calls", toolCallList=listed, **by_number).results[0]["result"] == "acme acme"


@pytest.mark.parametrize("given", [{}, {"assistant": {"id": "as-unknown"}}, {"phoneNumber": {"number": "+1999"}}])
def test_no_tool_is_guessed(tmp_path: Path, given: Any) -> None:
    with serving(tmp_path, INSTANCES, OWN, known=IDS) as server:
        listed = [{"id": "1", "name": "whoami"}]
        assert server.message("tool-calls", toolCallList=listed, **given).results[0]["error"] == FAILED


@pytest.mark.parametrize("phone", [{"name": "free-line"}, {"id": "ph-1"}])
def test_a_line_whose_number_vapi_chose_has_its_handler(tmp_path: Path, phone: Any) -> None:
    lines = (LineSpec(address="Phone/free-line", path="free-line", name="free-line", handler="h:pick"),)
    agents = (AgentSpec(address="Agent/desk", name="desk"),)
    known = {"Agent/desk": "as-1", "Phone/free-line": "ph-1"}
    with serving(tmp_path, spec_of(lines=lines, agents=agents), "def pick(call): return 'desk'", known=known) as server:
        number = {"number": "+14155550177", **phone}
        assert server.message("assistant-request", phoneNumber=number).data == {"assistantId": "as-1"}
