"""What Vapi is documented to refuse with a 400 is an error here, without a network, at the line where it stands.

Each row: a manifest, the code that names the problem, and the line and path of it. The rows follow the vendor's
schema, its guides, and the texts of its validator that its own gitops template quotes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lints.projects import validate
from voiceops.kinds.registry import ALL


def agent(*lines: str, head: str = "") -> str:
    return f"kind: Agent\nname: a\n{head}spec:\n" + "".join(f"  {line}\n" for line in lines)


def tool(*lines: str, head: str = "") -> str:
    return f"kind: Tool\nname: t\n{head}spec:\n" + "".join(f"  {line}\n" for line in lines)


def of(kind: str, *lines: str) -> str:
    return f"kind: {kind}\nname: x\nspec:\n" + "".join(f"  {line}\n" for line in lines)


UNKNOWN = "allowUnknown: true\n"
MODEL = "provider: openai, model: gpt-4.1-mini"
USED = "---\nkind: Agent\nname: user\nspec: {model: {provider: openai, model: gpt-4.1-mini, tools: [t]}}\n"
FUNCTION = "function: {name: f, description: Does it."

ROWS: dict[str, tuple[str, str, str]] = {
    # Lengths
    "assistant.name 40": (agent(f"name: {'x' * 41}"), "schema-range", "4 spec.name"),
    "phone.name 40": (
        of("Phone", "provider: vapi", f"name: {'x' * 41}", "agent: a") + "---\n" + agent("firstMessage: Hi"),
        "schema-range",
        "5 spec.name",
    ),
    "credential.name 40": (
        of("Credential", "provider: openai", "apiKey: '${secret:K}'", f"name: {'x' * 41}"),
        "schema-range",
        "6 spec.name",
    ),
    "structuredOutput.name 1": (
        of("StructuredOutput", "schema: {type: string}", "name: ''"),
        "schema-range",
        "5 spec.name",
    ),
    "structuredOutput.name 40": (
        of("StructuredOutput", "schema: {type: string}", f"name: {'x' * 41}"),
        "schema-range",
        "5 spec.name",
    ),
    "structuredOutput.regex 1000": (
        of("StructuredOutput", "schema: {type: string}", "type: regex", f"regex: {'x' * 1001}"),
        "schema-range",
        "6 spec.regex",
    ),
    "voicemailMessage 1000": (agent(f"voicemailMessage: {'x' * 1001}"), "schema-range", "4 spec.voicemailMessage"),
    "endCallMessage 1000": (agent(f"endCallMessage: {'x' * 1001}"), "schema-range", "4 spec.endCallMessage"),
    "endCallPhrases 2": (agent("endCallPhrases: [bye, x]"), "schema-range", "4 spec.endCallPhrases[1]"),
    "endCallPhrases 140": (agent(f"endCallPhrases: [{'x' * 141}]"), "schema-range", "4 spec.endCallPhrases[0]"),
    "tool message 1000": (
        tool("type: endCall", "messages:", f"  - {{type: request-start, content: {'x' * 1001}}}") + USED,
        "schema-range",
        "6 spec.messages[0].content",
    ),
    "transferPlan.twiml 4096": (
        tool(
            "type: transferCall",
            "destinations:",
            "  - type: number",
            "    number: +14155550199",
            f"    transferPlan: {{mode: warm-transfer-twiml, twiml: {'x' * 4097}}}",
        )
        + USED,
        "schema-range",
        "8 spec.destinations[0].transferPlan.twiml",
    ),
    "code 50000": (
        tool("type: code", f"{FUNCTION}}}", f"code: {'x' * 50001}") + USED,
        "schema-range",
        "6 spec.code",
    ),
    # Ranges
    "silenceTimeoutSeconds 10": (agent("silenceTimeoutSeconds: 9"), "schema-range", "4 spec.silenceTimeoutSeconds"),
    "maxDurationSeconds 10": (agent("maxDurationSeconds: 9"), "schema-range", "4 spec.maxDurationSeconds"),
    "maxDurationSeconds 43200": (agent("maxDurationSeconds: 43201"), "schema-range", "4 spec.maxDurationSeconds"),
    "voiceSeconds 0.5": (
        agent("stopSpeakingPlan: {voiceSeconds: 0.6}"),
        "schema-range",
        "4 spec.stopSpeakingPlan.voiceSeconds",
    ),
    "numWords 10": (agent("stopSpeakingPlan: {numWords: 11}"), "schema-range", "4 spec.stopSpeakingPlan.numWords"),
    "backoffSeconds 10": (
        agent("stopSpeakingPlan: {backoffSeconds: 11}"),
        "schema-range",
        "4 spec.stopSpeakingPlan.backoffSeconds",
    ),
    "waitSeconds 5": (
        agent("startSpeakingPlan: {waitSeconds: 6}"),
        "schema-range",
        "4 spec.startSpeakingPlan.waitSeconds",
    ),
    "call.timeElapsed 1-3600": (
        agent("hooks:", "  - on: call.timeElapsed", "    options: {seconds: 3601}", "    do: [{type: say, exact: Hi}]"),
        "schema-range",
        "6 spec.hooks[0].options.seconds",
    ),
    "temperature 2": (agent(f"model: {{{MODEL}, temperature: 2.1}}"), "schema-range", "4 spec.model.temperature"),
    "maxTokens 50": (agent(f"model: {{{MODEL}, maxTokens: 49}}"), "schema-range", "4 spec.model.maxTokens"),
    "maxTokens 10000": (agent(f"model: {{{MODEL}, maxTokens: 10001}}"), "schema-range", "4 spec.model.maxTokens"),
    "server.timeoutSeconds 300": (
        agent(
            "server: {url: 'https://s.example', credentialId: 7f000000-0000-4000-8000-000000000000,"
            " timeoutSeconds: 301}"
        ),
        "schema-range",
        "4 spec.server.timeoutSeconds",
    ),
    "backoffPlan incomplete": (
        agent("server: {url: 'https://s.example', backoffPlan: {maxRetries: 3, baseDelaySeconds: 1}}"),
        "schema-required",
        "4 spec.server.backoffPlan",
    ),
    "backoffPlan.maxRetries 10": (
        agent(
            "server:",
            "  url: https://s.example",
            "  backoffPlan: {type: fixed, maxRetries: 11, baseDelaySeconds: 1}",
        ),
        "schema-range",
        "6 spec.server.backoffPlan.maxRetries",
    ),
    "code tool timeout 30": (
        tool("type: code", f"{FUNCTION}}}", "code: return 1;", "timeoutSeconds: 31") + USED,
        "schema-range",
        "7 spec.timeoutSeconds",
    ),
    # Transcribers
    "deepgram endpointing 10": (
        agent("transcriber: {provider: deepgram, endpointing: 5}"),
        "schema-range",
        "4 spec.transcriber.endpointing",
    ),
    "deepgram endpointing 500": (
        agent("transcriber: {provider: deepgram, endpointing: 501}"),
        "schema-range",
        "4 spec.transcriber.endpointing",
    ),
    "deepgram endpointing in seconds": (
        agent("transcriber: {provider: deepgram, endpointing: 0.2}"),
        "schema-range",
        "4 spec.transcriber.endpointing",
    ),
    "gladia endpointing in milliseconds": (
        agent("transcriber: {provider: gladia, endpointing: 200}"),
        "schema-range",
        "4 spec.transcriber.endpointing",
    ),
    "endpointing elsewhere": (
        agent("transcriber: {provider: azure, endpointing: 200}"),
        "schema-unknown-key",
        "4 spec.transcriber.endpointing",
    ),
    "eotThreshold 0.5-0.9": (
        agent("transcriber: {provider: deepgram, model: flux-general-en, eotThreshold: 0.4}"),
        "schema-range",
        "4 spec.transcriber.eotThreshold",
    ),
    "eotTimeoutMs 500-10000": (
        agent("transcriber: {provider: deepgram, model: flux-general-en, eotTimeoutMs: 400}"),
        "schema-range",
        "4 spec.transcriber.eotTimeoutMs",
    ),
    "eagerEotThreshold 0-1": (
        agent("transcriber: {provider: deepgram, model: flux-general-en, eagerEotThreshold: 1.1}"),
        "schema-range",
        "4 spec.transcriber.eagerEotThreshold",
    ),
    "soniox maxEndpointDelayMs 500": (
        agent("transcriber: {provider: soniox, maxEndpointDelayMs: 100}"),
        "schema-range",
        "4 spec.transcriber.maxEndpointDelayMs",
    ),
    "azure segmentationSilenceTimeoutMs 100": (
        agent("transcriber: {provider: azure, segmentationSilenceTimeoutMs: 50}"),
        "schema-range",
        "4 spec.transcriber.segmentationSilenceTimeoutMs",
    ),
    "11labs minSilenceDurationMs 50": (
        agent("transcriber: {provider: 11labs, minSilenceDurationMs: 10}"),
        "schema-range",
        "4 spec.transcriber.minSilenceDurationMs",
    ),
    "openai transcriber without model": (
        agent("transcriber: {provider: openai}"),
        "schema-required",
        "4 spec.transcriber",
    ),
    "smartEndpointingPlan false": (
        agent("startSpeakingPlan: {smartEndpointingPlan: false}"),
        "schema-type",
        "4 spec.startSpeakingPlan.smartEndpointingPlan",
    ),
    # Voices
    "chunkPlan is a text": (
        agent("voice: {provider: 11labs, voiceId: sarah, chunkPlan: 'true'}"),
        "schema-type",
        "4 spec.voice.chunkPlan",
    ),
    "chunkPlan is true": (
        agent("voice: {provider: 11labs, voiceId: sarah, chunkPlan: true}"),
        "schema-type",
        "4 spec.voice.chunkPlan",
    ),
    "chunkPlan.minCharacters 80": (
        agent("voice: {provider: 11labs, voiceId: sarah, chunkPlan: {minCharacters: 81}}"),
        "schema-range",
        "4 spec.voice.chunkPlan.minCharacters",
    ),
    "voice without voiceId": (agent("voice: {provider: 11labs}"), "schema-required", "4 spec.voice"),
    "elevenlabs for 11labs": (
        agent("voice: {provider: elevenlabs, voiceId: sarah}"),
        "schema-enum",
        "4 spec.voice.provider",
    ),
    "11labs speed 0.7-1.2": (
        agent("voice: {provider: 11labs, voiceId: sarah, speed: 1.3}"),
        "schema-range",
        "4 spec.voice.speed",
    ),
    "vapi speed 0.25-2": (
        agent("voice: {provider: vapi, voiceId: Elliot, speed: 2.1}"),
        "schema-range",
        "4 spec.voice.speed",
    ),
    "cartesia generationConfig.speed 0.6-1.5": (
        agent("voice: {provider: cartesia, voiceId: x, generationConfig: {speed: 0.5}}"),
        "schema-range",
        "4 spec.voice.generationConfig.speed",
    ),
    **{
        f"{provider} {key}": (
            agent(f"voice: {{provider: {provider}, voiceId: {voice}, {key}: {value}}}"),
            "schema-unknown-key",
            f"4 spec.voice.{key}",
        )
        for provider, voice, key, value in (
            ("cartesia", "x", "speed", "1.1"),
            ("cartesia", "x", "stability", "0.5"),
            ("cartesia", "x", "similarityBoost", "0.5"),
            ("cartesia", "x", "enableSsmlParsing", "true"),
            ("vapi", "Elliot", "enableSsmlParsing", "true"),
            ("vapi", "Elliot", "stability", "0.5"),
            ("vapi", "Elliot", "similarityBoost", "0.5"),
            ("vapi", "Elliot", "generationConfig", "{speed: 1}"),
            ("11labs", "sarah", "generationConfig", "{speed: 1}"),
        )
    },
    "voice of another provider in a squad": (
        of(
            "Squad",
            "members:",
            "  - agent: a",
            "membersOverrides:",
            "  voice: {provider: cartesia, voiceId: x, speed: 1}",
        )
        + "---\n"
        + agent("firstMessage: Hi"),
        "schema-unknown-key",
        "7 spec.membersOverrides.voice.speed",
    ),
    "vapi voiceId in other capitals": (
        agent("voice: {provider: vapi, voiceId: elliot}"),
        "VO112",
        "4 spec.voice.voiceId",
    ),
    "vapi version in the voiceId": (
        agent("voice: {provider: vapi, voiceId: Elliot-v2}"),
        "VO112",
        "4 spec.voice.voiceId",
    ),
    # Keys and types
    "unknown key": (agent("nonsense: 1"), "schema-unknown-key", "4 spec.nonsense"),
    "misplaced key": (agent("temperature: 1"), "schema-unknown-key", "4 spec.temperature"),
    "backgroundSound: off is a text": (agent("backgroundSound: false"), "schema-type", "4 spec.backgroundSound"),
    "firstMessageMode": (agent("firstMessageMode: loud"), "schema-enum", "4 spec.firstMessageMode"),
    "serverMessages": (agent("serverMessages: [tool-call]"), "schema-enum", "4 spec.serverMessages[0]"),
    "squad.compliancePlan": (
        of("Squad", "members: [{agent: a}]", "compliancePlan: {hipaaEnabled: true}") + "---\n" + agent("name: a"),
        "schema-unknown-key",
        "5 spec.compliancePlan",
    ),
    "model without model": (agent("model: {provider: openai}"), "schema-required", "4 spec.model"),
    "custom-llm without url": (agent("model: {provider: custom-llm, model: m}"), "schema-required", "4 spec.model"),
    "server.secret is no text": (agent("server: {url: 7}"), "schema-type", "4 spec.server.url"),
    # Tools
    "function.name": (
        tool("type: function", "function: {name: look up, description: Finds it.}") + USED,
        "schema-pattern",
        "5 spec.function.name",
    ),
    "function.name 64": (
        tool("type: function", f"function: {{name: {'x' * 65}, description: Finds it.}}") + USED,
        "schema-range",
        "5 spec.function.name",
    ),
    "apiRequest.name 40": (
        tool("type: apiRequest", f"name: {'x' * 41}", "description: Asks.", "method: GET", "url: https://s.example")
        + USED,
        "schema-range",
        "5 spec.name",
    ),
    "apiRequest without url": (tool("type: apiRequest", "method: GET") + USED, "schema-required", "3 spec"),
    "code tool with undeclared args": (
        tool("type: code", f"{FUNCTION}}}", "code: return args.price;") + USED,
        "VO305",
        "6 spec.code",
    ),
    "code tool with undeclared env": (
        tool("type: code", f"{FUNCTION}}}", "code: |", "  // no env.NOTE here", "  return env.TOKEN;") + USED,
        "VO305",
        "8 spec.code",
    ),
    "code tool's variable name": (
        tool("type: code", f"{FUNCTION}}}", "code: return 1;", "environmentVariables: [{name: token, value: x}]")
        + USED,
        "schema-pattern",
        "7 spec.environmentVariables[0].name",
    ),
    "toolIds that are no UUID": (
        agent(f"model: {{{MODEL}, toolIds: [look-up-order]}}"),
        "reference",
        "4 spec.model.toolIds[0]",
    ),
    "toolIds in overrides that are no UUID": (
        of(
            "Squad",
            "members:",
            "  - agent: a",
            f"    assistantOverrides: {{model: {{{MODEL}, toolIds: [nobody]}}}}",
        )
        + "---\n"
        + agent("name: a"),
        "reference",
        "6 spec.members[0].assistantOverrides.model.toolIds[0]",
    ),
    "destination to an unknown assistant": (
        tool("type: handoff", "destinations: [{type: assistant, assistantId: nobody}]") + USED,
        "reference",
        "5 spec.destinations[0].assistantId",
    ),
    "destination to an unknown name": (
        tool("type: handoff", "destinations: [{type: assistant, assistantName: Nobody}]") + USED,
        "reference",
        "5 spec.destinations[0].assistantName",
    ),
    "destination to nobody": (
        tool("type: handoff", "destinations: [{type: assistant}]") + USED,
        "VO901",
        "5 spec.destinations[0].type",
    ),
    "transfer to a number that is not E.164": (
        tool("type: transferCall", "destinations: [{type: number, number: '555-0199'}]") + USED,
        "VO403",
        "5 spec.destinations[0].number",
    ),
    # Squads and lines
    "two members of one name": (
        of("Squad", "members:", "  - agent: a", "  - agent: b")
        + "---\n"
        + agent("name: Desk")
        + "---\nkind: Agent\nname: b\nspec: {name: Desk}\n",
        "member-twice",
        "6 spec.members[1]",
    ),
    "member that is nobody": (
        of("Squad", "members:", "  - assistantOverrides: {maxDurationSeconds: 600}"),
        "VO902",
        "5 spec.members[0]",
    ),
    "version of an inline member": (
        of("Squad", "members:", "  - assistant: {firstMessage: Hi}", "    assistantVersion: v3"),
        "VO902",
        "6 spec.members[0].assistantVersion",
    ),
    "number that is not E.164": (
        of("Phone", "provider: twilio", "number: 4155550100", "agent: a") + "---\n" + agent("firstMessage: Hi"),
        "schema-type",
        "5 spec.number",
    ),
    "number with spaces": (
        of("Phone", "provider: twilio", "number: +1 415 555 0100", "agent: a") + "---\n" + agent("firstMessage: Hi"),
        "VO403",
        "5 spec.number",
    ),
    "numberDesiredAreaCode 3": (
        of("Phone", "provider: vapi", "agent: a", "numberDesiredAreaCode: '41'") + "---\n" + agent("firstMessage: Hi"),
        "schema-range",
        "6 spec.numberDesiredAreaCode",
    ),
    "byo number without credential": (
        of("Phone", "provider: byo-phone-number", "number: +14155550100", "agent: a")
        + "---\n"
        + agent("firstMessage: Hi"),
        "schema-required",
        "3 spec",
    ),
    "hmac credential without algorithm": (
        of(
            "Credential",
            "provider: custom-credential",
            "authenticationPlan: {type: hmac, secretKey: '${secret:K}'}",
        ),
        "schema-required",
        "5 spec.authenticationPlan",
    ),
    # Structured outputs and simulations
    "structuredOutput.schema.type is a list": (
        of("StructuredOutput", "schema: {type: [string, 'null']}"),
        "schema-type",
        "4 spec.schema.type",
    ),
    "structuredOutput.schema without type": (
        of("StructuredOutput", "schema: {description: x}"),
        "schema-required",
        "4 spec.schema",
    ),
    "personality.name 80": (
        of("Personality", f"name: {'x' * 81}", "assistant: {firstMessage: Hi}"),
        "schema-range",
        "4 spec.name",
    ),
    "scenario.instructions 10000": (
        of(
            "Scenario",
            f"instructions: {'x' * 10001}",
            "evaluations: [{structuredOutput: {name: o, schema: {type: boolean}}, comparator: '=', value: true}]",
        ),
        "schema-range",
        "4 spec.instructions",
    ),
    "scenario without evaluations": (
        of("Scenario", "instructions: Ask.", "evaluations: []"),
        "schema-range",
        "5 spec.evaluations",
    ),
    "scenario.path": (
        of(
            "Scenario",
            "instructions: Ask.",
            "evaluations: [{structuredOutput: {name: o, schema: {type: boolean}}, comparator: '=', value: true}]",
            "path: a/b/c/d",
        ),
        "schema-pattern",
        "6 spec.path",
    ),
    "inline output's name 40": (
        of(
            "Scenario",
            "instructions: Ask.",
            "evaluations:",
            f"  - structuredOutput: {{name: {'x' * 41}, schema: {{type: boolean}}}}",
            "    comparator: '='",
            "    value: true",
        ),
        "schema-range",
        "6 spec.evaluations[0].structuredOutput.name",
    ),
    "evaluation of nothing": (
        of("Scenario", "instructions: Ask.", "evaluations:", "  - {comparator: '=', value: true}"),
        "VO801",
        "6 spec.evaluations[0]",
    ),
    "evaluation of an object": (
        of(
            "Scenario",
            "instructions: Ask.",
            "evaluations:",
            "  - structuredOutput: {name: o, schema: {type: object}}",
            "    comparator: '='",
            "    value: x",
        ),
        "VO801",
        "6 spec.evaluations[0].structuredOutput",
    ),
    "evaluation with > of a boolean": (
        of(
            "Scenario",
            "instructions: Ask.",
            "evaluations:",
            "  - structuredOutput: {name: o, schema: {type: boolean}}",
            "    comparator: '>'",
            "    value: true",
        ),
        "VO802",
        "7 spec.evaluations[0].comparator",
    ),
    "dictionary without rules": (
        of("Dictionary", "provider: 11labs", "name: words"),
        "schema-required",
        "3 spec",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_documented_400_is_an_error_at_its_line(name: str, tmp_path: Path) -> None:
    manifest, code, place = ROWS[name]
    kind = manifest.split("\n", 1)[0].removeprefix("kind: ")
    if kind not in ALL:
        pytest.skip(f"{kind} has no manifests yet")
    line, _, path = place.partition(" ")

    found = [d for d in validate(tmp_path, {"agents/a.yaml": manifest}) if d.severity == "error"]

    assert code in [d.code for d in found], "\n".join(map(str, found)) or "nothing was found"
    for diagnostic in found:  # a text can be too long and of the wrong form; nothing else is wrong
        mark = diagnostic.mark
        assert mark is not None
        assert (mark.file, mark.line, mark.path) == ("agents/a.yaml", int(line), path), str(diagnostic)
