"""`drift`: which side changed and when, what apply does about it, and taking an edit over into the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.bench import Bench

PROJECT = "version: 1\nproject: shop\nenvironments: [live]\n"


def fields(made: Bench) -> dict[str, dict[str, Any]]:
    found = made.run("drift", "--format", "json", code=None).data
    return {
        f"{d['address']} {path['path']}": path | {"applied_at": d["applied_at"], "updated_at": d["updated_at"]}
        for d in found["resource_drift"]
        for path in d["change"]["paths"]
    }


# which side


def test_drift_says_which_side_changed_and_when(desk: Bench) -> None:
    assert "No drift" in desk.run("drift").out
    desk.control.edit(desk.id_of("Agent/desk"), {"firstMessage": "Live", "voice": {"speed": 1.2}})
    desk.edit("agents/agent.yaml", "Hello", "Manifest")
    found = fields(desk)
    assert found["Agent/desk firstMessage"]["changed"] == "both"
    assert found["Agent/desk voice.speed"]["changed"] == "live"
    one = found["Agent/desk voice.speed"]
    assert (one["before"], one["after"]) == (1.0, 1.2)
    assert one["updated_at"] == desk.live("Agent/desk")["updatedAt"]
    assert one["applied_at"][:10] <= one["updated_at"][:10]
    text = desk.run("drift", code=2).out
    assert "both changed" in text
    assert one["applied_at"] in text
    assert "No drift" in desk.run("drift", "Tool/lookup").out


# what apply does


def test_a_policy_by_field_keeps_prompts_reverts_the_rest_and_refuses_where_asked(desk: Bench) -> None:
    desk.write(
        "voiceops.yaml",
        PROJECT + 'drift:\n  default: revert\n  fields:\n    "Agent/*:spec.model.systemPrompt": keep\n'
        '    "Tool/*": refuse\n',
    )
    messages = [{"role": "system", "content": "From the dashboard"}]
    desk.control.edit(desk.id_of("Agent/desk"), {"firstMessage": "Live", "model": {"messages": messages}})
    desk.apply()
    live = desk.live("Agent/desk")
    assert live["model"]["messages"] == messages
    assert live["firstMessage"] == "Hello"
    overwritten = desk.run("show", "2", "--format", "json").data["overwritten"]
    assert overwritten["Agent/desk"]["firstMessage"] == "Live"
    desk.control.edit(desk.id_of("Tool/lookup"), {"function": {"description": "Live"}})
    assert "refuses" in desk.apply(code=5).err
    assert set(fields(desk)) == {"Agent/desk model.messages[0].content", "Tool/lookup function.description"}


# taking over


def accept(made: Bench, *addresses: str) -> None:
    """Everything is taken over, the plan is empty, and nothing live was touched."""
    made.control.reset_requests()
    made.run("drift", "--accept", *addresses)
    assert made.writes() == []
    assert made.changes() == {}
    assert "No drift" in made.run("drift").out


def lines_changed(before: str, path: Path) -> list[tuple[str, str]]:
    old, new = before.splitlines(), path.read_text().splitlines()
    assert len(old) == len(new)
    return [(a, b) for a, b in zip(old, new, strict=True) if a != b]


COMMENTED = """\
# The front desk.
kind: Agent
name: desk

spec:
  firstMessage:   Hello   # said to everybody
  model: {provider: openai,   model: gpt-4.1-mini, temperature: 0.3,  # flow, on purpose
          toolIds: [lookup]}

  voice:                  # the old voice
    provider: 11labs
    voiceId: 'sarah'
    speed: 1.0            # slow

  # Deepgram hears best.
  transcriber: {provider: deepgram, model: nova-2, endpointing: 200}
  endCallPhrases:
  - goodbye   # English
  - bye
