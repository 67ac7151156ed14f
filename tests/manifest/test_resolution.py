"""From files to the desired graph: environments, defaults, patches, forEach, ${…}, parts, names for ids, naming."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.folder import Folder
from voiceops.kinds.schema import facts
from voiceops.model.graph import Graph
from voiceops.model.values import Ref, Secret, Template, get_path, parse_path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def body(graph: Graph, address: str = "Agent/a") -> dict[str, Any]:
    return graph.resources[address].body


def errors(folder: Folder, **options: Any) -> list[tuple[str, int]]:
    return [(d.code, d.mark.line if d.mark else 0) for d in folder.problems(**options) if d.severity == "error"]


# ${…}

SUBSTITUTIONS = {
    "env": ("${env:CITY}", "Bern"),
    "env-in-a-text": ("in ${env:CITY}!", "in Bern!"),
    "env-default-unused": ("${env:CITY:-Rome}", "Bern"),
    "env-default": ("${env:NOWHERE:-Rome}", "Rome"),
    "env-default-for-empty": ("${env:EMPTY:-Rome}", "Rome"),
    "env-empty-default": ("${env:NOWHERE:-}", ""),
    "env-empty": ("${env:EMPTY}", ""),
    "env-default-with-colons": ("${env:NOWHERE:-https://x:1/:-y}", "https://x:1/:-y"),
    "env-number-stays-text": ("${env:PORT}", "8080"),
    "var-text": ("${var:shop}", "Fern"),
    "var-in-a-text": ("${var:shop}, ${var:shop}", "Fern, Fern"),
    "var-number": ("${var:limit}", 7),
    "var-number-in-a-text": ("n=${var:limit}", "n=7"),
    "var-true": ("${var:on}", True),
    "var-true-in-a-text": ("${var:on}", True),
    "var-list": ("${var:words}", ["a", "b"]),
    "var-map": ("${var:map}", {"x": 1}),
    "secret": ("${secret:KEY}", Secret(("KEY",), ("", ""))),
    "secret-in-a-text": ("Bearer ${secret:KEY}.", Secret(("KEY",), ("Bearer ", "."))),
    "two-secrets": ("${secret:A}:${secret:B}", Secret(("A", "B"), ("", ":", ""))),
    "secret-and-env": ("${secret:KEY}@${env:CITY}", Secret(("KEY",), ("", "@Bern"))),
    "file": ("${file:texts/hello.md}", "Hello ${var:shop} {{customer.name}}\n"),
    "file-in-a-text": ("<${file:texts/hello.md}>", "<Hello ${var:shop} {{customer.name}}\n>"),
    "template": ("${template:texts/hello.md}", "Hello Fern {{customer.name}}\n"),
    "ref": ("${ref:Agent/b.id}", Ref("Agent/b")),
    "ref-name": ("${ref:Agent/b.name}", Ref("Agent/b", "name")),
    "ref-in-a-text": ("https://x/${ref:Agent/b.id}", Template(("https://x/", Ref("Agent/b")))),
    "runtime": ("${runtime:url}/x", "https://voice.example/x"),
    "literal": ("$${var:shop}", "${var:shop}"),
    "literal-beside": ("$${x} ${var:shop}", "${x} Fern"),
    "dollar": ("$5 and $x", "$5 and $x"),
    "vapis-own": ("{{customer.name}} {{now}}", "{{customer.name}} {{now}}"),
    "what-a-variable-brings-is-final": ("${var:looks}", "${var:shop}"),
}


@pytest.mark.parametrize(("text", "value"), SUBSTITUTIONS.values(), ids=SUBSTITUTIONS)
def test_substitutions(folder: Folder, text: str, value: Any) -> None:
    folder.project(
        """\
        variables:
          shop: Fern
          limit: 7
          on: true
          words: [a, b]
          map: {x: 1}
          looks: $${var:shop}
        """
    )
    folder.write("agents/texts/hello.md", "Hello ${var:shop} {{customer.name}}\n")
    folder.write(
        "agents/a.yaml",
        f"kind: Agent\nname: a\nspec:\n  metadata:\n    here: '{text}'\n---\nkind: Agent\nname: b\nspec: {{}}\n",
    )

    graph = folder.graph(environ={"CITY": "Bern", "EMPTY": "", "PORT": "8080"})

    found = body(graph)["metadata"]["here"]
    assert found == value
    assert type(found) is type(value)


WRONG = {
    "env-missing": ("${env:NOWHERE}", "env-missing"),
    "env-name": ("${env:no-name}", "interpolate-syntax"),
    "var-missing": ("${var:shup}", "var-missing"),
    "file-missing": ("${file:texts/none.md}", "file"),
    "file-outside": ("${file:../../x.md}", "file"),
    "file-absolute": ("${file:/etc/passwd}", "file"),
    "file-a-folder": ("${file:texts}", "file"),
    "file-no-text": ("${file:texts/bytes}", "file"),
    "template-missing": ("${template:none.md}", "file"),
    "template-with-secret": ("${template:texts/secret.md}", "interpolate-form"),
    "ref-form": ("${ref:Agent/b}", "interpolate-syntax"),
    "ref-nowhere": ("${ref:Agent/none.id}", "reference"),
    "ref-and-secret": ("${ref:Agent/b.id}${secret:K}", "interpolate-mixed"),
    "runtime-other": ("${runtime:port}", "interpolate-form"),
    "each-outside": ("${each:key}", "each-outside"),
    "unknown": ("${vault:x}", "interpolate-form"),
    "bare": ("${shop}", "interpolate-form"),
    "open": ("a ${var:shop", "interpolate-syntax"),
    "empty": ("${}", "interpolate-form"),
    "map-in-a-text": ("a ${var:map}", "interpolate-type"),
    "list-in-a-text": ("${var:words} b", "interpolate-type"),
    "nested": ("${var:${env:X}}", "interpolate-"),
}


@pytest.mark.parametrize(("text", "code"), WRONG.values(), ids=WRONG)
def test_wrong_substitutions(folder: Folder, text: str, code: str) -> None:
    folder.project("variables: {shop: Fern, words: [a], map: {x: 1}}\n")
    folder.write("agents/texts/secret.md", "x\n${secret:K}\n")
    (folder.root / "agents" / "texts" / "bytes").write_bytes(b"\xff\xfe\x00")
    folder.write(
        "agents/a.yaml",
        f"kind: Agent\nname: a\nspec:\n  metadata:\n    here: '{text}'\n---\nkind: Agent\nname: b\nspec: {{}}\n",
    )

    found = folder.problems()

    assert found
    assert found[0].code.startswith(code), found
    assert found[0].mark is not None
    if code == "interpolate-form" and "template" in text:
        assert found[0].mark[:2] == ("agents/texts/secret.md", 2)
    else:
        assert found[0].mark[:2] == ("agents/a.yaml", 5)


# forEach

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


# environments, defaults, patches, naming


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


# parts


def _parts(folder: Folder) -> None:
    folder.write(
        "agents/parts.yaml",
        """\
        kind: Voice
        name: base
        spec: {provider: 11labs, voiceId: sarah, speed: 1, chunkPlan: {enabled: true, minCharacters: 30}}
        ---
        kind: Voice
        name: slow
        spec: {from: base, speed: 0.9}
        ---
        kind: Model
        name: smart
        spec: {provider: openai, model: gpt-4o, systemPrompt: Be kind., tools: [{type: endCall}]}
        ---
        kind: Transcriber
        name: ears
        spec: {provider: deepgram, model: nova-2}
        ---
        kind: Server
        name: hook
        spec: {url: "https://hook.example", credentialId: cred}
        ---
        kind: Credential
        name: cred
        spec: {provider: openai, apiKey: "${secret:K}"}
        """,
    )


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
    _parts(folder)
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
    _parts(folder)
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


# names for ids: every place that the facts list


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


# phones


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
    _parts(folder)
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


# where a problem is


def test_every_place_is_right_through_parts_and_defaults(folder: Folder) -> None:
    folder.project(
        """\
        defaults:
          Agent:
            startSpeakingPlan:
              waitSeconds: 99
        """
    )
    folder.write(
        "agents/parts.yaml",
        """\
        kind: Voice
        name: base
        spec:
          provider: 11labs
          voiceId: sarah
          chunkPlan:
            enabled: true
            formatPlan: {enabled: "yes"}
        """,
    )
    folder.write(
        "agents/a.yaml",
        """\
        kind: Agent
        name: a
        spec:
          model:
            provider: openai
            model: gpt-4o
            messages:
              - {role: system, content: Hi}
              - {role: user, content: Ho, extra: 1}
          voice: {from: base, speed: fast}
        """,
    )

    found = {
        (d.mark.file, d.mark.line, d.mark.column, d.mark.path.rpartition(":")[2])
        for d in folder.problems()
        if d.mark and d.severity == "error"
    }

    assert ("voiceops.yaml", 8, 7, "defaults.Agent.startSpeakingPlan.waitSeconds") in found
    assert ("agents/parts.yaml", 8, 18, "spec.voice.chunkPlan.formatPlan.enabled") in found or (
        "agents/parts.yaml", 8, 18, "spec.chunkPlan.formatPlan.enabled"
    ) in found  # fmt: skip
    assert ("agents/a.yaml", 9, 35, "spec.model.messages[1].extra") in found
    assert ("agents/a.yaml", 10, 23, "spec.voice.speed") in found
    assert len(found) == 4


def test_sources_lead_from_the_live_field_to_the_manifests_line(folder: Folder) -> None:
    _parts(folder)
    folder.project("defaults: {Agent: {silenceTimeoutSeconds: 30}}\n")
    folder.write(
        "agents/a.yaml",
        """\
        kind: Agent
        name: a
        spec:
          model:
            provider: openai
            model: gpt-4o
            systemPrompt: Hi
          voice: {from: base, speed: 1.1}
        """,
    )

    resource = folder.graph().resources["Agent/a"]

    def place(path: str) -> tuple[str, int, str]:
        mark = resource.source_of(parse_path(path))
        return mark.file, mark.line, mark.path

    assert place("model.messages[0].content") == ("agents/a.yaml", 7, "spec.model.systemPrompt")
    assert place("voice.speed") == ("agents/a.yaml", 8, "spec.voice.speed")
    assert place("voice.voiceId") == ("agents/parts.yaml", 3, "Voice/base:spec.voiceId")
    assert place("silenceTimeoutSeconds")[:2] == ("voiceops.yaml", 5)
    assert place("name") == ("agents/a.yaml", 1, "name")
    assert place("nothing.here") == ("agents/a.yaml", 1, "kind")


# agents without a problem


def test_an_empty_project_is_an_empty_graph(folder: Folder) -> None:
    assert folder.graph().resources == {}


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("agents/deep/er/a.yaml", True),
        ("agents/a.yml", True),
        ("agents/.hidden/a.yaml", False),
        ("agents/a.json", False),
        ("elsewhere/a.yaml", False),
    ],
)
def test_which_files_are_read(folder: Folder, path: str, read: bool) -> None:
    folder.write(path, "kind: Agent\nname: a\nspec: {}\n")

    assert ("Agent/a" in folder.graph().resources) is read
