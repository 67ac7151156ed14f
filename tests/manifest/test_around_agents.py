"""Files, dictionaries and names of members in manifests; hints that lead to the field of today; secrets in lists."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.support.folder import Folder
from voiceops.errors import Mark
from voiceops.kinds.file import MAX_METADATA, file_name
from voiceops.manifest.documents import Document
from voiceops.manifest.problems import Problems
from voiceops.manifest.resolve import Index, Resolver
from voiceops.model.located import Map, located
from voiceops.model.values import Ref, Secret, get_path, parse_path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def hint(folder: Folder) -> str:
    [problem] = [d for d in folder.problems() if d.severity == "error"]
    return f"{problem.summary}. {problem.hint}"


# files


def test_a_file_stands_in_the_graph_by_its_bytes(folder: Folder) -> None:
    folder.write("agents/menus/menu.md", "# Menu\n")
    folder.write("agents/menus/a.yaml", "kind: File\nname: menu\nspec: {path: menu.md, metadata: {pages: 1}}\n")
    resource = folder.graph().resources["File/menu"]
    assert resource.body == {
        "name": "menu.md",
        "originalName": "menu.md",
        "sha256": hashlib.sha256(b"# Menu\n").hexdigest(),
        "bytes": 7,
        "metadata": {"pages": 1},
    }
    assert resource.source_of(("sha256",)).path == "spec.path"
    assert Path(resource.upload).read_bytes() == b"# Menu\n"
    assert "upload" not in resource.to_data()


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("menu", "menu.pdf", "menu.pdf"),
        ("Menu.pdf", "menu.pdf", "Menu.pdf"),
        ("menu (dev)", "x/y.tar.gz", "menu (dev).gz"),
        ("LICENSE", "LICENSE", "LICENSE"),
    ],
)
def test_a_file_keeps_the_ending_that_tells_its_format(name: str, path: str, expected: str) -> None:
    assert file_name(name, path) == expected


def test_each_tenant_has_a_file_of_its_own(folder: Folder) -> None:
    for key in ("bern", "rome"):
        folder.write(f"agents/{key}.txt", f"{key}\n")
    folder.write("agents/a.yaml", "kind: File\nname: menu\nforEach: [bern, rome]\nspec: {path: '${each:key}.txt'}\n")
    resources = folder.graph().resources
    assert {a: r.name for a, r in resources.items()} == {
        "File/menu[bern]": "menu-bern.txt",
        "File/menu[rome]": "menu-rome.txt",
    }
    assert len({r.body["sha256"] for r in resources.values()}) == 2


def test_an_empty_file_and_too_much_metadata_are_refused(folder: Folder) -> None:
    folder.write("agents/menu.md", "")
    folder.write("agents/a.yaml", "kind: File\nname: menu\nspec: {path: menu.md}\n")
    assert "is empty" in hint(folder)
    folder.write("agents/menu.md", "x")
    folder.write(
        "agents/a.yaml", f"kind: File\nname: menu\nspec: {{path: menu.md, metadata: {{a: {'x' * MAX_METADATA}}}}}\n"
    )
    assert "4096 characters" in hint(folder)


def test_a_link_out_of_the_project_is_not_uploaded(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.txt"
    secret.write_text("top secret")
    (folder.root / "agents/menu.txt").symlink_to(secret)
    folder.write("agents/a.yaml", "kind: File\nname: menu\nspec: {path: menu.txt}\n")
    assert "outside the project" in hint(folder)


# dictionaries

DICTIONARIES = """\
kind: Dictionary
name: names
spec: {provider: 11labs, rules: [{type: alias, stringToReplace: a, alias: b}]}
---
kind: Dictionary
name: dishes
spec: {provider: cartesia, items: [{text: a, alias: b}]}
---
"""
NAMES = (Ref("Dictionary/names", "resourceId"), Ref("Dictionary/names", "versionId"))


@pytest.mark.parametrize(
    ("voice", "path", "expected"),
    [
        (
            "provider: 11labs, voiceId: a, pronunciationDictionaryLocators: [{pronunciationDictionaryId: names}]",
            "voice.pronunciationDictionaryLocators[0]",
            {"pronunciationDictionaryId": NAMES[0], "versionId": NAMES[1]},
        ),
        (
            "provider: 11labs, voiceId: a, "
            "pronunciationDictionaryLocators: [{pronunciationDictionaryId: names, versionId: v7}]",
            "voice.pronunciationDictionaryLocators[0]",
            {"pronunciationDictionaryId": NAMES[0], "versionId": "v7"},
        ),
        (
            "provider: 11labs, voiceId: a, pronunciationDictionaryLocators: [{pronunciationDictionaryId: rjshI10Og}]",
            "voice.pronunciationDictionaryLocators[0]",
            {"pronunciationDictionaryId": "rjshI10Og"},
        ),
        (
            "provider: cartesia, voiceId: a, pronunciationDictId: dishes",
            "voice.pronunciationDictId",
            Ref("Dictionary/dishes", "resourceId"),
        ),
        (
            "provider: cartesia, voiceId: a, pronunciationDictId: '${ref:Dictionary/dishes.id}'",
            "voice.pronunciationDictId",
            Ref("Dictionary/dishes", "resourceId"),
        ),
        (
            "provider: vapi, voiceId: Elliot, pronunciationDictionary: [{pronunciationDictId: dishes}]",
            "voice.pronunciationDictionary[0]",
            {"pronunciationDictId": Ref("Dictionary/dishes", "resourceId")},
        ),
        (
            "provider: vapi, voiceId: Elliot, pronunciationDictionary: [{pronunciationDictId: names}]",
            "voice.pronunciationDictionary[0]",
            {"pronunciationDictId": NAMES[0], "versionId": NAMES[1]},
        ),
    ],
)
def test_a_dictionary_s_name_stands_for_the_provider_s_id(folder: Folder, voice: str, path: str, expected: Any) -> None:
    folder.write("agents/a.yaml", f"{DICTIONARIES}kind: Agent\nname: a\nspec: {{voice: {{{voice}}}}}\n")
    assert get_path(folder.graph().resources["Agent/a"].body, parse_path(path)) == expected


def test_a_dictionary_is_named_from_a_voice_of_its_own_too(folder: Folder) -> None:
    folder.write(
        "agents/a.yaml",
        f"{DICTIONARIES}kind: Voice\nname: warm\n"
        "spec: {provider: cartesia, voiceId: a, pronunciationDictId: dishes}\n"
        "---\nkind: Agent\nname: a\nspec: {voice: warm}\n",
    )
    graph = folder.graph()
    assert graph.dependencies("Agent/a") == ("Dictionary/dishes",)


# knowledge bases

HOUSE = "kind: KnowledgeBase\nname: house\nspec: {}\n---\n"


@pytest.mark.parametrize("key", ["toolIds", "tools"])
def test_a_knowledge_base_among_tools_is_the_tool_that_searches_it(folder: Folder, key: str) -> None:
    folder.write(
        "agents/a.yaml",
        f"{HOUSE}kind: Agent\nname: a\n"
        f"spec: {{model: {{provider: openai, model: gpt-4o, {key}: [KnowledgeBase/house]}}}}\n",
    )
    assert folder.graph().resources["Agent/a"].body["model"]["toolIds"] == [Ref("KnowledgeBase/house", "toolId")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("KnowledgeBase/hose", "there is no KnowledgeBase 'KnowledgeBase/hose'"),
        ("File/menu", "neither a Tool's name nor a UUID"),
        ("house", "there is no Tool 'house'"),
    ],
)
def test_nothing_else_stands_for_a_tool(folder: Folder, name: str, expected: str) -> None:
    folder.write(
        "agents/a.yaml",
        f"{HOUSE}kind: Agent\nname: a\nspec: {{model: {{provider: openai, model: gpt-4o, toolIds: [{name}]}}}}\n",
    )
    assert expected in hint(folder)


# names of members

SQUAD = """\
kind: Squad
name: s
spec:
  members:
    - assistant: {{name: Anna, model: {{provider: openai, model: gpt-4o}}}}
      assistantDestinations: [{{type: assistant, assistantName: {name}}}]
    - assistant: {{name: Bert, model: {{provider: openai, model: gpt-4o}}}}
