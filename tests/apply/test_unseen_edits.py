"""Between the plan and the write others go on editing: nothing of theirs is lost, and nothing unseen is written."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench

DESK = "Agent/desk"


@pytest.fixture
def desk(live: Bench) -> Bench:
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    live.apply()
    return live


def test_a_write_that_is_repeated_after_a_wait_is_built_anew(desk: Bench) -> None:
    """Somebody adds a field beside ours while the API makes us wait: it is there afterwards."""
    desk.edit("agents/agent.yaml", "nova-2", "nova-3")
    desk.control.fault(kind="status", status=429, headers={"retry-after": "2"}, method="PATCH", times=1)

    def edit() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if any(r["method"] == "PATCH" for r in desk.control.requests()):
                desk.control.edit(desk.id_of(DESK), {"transcriber": {"smartFormat": True}})
                return
            time.sleep(0.02)

    desk.control.reset_requests()
    editor = threading.Thread(target=edit)
    editor.start()
    desk.apply()
    editor.join()

    transcriber = desk.live(DESK)["transcriber"]
    assert (transcriber["model"], transcriber["smartFormat"]) == ("nova-3", True)
    assert desk.changes() == {}


def test_what_vapi_shows_and_refuses_to_take_back_is_shown_before_it_leaves(desk: Bench) -> None:
    id_ = desk.id_of(DESK)
    desk.control.edit(id_, {"voice": {"inputPunctuationMarks": ["."]}})
    desk.edit("agents/agent.yaml", "speed: 1.0", "speed: 1.1")

    refused = desk.apply(code=None)
    assert refused.code != 0
    assert "voice.inputPunctuationMarks" in refused.out + refused.err
    assert desk.live(DESK)["voice"]["inputPunctuationMarks"] == ["."], "nothing was changed"

    (change,) = [c["change"] for c in desk.plan()["resource_changes"] if c["address"] == DESK]
    paths = {p["path"]: p["after"] for p in change["paths"]}
    assert paths == {"voice.speed": 1.1, "voice.inputPunctuationMarks": None}
    desk.apply()
    assert "inputPunctuationMarks" not in desk.live(DESK)["voice"]
    assert desk.changes() == {}


SERVER = """kind: Tool
name: crm
spec:
  type: function
  function: {name: findCustomer}
  server:
    url: https://crm.example.net/find
    headers: {X-Team: phones, X-Crm: "${secret:SLACK_HOOK}"}
"""


@pytest.mark.parametrize(
    ("edit", "gone"),
    [
        ({"server": {"headers": {"X-Crm": "somebody else's"}}}, False),
        ({"server": {"headers": {"X-Crm": None}}}, True),
    ],
    ids=["edited", "removed"],
)
def test_a_live_edit_of_a_secret_header_is_drift_and_is_put_back(desk: Bench, edit: dict[str, Any], gone: bool) -> None:
    desk.write("agents/crm.yaml", SERVER)
    desk.apply()
    assert desk.changes() == {}
    desk.control.edit(desk.id_of("Tool/crm"), edit)

    plan = desk.plan()

    (drift,) = plan["resource_drift"]
    assert [p["path"] for p in drift["change"]["paths"]] == ["server.headers.X-Crm"]
    assert "s3cr3t" not in json.dumps(plan)
    assert "somebody else" not in json.dumps(plan), "what is live under a secret is as secret"
    assert desk.changes() == {"Tool/crm": ["update"]}
    desk.apply()
    assert desk.live("Tool/crm")["server"]["headers"]["X-Crm"].endswith("s3cr3t")
    assert desk.changes() == {}
