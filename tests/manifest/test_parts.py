"""Parts by name, and what a model may say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.folder import Folder, body, errors, write_parts
from voiceops.model.values import Ref, Secret

# parts


BASE = {"provider": "11labs", "voiceId": "sarah", "speed": 1, "chunkPlan": {"enabled": True, "minCharacters": 30}}
PARTS = {
    "alone": ("voice: base", {"voice": BASE}),
    "with-from": ("voice: {from: base, speed: 1.1}", {"voice": BASE | {"speed": 1.1}}),
    "from-a-part-with-from": ("voice: slow", {"voice": BASE | {"speed": 0.9}}),
    "from-over-from": ("voice: {from: slow, speed: 1.2}", {"voice": BASE | {"speed": 1.2}}),
    "maps-merge": (
        "voice: {from: base, chunkPlan: {enabled: false}}",
        {"voice": BASE | {"chunkPlan": {"enabled": False, "minCharacters": 30}}},
    ),
    "null-takes-away": (
        "voice: {from: base, speed: null}",
        {"voice": {k: v for k, v in BASE.items() if k != "speed"}},
    ),
    "inline": ("voice: {provider: vapi, voiceId: Elliot}", {"voice": {"provider": "vapi", "voiceId": "Elliot"}}),
    "transcriber": ("transcriber: ears", {"transcriber": {"provider": "deepgram", "model": "nova-2"}}),
    "server": ("server: hook", {"server": {"url": "https://hook.example", "credentialId": Ref("Credential/cred")}}),
    "model": (
        "model: {from: smart, temperature: 1}",
        {
            "model": {
                "provider": "openai",
                "model": "gpt-4o",
                "temperature": 1,
                "messages": [{"role": "system", "content": "Be kind."}],
                "tools": [{"type": "endCall"}],
            }
        },
    ),
    "the-runtime": (
        "server: runtime",
        {"server": {"url": "https://voice.example/vapi/events", "credentialId": Ref("Credential/runtime")}},
    ),
}


@pytest.mark.parametrize(("spec", "expected"), PARTS.values(), ids=PARTS)
def test_parts_by_name(folder: Folder, spec: str, expected: dict[str, Any]) -> None:
    write_parts(folder)
    folder.write("agents/a.yaml", f"kind: Agent\nname: a\nspec:\n  {spec}\n")

    graph = folder.graph()

    assert body(graph) == {**expected, "name": "a"}
    assert not any(address.startswith(("Voice/", "Model/", "Server/")) for address in graph.resources)
    assert ("Credential/runtime" in graph.resources) is (spec == "server: runtime")


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("voice: none", "reference"),
        ("voice: {from: none}", "reference"),
        ("voice: ears", "reference"),
        ("voice: {from: 3}", "schema-type"),
    ],
)
def test_parts_that_are_not_there(folder: Folder, spec: str, code: str) -> None:
    write_parts(folder)
    folder.write("agents/a.yaml", f"kind: Agent\nname: a\nspec:\n  {spec}\n")

    assert (code, 4) in errors(folder)


@pytest.mark.parametrize("auth", ["hmac", "bearer", "secret"])
def test_the_runtimes_credential(folder: Folder, auth: str) -> None:
    folder.write("environments/dev.yaml", f"runtime: {{auth: {auth}}}\n")
    folder.write("agents/a.yaml", "kind: Agent\nname: a\nspec: {server: runtime}\n")

    plan = body(folder.graph(), "Credential/runtime")["authenticationPlan"]

    secret = Secret(("VAPI_WEBHOOK_SECRET",), ("", ""))
    assert plan == {
        "hmac": {
            "type": "hmac", "secretKey": secret, "algorithm": "sha256", "signatureHeader": "x-vapi-signature",
            "timestampHeader": "x-vapi-timestamp", "includeTimestamp": True, "payloadFormat": "{timestamp}.{body}",
            "signatureEncoding": "hex",
        },
        "bearer": {"type": "bearer", "token": secret},
        "secret": {"type": "bearer", "token": secret, "headerName": "X-Vapi-Secret", "bearerPrefixEnabled": False},
    }[auth]  # fmt: skip


# models


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("systemPrompt: Hi", {"messages": [{"role": "system", "content": "Hi"}]}),
        (
            "systemPrompt: Hi, messages: [{role: user, content: x}]",
            {"messages": [{"role": "system", "content": "Hi"}, {"role": "user", "content": "x"}]},
        ),
        ("tools: [t, {type: endCall}]", {"tools": [{"type": "endCall"}], "toolIds": [Ref("Tool/t")]}),
        ("tools: [t]", {"toolIds": [Ref("Tool/t")]}),
        ("tools: [t], toolIds: [u]", {"toolIds": [Ref("Tool/u"), Ref("Tool/t")]}),
        ("tools: []", {"tools": []}),
    ],
)
def test_what_a_model_may_say(folder: Folder, model: str, expected: dict[str, Any]) -> None:
    folder.write(
        "agents/t.yaml", "kind: Tool\nname: t\nspec: {type: endCall}\n---\nkind: Tool\nname: u\nspec: {type: dtmf}\n"
    )
    folder.write("agents/a.yaml", f"kind: Agent\nname: a\nspec:\n  model: {{provider: openai, model: m, {model}}}\n")

    assert body(folder.graph())["model"] == {"provider": "openai", "model": "m", **expected}


def test_a_prompt_twice_is_an_error(folder: Folder) -> None:
    folder.write(
        "agents/a.yaml",
        "kind: Agent\nname: a\nspec:\n  model:\n    provider: openai\n    model: gpt-4o\n    systemPrompt: a\n"
        "    messages: [{role: system, content: b}]\n",
    )

    assert errors(folder) == [("prompt-twice", 7)]