"""


def test_members_that_stand_in_the_squad_are_named_by_their_live_names(folder: Folder) -> None:
    folder.write("agents/a.yaml", SQUAD.format(name="Bert"))
    body = folder.graph().resources["Squad/s"].body
    assert body["members"][0]["assistantDestinations"][0]["assistantName"] == "Bert"


def test_a_member_that_is_not_there_is_an_error(folder: Folder) -> None:
    folder.write("agents/a.yaml", SQUAD.format(name="Carl"))
    assert "no Agent is called 'Carl'" in hint(folder)


# hints


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("voice: {provider: elevenlabs, voiceId: a}", "Did you mean 11labs?"),
        ("voice: {provider: eleven-labs, voiceId: a}", "Did you mean 11labs?"),
        ("transcriber: {provider: elevenlabs}", "Did you mean 11labs?"),
        ("voice: {provider: 11lab, voiceId: a}", "Did you mean 11labs?"),
        ("serverURL: https://x.example", "Its place is server.url."),
        ("firstmessage: Hi", "Did you mean firstMessage?"),
    ],
)
def test_a_hint_leads_to_what_is_meant_today(folder: Folder, spec: str, expected: str) -> None:
    folder.write("agents/a.yaml", f"kind: Agent\nname: a\nspec: {{{spec}}}\n")
    assert expected in hint(folder)


# secrets

HERE = Mark("a.yaml", 1, 1)


@pytest.mark.parametrize(
    ("node", "value", "expected"),
    [
        ({"type": "string", "secret": True}, "k", Secret((), ("k",))),
        ({"type": "array", "items": {"type": "string"}, "secret": True}, ["k"], [Secret((), ("k",))]),
        ({"type": "array", "items": {"type": "string", "secret": True}}, ["k"], [Secret((), ("k",))]),
        (
            {"type": "anyOf", "options": [{"type": "number"}, {"type": "string", "secret": True}]},
            "k",
            Secret((), ("k",)),
        ),
        ({"type": "anyOf", "secret": True, "options": [{"type": "string"}]}, "k", Secret((), ("k",))),
        (
            {
                "type": "anyOf",
                "options": [{"type": "string"}, {"type": "array", "items": {"type": "string", "secret": True}}],
            },
            ["k"],
            [Secret((), ("k",))],
        ),
        ({"type": "any", "secret": True}, "k", Secret((), ("k",))),
        ({"type": "string"}, "k", "k"),
        ({"type": "string", "secret": True}, Secret(("A",), ("", "")), Secret(("A",), ("", ""))),
    ],
)
def test_what_the_facts_call_secret_is_wrapped_wherever_it_stands(
    tmp_path: Path, node: dict[str, Any], value: Any, expected: Any
) -> None:
    document = Document(kind="Agent", name="a", mark=HERE, spec=Map(), spec_mark=HERE, folder=tmp_path)
    resolver = Resolver(document, Index({}, {}, {}), Problems(), None)
    assert resolver.rewrite(node, located(value, HERE), HERE) == expected
