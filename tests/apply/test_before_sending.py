"""What stops a plan before anything is sent: errors of lints, and secrets that are not at hand."""

from __future__ import annotations

import pytest

from tests.apply.manifests import AGENT, TOOL
from tests.support.bench import Bench

PLAIN = AGENT.replace("    tools: [lookup]\n", "")
CRM = """\
kind: Credential
name: crm
spec: {provider: custom-llm, apiKey: "${secret:CRM_KEY}"}
"""
HOOK = TOOL + '  server: {url: "https://tools.example.org/", headers: {x-key: "${secret:CRM_KEY}"}}\n'

ERRORS = {
    "VO112": PLAIN.replace(
        "voice: {provider: 11labs, voiceId: sarah, speed: 1.0}", "voice: {provider: vapi, voiceId: elliot}"
    ),
    "VO403": "kind: Tool\nname: out\nspec: {type: transferCall, destinations: [{type: number, number: '415'}]}\n",
}


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("command", [("plan",), ("apply", "--auto-approve"), ("plan", "--format", "json")])
def test_an_error_of_a_lint_stops_plan_and_apply(live: Bench, code: str, command: tuple[str, ...]) -> None:
    live.write("agents/agent.yaml", ERRORS[code])
    assert code in live.run("validate", code=1).out

    stopped = live.run(*command, code=1)

    assert code in stopped.err
    assert "agents/agent.yaml:" in stopped.err
    assert live.control.requests() == [], "not even a read"


def test_a_silenced_lint_and_a_warning_stop_nothing(live: Bench) -> None:
    text = ERRORS["VO112"].replace("  voice:", "  # voiceops: ignore[VO112]\n  voice:")
    live.write("agents/agent.yaml", text)

    live.run("plan")


def test_destroy_and_a_look_at_drift_need_no_sound_manifests(live: Bench) -> None:
    live.write("agents/agent.yaml", PLAIN)
    live.apply()
    live.write("agents/agent.yaml", ERRORS["VO112"])

    live.run("plan", "--refresh-only")
    live.run("plan", "--destroy")
    live.run("destroy", "--auto-approve")


def test_a_secret_that_is_missing_stops_an_apply_before_anything_is_sent(live: Bench) -> None:
    live.write("agents/agent.yaml", PLAIN)
    live.write("agents/crm.yaml", CRM)
    live.write("agents/tool.yaml", HOOK)
    live.run("plan")

    stopped = live.apply(code=1)

    assert "agents/crm.yaml:3:" in stopped.err
    assert "Credential/crm" in stopped.err
    assert "Tool/lookup" in stopped.err
    assert "CRM_KEY" in stopped.err
    assert live.writes() == []
    assert [e["result"] for e in live.run("history", "--format", "json").data] == ["failed"]
    live.run("apply", "--auto-approve", CRM_KEY="a-long-key")


def test_of_an_update_only_what_it_writes_is_needed(live: Bench) -> None:
    live.write("agents/tool.yaml", HOOK)
    live.run("apply", "--auto-approve", CRM_KEY="a-long-key")

    live.edit("agents/tool.yaml", "Finds an order.", "Finds it.")
    live.apply()
    live.edit("agents/tool.yaml", "https://tools.example.org/", "https://tools.example.org/v2")
    stopped = live.apply(code=1)

    assert "Tool/lookup" in stopped.err
    assert "CRM_KEY" in stopped.err
    live.run("apply", "--auto-approve", "--target", "Tool/lookup", CRM_KEY="a-long-key")


def test_a_saved_plan_and_a_rollback_ask_for_theirs(live: Bench) -> None:
    live.write("agents/crm.yaml", CRM)
    live.write("agents/agent.yaml", PLAIN)
    kept = str(live.folder / "kept.json")
    live.run("plan", "--out", kept)
    assert "CRM_KEY" in live.run("apply", kept, code=1).err
    live.run("apply", kept, CRM_KEY="a-long-key")
    live.remove("agents/crm.yaml")
    live.apply()

    stopped = live.run("rollback", "--auto-approve", code=1)

    assert "CRM_KEY" in stopped.err
    assert "Credential/crm" in stopped.err
    live.run("rollback", "--auto-approve", CRM_KEY="a-long-key")


def test_where_nothing_has_to_be_sent_nothing_is_asked_for(live: Bench) -> None:
    live.write("agents/crm.yaml", CRM)
    live.run("apply", "--auto-approve", CRM_KEY="a-long-key")

    live.apply()
    live.run("destroy", "--auto-approve")
