"""forEach: its forms, the types of its values, and names inside it."""

from __future__ import annotations

import pytest

from tests.support.folder import Folder, body, errors
from voiceops.model.values import Ref

EACH = {
    "texts": "[acme, umbrella]",
    "maps-with-key": "[{key: acme, n: 1}, {key: umbrella, n: 2}]",
    "maps-with-name": "[{name: acme, n: 1}, {name: umbrella, n: 2}]",
    "a-map": "{acme: {n: 1}, umbrella: {n: 2}}",
    "a-file-with-a-map": "${file:tenants.yaml}",
    "a-file-with-a-list": "${file:list.yaml}",
    "a-variable": "${var:tenants}",
}


@pytest.mark.parametrize("source", EACH.values(), ids=EACH)
def test_for_each_in_every_form(folder: Folder, source: str) -> None:
    folder.project("variables: {tenants: {acme: {n: 1}, umbrella: {n: 2}}}\n")
    folder.write("agents/tenants.yaml", "acme: {n: 1}\numbrella: {n: 2}\n")
    folder.write("agents/list.yaml", "- {key: acme, n: 1}\n- {key: umbrella, n: 2}\n")
    folder.project("manifests: [agents/a]\nvariables: {tenants: {acme: {n: 1}, umbrella: {n: 2}}}\n")
    for name in ("tenants", "list"):
        (folder.root / "agents" / "a").mkdir(exist_ok=True)
        (folder.root / "agents" / f"{name}.yaml").rename(folder.root / "agents" / f"{name}.data")
    source = source.replace("tenants.yaml", "../tenants.data").replace("list.yaml", "../list.data")
    folder.write(
        "agents/a/a.yaml", f"kind: Agent\nname: desk\nforEach: {source}\nspec: {{firstMessage: 'Hi ${{each:key}}'}}\n"
    )

    graph = folder.graph()

    assert {a: r.body["firstMessage"] for a, r in graph.resources.items()} == {
        "Agent/desk[acme]": "Hi acme",
        "Agent/desk[umbrella]": "Hi umbrella",
    }
    assert [r.name for r in graph.resources.values()] == ["desk-acme", "desk-umbrella"]


def test_each_value_keeps_its_type(folder: Folder) -> None:
    folder.write(
        "agents/a.yaml",
        """\
        kind: Agent
        name: desk
        forEach: [{key: x, n: 3, on: false, list: [1, {deep: yes}], map: {a: 1}, none: null}, plain]
        spec:
          metadata: {v: "${each:value}"}
        ---
        kind: Agent
        name: other
        forEach: [{key: x, n: 3, on: false, list: [1, {deep: yes}], map: {a: 1}, none: null}]
        spec:
          metadata:
            n: ${each:value.n}
            on: ${each:value.on}
            list: ${each:value.list}
            deep: ${each:value.list.1.deep}
            map: ${each:value.map}
            none: ${each:value.none}
            text: n=${each:value.n}
        """,
    )

    graph = folder.graph()

    assert body(graph, "Agent/desk[plain]")["metadata"] == {"v": "plain"}
    assert body(graph, "Agent/desk[x]")["metadata"]["v"]["list"] == [1, {"deep": "yes"}]
    assert body(graph, "Agent/other[x]")["metadata"] == {
        "n": 3, "on": False, "list": [1, {"deep": "yes"}], "deep": "yes", "map": {"a": 1}, "none": None, "text": "n=3"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("[Acme]", "each-key"),
        ("[a, a]", "each-key"),
        ("[{n: 1}]", "each-type"),
        ("[1]", "each-type"),
        ("text", "each-type"),
        ("7", "each-type"),
        ("${file:none.yaml}", "file"),
        ("${env:X:-a}", "each-type"),
    ],
)
def test_for_each_that_makes_no_sense(folder: Folder, source: str, code: str) -> None:
    folder.write("agents/a.yaml", f"kind: Agent\nname: desk\nforEach: {source}\nspec: {{}}\n")

    assert errors(folder) == [(code, 3)]


def test_for_each_of_nothing_is_nothing(folder: Folder) -> None:
    folder.write("agents/a.yaml", "kind: Agent\nname: desk\nforEach: []\nspec: {}\n")

    assert folder.graph().resources == {}


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        ("[x, y]", "tool", "Tool/tool[x]"),
        ("[x, y]", "tool[y]", "Tool/tool[y]"),
        ("[x, y]", "single", "Tool/single"),
    ],
)
def test_names_inside_a_for_each_over_the_same_source_mean_the_same_key(
    folder: Folder, source: str, name: str, expected: str
) -> None:
    folder.write(
        "agents/a.yaml",
        f"""\
        kind: Tool
        name: tool
        forEach: {source}
        spec: {{type: endCall}}
        ---
        kind: Tool
        name: single
        spec: {{type: dtmf}}
        ---
        kind: Agent
        name: desk
        forEach: {source}
        spec: {{model: {{provider: openai, model: gpt-4o, toolIds: ['{name}']}}}}
        """,
    )

    assert body(folder.graph(), "Agent/desk[x]")["model"]["toolIds"] == [Ref(expected)]


@pytest.mark.parametrize("each", ["", "forEach: [x]\n", "forEach: [x, y, z]\n"], ids=["none", "shorter", "longer"])
def test_from_elsewhere_an_instance_must_be_named(folder: Folder, each: str) -> None:
    folder.write(
        "agents/a.yaml",
        "kind: Tool\nname: tool\nforEach: [x, y]\nspec: {type: endCall}\n---\n"
        f"kind: Agent\nname: desk\n{each}spec: {{model: {{provider: openai, model: gpt-4o, toolIds: [tool]}}}}\n",
    )

    found = folder.problems()

    assert {d.code for d in found} == {"reference"}
    assert "tool[x]" in found[0].hint


def test_the_same_file_named_from_two_folders_is_the_same_source(folder: Folder) -> None:
    folder.write("agents/data/tenants.data", "[x, y]\n")
    folder.write(
        "agents/one/a.yaml",
        "kind: Tool\nname: tool\nforEach: ${file:../data/tenants.data}\nspec: {type: endCall}\n",
    )
    folder.write(
        "agents/b.yaml",
        "kind: Agent\nname: desk\nforEach: ${file:data/tenants.data}\n"
        "spec: {model: {provider: openai, model: gpt-4o, toolIds: [tool]}}\n",
    )

    assert body(folder.graph(), "Agent/desk[y]")["model"]["toolIds"] == [Ref("Tool/tool[y]")]
