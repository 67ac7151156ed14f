"""Environments, defaults, patches and naming."""

from __future__ import annotations

import pytest

from tests.support.folder import Folder, body, errors


def test_environments_are_merge_patches(folder: Folder) -> None:
    folder.project("variables: {a: base, b: base, c: base, map: {x: 1, y: 2}, list: [1, 2]}\n")
    folder.write(
        "environments/prod.yaml",
        "variables: {a: prod, b: null, map: {y: 3, z: 4}, list: [9]}\n",
    )
    folder.write(
        "agents/a.yaml",
        "kind: Agent\nname: a\nspec: {metadata: {a: '${var:a}', m: '${var:map}', l: '${var:list}', c: '${var:c}'}}\n",
    )

    assert body(folder.graph("dev"))["metadata"] == {"a": "base", "m": {"x": 1, "y": 2}, "l": [1, 2], "c": "base"}
    assert body(folder.graph("prod"))["metadata"] == {
        "a": "prod", "m": {"x": 1, "y": 3, "z": 4}, "l": [9], "c": "base"
    }  # fmt: skip
    folder.write("agents/b.yaml", "kind: Agent\nname: b\nspec: {metadata: {b: '${var:b}'}}\n")
    assert errors(folder, environment="prod") == [("var-missing", 3)]


@pytest.mark.parametrize(
    ("written", "dev", "prod"),
    [
        ("", True, True),
        ("environments: [prod]\n", False, True),
        ("environments: [dev, prod]\n", True, True),
        ("environments: ['p*']\n", False, True),
        ("environments: []\n", False, False),
    ],
)
def test_where_a_manifest_exists(folder: Folder, written: str, dev: bool, prod: bool) -> None:
    folder.write("agents/a.yaml", f"kind: Agent\nname: a\n{written}spec: {{}}\n")

    assert ("Agent/a" in folder.graph("dev").resources) is dev
    assert ("Agent/a" in folder.graph("prod").resources) is prod


def test_a_name_of_what_this_environment_leaves_out(folder: Folder) -> None:
    folder.write(
        "agents/a.yaml",
        "kind: Tool\nname: t\nenvironments: [prod]\nspec: {type: endCall}\n---\n"
        "kind: Agent\nname: a\nspec: {model: {provider: openai, model: gpt-4o, toolIds: [t]}}\n",
    )

    assert folder.graph("prod")
    (found,) = folder.problems("dev")
    assert found.code == "reference"
    assert "does not exist in this environment" in found.summary
    assert "prod" in found.hint


def test_defaults_lie_under_every_manifest_of_the_kind(folder: Folder) -> None:
    folder.project(
        """\
        defaults:
          Agent:
            firstMessage: default ${var:x}
            silenceTimeoutSeconds: 20
            model: {provider: openai, model: gpt-4o, temperature: 0}
        variables: {x: 1}
        """
    )
    folder.write(
        "agents/a.yaml",
        """\
        kind: Agent
        name: a
        spec: {silenceTimeoutSeconds: null, model: {model: gpt-4.1}}
        ---
        kind: Agent
        name: b
        spec: {}
        ---
        kind: Tool
        name: t
        spec: {type: endCall}
        """,
    )

    graph = folder.graph()

    assert body(graph) == {
        "firstMessage": "default 1",
        "silenceTimeoutSeconds": None,
        "model": {"provider": "openai", "model": "gpt-4.1", "temperature": 0},
        "name": "a",
    }
    assert body(graph, "Agent/b")["silenceTimeoutSeconds"] == 20
    assert body(graph, "Tool/t") == {"type": "endCall"}


def test_patches_by_target(folder: Folder) -> None:
    folder.write(
        "environments/prod.yaml",
        """\
        patches:
          - {target: Agent/a, merge: {firstMessage: patched, silenceTimeoutSeconds: null}}
          - {target: Agent/*, merge: {metadata: {all: 1}}}
          - {target: 'Agent/each[y]', merge: {firstMessage: 'only ${each:key}'}}
        """,
    )
    folder.write(
        "agents/a.yaml",
        """\
        kind: Agent
        name: a
        spec: {firstMessage: Hi, silenceTimeoutSeconds: 20, metadata: {own: 1}}
        ---
        kind: Agent
        name: each
        forEach: [x, y]
        spec: {firstMessage: Hi}
        """,
    )

    prod = folder.graph("prod")

    assert body(prod) == {"firstMessage": "patched", "metadata": {"own": 1, "all": 1}, "name": "a"}
    assert body(prod, "Agent/each[x]") == {"firstMessage": "Hi", "metadata": {"all": 1}, "name": "each-x"}
    assert body(prod, "Agent/each[y]")["firstMessage"] == "only y"
    assert "metadata" not in body(folder.graph("dev"), "Agent/each[x]")


EACH = "kind: Agent\nname: each\nlifecycle: {adopt: true}\nforEach: [x, y]\nspec: {firstMessage: Hi}\n"


