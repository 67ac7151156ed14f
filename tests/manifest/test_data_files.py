"""YAML beside the manifests that is no manifest: data that one of them names, and files that nobody names."""

from __future__ import annotations

import pytest

from tests.support.folder import Folder

DATA = {
    "a-list": "[bern, rome]\n",
    "a-map": "bern: {title: Bern}\nrome: {title: Rome}\n",
    "entries": "- {key: bern, title: Bern}\n- {name: rome, title: Rome}\n",
}
AGENT = "kind: Agent\nname: desk\nforEach: ${{file:{name}}}\nspec: {{firstMessage: 'Hi ${{each:key}}'}}\n"


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
@pytest.mark.parametrize(
    ("file", "name"),
    [("agents/tenants.yaml", "tenants.yaml"), ("agents/data/tenants.yml", "data/tenants.yml")],
)
def test_what_a_manifest_names_is_data(folder: Folder, data: str, file: str, name: str) -> None:
    folder.write(file, data)
    folder.write("agents/desk.yaml", AGENT.format(name=name))
    assert not folder.problems("dev")
    assert set(folder.graph("dev").resources) == {"Agent/desk[bern]", "Agent/desk[rome]"}


def test_named_from_another_folder_and_as_a_text(folder: Folder) -> None:
    folder.write("agents/tenants.yaml", DATA["a-map"])
    folder.write("agents/desks/desk.yaml", AGENT.format(name="../tenants.yaml"))
    folder.write("agents/desks/prices.yaml", "seeds: 3\n")
    folder.write(
        "agents/desks/night.yaml",
        "kind: Agent\nname: night\n"
        "spec: {model: {provider: openai, model: gpt-4.1, systemPrompt: '${file:prices.yaml}'}}\n",
    )
    assert not folder.problems("dev")
    assert len(folder.graph("dev").resources) == 3


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_what_nobody_names_is_said_once_and_with_its_place(folder: Folder, data: str) -> None:
    folder.write("agents/tenants.yaml", data)
    folder.write("agents/desk.yaml", "kind: Agent\nname: desk\nspec: {firstMessage: Hi}\n")
    (found,) = folder.problems("dev")
    assert found.code == "manifest-form"
    assert found.mark is not None
    assert (found.mark.file, found.mark.line) == ("agents/tenants.yaml", 1)
    assert "neither kind nor name" in found.summary
    assert "forEach: ${file:tenants.yaml}" in found.hint
    assert "move it out of the folders of `manifests:`" in found.hint


def test_a_name_in_a_comment_names_nothing(folder: Folder) -> None:
    folder.write("agents/tenants.yaml", DATA["a-list"])
    folder.write("agents/desk.yaml", "# forEach: ${file:tenants.yaml}\nkind: Agent\nname: desk\nspec: {}\n")
    assert [d.code for d in folder.problems("dev")] == ["manifest-form"]


def test_a_manifest_stays_one_whoever_names_it(folder: Folder) -> None:
    folder.write("agents/other.yaml", "kind: Agent\nname: other\nspec: {firstMessage: Hi}\n")
    folder.write("agents/desk.yaml", "kind: Agent\nname: desk\nspec: {firstMessage: '${file:other.yaml}'}\n")
    assert set(folder.graph("dev").resources) == {"Agent/other", "Agent/desk"}


def test_data_with_an_error_in_it_is_said_once(folder: Folder) -> None:
    folder.write("agents/tenants.yaml", "bern: {title: Bern\n")
    folder.write("agents/desk.yaml", AGENT.format(name="tenants.yaml"))
    assert [d.code for d in folder.problems("dev")] == ["yaml-syntax"]
