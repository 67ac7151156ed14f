"""Names in place of ids, in every place that the facts list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.folder import Folder, body
from voiceops.kinds.schema import facts
from voiceops.model.values import Ref, get_path, parse_path


def _references() -> list[tuple[str, str, str, bool, bool]]:
    """(type, field, kind, is a list, by name) of each reference in schema/vapi.json."""
    found = []
    for name, definition in facts()["types"].items():
        for key, node in definition["fields"].items():
            inner = node.get("items", {})
            if kind := node.get("reference") or inner.get("reference"):
                by_name = (node.get("referenceBy") or inner.get("referenceBy")) == "name"
                found.append((name, key, kind, node["type"] == "array", by_name))
    return found


REFERENCES = _references()


def test_the_facts_list_references() -> None:
    assert len(REFERENCES) > 60


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda r: f"{r[0]}.{r[1]}")
def test_a_name_may_stand_wherever_an_id_stands(reference: tuple[str, str, str, bool, bool]) -> None:
    """Through the resolver itself, for each type that the facts know."""
    from voiceops.errors import Mark
    from voiceops.kinds.registry import KINDS
    from voiceops.manifest.documents import Document
    from voiceops.manifest.problems import Problems
    from voiceops.manifest.resolve import Index, Resolver
    from voiceops.model.located import Map, Seq

    type_name, key, kind, is_list, by_name = reference
    if kind not in KINDS:
        pytest.skip(f"{kind} is no kind yet")
    mark = Mark("a.yaml", 1, 1)

    def document(kind: str, name: str) -> Document:
        return Document(kind=kind, name=name, mark=mark, spec=Map(), spec_mark=mark, folder=Path("."))

    user, target = document("Agent", "user"), document(kind, "target")
    problems = Problems()
    index = Index({target.address: target}, {target.family: [target]}, {})
    resolver = Resolver(user, index, problems, None)
    uuid = "00000000-0000-4000-8000-000000000001"

    def resolve(name: str) -> Any:
        spec, items = Map(), Seq()
        items.put(name, mark)
        spec.put(key, items if is_list else name, mark)
        result = resolver.rewrite({"type": "object", "of": type_name}, spec, mark)[key]
        return result[0] if is_list else result

    assert resolve("target") == Ref(f"{kind}/target", "name" if by_name else "id")
    assert resolve(uuid) == uuid
    assert not problems.failed
    resolve("targat")
    assert [d.code for d in problems.all] == ["reference"]
    assert "target" in problems.all[0].hint


PLACES = {
    "model.toolIds[0]": ("model: {provider: openai, model: m, toolIds: [t]}", Ref("Tool/t")),
    "artifactPlan.structuredOutputIds[0]": ("artifactPlan: {structuredOutputIds: [o]}", Ref("StructuredOutput/o")),
    "credentialIds[0]": ("credentialIds: [c]", Ref("Credential/c")),
    "server.credentialId": ('server: {url: "https://x", credentialId: c}', Ref("Credential/c")),
    "hooks[0].do[0].toolId": ("hooks: [{on: call.ending, do: [{type: tool, toolId: t}]}]", Ref("Tool/t")),
    "model.tools[0].destinations[0].assistantId": (
        "model: {provider: openai, model: m, tools: [{type: handoff, destinations: [{type: assistant, agent: b}]}]}",
        Ref("Agent/b"),
    ),
    "model.tools[0].destinations[0].assistantName": (
        "model: {provider: openai, model: m, tools: "
        "[{type: handoff, destinations: [{type: assistant, assistantName: b}]}]}",
        Ref("Agent/b", "name"),
    ),
    "voice.server.credentialId": (
        'voice: {provider: custom-voice, server: {url: "https://x", credentialId: c}}',
        Ref("Credential/c"),
    ),
    "compliancePlan.recordingConsentPlan.declineToolId": (
        "compliancePlan: {recordingConsentPlan: {type: verbal, message: m, voice: {provider: vapi, voiceId: Elliot}, "
        "declineToolId: t}}",
        Ref("Tool/t"),
    ),
}


@pytest.mark.parametrize("path", PLACES)
def test_names_in_an_agent(folder: Folder, path: str) -> None:
    spec, expected = PLACES[path]
    folder.write(
        "agents/others.yaml",
        "kind: Tool\nname: t\nspec: {type: endCall}\n---\n"
        "kind: StructuredOutput\nname: o\nspec: {schema: {type: object}}\n---\n"
        "kind: Credential\nname: c\nspec: {provider: openai, apiKey: '${secret:K}'}\n---\n"
        "kind: Agent\nname: b\nspec: {}\n",
    )
    folder.write("agents/a.yaml", f"kind: Agent\nname: a\nspec:\n  {spec}\n")

    assert get_path(body(folder.graph()), parse_path(path)) == expected


def test_names_in_squads_and_their_overrides(folder: Folder) -> None:
    folder.write(
        "agents/a.yaml",
        """\
        kind: Squad
        name: s
        spec:
          members:
            - agent: a
              assistantOverrides: {model: {provider: openai, model: m, toolIds: [t]}}
              assistantDestinations: [{type: assistant, assistantName: a}]
            - assistantId: 00000000-0000-4000-8000-000000000001
        ---
        kind: Agent
        name: a
        spec: {name: Anna}
        ---
        kind: Tool
        name: t
        spec: {type: endCall}
        """,
    )

    members = body(folder.graph(), "Squad/s")["members"]

    assert members[0]["assistantId"] == Ref("Agent/a")
    assert members[0]["assistantOverrides"]["model"]["toolIds"] == [Ref("Tool/t")]
    assert members[0]["assistantDestinations"][0]["assistantName"] == Ref("Agent/a", "name")
    assert members[1]["assistantId"] == "00000000-0000-4000-8000-000000000001"


def test_structured_outputs_are_linked_once_from_either_side(folder: Folder) -> None:
    folder.write(
        "agents/a.yaml",
        """\
        kind: Agent
        name: a
        spec: {artifactPlan: {structuredOutputIds: [o]}}
        ---
        kind: Agent
        name: b
        spec: {}
        ---
        kind: StructuredOutput
        name: o
        spec: {schema: {type: object}, assistantIds: [a, b, 00000000-0000-4000-8000-000000000001]}
        """,
    )

    graph = folder.graph()

    for address in ("Agent/a", "Agent/b"):
        assert body(graph, address)["artifactPlan"] == {"structuredOutputIds": [Ref("StructuredOutput/o")]}
    assert body(graph, "StructuredOutput/o")["assistantIds"] == ["00000000-0000-4000-8000-000000000001"]
