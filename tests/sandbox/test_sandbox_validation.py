"""Bodies that Vapi refuses, in the words of its validator."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_bench import FUNCTION, MODEL, Bench

VOICE = {"provider": "11labs", "voiceId": "v"}
CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("/assistant", {"nonsense": 1}, ["property nonsense should not exist"]),
    (
        "/assistant",
        {"voice": {"provider": "vapi", "voiceId": "Elliot", "enableSsmlParsing": True}},
        ["voice.property enableSsmlParsing should not exist"],
    ),
    ("/assistant", {"name": "x" * 41}, ["name must be shorter than or equal to 40 characters"]),
    ("/assistant", {"name": 7}, ["name must be a string"]),
    (
        "/assistant",
        {"stopSpeakingPlan": {"voiceSeconds": 0.6}},
        ["stopSpeakingPlan.voiceSeconds must not be greater than 0.5"],
    ),
    ("/assistant", {"silenceTimeoutSeconds": 9}, ["silenceTimeoutSeconds must not be less than 10"]),
    ("/assistant", {"maxDurationSeconds": 9}, ["maxDurationSeconds must not be less than 10"]),
    (
        "/assistant",
        {"maxDurationSeconds": "600"},
        ["maxDurationSeconds must be a number conforming to the specified constraints"],
    ),
    (
        "/assistant",
        {"firstMessageInterruptionsEnabled": "true"},
        ["firstMessageInterruptionsEnabled must be a boolean value"],
    ),
    (
        "/assistant",
        {"firstMessageMode": "loud"},
        [
            "firstMessageMode must be one of the following values: assistant-speaks-first, "
            "assistant-speaks-first-with-model-generated-message, assistant-waits-for-user"
        ],
    ),
    (
        "/assistant",
        {"voice": {**VOICE, "chunkPlan": "true"}},
        ["voice.nested property chunkPlan must be either object or array"],
    ),
    ("/assistant", {"voice": {**VOICE, "speed": 3}}, ["voice.speed must not be greater than 1.2"]),
    (
        "/assistant",
        {"voice": {"provider": "11labs"}},
        ["voice.voiceId should not be empty", "voice.voiceId must be a string"],
    ),
    (
        "/assistant",
        {"model": {**MODEL, "toolIds": ["lookup-order"]}},
        ["model.each value in toolIds must be a UUID"],
    ),
    ("/assistant", {"model": {**MODEL, "toolIds": "x"}}, ["model.toolIds must be an array"]),
    ("/assistant", {"model": {**MODEL, "temperature": 3}}, ["model.temperature must not be greater than 2"]),
    (
        "/assistant",
        {"transcriber": {"provider": "gladia", "endpointing": 200}},
        ["transcriber.endpointing must not be greater than 10"],
    ),
    (
        "/assistant",
        {"model": {**MODEL, "tools": [{"type": "function", "function": {"name": "no spaces"}}]}},
        ["model.tools.0.function.name must match /^[a-zA-Z0-9_-]{1,64}$/ regular expression"],
    ),
    (
        "/assistant",
        {"endCallPhrases": ["ok", "x"]},
        ["each value in endCallPhrases must be longer than or equal to 2 characters"],
    ),
    ("/tool", {"type": "function", "name": "x"}, ["property name should not exist"]),
    ("/tool", {**FUNCTION, "server": {"timeoutSeconds": 301}}, ["server.timeoutSeconds must not be greater than 300"]),
    ("/squad", {}, ["members should not be empty", "members must be an array"]),
    ("/squad", {"members": ["x"]}, ["each value in nested property members must be either object or array"]),
    (
        "/squad",
        {"members": [{}, {"assistantOverrides": {"model": {**MODEL, "maxTokens": 1}}}]},
        ["members.1.assistantOverrides.model.maxTokens must not be less than 50"],
    ),
    ("/structured-output", {"schema": {"type": "string"}}, ["name should not be empty", "name must be a string"]),
    (
        "/structured-output",
        {"name": "", "schema": {"type": "string"}},
        ["name must be longer than or equal to 1 characters"],
    ),
    (
        "/phone-number",
        {"provider": "byo-phone-number"},
        ["credentialId should not be empty", "credentialId must be a string"],
    ),
]


@pytest.mark.parametrize(("path", "body", "expected"), CASES, ids=[case[2][0][:60] for case in CASES])
def test_refused(bench: Bench, path: str, body: dict[str, Any], expected: list[str]) -> None:
    assert bench.refused("POST", path, body) == expected
    assert bench.vapi.get(path, params={"limit": 1}).json() in ([], {"results": [], "metadata": _empty()})


def _empty() -> dict[str, Any]:
    return {
        "itemsPerPage": 1,
        "totalItems": 0,
        "currentPage": 1,
        "totalPages": 0,
        "hasNextPage": False,
        "sortOrder": "DESC",
    }


def test_a_union_names_its_choices(bench: Bench) -> None:
    for path, body, key in (
        ("/assistant", {"voice": {"provider": "nobody", "voiceId": "x"}}, "voice.provider"),
        ("/assistant", {"voice": {"voiceId": "x"}}, "voice.provider"),
        ("/tool", {"type": "nothing"}, "type"),
        ("/tool", {}, "type"),
        ("/phone-number", {"provider": "carrier"}, "provider"),
        ("/credential", {"provider": "nobody"}, "provider"),
    ):
        (message,) = bench.refused("POST", path, body)
        assert message.startswith(f"{key} must be one of the following values: ")


def test_every_problem_is_told_at_once(bench: Bench) -> None:
    messages = bench.refused("POST", "/assistant", {"name": 1, "x": 1, "voice": {**VOICE, "speed": 9, "y": 1}})
    assert messages == [
        "name must be a string",
        "property x should not exist",
        "voice.speed must not be greater than 1.2",
        "voice.property y should not exist",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"silenceTimeoutSeconds": 30},
        {"backgroundDenoisingEnabled": True},
        {"serverUrl": "https://a.example"},
        {"messagePlan": {"idleMessages": ["Hello?"]}},
        {"transcriber": {"provider": "deepgram", "eagerEotThreshold": 0.5}},
        {"model": {**MODEL, "model": "gpt-99"}},
        {"name": None, "voice": None, "firstMessage": None},
        {"startSpeakingPlan": {"smartEndpointingPlan": None}},
        {
            "hooks": [
                {"on": "customer.speech.timeout[a]", "do": [{"type": "say", "exact": "Still there?"}]},
            ]
        },
    ],
)
def test_taken_beyond_the_published_schema(bench: Bench, body: dict[str, Any]) -> None:
    made = bench.make("/assistant", body)
    assert made.items() >= body.items()


def test_a_tool_schema_may_hold_any_keyword(bench: Bench) -> None:
    parameters = {"type": "object", "properties": {"a": {"type": "string", "x": 1}}, "additionalProperties": False}
    made = bench.make("/tool", {"type": "function", "function": {"name": "f", "parameters": parameters}})
    assert made["function"]["parameters"] == parameters


def test_enums_can_be_closed(bench: Bench) -> None:
    bench.control.switches(open_enums=False)
    (message,) = bench.refused("POST", "/assistant", {"model": {**MODEL, "model": "gpt-99"}})
    assert message.startswith("model.model must be one of the following values: ")


def test_an_old_transfer_mode_gets_its_new_name(bench: Bench) -> None:
    destination = {
        "type": "number",
        "number": "+14155550199",
        "transferPlan": {"mode": "warm-transfer-with-summary"},
    }
    made = bench.make("/tool", {"type": "transferCall", "destinations": [destination]})
    assert made["destinations"][0]["transferPlan"]["mode"] == "warm-transfer-say-summary"


def test_a_refusal_may_repeat_the_value(bench: Bench) -> None:
    body = {"provider": "openai", "apiKey": ["hunter2"]}
    assert "hunter2" not in str(bench.refused("POST", "/credential", body))
    bench.control.switches(echo_in_errors=True)
    assert "hunter2" in str(bench.refused("POST", "/credential", body))


def test_checks_can_be_switched_off(bench: Bench) -> None:
    bench.control.switches(validate=False)
    assert bench.make("/assistant", {"nonsense": 1})["nonsense"] == 1