"""


def test_an_edit_is_written_where_it_stands_and_nothing_else_moves(desk: Bench) -> None:
    desk.write("agents/agent.yaml", COMMENTED)
    desk.apply()
    desk.control.edit(
        desk.id_of("Agent/desk"),
        {
            "firstMessage": "Good day: how are you?",
            "voice": {"voiceId": "paula", "speed": 1.15},
            "model": {"temperature": 0.5},
        },
    )
    accept(desk)
    assert lines_changed(COMMENTED, desk.folder / "agents/agent.yaml") == [
        (
            "  firstMessage:   Hello   # said to everybody",
            '  firstMessage:   "Good day: how are you?"   # said to everybody',
        ),
        (
            "  model: {provider: openai,   model: gpt-4.1-mini, temperature: 0.3,  # flow, on purpose",
            "  model: {provider: openai,   model: gpt-4.1-mini, temperature: 0.5,  # flow, on purpose",
        ),
        ("    voiceId: 'sarah'", "    voiceId: 'paula'"),
        ("    speed: 1.0            # slow", "    speed: 1.15            # slow"),
    ]
    entry = desk.run("history", "--format", "json").data[-1]
    assert (entry["operation"], entry["result"], entry["number"]) == ("accept", "ok", 3)
    desk.run("rollback", "--auto-approve")
    assert desk.live("Agent/desk")["voice"]["voiceId"] == "sarah", "an edit that was taken over can be taken back"


def test_lists_and_tools_by_name(desk: Bench) -> None:
    desk.write("agents/agent.yaml", COMMENTED)
    desk.write("agents/more.yaml", "kind: Tool\nname: bye\nspec: {type: endCall}\n")
    desk.apply()
    ids = [desk.id_of("Tool/lookup"), desk.id_of("Tool/bye")]
    desk.control.edit(
        desk.id_of("Agent/desk"), {"model": {"toolIds": ids}, "endCallPhrases": ["goodbye", "bye", "so long"]}
    )
    accept(desk)
    text = (desk.folder / "agents/agent.yaml").read_text()
    assert "toolIds: [lookup, bye]}" in text
    assert "\n  - goodbye\n  - bye\n  - so long\n" in text


def test_a_mixed_tools_list_keeps_its_inline_tools(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "tools: [lookup]", "tools: [lookup, {type: endCall}]")
    desk.write("agents/more.yaml", "kind: Tool\nname: bye\nspec: {type: dtmf}\n")
    desk.apply()
    desk.control.edit(desk.id_of("Agent/desk"), {"model": {"toolIds": [desk.id_of("Tool/bye")]}})
    accept(desk)
    assert "tools: [bye, {type: endCall}]" in (desk.folder / "agents/agent.yaml").read_text()


def test_a_prompt_in_block_style_keeps_its_style(desk: Bench) -> None:
    prompt = "Be short.\nBe very kind: always.\n\n# Not a comment\n"
    desk.control.edit(desk.id_of("Agent/desk"), {"model": {"messages": [{"role": "system", "content": prompt}]}})
    accept(desk)
    text = (desk.folder / "agents/agent.yaml").read_text()
    assert (
        "    systemPrompt: |\n      Be short.\n      Be very kind: always.\n\n      # Not a comment\n    tools:" in text
    )


def test_a_prompt_in_a_file_of_its_own(desk: Bench) -> None:
    desk.write("agents/agent.yaml", COMMENTED.replace("temperature: 0.3,", 'systemPrompt: "${file:prompts/desk.md}",'))
    desk.write("agents/prompts/desk.md", "You are short.\n")
    desk.apply()
    manifest = (desk.folder / "agents/agent.yaml").read_text()
    new = "You are kind.\n${not:ours} {{customer.name}}\n"
    desk.control.edit(desk.id_of("Agent/desk"), {"model": {"messages": [{"role": "system", "content": new}]}})
    accept(desk)
    assert (desk.folder / "agents/prompts/desk.md").read_text() == new
    assert (desk.folder / "agents/agent.yaml").read_text() == manifest


def test_a_part_the_defaults_and_an_environments_patch(desk: Bench) -> None:
    desk.write("agents/voice.yaml", "kind: Voice\nname: warm\nspec:\n  provider: 11labs\n  voiceId: sarah # she\n")
    desk.write(
        "agents/agent.yaml",
        COMMENTED.replace(
            "  voice:                  # the old voice\n    provider: 11labs\n"
            "    voiceId: 'sarah'\n    speed: 1.0            # slow\n",
            "  voice: {from: warm, speed: 1.0}\n",
        ),
    )
    desk.write("voiceops.yaml", PROJECT + "defaults:\n  Agent:\n    maxDurationSeconds: 600 # ten minutes\n")
    desk.write(
        "environments/live.yaml",
        "patches:\n# prod only\n- target: Agent/desk\n  merge: {endCallMessage: Bye} # short\n",
    )
    desk.apply()
    desk.control.edit(
        desk.id_of("Agent/desk"),
        {"voice": {"voiceId": "paula", "speed": 1.1}, "maxDurationSeconds": 900, "endCallMessage": "So long"},
    )
    accept(desk, "Agent/desk")
    read = {
        name: (desk.folder / name).read_text()
        for name in ("agents/voice.yaml", "voiceops.yaml", "environments/live.yaml")
    }
    assert "voiceId: paula # she" in read["agents/voice.yaml"]
    assert "maxDurationSeconds: 900 # ten minutes" in read["voiceops.yaml"]
    assert (
        "# prod only\n- target: Agent/desk\n  merge: {endCallMessage: So long} # short\n"
        in read["environments/live.yaml"]
    )
    assert "speed: 1.1}" in (desk.folder / "agents/agent.yaml").read_text()


def test_a_twilio_setting_and_a_text_with_dollar_braces(desk: Bench) -> None:
    desk.write(
        "agents/line.yaml",
        "kind: Phone\nname: line\nspec:\n  number: +14155550100\n  provider: twilio\n  agent: desk\n"
        "  twilio:\n    voiceFallbackUrl: https://a.example/x # spare\n",
    )
    desk.apply()
    desk.control.switches(clock_skew=20)  # Twilio's times have seconds only
    desk.control.edit(desk.id_of("Phone/line/twilio"), {"voice_fallback_url": "https://b.example/y"})
    desk.control.edit(desk.id_of("Agent/desk"), {"firstMessage": "It costs ${price}"})
    accept(desk)
    text = (desk.folder / "agents/line.yaml").read_text()
    assert "voiceFallbackUrl: https://b.example/y # spare" in text
    assert "$${price}" in (desk.folder / "agents/agent.yaml").read_text()


# what can't be taken over


@pytest.mark.parametrize(
    ("manifest", "extra", "why"),
    [
        ("${var:hi} there", "variables: {hi: Hello}\n", "the manifest makes it from ${var:hi} there"),
        ("${env:GREETING:-Hello}", "", "the manifest makes it from ${env:GREETING"),
        ("${template:prompts/hi.txt}", "", "the manifest makes it from ${template:"),
    ],
)
def test_what_the_manifest_computes_is_named_and_left(desk: Bench, manifest: str, extra: str, why: str) -> None:
    desk.write("agents/prompts/hi.txt", "Hello")
    desk.write("voiceops.yaml", PROJECT + extra)
    desk.edit("agents/agent.yaml", "Hello", manifest)
    desk.apply()
    desk.control.edit(desk.id_of("Agent/desk"), {"firstMessage": "Live", "voice": {"speed": 1.1}})
    before = (desk.folder / "agents/agent.yaml").read_text()
    ran = desk.run("drift", "--accept", code=1)
    assert why in ran.err
    assert "agents/agent.yaml:4" in ran.err
    assert lines_changed(before, desk.folder / "agents/agent.yaml") == [
        (
            "  voice: {provider: 11labs, voiceId: sarah, speed: 1.0}",
            "  voice: {provider: 11labs, voiceId: sarah, speed: 1.1}",
        )
    ], "what can be taken over is"
    assert set(fields(desk)) == {"Agent/desk firstMessage"}


def test_a_value_that_others_use_too_is_not_changed_for_them(desk: Bench) -> None:
    desk.write("agents/voice.yaml", "kind: Voice\nname: warm\nspec: {provider: 11labs, voiceId: sarah}\n")
    desk.write(
        "agents/agent.yaml",
        "kind: Agent\nname: desk\nspec: {firstMessage: Hello, voice: warm}\n---\n"
        "kind: Agent\nname: other\nspec: {firstMessage: Hello, voice: warm}\n---\n"
        "kind: Agent\nname: tenant\nforEach: [a, b]\nspec: {firstMessage: Hello}\n",
    )
    desk.apply()
    before = (desk.folder / "agents/voice.yaml").read_text()
    desk.control.edit(desk.id_of("Agent/desk"), {"voice": {"voiceId": "paula"}})
    desk.control.edit(desk.id_of("Agent/tenant[a]"), {"firstMessage": "Only mine"})
    ran = desk.run("drift", "--accept", code=1)
    assert "agents/voice.yaml:3 also sets Agent/other" in ran.err
    assert "also sets Agent/tenant[b]" in ran.err
    assert (desk.folder / "agents/voice.yaml").read_text() == before
    # Edited alike on both, it is one change.
    desk.control.edit(desk.id_of("Agent/other"), {"voice": {"voiceId": "paula"}})
    desk.run("drift", "--accept", "Agent/desk", "Agent/other")
    assert "voiceId: paula" in (desk.folder / "agents/voice.yaml").read_text()


def test_what_was_deleted_live_or_is_not_valid_is_refused(desk: Bench) -> None:
    desk.control.edit(desk.id_of("Agent/desk"), {"transcriber": {"endpointing": 9_000}})
    desk.control.delete(desk.id_of("Tool/lookup"))
    desk.control.switches(clock_skew=20)
    before = (desk.folder / "agents/agent.yaml").read_text()
    ran = desk.run("drift", "--accept", code=1)
    assert "was deleted outside" in ran.err
    assert "would not hold it" in ran.err
    assert (desk.folder / "agents/agent.yaml").read_text() == before
    assert "nothing was edited live" in desk.run("drift", "--accept", "Phone/line", code=1).err


def test_what_the_manifests_changed_besides_waits_for_an_apply(desk: Bench) -> None:
    desk.control.edit(desk.id_of("Agent/desk"), {"firstMessage": "Live"})
    desk.edit("agents/agent.yaml", "speed: 1.0", "speed: 1.15")
    ran = desk.run("drift", "--accept", "--format", "json")
    assert [(a["path"], a["value"]) for a in ran.data["accepted"]] == [("firstMessage", "Live")]
    assert desk.live("Agent/desk")["voice"]["speed"] == 1.0
    paths = [p["path"] for c in desk.plan()["resource_changes"] for p in c["change"]["paths"]]
    assert paths == ["voice.speed"]
