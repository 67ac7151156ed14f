"""Phone lines as resources; and lifecycle, labels and ignored paths."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.folder import Folder, body, write_parts
from voiceops.model.graph import Graph
from voiceops.model.values import Ref, Secret


def _phone(folder: Folder, spec: str, environ: dict[str, str] | None = None) -> Graph:
    folder.write(
        "agents/b.yaml",
        "kind: Agent\nname: b\nspec: {}\n---\nkind: Squad\nname: s\nspec: {members: [{assistantId: b}]}\n",
    )
    folder.write(
        "agents/p.yaml", f"kind: Phone\nname: line\nspec:\n  number: +14155550100\n  provider: twilio\n  {spec}\n"
    )
    return folder.graph(environ={"TWILIO_ACCOUNT_SID": "AC1"} | (environ or {}))


def test_a_line_answered_by_vapi(folder: Folder) -> None:
    graph = _phone(folder, "agent: b")

    found = body(graph, "Phone/line")
    assert (found["assistantId"], found["squadId"], found["smsEnabled"]) == (Ref("Agent/b"), None, False)
    assert found["number"] == "+14155550100"
    side = graph.resources["Phone/line/twilio"]
    assert side.name == "+14155550100"
    assert side.body["voice_url"] == Ref("Phone/line", "voice_url")
    assert (side.body["trunk_sid"], side.body["voice_application_sid"]) == ("", "")


def test_a_line_answered_by_the_runtime(folder: Folder) -> None:
    graph = _phone(folder, "squad: s\n  answer: runtime")

    assert (body(graph, "Phone/line")["assistantId"], body(graph, "Phone/line")["squadId"]) == (None, None)
    assert graph.resources["Phone/line"].routes == ("Squad/s",)
    side = body(graph, "Phone/line/twilio")
    assert side["voice_url"] == "https://voice.example/twilio/voice/line"
    assert side["status_callback"] == "https://voice.example/twilio/status/line"


def test_a_line_that_nobody_is_named_for_asks_the_runtime(folder: Folder) -> None:
    found = body(_phone(folder, "name: x"), "Phone/line")

    assert (found["assistantId"], found["squadId"]) == (None, None)
    assert found["server"]["url"] == "https://voice.example/vapi/events"


def test_an_instance_of_a_line_has_a_path_of_its_own(folder: Folder) -> None:
    folder.write(
        "agents/p.yaml",
        "kind: Phone\nname: line\nforEach: {x: +14155550101, y: +14155550102}\n"
        "spec: {number: '${each:value}', provider: twilio, answer: runtime}\nhandler: h:route\n",
    )
    folder.write("agents/handlers/h.py", "def route(call):\n    return {}\n")

    graph = folder.graph(environ={"TWILIO_ACCOUNT_SID": "AC1"})

    assert body(graph, "Phone/line[x]/twilio")["voice_url"] == "https://voice.example/twilio/voice/line/x"
    assert body(graph, "Phone/line[y]")["number"] == "+14155550102"


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        ({}, {"twilioAuthToken": Secret(("TWILIO_AUTH_TOKEN",), ("", ""))}),
        (
            {"TWILIO_AUTH_TOKEN": "x", "TWILIO_API_KEY": "SK1", "TWILIO_API_SECRET": "s"},
            {"twilioApiKey": "SK1", "twilioApiSecret": Secret(("TWILIO_API_SECRET",), ("", ""))},
        ),
    ],
    ids=["default", "an API key first"],
)
def test_a_line_carries_the_accounts_credentials_as_markers(
    folder: Folder, environ: dict[str, str], sent: dict[str, Any]
) -> None:
    if not environ:
        folder.write("environments/dev.yaml", "providers: {twilio: {authToken: '${secret:TWILIO_AUTH_TOKEN}'}}\n")
    found = body(_phone(folder, "agent: b", environ), "Phone/line")

    assert found["twilioAccountSid"] == "AC1"
    assert {k: found[k] for k in ("twilioAuthToken", "twilioApiKey", "twilioApiSecret") if k in found} == sent


def test_lifecycle_and_labels_are_carried_along(folder: Folder) -> None:
    folder.write(
        "agents/a.yaml",
        """\
        kind: Agent
        name: a
        labels: {team: x}
        lifecycle: {preventDestroy: true, adopt: true, ignoreChanges: [spec.voice.speed, model.temperature]}
        moved: {from: Agent/old}
        spec: {voice: {provider: vapi, voiceId: Elliot, speed: 1}}
        """,
    )

    found = folder.graph().resources["Agent/a"]

    assert (found.prevent_destroy, found.adopt, found.moved_from) == (True, True, "Agent/old")
    assert found.labels == {"team": "x"}
    assert found.ignore == (("voice", "speed"), ("model", "temperature"))


def test_an_ignored_manifest_path_finds_what_it_became(folder: Folder) -> None:
    write_parts(folder)
    folder.write(
        "agents/a.yaml",
        """\
        kind: Agent
        name: a
        lifecycle: {ignoreChanges: [spec.model.systemPrompt, spec.voice]}
        spec: {model: {provider: openai, model: gpt-4o, systemPrompt: Hi}, voice: base}
        """,
    )

    ignored = folder.graph().resources["Agent/a"].ignore

    assert ("voice",) in ignored
    assert any(("model", "messages", 0, "content")[: len(path)] == path for path in ignored), ignored
