"""Values that live objects hold: what the schema says wrongly, where misplaced keys belong, and what allowUnknown does.

Each row is a fact that was seen in live objects or is documented; none of them needs a network.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.lints.projects import PROJECT, validate
from voiceops.errors import Diagnostic
from voiceops.kinds.base import SERVER_KEYS
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import facts, root, type_of
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import load_project

OPENAI = "provider: openai, model: gpt-4.1-mini"
UNKNOWN = "allowUnknown: true\n"


def document(kind: str, *lines: str, name: str = "a", head: str = "") -> str:
    return f"kind: {kind}\nname: {name}\n{head}spec:\n" + "".join(f"  {line}\n" for line in lines)


def agent(*lines: str, head: str = "") -> str:
    return document("Agent", *lines, head=head)


def tool(*lines: str, head: str = "") -> str:
    """A Tool that an agent uses."""
    used = document("Agent", f"model: {{{OPENAI}, tools: [t]}}", name="user")
    return document("Tool", *lines, name="t", head=head) + "---\n" + used


def schema_found(folder: Path, text: str, **more: str) -> list[Diagnostic]:
    """What is said of the values, lints of style and of unfinished projects aside."""
    files = {"agents/a.yaml": text, **{name.replace("__", "/") + ".yaml": more[name] for name in more}}
    return [d for d in validate(folder, files) if not d.code.startswith("VO")]


TAKEN = {
    "keypad delimiters are a list": agent('keypadInputPlan: {enabled: true, delimiters: ["#"]}'),
    "two keypad delimiters": agent('keypadInputPlan: {delimiters: ["#", "*"]}'),
    "languageDetection of AssemblyAI": agent("transcriber: {provider: assembly-ai, languageDetection: true}"),
    "languageDetection of a fallback": agent(
        "transcriber:",
        "  provider: deepgram",
        "  fallbackPlan: {transcribers: [{provider: assembly-ai, languageDetection: true}]}",
    ),
    "useAssistantLlm": tool(
        "type: transferCall",
        "destinations:",
        "  - type: number",
        "    number: '+14155550199'",
        "    transferPlan: {mode: warm-transfer-say-summary, summaryPlan: {enabled: true, useAssistantLlm: true}}",
    ),
    "target of a structured output": document("StructuredOutput", "schema: {type: string}", "target: {type: messages}"),
    "an evaluation's value is a map": document(
        "Scenario",
        "instructions: Ask.",
        "evaluations:",
        "  - {structuredOutput: {name: o, schema: {type: string}}, comparator: '=', value: {contains: refund}}",
    ),
    "metadata of an sms tool": tool("type: sms", "metadata: {from: '+14155550100'}", "function: {name: text}"),
    "parameters of a function that takes none": tool("type: function", "function: {name: now, parameters: {}}"),
    "additionalProperties of parameters": tool(
        "type: function",
        "function: {name: f, parameters: {type: object, properties: {}, additionalProperties: false}}",
    ),
    "a version that is a number": agent("voice: {provider: vapi, voiceId: Elliot, version: 2}"),
    "the speaker of a live model": agent(
        "model: {provider: openai, model: gpt-live-1, speaker: {instructions: Warm., personalityPacks: [unhurried]},"
        " reasoner: {provider: openai, model: gpt-5.6-sol, instructions: Think.}}"
    ),
    "latency of a scenario": document(
        "Scenario",
        "instructions: Ask.",
        "evaluations: [{structuredOutput: {name: o, schema: {type: boolean}}, comparator: '=', value: true}]",
        "latencyExpectations: [{metric: turn, aggregation: p95, thresholdMs: 1500}]",
    ),
    "a pinned member": document("Squad", "members: [{assistantId: user, assistantVersion: v3}]")
    + "---\n"
    + document("Agent", "firstMessage: Hi", name="user"),
    "a pinned tool": agent(
        f"model: {{{OPENAI}, toolRefs: [{{toolId: 7f000000-0000-4000-8000-000000000000, version: v2}}]}}"
    ),
    "an outgoing line": document("Phone", "provider: vapi", "answer: none"),
    "an outgoing Twilio line": document("Phone", "provider: twilio", "number: +14155550100", "answer: none"),
    "a voice of each of today's models": agent("voice: {provider: 11labs, voiceId: x, model: eleven_v4_turbo}"),
    "today's transcriber": agent("transcriber: {provider: assembly-ai, speechModel: universal-3-6-pro}"),
    "every value null": agent(
        "firstMessage: null",
        "server: null",
        "analysisPlan: null",
        "model: {provider: openai, model: gpt-4o, toolIds: null}",
    ),
}
for kind_ in (
    "dtmf",
    "endCall",
    "voicemail",
    "sms",
    "query",
    "mcp",
    "transferCall",
    "slack.message.send",
    "sipRequest",
):
    more_ = ("verb: INFO",) if kind_ == "sipRequest" else ()
    TAKEN[f"function and async of {kind_}"] = tool(
        f"type: {kind_}", *more_, "async: false", "function: {name: f, description: Does it.}"
    )


@pytest.mark.parametrize("name", TAKEN)
def test_what_vapi_takes_is_taken_in_silence(name: str, tmp_path: Path) -> None:
    found = schema_found(tmp_path, TAKEN[name])
    assert not found, "\n".join(map(str, found))


WARNED = {
    "backchannelingEnabled": (agent("backchannelingEnabled: false"), "schema-deprecated", ""),
    "functions": (agent("functions: [{name: f, parameters: {type: object}}]"), "schema-deprecated", "model.tools"),
    "summaryPrompt": (agent("analysisPlan: {summaryPrompt: x}"), "schema-deprecated", "summaryPlan.messages"),
    "structuredDataSchema": (
        agent("analysisPlan: {structuredDataSchema: {type: object}}"),
        "schema-deprecated",
        "structuredDataPlan.schema",
    ),
    "successEvaluationRubric": (
        agent("analysisPlan: {successEvaluationRubric: PassFail}"),
        "schema-deprecated",
        "successEvaluationPlan.rubric",
    ),
    "summaryRequestTimeoutSeconds": (
        agent("analysisPlan: {summaryRequestTimeoutSeconds: 10}"),
        "schema-deprecated",
        "summaryPlan.timeoutSeconds",
    ),
    "boundaries as maps": (
        agent("voice: {provider: 11labs, voiceId: x, chunkPlan: {punctuationBoundaries: [{value: '0', label: 。}]}}"),
        "schema-uncertain",
        "",
    ),
    "an unknown speech model": (
        agent("transcriber: {provider: assembly-ai, speechModel: universal-4}"),
        "schema-unlisted",
        "",
    ),
    "a line that nobody answers": (document("Phone", "provider: vapi"), "phone-target", "answer: none"),
    "a line with a fallback alone": (
        document("Phone", "provider: vapi", "fallbackDestination: {type: number, number: '+14155550199'}"),
        "phone-target",
        "answer: none",
    ),
    "a line with hooks alone": (
        document("Phone", "provider: vapi", "hooks: [{on: call.ringing, do: [{type: say, exact: We are closed.}]}]"),
        "phone-target",
        "answer: none",
    ),
}
for voice_, id_ in (("11labs", "x"), ("cartesia", "x"), ("openai", "alloy"), ("vapi", "Elliot"), ("deepgram", "luna")):
    WARNED[f"inputPunctuationBoundaries of {voice_}"] = (
        agent(f"voice: {{provider: {voice_}, voiceId: {id_}, inputPunctuationBoundaries: ['.']}}"),
        "schema-deprecated",
        "chunkPlan.punctuationBoundaries",
    )


@pytest.mark.parametrize("name", WARNED)
def test_what_vapi_may_give_up_is_a_warning(name: str, tmp_path: Path) -> None:
    text, code, hint = WARNED[name]
    found = schema_found(tmp_path, text)
    assert {d.severity for d in found} == {"warning"}, "\n".join(map(str, found))
    assert [d for d in found if d.code == code and hint in d.hint], "\n".join(map(str, found))


REFUSED = {
    "tools at the top": (agent("tools: []"), "model.tools"),
    "model of AssemblyAI": (agent("transcriber: {provider: assembly-ai, model: nova-3}"), "speechModel"),
    "fillerInjectionEnabled": (
        agent("voice: {provider: 11labs, voiceId: x, fillerInjectionEnabled: true}"),
        "leave it out",
    ),
    "delimiters as a text": (agent("keypadInputPlan: {delimiters: '#'}"), '["#"]'),
    "toolIds at the top": (agent("toolIds: []"), "model.toolIds"),
    "functions of the model": (agent(f"model: {{{OPENAI}, functions: []}}"), "model.tools"),
    "systemPrompt at the top": (agent("systemPrompt: x"), "model.systemPrompt"),
    "systemMessage at the top": (agent("systemMessage: x"), "model.systemPrompt"),
    "systemMessage of the model": (agent(f"model: {{{OPENAI}, systemMessage: x}}"), "model.systemPrompt"),
    "messages at the top": (agent("messages: []"), "model.messages"),
    "temperature at the top": (agent("temperature: 0"), "model.temperature"),
    "voiceId at the top": (agent("voiceId: x"), "voice.voiceId"),
    "endpointing at the top": (agent("endpointing: 300"), "transcriber.endpointing"),
    "smartEndpointingEnabled at the top": (
        agent("smartEndpointingEnabled: true"),
        "startSpeakingPlan.smartEndpointingPlan",
    ),
    "videoRecordingEnabled": (agent("videoRecordingEnabled: true"), "artifactPlan.videoRecordingEnabled"),
    "zdrEnabled at the top": (agent("zdrEnabled: true"), "compliancePlan.zdrEnabled"),
    "forwardingPhoneNumbers": (agent("forwardingPhoneNumbers: []"), "transferCall"),
    "knowledgeBaseId": (agent("knowledgeBaseId: x"), "query"),
    "knowledgeBaseId of the model": (agent(f"model: {{{OPENAI}, knowledgeBaseId: x}}"), "query"),
    "firstMessage of the model": (agent(f"model: {{{OPENAI}, firstMessage: Hi}}"), "firstMessage"),
    "members of an agent": (agent("members: []"), "Squad"),
    "minCharacters of a voice": (
        agent("voice: {provider: 11labs, voiceId: x, minCharacters: 3}"),
        "voice.chunkPlan.minCharacters",
    ),
    "reformatting of a voice": (agent("voice: {provider: 11labs, voiceId: x, reformatting: true}"), "voice.chunkPlan"),
    "speed of Cartesia": (agent("voice: {provider: cartesia, voiceId: x, speed: 1}"), "generationConfig.speed"),
    "stability of Cartesia": (agent("voice: {provider: cartesia, voiceId: x, stability: 1}"), "11labs"),
    "name of a tool": (tool("type: function", "name: f", "function: {name: g}"), "function.name"),
    "description of a tool": (tool("type: function", "description: x", "function: {name: g}"), "function.description"),
    "serverUrl of a tool": (tool("type: function", "serverUrl: x", "function: {name: g}"), "server.url"),
    "url of a function tool": (tool("type: function", "url: x", "function: {name: g}"), "server.url"),
    "webhookUrl of a phone": (document("Phone", "provider: vapi", "answer: none", "webhookUrl: x"), "server.url"),
    "spelling": (agent("first_message: Hi"), "firstMessage"),
    "an old field's spelling": (agent("server_url: https://x.example"), "server.url"),
    "an old field, misspelt": (agent("endCallFunctionEnable: true"), "{type: endCall}"),
    "the beginning of a key": (agent("silenceTimeout: 30"), "silenceTimeoutSeconds"),
    "assistantId of a transfer": (
        tool("type: transferCall", "destinations: [{type: assistant, assistantName: user, assistantId: x}]"),
        "assistantName",
    ),
    "server of a function": (tool("type: function", "function: {name: f, server: {url: x}}"), "Its place is server."),
    "another kind's field": (document("Phone", "provider: vapi", "answer: none", "voicemailMessage: Hi"), "Agent"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_key_names_the_place_where_it_belongs(name: str, tmp_path: Path) -> None:
    text, hint = REFUSED[name]
    [found] = schema_found(tmp_path, text)
    assert found.severity == "error"
    assert hint in found.hint


@pytest.mark.parametrize(
    "text",
    [
        agent("frobnicate: true"),
        document("Phone", "provider: vapi", "answer: none", "voicemailEnabled: true"),
        document("Phone", "provider: vapi", "answer: none", "phoneNumberId: x"),
        document("StructuredOutput", "schema: {type: string}", "prompt: x"),
        tool("type: function", "function: {name: f}", "server: {url: 'https://x.example', method: POST}"),
    ],
)
def test_a_key_that_is_like_nothing_gets_no_guess(text: str, tmp_path: Path) -> None:
    [found] = schema_found(tmp_path, text)
    assert found.hint == "If Vapi takes it all the same, set allowUnknown: true."


def test_what_is_allowed_already_is_not_offered(tmp_path: Path) -> None:
    [found] = schema_found(tmp_path, agent("frobnicate: true", head=UNKNOWN))
    assert (found.severity, found.hint) == ("warning", "")


def test_no_hint_offers_a_deprecated_key(tmp_path: Path) -> None:
    """Every deprecated field of every type, slightly misspelt: the hint is something else."""
    for name, definition in facts()["types"].items():
        if not name.startswith("Create") or not name.endswith("DTO") or "Tool" in name:
            continue
        for key, field in definition["fields"].items():
            if not field.get("deprecated") or name not in ("CreateAssistantDTO", "CreateVapiPhoneNumberDTO"):
                continue
            spec = (f"{key}s: x", "provider: vapi", "answer: none") if "Phone" in name else (f"{key}s: x",)
            found = schema_found(tmp_path, document("Phone" if "Phone" in name else "Agent", *spec))
            assert found, key
            assert all(f"Did you mean {key}?" != d.hint for d in found), key


ANSWERED = {
    **{f"{key} of an agent": agent(f"{key}: x") for key in sorted(SERVER_KEYS)},
    **{
        f"{key} of a tool": tool("type: function", "function: {name: f}", f"{key}: x")
        for key in ("id", "orgId", "createdAt", "updatedAt", "latestVersion")
    },
    **{
        f"{key} of a line": document("Phone", "provider: twilio", "number: +14155550100", "answer: none", f"{key}: x")
        for key in ("id", "status", "providerResourceId", "stripeSubscriptionId", "stripeSubscriptionStatus")
    },
    "the number that Vapi gives": document("Phone", "provider: vapi", "answer: none", "number: +14155550100"),
    "id of an inline tool": agent(f"model: {{{OPENAI}, tools: [{{type: endCall, id: x}}]}}"),
    "id of a member's agent": document("Squad", "members: [{assistant: {firstMessage: Hi, id: x}}]"),
    "id of a squad": document("Squad", "members: [{assistant: {firstMessage: Hi}}]", "id: x"),
    "id of an output": document("StructuredOutput", "schema: {type: string}", "id: x"),
    "orgId of a credential": document("Credential", "provider: openai", "apiKey: '${secret:K}'", "orgId: x"),
    "systemKey of a scorecard": document("Scorecard", "metrics: []", "systemKey: x"),
    "url of a file": document("File", "path: a.txt", "url: https://x.example"),
    "createdAt of a voice": document("Voice", "provider: vapi", "voiceId: Elliot", "createdAt: x"),
}


@pytest.mark.parametrize("head", ["", UNKNOWN], ids=["strict", "allowUnknown"])
@pytest.mark.parametrize("name", ANSWERED)
def test_what_only_vapi_sets_is_an_error_always(name: str, head: str, tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/a.txt").write_text("x")
    text = ANSWERED[name].replace("spec:\n", f"{head}spec:\n", 1)
    found = [d for d in schema_found(tmp_path, text) if d.code != "schema-deprecated"]
    assert [(d.code, d.severity) for d in found] == [("schema-read-only", "error")], "\n".join(map(str, found))
    assert "leave it out" in found[0].hint


def test_the_keys_that_vapi_adds_are_known_once() -> None:
    assert set(facts()["answered"]["*"]) == SERVER_KEYS


def test_no_field_that_can_be_written_is_called_one_that_cannot() -> None:
    for name, keys in facts()["answered"].items():
        if name != "*":
            assert not set(keys) & set(type_of(name)["fields"])


RENAMED = {
    "warm-transfer-with-message": "warm-transfer-say-message",
    "warm-transfer-with-summary": "warm-transfer-say-summary",
    "warm-transfer-with-twiml": "warm-transfer-twiml",
    "warm-transfer-wait-for-operator-to-speak-first-and-then-with-message": (
        "warm-transfer-wait-for-operator-to-speak-first-and-then-say-message"
    ),
    "warm-transfer-wait-for-operator-to-speak-first-and-then-with-summary": (
        "warm-transfer-wait-for-operator-to-speak-first-and-then-say-summary"
    ),
}


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
@pytest.mark.parametrize("inline", [False, True], ids=["tool", "inline"])
def test_an_old_mode_is_sent_as_the_one_that_vapi_keeps(old: str, new: str, inline: bool, tmp_path: Path) -> None:
    destination = f"{{type: number, number: '+14155550199', transferPlan: {{mode: {old}}}}}"
    if inline:
        text = agent(f"model: {{{OPENAI}, tools: [{{type: transferCall, destinations: [{destination}]}}]}}")
    else:
        text = tool("type: transferCall", f"destinations: [{destination}]")
    found = schema_found(tmp_path, text)
    assert [(d.code, d.severity) for d in found] == [("schema-renamed", "warning")]
    problems = Problems()
    graph = load_graph(load_project(tmp_path, None, {}, problems), {}, problems)
    body = graph.resources["Agent/a"].body["model"]["tools"][0] if inline else graph.resources["Tool/t"].body
    assert body["destinations"][0]["transferPlan"]["mode"] == new


LOOSE = {
    "an unknown key": agent("frobnicate: true"),
    "a value of the wrong type": agent("maxDurationSeconds: long"),
    "a value out of range": agent("maxDurationSeconds: 1"),
    "a value that is not listed": agent("firstMessageMode: assistant-sings"),
    "a text that is too long": agent(f"name: {'x' * 41}"),
    "a key that is missing": agent("model: {provider: openai}"),
    "an unknown provider": agent("voice: {provider: new-voice, voiceId: x}"),
    "a list that is a text": agent("serverMessages: tool-calls"),
    "a map that is a text": agent("analysisPlan: none"),
    "a null in a list": agent("serverMessages: [null]"),
    "another provider's field": agent("transcriber: {provider: soniox, keyterm: [x]}"),
    "a form": tool("type: function", "function: {name: 'with blanks'}"),
}


@pytest.mark.parametrize("name", LOOSE)
def test_allow_unknown_makes_warnings_of_what_the_schema_refuses(name: str, tmp_path: Path) -> None:
    strict = schema_found(tmp_path, LOOSE[name])
    loose = schema_found(tmp_path, LOOSE[name].replace("spec:\n", f"{UNKNOWN}spec:\n", 1))
    project = schema_found(tmp_path, LOOSE[name], voiceops=f"{PROJECT}{UNKNOWN}")

    assert "error" in {d.severity for d in strict}
    for found in (loose, project):
        assert {d.severity for d in found} == {"warning"}, "\n".join(map(str, found))
        assert {(d.code, d.summary) for d in found if not d.code.startswith("schema-de")} >= {
            (d.code, d.summary) for d in strict if d.severity == "error"
        }


def test_allow_unknown_reaches_patches_defaults_and_parts(tmp_path: Path) -> None:
    text = (
        document("Agent", "voice: warm", head=UNKNOWN)
        + "---\n"
        + document("Voice", "provider: vapi", "voiceId: Elliot", "sparkle: 1", name="warm")
    )
    found = schema_found(
        tmp_path,
        text,
        voiceops="version: 1\nproject: shop\nenvironments: [dev]\ndefaults: {Agent: {shine: 1}}\n",
        environments__dev="patches: [{target: Agent/a, merge: {frobnicate: true}}]\n",
    )
    assert {(d.summary, d.severity) for d in found} == {
        ("unknown key sparkle", "warning"),
        ("unknown key shine", "warning"),
        ("unknown key frobnicate", "warning"),
    }


def test_a_part_may_allow_it_itself(tmp_path: Path) -> None:
    part = document("Voice", "provider: vapi", "voiceId: Elliot", "sparkle: 1", name="warm", head=UNKNOWN)
    found = schema_found(tmp_path, document("Agent", "voice: warm") + "---\n" + part)
    assert {(d.summary, d.severity) for d in found} == {("unknown key sparkle", "warning")}


def test_a_strict_manifest_stays_strict_about_a_part_that_a_loose_one_uses(tmp_path: Path) -> None:
    part = document("Voice", "provider: vapi", "voiceId: Elliot", "sparkle: 1", name="warm")
    agents = [document("Agent", "voice: warm", name=n, head=h) for n, h in (("a", UNKNOWN), ("b", ""), ("c", UNKNOWN))]
    for order in itertools.permutations(agents):
        found = schema_found(tmp_path, "---\n".join([*order, part]))
        assert [d.severity for d in found if "sparkle" in d.summary] == ["error"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (agent("voice: {provider: cartesia, voiceId: x, speed: 1}", head=UNKNOWN), "VO111"),
        (agent("voice: {provider: vapi, voiceId: elliot}", head=UNKNOWN), "VO112"),
        (agent("transcriber: {provider: azure, endpointing: 200}", head=UNKNOWN), "VO102"),
        (
            document("Squad", "members: [{assistantDestinations: []}]", head=UNKNOWN),
            "VO902",
        ),
        (
            document("Phone", "provider: byo-phone-number", "number: '1 2'", "answer: none", head=UNKNOWN),
            "VO403",
        ),
    ],
    ids=lambda value: value if value.startswith("VO") else "",
)
def test_lints_that_say_vapi_refuses_it_are_warnings_there_too(text: str, code: str, tmp_path: Path) -> None:
    found = validate(tmp_path, {"agents/a.yaml": text})
    assert {d.severity for d in found} == {"warning"}, "\n".join(map(str, found))
    assert code in {d.code for d in found}


NAMES = {
    "api_request_tool": "type: apiRequest, method: GET, url: 'https://x.example', description: Ask.",
    "end_call_tool": "type: endCall",
    "transfer_call_tool": "type: transferCall, destinations: [{type: number, number: '+14155550199'}]",
}


@pytest.mark.parametrize(("name", "body"), NAMES.items())
def test_two_tools_that_nobody_named_are_a_warning(name: str, body: str, tmp_path: Path) -> None:
    inline = f"{{{body}, function: {{name: {name}}}}}"
    found = schema_found(tmp_path, agent(f"model: {{{OPENAI}, tools: [{inline}, {inline}]}}"))
    assert [(d.code, d.severity) for d in found] == [("function-twice", "warning")]


@pytest.mark.parametrize(("name", "body"), NAMES.items())
def test_so_are_two_whose_name_nobody_wrote(name: str, body: str, tmp_path: Path) -> None:
    [found] = schema_found(tmp_path, agent(f"model: {{{OPENAI}, tools: [{{{body}}}, {{{body}}}]}}"))
    assert (found.code, found.severity) == ("function-twice", "warning")
    assert name in found.summary


def test_two_handoffs_are_named_by_whom_they_lead_to(tmp_path: Path) -> None:
    to = "{type: handoff, destinations: [{type: dynamic, server: {url: 'https://x.example'}}]}"
    assert not schema_found(tmp_path, agent(f"model: {{{OPENAI}, tools: [{to}, {to}]}}"))


def test_two_tools_that_were_named_alike_are_an_error(tmp_path: Path) -> None:
    inline = "{type: function, function: {name: api_request_tool}}"
    found = schema_found(tmp_path, agent(f"model: {{{OPENAI}, tools: [{inline}, {inline}]}}"))
    assert [(d.code, d.severity) for d in found] == [("function-twice", "error")]
    loose = schema_found(tmp_path, agent(f"model: {{{OPENAI}, tools: [{inline}, {inline}]}}", head=UNKNOWN))
    assert [(d.code, d.severity) for d in loose] == [("function-twice", "warning")]


def test_two_members_of_one_name_are_an_error_that_a_live_squad_may_have(tmp_path: Path) -> None:
    members = "members: [{assistant: {name: one}}, {assistant: {name: one}}]"
    strict = schema_found(tmp_path, document("Squad", members))
    loose = schema_found(tmp_path, document("Squad", members, head=UNKNOWN))
    assert [(d.code, d.severity) for d in strict] == [("member-twice", "error")]
    assert [(d.code, d.severity) for d in loose] == [("member-twice", "warning")]


def test_an_object_without_a_name_says_so(tmp_path: Path) -> None:
    problems = Problems()
    for name, text in {"voiceops.yaml": PROJECT, "agents/a.yaml": agent("name: null")}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    graph = load_graph(load_project(tmp_path, None, {}, problems), {}, problems)
    assert graph.resources["Agent/a"].body == {"name": None}
    assert graph.resources["Agent/a"].name is None


OUTSIDE = (
    f"model: {{{OPENAI}, tools: [{{type: transferCall, destinations: [{{type: assistant, assistantName: %s}}]}}]}}"
)


@pytest.mark.parametrize("name", ["Front Desk", "desk", "Müller's"])
def test_an_agent_outside_the_manifests_is_external(name: str, tmp_path: Path) -> None:
    quoted = "'" + name.replace("'", "''") + "'"
    [strict] = schema_found(tmp_path, agent(OUTSIDE % quoted))
    assert (strict.code, strict.severity) == ("reference", "error")
    assert f"external: {{name: {quoted}}}" in strict.hint
    [loose] = schema_found(tmp_path, agent(OUTSIDE % quoted, head=UNKNOWN))
    assert (loose.code, loose.severity) == ("reference", "warning")


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("eleven_turbo_v3", ""),
        ("eleven_v4_turbo_x", ""),
        ("eleven_turbo_v2_5x", "eleven_turbo_v2_5"),
        ("eleven_turb_v2", "eleven_turbo_v2"),
        ("elevne_turbo_v2", "eleven_turbo_v2"),
        ("Eleven_Turbo_v2", "eleven_turbo_v2"),
        ("sparrow", ""),
    ],
)
def test_a_model_that_is_not_listed_is_a_warning_and_only_a_slip_is_corrected(
    value: str, meant: str, tmp_path: Path
) -> None:
    [found] = schema_found(tmp_path, agent(f"voice: {{provider: 11labs, voiceId: x, model: {value}}}"))
    assert (found.code, found.severity, found.hint) == (
        "schema-unlisted",
        "warning",
        f"Did you mean {meant}?" if meant else "",
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("provider: twilio", "number: +14155550100"), ("provider: twilio", "number: +14155550100")),
        (("provider: vapi", "sipUri: sip:shop@sip.vapi.ai"), ("provider: vapi", "sipUri: SIP:Shop@sip.vapi.ai")),
        (("provider: vapi", "sipUri: sip:shop@sip.vapi.ai"), ("provider: vapi", "sipUri: sip:shop@sip.vapi.ai")),
    ],
    ids=["number", "capitals", "uri"],
)
def test_a_line_is_declared_once(first: tuple[str, ...], second: tuple[str, ...], tmp_path: Path) -> None:
    text = "---\n".join(document("Phone", *lines, "answer: none", name=n) for n, lines in (("a", first), ("b", second)))
    found = schema_found(tmp_path, text)
    assert [(d.code, d.severity, d.address) for d in found] == [("number-twice", "error", "Phone/b")]


def test_two_sip_lines_are_two(tmp_path: Path) -> None:
    text = "---\n".join(
        document("Phone", "provider: vapi", f"sipUri: sip:{n}@sip.vapi.ai", "answer: none", name=n) for n in ("a", "b")
    )
    assert not schema_found(tmp_path, text)


def test_every_kind_has_a_root_that_places_can_walk() -> None:
    for kind in KINDS:
        assert root(kind, "manifest")