@pytest.mark.parametrize(
    ("patches", "protected"),
    [
        ("- {target: 'Agent/each[y]', lifecycle: {preventDestroy: true}}", {"Agent/each[y]"}),
        ("- {target: Agent/each, lifecycle: {preventDestroy: true}}", {"Agent/each[x]", "Agent/each[y]"}),
        ("- {target: Agent/*, lifecycle: {preventDestroy: true}}", {"Agent/each[x]", "Agent/each[y]"}),
        (
            "- {target: Agent/each, lifecycle: {preventDestroy: true}}\n"
            "- {target: 'Agent/each[x]', lifecycle: {preventDestroy: false}}",
            {"Agent/each[y]"},
        ),
        (
            "- {target: 'Agent/each[x]', merge: {firstMessage: Ho}}\n"
            "- {target: 'Agent/each[x]', lifecycle: {preventDestroy: true}}",
            {"Agent/each[x]"},
        ),
        (
            "- {target: 'Agent/each[x]', merge: {firstMessage: Ho}, lifecycle: {preventDestroy: true}}",
            {"Agent/each[x]"},
        ),
        ("- {target: 'Agent/each[x]', lifecycle: {preventDestroy: null}}", set()),
    ],
)
def test_a_patch_protects_one_instance(folder: Folder, patches: str, protected: set[str]) -> None:
    folder.write("environments/prod.yaml", f"patches:\n{patches}\n")
    folder.write("agents/each.yaml", EACH)

    prod = folder.graph("prod")

    assert {a for a, resource in prod.resources.items() if resource.prevent_destroy} == protected
    assert all(resource.adopt for resource in prod.resources.values()), "the rest of the lifecycle stays"
    assert body(prod, "Agent/each[x]")["firstMessage"] == ("Ho" if "Ho" in patches else "Hi")
    assert not any(resource.prevent_destroy for resource in folder.graph("dev").resources.values())


def test_several_patches_of_one_instance_all_count(folder: Folder) -> None:
    folder.write(
        "environments/prod.yaml",
        """\
        patches:
          - {target: 'Agent/each[x]', merge: {firstMessage: Ho}}
          - {target: 'Agent/each[x]', merge: {endCallMessage: Bye}}
        """,
    )
    folder.write("agents/each.yaml", EACH)

    found = body(folder.graph("prod"), "Agent/each[x]")

    assert (found["firstMessage"], found["endCallMessage"]) == ("Ho", "Bye")


@pytest.mark.parametrize(
    ("patch", "found"),
    [
        ("{target: Agent/each}", [("patch-empty", 2)]),
        ("{target: 'Agent/each[x]'}", [("patch-empty", 2)]),
        ("{target: Agent/each, lifecycle: {preventDestroy: 1}}", [("schema-type", 2)]),
        ("{target: Agent/each, lifecycle: {protect: true}}", [("schema-unknown-key", 2)]),
        ("{target: Agent/each, labels: {a: b}}", [("schema-unknown-key", 2)]),
        ("{target: 'Agent/each[z]', lifecycle: {preventDestroy: true}}", [("patch-target", 2)]),
    ],
)
def test_a_patch_that_is_wrong_is_an_error(folder: Folder, patch: str, found: list[tuple[str, int]]) -> None:
    folder.write("environments/dev.yaml", f"patches:\n  - {patch}\n")
    folder.write("agents/each.yaml", EACH)

    assert set(errors(folder)) >= set(found)


@pytest.mark.parametrize("target", ["Agent/nobody", "Tool/*", "Agent/each[z]", "Agent/a[x]"])
def test_a_patch_that_reaches_nothing_is_an_error(folder: Folder, target: str) -> None:
    folder.write("environments/dev.yaml", f"patches:\n  - target: '{target}'\n    merge: {{}}\n")
    folder.write(
        "agents/a.yaml", "kind: Agent\nname: a\nspec: {}\n---\nkind: Agent\nname: each\nforEach: [x]\nspec: {}\n"
    )

    assert errors(folder) == [("patch-target", 2)]


@pytest.mark.parametrize(
    ("spec", "name"),
    [("{}", "pre-desk-x (dev)"), ("{name: Own}", "Own"), ("{name: 'Own ${each:key}'}", "Own x")],
)
def test_naming_is_for_names_that_nobody_gave(folder: Folder, spec: str, name: str) -> None:
    folder.write("environments/dev.yaml", 'naming: {prefix: pre-, suffix: " (dev)"}\n')
    folder.write("agents/a.yaml", f"kind: Agent\nname: desk\nforEach: [x]\nspec: {spec}\n")

    resource = folder.graph("dev").resources["Agent/desk[x]"]

    assert resource.name == resource.body["name"] == name


def test_tools_have_no_name_of_their_own(folder: Folder) -> None:
    folder.write("agents/t.yaml", "kind: Tool\nname: t\nspec: {type: function, function: {name: doIt}}\n")

    resource = folder.graph().resources["Tool/t"]

    assert resource.name == "doIt"
    assert "name" not in resource.body


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("secrets: [env]\n", []),
        ("secrets: [vault]\n", ["schema-enum"]),
        ("previews: {from: dev, ttl: 24h, max: 10, lines: []}\n", []),
        ("previews: {max: 0}\n", ["schema-range"]),
        ("previews: {from: nowhere}\n", ["environment-unknown"]),
        ("previews: {ttl: soon}\n", ["preview-ttl"]),
        ("previews: {ttl: 10s}\n", ["preview-ttl"]),
        ("previews: {lines: [main-line]}\n", ["preview-line"]),
        ("previews: {lines: [+14155550100, +14155550100]}\n", ["preview-line", "preview-line"]),
    ],
)
def test_settings_that_are_checked(folder: Folder, setting: str, found: list[str]) -> None:
    folder.project(setting)
    assert [d.code for d in folder.problems()][: len(found)] == found
    assert bool(folder.problems()) is bool(found)
