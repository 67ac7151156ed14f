"""Schemas that models fill in, texts that YAML cuts off, gateways by name, and deadlines that nobody waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lints.projects import PROJECT, validate

RUNTIME = PROJECT + "runtime: {url: https://voice.shop.example%s}\n"
LINE = "---\nkind: Phone\nname: line\nspec: {provider: vapi, agent: desk}\n"


def found(folder: Path, files: dict[str, str], *codes: str) -> list[str]:
    return [f"{d.code} {d.mark.path if d.mark else ''}" for d in validate(folder, files) if d.code in codes]


def desk(tool: str) -> str:
    return (
        "kind: Agent\nname: desk\nspec:\n  firstMessage: Hello, the garden shop.\n"
        "  model: {provider: openai, model: gpt-4.1-mini, tools: [t]}\n"
        f"---\nkind: Tool\nname: t\nspec:\n{tool}"
    )


def function(schema: str) -> str:
    return desk(
        "  type: function\n  function:\n    name: f\n    description: Does it.\n    parameters:\n"
        + "".join(f"      {line}\n" for line in schema.splitlines())
    )


@pytest.mark.parametrize(
    ("schema", "places"),
    [
        ("type: object\nproperties: {a: {type: strin}}", ["VO309 properties.a.type"]),
        ("type: object\nproperties: {a: {type: Integer}}", ["VO309 properties.a.type"]),
        ("type: object\nproperties: {a: {type: [string, nul]}}", ["VO309 properties.a.type"]),
        ("type: object\nproperties: {a: {type: string, required: true}}", ["VO309 properties.a.required"]),
        ("type: object\nproperties: {a: {type: number, minimum: low}}", ["VO309 properties.a.minimum"]),
        ("type: object\nproperties: {a: {type: array, items: [string]}}", ["VO309 properties.a.items"]),
        ("type: object\nproperties: {a: {type: string, enum: red}}", ["VO309 properties.a.enum"]),
        ("type: object\nproperties: {a: {type: string, pattern: '('}}", ["VO309 properties.a.pattern"]),
        (
            "type: object\nproperties: {a: {type: array, items: {pattern: '[z-a]'}}}",
            ["VO309 properties.a.items.pattern"],
        ),
        ("type: object\nproperties: {a: {type: string}}\nrequired: [b]", ["VO310 required[0]"]),
        ("type: object\nproperties: {a: {type: string}}\nrequired: [a, A]", ["VO310 required[1]"]),
        (
            "type: object\nproperties: {a: {type: object, properties: {b: {type: string}}, required: [c]}}",
            ["VO310 properties.a.required[0]"],
        ),
        ("type: object\npropertes: {a: {type: string}}", ["VO310 propertes"]),
        ("type: object\nproperties: {a: {type: string, descripton: x}}", ["VO310 properties.a.descripton"]),
        ("type: object\nproperties: {a: {type: string, pattern: '^\\d{5}$', format: email, example: x}}", []),
        ("type: object\nproperties: {type: {type: string}, required: {type: boolean}}\nrequired: [type]", []),
        ("type: object\nproperties: {a: {type: [string, 'null'], nullable: true}}\nadditionalProperties: false", []),
        ("type: object\nproperties: {a: {anyOf: [{type: string}, {type: integer}], enum: [x, 1]}}", []),
        ("{}", []),
    ],
)
def test_schemas(schema: str, places: list[str], tmp_path: Path) -> None:
    start = "spec.function.parameters."
    told = found(tmp_path, {"agents/a.yaml": function(schema)}, "VO309", "VO310")
    assert [place.replace(start, "") for place in told] == places


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("type: object\nproperties: {a: {type: string, pattern: '^(?=.*\\d)x'}}", "looks around or back"),
        ("type: object\nproperties: {a: {type: array, items: {pattern: '(a)\\1'}}}", "looks around or back"),
        ("type: object\npatternProperties: {'(?<!x)y': {type: string}}", "looks around or back"),
        ("type: object\nproperties: {a: {type: string, pattern: '^[A-Z]\\d{5}$'}}", ""),
    ],
)
def test_patterns_that_the_runtime_cannot_bound(schema: str, says: str, tmp_path: Path) -> None:
    files = {"agents/a.yaml": function(schema) + "handler: m:f\n", "agents/handlers/m.py": "def f(**given): ...\n"}
    told = [d for d in validate(tmp_path, files) if d.code == "VO311"]
    assert [d.severity for d in told] == ["warning"] * bool(says)
    for diagnostic in told:
        assert says in diagnostic.summary
        assert diagnostic.mark is not None
        assert diagnostic.mark.line > 1
    files["agents/a.yaml"] = function(schema)
    assert not [d for d in validate(tmp_path, files) if d.code == "VO311"], "somebody else's server has its own engine"


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        ("firstMessage: You are caller #1", True),
        ("firstMessage: You are caller #1 of 3 # a comment", True),
        ("firstMessage: Ask for order  #numbers", True),
        ("name: Desk #2", True),
        ("voicemailMessage: Press #", False),
        ("firstMessage: You are caller # 1", False),
        ("firstMessage: 'You are caller #1'", False),
        ('firstMessage: "You are caller #1" #quoted', False),
        ("firstMessage: You are caller#1", False),
        ("maxDurationSeconds: 600 #ten minutes", False),
        ("backgroundSound: office #quiet", False),
        ("firstMessage: Hello, the garden shop. # what everybody hears", False),
    ],
)
def test_texts_that_yaml_cuts_off(line: str, cut: bool, tmp_path: Path) -> None:
    text = f"kind: Agent\nname: desk\nspec:\n  {line}\n"
    assert bool(found(tmp_path, {"agents/a.yaml": text}, "VO210")) is cut


@pytest.mark.parametrize(
    ("ip", "named"),
    [
        ("sip.carrier.example", True),
        ("carrier", True),
        ("203.0.113.7:5060", True),
        ("203.0.113.7", False),
        ("'2001:db8::7'", False),
        ("'{{gateway}}'", False),
    ],
)
def test_gateways(ip: str, named: bool, tmp_path: Path) -> None:
    text = f"kind: Credential\nname: trunk\nspec: {{provider: byo-sip-trunk, gateways: [{{ip: {ip}}}]}}\n"
    assert found(tmp_path, {"agents/a.yaml": text}, "VO408") == (["VO408 spec.gateways[0].ip"] if named else [])


SERVED = (
    "  type: function\n  function: {{name: f, description: Does it.}}\n"
    "  server: {{url: 'https://s.example', timeoutSeconds: {}}}\n"
)
START = "  messages: [{type: request-start, content: This takes a minute.}]\n"
LATER = "  messages: [{type: request-response-delayed, content: Still looking., timingMilliseconds: 5000}]\n"
EMPTY = "  messages: [{type: request-start, content: ''}]\n"
DONE = "  messages: [{type: request-complete, content: Done.}]\n"


@pytest.mark.parametrize(
    ("seconds", "more", "slow"),
    [
        (10, "", False),
        (11, "", True),
        (20, "", True),
        (20, START, False),
        (20, LATER, False),
        (45, START, False),
        (46, START, True),
        (20, EMPTY, True),
        (20, DONE, True),
        (20, "  async: true\n", False),
    ],
)
def test_deadlines(seconds: int, more: str, slow: bool, tmp_path: Path) -> None:
    files = {"agents/a.yaml": desk(SERVED.format(seconds) + more) + LINE}
    assert found(tmp_path, files, "VO303") == (["VO303 spec.server.timeoutSeconds"] if slow else [])


@pytest.mark.parametrize(("setting", "slow"), [("", False), (", toolSeconds: 8", False), (", toolSeconds: 15", True)])
def test_the_runtimes_own_deadline(setting: str, slow: bool, tmp_path: Path) -> None:
    tool = "  type: function\n  function: {name: f, description: Does it.}\n  server: runtime\nhandler: h:f\n"
    files = {
        "voiceops.yaml": RUNTIME % setting,
        "agents/a.yaml": desk(tool) + LINE,
        "agents/handlers/h.py": "def f() -> str:\n    return 'x'\n",
    }
    told = [d for d in validate(tmp_path, files) if d.code == "VO303"]
    assert [(d.mark.file, d.address) for d in told if d.mark] == ([("voiceops.yaml", "Tool/t")] if slow else [])
