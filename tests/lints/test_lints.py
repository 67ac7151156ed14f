"""What each lint finds, at which line, and what it leaves alone. (Every lint's page is tested in test_pages.py.)"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import voiceops.lints
from tests.lints.projects import places, validate, write
from voiceops.errors import Mark
from voiceops.lints.all_lints import LINTS, UNUSED, find
from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.run_lints import lint as lints_of
from voiceops.lints.texts import Texts
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import load_project
from voiceops.model.graph import Graph, Resource
from voiceops.model.values import Ref

LINE = "---\nkind: Phone\nname: line\nspec: {provider: vapi, agent: a}\n"
RUNTIME = (
    "version: 1\nproject: shop\nruntime: {url: https://voice.shop.example}\ndefaults: {Agent: {server: runtime}}\n"
)
ID = "00000000-0000-4000-8000-000000000001"
OUTPUT = {"structuredOutputId": Ref("StructuredOutput/o")}
TEXT = (
    "You answer the phone of a garden shop and tell the callers about the plants that are in the shop, about the "
    "opening hours and about the orders that they have made. If you do not know something, offer to call back, and ask "
    "for the name and the number of the caller."
)


def agent(*lines: str, name: str = "a", first: str = "Hello, this is the shop.") -> str:
    return f"kind: Agent\nname: {name}\nspec:\n  firstMessage: {first}\n" + "".join(f"  {line}\n" for line in lines)


def model(prompt: str, *rest: str) -> str:
    return agent("model:", "  provider: openai", "  model: gpt-4.1-mini", f"  systemPrompt: {prompt}", *rest)


def tool(name: str, function: str, *lines: str) -> str:
    head = f"---\nkind: Tool\nname: {name}\nspec:\n  type: function\n"
    head += f"  function: {{name: {function}, description: Does it.}}\n"
    return head + "".join(f"  {line}\n" for line in lines)


def handoff(name: str, *destinations: str) -> str:
    return f"---\nkind: Tool\nname: {name}\nspec:\n  type: handoff\n  destinations: [{', '.join(destinations)}]\n"


FOUND: dict[str, tuple[str, list[tuple[str, int]]]] = {
    "gladia counts in seconds": (agent("transcriber: {provider: gladia, endpointing: 0.1}") + LINE, [("VO101", 5)]),
    "a fallback transcriber": (
        agent(
            "transcriber:",
            "  provider: deepgram",
            "  endpointing: 300",
            "  fallbackPlan:",
            "    transcribers: [{provider: deepgram, endpointing: 50}]",
        )
        + LINE,
        [("VO101", 9)],
    ),
    "a part's own line": (
        agent("transcriber: ear")
        + LINE
        + "---\nkind: Transcriber\nname: ear\nspec: {provider: deepgram, endpointing: 50}\n",
        [("VO101", 13)],
    ),
    "an agent that others hand over to": (
        agent("model: {provider: openai, model: gpt-4.1-mini, tools: [to-b]}")
        + LINE
        + handoff("to-b", "{type: assistant, agent: b}")
        + "---\nkind: Agent\nname: b\nspec:\n  firstMessageMode: assistant-speaks-first-with-model-generated-message\n"
        "  transcriber: {provider: deepgram, endpointing: 50}\n",
        [("VO101", 21)],
    ),
    "an override": (
        agent("maxDurationSeconds: 600")
        + "---\nkind: Squad\nname: s\nspec:\n  members:\n    - agent: a\n      assistantOverrides:\n"
        "        transcriber: {provider: deepgram, endpointing: 50}\n"
        "---\nkind: Phone\nname: line\nspec: {provider: vapi, squad: s}\n",
        [("VO101", 13)],
    ),
    "a fallback voice": (
        agent(
            "voice:",
            "  provider: 11labs",
            "  voiceId: sarah",
            "  fallbackPlan: {voices: [{provider: vapi, voiceId: savannah}]}",
        ),
        [("VO112", 8)],
    ),
    "eotThreshold without Flux": (
        agent("transcriber: {provider: deepgram, model: nova-3, eotThreshold: 0.7}"),
        [("VO103", 5)],
    ),
    "keyterm with Nova-2": (agent("transcriber: {provider: deepgram, model: nova-2, keyterm: [Fern]}"), [("VO105", 5)]),
    "a list in a farewell": (
        agent("endCallMessage: |", "  Remember:", "  - water", "  - light"),
        [("VO203", 7)],
    ),
    "a web address in a tool's message": (
        model("Be brief.", "  tools: [t]")
        + tool("t", "doIt", "messages: [{type: request-start, content: See https://shop.example now.}]"),
        [("VO203", 16)],
    ),
    "an emoji before a transfer": (
        model("Be brief.", "  tools:", "    - type: transferCall")
        + "        destinations: [{type: number, number: +14155550199, message: Bye 👋}]\n",
        [("VO203", 11)],
    ),
    "a German prompt": (
        model(
            '"Du bist am Telefon eines Gartenmarkts und hilfst den Kunden mit Fragen zu Pflanzen, mit den '
            "Öffnungszeiten und mit der Bestellung. "
            'Wenn du etwas nicht weißt, dann biete einen Rückruf an, und frage nach dem Namen."'
        )
        + LINE,
        [("VO204", 8)],
    ),
    "a paragraph twice": (
        model(f"|\n      {TEXT}\n\n      Be brief.\n\n      {TEXT}"),
        [("VO206", 13)],
    ),
    "a tool of another agent": (
        model("Be brief. Use lookUp for orders.")
        + "---\n"
        + model("Be brief.", "  tools: [t]").replace("name: a", "name: b")
        + tool("t", "lookUp"),
        [("VO207", 8)],
    ),
    "a tool in another spelling": (
        model("Be brief. Use `look_up` for orders.", "  tools: [t]") + tool("t", "lookUp"),
        [("VO207", 8)],
    ),
    "idle messages beside a hook": (
        agent(
            "messagePlan: {idleMessages: [Hello?]}",
            "hooks:",
            "  - {on: customer.speech.timeout, options: {timeoutSeconds: 8}, do: [{type: say, exact: Hello?}]}",
        ),
        [("VO208", 5), ("schema-deprecated", 5)],
    ),
    "the default of maxTokens": (
        model("Be brief.", "  tools: [t]")
        + "---\nkind: Tool\nname: t\nspec:\n  type: function\n  function:\n    name: book\n    description: Books.\n"
        "    parameters:\n      type: object\n      properties:\n"
        + "".join(f"        p{i}: {{type: string}}\n" for i in range(12)),
        [("VO301", 5)],
    ),
    "a long description": (
        model("Be brief.", "  tools: [t]")
        + "---\nkind: Tool\nname: t\nspec:\n  type: function\n  function:\n"
        + f"    name: f\n    description: {'x' * 1000}\n",
        [("VO304", 17)],
    ),
    "an inline tool": (
        model("Be brief.", "  tools:", "    - type: function", "      function: {name: f}"),
        [("VO304", 11)],
    ),
    "strict on a code tool": (
        model("Be brief.", "  tools:", "    - type: code", "      code: return 1;")
        + "        function: {name: f, description: Counts., strict: true}\n",
        [("VO306", 12)],
    ),
    "a runtime that names who answers": (
        "kind: Phone\nname: line\nspec: {provider: vapi, server: {url: 'https://s.example', credentialId: c}}\n"
        "---\nkind: Credential\nname: c\nspec: {provider: openai, apiKey: '${secret:K}'}\n",
        [("VO401", 3)],
    ),
    "a transfer to the own line, by a tool": (
        model(
            "Be brief.", "  tools:", "    - {type: transferCall, destinations: [{type: number, number: +14155550100}]}"
        )
        + "---\nkind: Phone\nname: line\nspec:\n  provider: twilio\n  number: +14155550100\n  agent: a\n"
        "  twilio: {voiceFallbackUrl: 'https://handler.twilio.com/twiml/EH0'}\n",
        [("VO404", 10)],
    ),
    "a greeting by name": (
        model("Be brief.", "  tools: [to-b]")
        + handoff("to-b", "{type: assistant, assistantName: b}")
        + "---\n"
        + agent("maxDurationSeconds: 600", name="b"),
        [("VO502", 15)],
    ),
    "an inline member that nobody reaches": (
        agent("maxDurationSeconds: 600")
        + "---\nkind: Squad\nname: s\nspec:\n  members:\n    - agent: a\n    - assistant: {name: Helper}\n",
        [("VO501", 12)],
    ),
    "a key in a folded prompt": (
        model(">-\n      Be brief. The service takes\n      sk-ant-EXAMPLE1234567890EXAMPLE today."),
        [("VO601", 10)],
    ),
    "a bearer token in a header": (
        agent("server:", "  url: https://s.example", "  headers: {authorization: Bearer abcdefghijklmnop}"),
        [("VO602", 7), ("VO605", 7)],
    ),
    "a password in an address": (
        agent("server: {url: 'https://user:pass@s.example/calls', credentialId: 00000000-0000-4000-8000-000000000001}"),
        [("VO606", 5)],
    ),
    "a client's secret in an address": (
        agent(
            "server: {url: 'https://s.example/?client_secret=4711', credentialId: 00000000-0000-4000-8000-000000000001}"
        ),
        [("VO606", 5)],
    ),
    "an older server": (agent("serverUrl: https://s.example/calls"), [("VO701", 5), ("schema-deprecated", 5)]),
    "a private address": (
        agent("server: {url: 'https://10.0.0.8/calls', credentialId: 00000000-0000-4000-8000-000000000001}"),
        [("VO705", 5)],
    ),
}

CLEAN: dict[str, str] = {
    "a web agent may be quick": agent("transcriber: {provider: deepgram, endpointing: 10}"),
    "200 ms": agent("transcriber: {provider: deepgram, endpointing: 200}") + LINE,
    "gladia's fifth of a second": agent("transcriber: {provider: gladia, endpointing: 0.2}") + LINE,
    "a cloned voice": agent("voice: {provider: vapi, voiceId: 7f3c2b1a-clone}"),
    "keyterm with Nova-3": agent("transcriber: {provider: deepgram, model: nova-3, keyterm: [Fern]}"),
    "an agent that listens first": "kind: Agent\nname: a\nspec: {firstMessageMode: assistant-waits-for-user}\n" + LINE,
    "a first message of the squad": "kind: Agent\nname: a\nspec: {maxDurationSeconds: 60}\n"
    "---\nkind: Squad\nname: s\nspec: {members: [{agent: a, assistantOverrides: {firstMessage: Hi}}]}\n"
    "---\nkind: Phone\nname: line\nspec: {provider: vapi, squad: s}\n",
    "a recorded first message": agent("maxDurationSeconds: 60", first="https://cdn.shop.example/hello.mp3") + LINE,
    "a short greeting in Japanese": agent(
        "maxDurationSeconds: 60", first="お電話ありがとうございます。ご用件をどうぞ。"
    )
    + LINE,
    "SSML, variables and dashes are spoken": agent(
        "endCallMessage: Bye, {{customer.name}} - and thanks * a lot", first="Hello <break time='0.5s'/> there."
    ),
    "a prompt of a web agent": model(TEXT),
    "a short prompt": model("You answer the phone of a shop.") + LINE,
    "a Polish prompt": model(
        '"Odbierasz telefon w sklepie ogrodniczym i pomagasz klientom w sprawach roślin, godzin otwarcia oraz '
        "zamówień. Jeżeli czegoś nie wiesz, zaproponuj oddzwonienie i zapytaj o imię oraz numer telefonu. "
        'Zawsze bądź uprzejmy."'
    )
    + LINE,
    "a Spanish prompt that asks for short answers": model(
        '"Atiendes el teléfono de una tienda de plantas y ayudas a los clientes con los pedidos, con el horario y con '
        "las devoluciones. Responde con frases cortas. "
        'Si no sabes algo, ofrece que alguien les llame, y pide el nombre."'
    )
    + LINE,
    "no markdown, in many ways": model(
        '"Be brief. Never use markdown. Do not answer with bullet points! Reply in plain words, not in HTML."'
    )
    + LINE,
    "questions about HTML": model("Be brief. Answer questions about HTML and bullet trains.") + LINE,
    "a heading per section": model("|\n      # One\n      Be brief.\n      # Two\n      Be kind."),
    "a comment in code is no heading": model(
        "|\n      ```\n      # note\n      ```\n      ```\n      # note\n      ```"
    ),
    "words that are no tools": model("Be brief. Ask for the order-number and the e-mail address.", "  tools: [t]")
    + tool("t", "orderLookup"),
    "parameters are no tools": model("Be brief. Fill in order_number.", "  tools: [t]")
    + "---\nkind: Tool\nname: t\nspec:\n  type: function\n  function:\n    name: orderNumbers\n"
    "    description: Finds.\n    parameters: {type: object, properties: {order_number: {type: string}}}\n",
    "an ordinary word that looks like a tool": model("Be brief. Help callers with their sign-up.", "  tools: [t]")
    + tool("t", "signUp"),
    "an agent with tools by id": model("Be brief. Use endCall.", "  toolIds: [00000000-0000-4000-8000-000000000001]"),
    "a tool that a squad adds": model("Be brief. Use lookUp.")
    + tool("t", "lookUp")
    + "---\nkind: Squad\nname: s\nspec:\n  members:\n    - agent: a\n      assistantOverrides:\n"
    "        model: {provider: openai, model: gpt-4.1-mini, toolIds: [t]}\n",
    "a tool that a hook uses": agent("hooks: [{on: call.ending, do: [{type: tool, toolId: t}]}]") + tool("t", "wrapUp"),
    "a slow tool that nobody waits for": model("Be brief.", "  tools: [t]")
    + LINE
    + tool(
        "t",
        "doIt",
        "async: true",
        "server: {url: 'https://s.example', credentialId: 00000000-0000-4000-8000-000000000001, timeoutSeconds: 90}",
    ),
    "a slow tool of a web agent": model("Be brief.", "  tools: [t]")
    + tool(
        "t",
        "doIt",
        "server: {url: 'https://s.example', credentialId: 00000000-0000-4000-8000-000000000001, timeoutSeconds: 90}",
    ),
    "code that declares what it uses": model("Be brief.", "  tools:", "    - type: code")
    + "        function:\n          name: f\n          description: Counts.\n"
    "          parameters: {type: object, properties: {n: {type: number}}}\n"
    "        environmentVariables: [{name: KEY, value: x}]\n"
    "        code: \"return args.n + env.KEY + args['n'] + 'https://x' // args.other\"\n",
    "a SIP destination that may not be E.164": agent("maxDurationSeconds: 60")
    + "---\nkind: Phone\nname: line\nspec:\n  provider: vapi\n  agent: a\n"
    "  fallbackDestination: {type: number, number: '1234', numberE164CheckEnabled: false}\n",
    "a number of Vapi's variables": model("Be brief.", "  tools:", "    - type: transferCall")
    + "        destinations: [{type: number, number: '{{callback.number}}'}]\n",
    "a dynamic handoff reaches everybody": model("Be brief.", "  tools: [any]")
    + "---\nkind: Agent\nname: b\nspec: {maxDurationSeconds: 60}\n"
    + "---\nkind: Tool\nname: any\nspec:\n  type: handoff\n"
    "  destinations:\n    - type: dynamic\n"
    f"      server: {{url: 'https://s.example', credentialId: {ID}}}\n"
    + "---\nkind: Squad\nname: s\nspec: {members: [{agent: a}, {agent: b}]}\n",
    "destinations of the member": agent("maxDurationSeconds: 60")
    + "---\nkind: Agent\nname: b\nspec: {maxDurationSeconds: 60}\n"
    "---\nkind: Squad\nname: s\nspec:\n  members:\n"
    "    - agent: a\n      assistantDestinations: [{type: assistant, assistantName: b}]\n    - agent: b\n",
    "a secret of the environment": "kind: Credential\nname: c\nspec: {provider: openai, apiKey: '${secret:KEY}'}\n",
    "words that look a little like keys": model("Be brief. Our task-force-of-twenty-people is at risk-free-returns."),
    "an ordinary header": agent(f"server: {{url: 'https://s.example', credentialId: {ID}, headers: {{X-Shop: fern}}}}"),
    "an address with a query": agent(
        "server: {url: 'https://s.example/?shop=1&keyboard=2', credentialId: 00000000-0000-4000-8000-000000000001}"
    ),
    "the socket of a websocket call": model("Be brief. (wss://api.vapi.ai/0000/transport is for the web.)"),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_is_found_and_where(name: str, tmp_path: Path) -> None:
    text, expected = FOUND[name]
    found = validate(tmp_path, {"agents/a.yaml": text})
    assert sorted((code, line) for code, _, line in places(found)) == sorted(expected), "\n".join(map(str, found))


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_left_alone(name: str, tmp_path: Path) -> None:
    found = validate(tmp_path, {"agents/a.yaml": CLEAN[name]})
    assert not found, "\n".join(map(str, found))


def test_a_prompt_in_a_file_is_shown_there(tmp_path: Path) -> None:
    files = {
        "agents/a.yaml": model("${template:prompts/a.md}", "  tools: [t]") + tool("t", "lookUp"),
        "agents/prompts/a.md": "Be brief.\n\nFor orders of ${var:shop} use look_up.\n",
        "voiceops.yaml": "version: 1\nproject: shop\nvariables: {shop: Fern}\n",
    }
    [found] = validate(tmp_path, files)
    assert found.mark is not None
    assert (found.code, found.mark.file, found.mark.line) == ("VO207", "agents/prompts/a.md", 3)

    files["agents/a.yaml"] = files["agents/a.yaml"].replace("a.md}", "a.md} # voiceops: ignore[VO207]")
    assert validate(tmp_path, files) == []


def test_a_place_in_a_block_text(tmp_path: Path) -> None:
    [found] = validate(
        tmp_path, {"agents/a.yaml": model("|\n      Be brief.\n      Say lookUp, then end.\n      Use endCall.")}
    )
    assert found.mark is not None
    assert (found.code, found.mark.line, found.mark.column) == ("VO207", 11, 11)


@pytest.mark.parametrize(
    ("environment", "url", "codes"),
    [
        ("dev", "https://fern.ngrok-free.app", []),
        ("dev", "http://voice.shop.example", ["VO703"]),
        ("dev", "http://localhost:8080", ["VO705"]),
        ("sandbox", "http://localhost:8080", []),
        ("sandbox", "http://voice.shop.example", []),
        ("local", "http://127.0.0.1:9", []),
        ("prod", "https://fern.ngrok-free.app", ["VO704"]),
        ("prod", "http://fern.ngrok-free.app", ["VO703", "VO704"]),
        ("guarded", "https://x.trycloudflare.com", ["VO704"]),
        ("prod", "https://voice.shop.example/base", []),
        ("prod", "https://voice.example.com", ["VO707"]),
        ("dev", "https://example.org/base", ["VO707"]),
        ("dev", "http://a.b.EXAMPLE.net", ["VO703", "VO707"]),
        ("dev", "https://CHANGE-ME.acme.io", ["VO707"]),
        ("dev", "https://voice.your-domain.com", ["VO707"]),
        ("dev", "https://runtime.invalid", ["VO707"]),
        ("dev", "https://voice.myexample.com", []),
        ("dev", "https://yourvoice.io", []),
        ("sandbox", "https://voice.example.com", []),
        ("local", "https://voice.example.com", []),
    ],
)
def test_the_runtime_s_address(environment: str, url: str, codes: list[str], tmp_path: Path) -> None:
    files = {
        "voiceops.yaml": RUNTIME + "environments: [dev, sandbox, local, prod, guarded]\n",
        "agents/a.yaml": agent("maxDurationSeconds: 60"),
        f"environments/{environment}.yaml": f"runtime:\n  url: {url}\n",
    }
    more = {
        "sandbox": "providers: sandbox\n",
        "local": "providers: {vapi: {baseUrl: 'http://127.0.0.1:4000'}}\n",
        "guarded": "safety: {confirm: true}\n",
    }
    files[f"environments/{environment}.yaml"] += more.get(environment, "")
    found = validate(tmp_path, files, environment)
    assert places(found) == [(code, f"environments/{environment}.yaml", 2) for code in codes], "\n".join(
        map(str, found)
    )


def test_a_key_in_the_project_file(tmp_path: Path) -> None:
    files = {
        "voiceops.yaml": "version: 1\nproject: shop\nproviders:\n  vapi: {apiKey: 0c1d2e3f-4a5b-6c7d}\n",
        "agents/a.yaml": agent("maxDurationSeconds: 60"),
    }
    found = validate(tmp_path, files)
    assert places(found) == [("VO602", "voiceops.yaml", 4)]
    assert "0c1d2e3f" not in "".join(map(str, found))


def test_keys_are_never_shown(tmp_path: Path) -> None:
    key = "sk-proj-EXAMPLE1234567890EXAMPLE"
    found = validate(tmp_path, {"agents/a.yaml": model(f"Be brief. {key}")})
    assert [d.code for d in found] == ["VO601"]
    assert key not in str(found)


def test_instances_of_one_manifest_are_one_finding(tmp_path: Path) -> None:
    text = agent("voice: {provider: vapi, voiceId: elliot}").replace("spec:", "forEach: [north, south]\nspec:")
    assert places(validate(tmp_path, {"agents/a.yaml": text})) == [("VO112", "agents/a.yaml", 6)]


def test_env_files_that_git_keeps(tmp_path: Path) -> None:
    import subprocess

    from voiceops.lints.tracked_files import tracked_env_files

    assert tracked_env_files(tmp_path) == ()
    for command in (["init", "-q"], ["add", "-f", ".env", ".env.prod", ".env.example", "sub/.env"]):
        for name in (".env", ".env.prod", ".env.example", "sub/.env", ".env.local"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("A=1\n")
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, capture_output=True)
    assert tracked_env_files(tmp_path) == (".env", ".env.prod")


def test_the_table_of_lints() -> None:
    folder = Path(voiceops.lints.__file__).parent
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    written = [code for text in texts for code in re.findall(r'^@lint\(\s*"(VO\d+)"', text, re.M)]
    assert sorted([UNUSED, *written]) == list(LINTS)
    assert find("VO101") is find("endpointing-short")
    assert find("nothing") is None
    for code, title in ((c, known.title) for c, known in LINTS.items()):
        assert title[0].isupper() or title.startswith(("endpointing", "keywords", "maxTokens", "function", "git")), code
        assert not title.endswith("."), code


def test_a_lint_s_code_is_its_own() -> None:
    with pytest.raises(ValueError, match="twice"):
        lint("VO101", "another-name", "Another")(lambda context: iter(()))
    with pytest.raises(ValueError, match="kebab-case"):
        lint("X1", "name", "Another")(lambda context: iter(()))


def test_the_example_project(tmp_path: Path) -> None:
    """Its agents, tools and lines have nothing to say against them, in any environment."""
    import shutil

    root = Path(__file__).parents[2]
    for name in ("agents", "environments"):
        shutil.copytree(root / name, tmp_path / name)
    shutil.copy(root / "voiceops.yaml", tmp_path)
    for environment in ("dev", "prod"):
        problems = Problems()
        project = load_project(tmp_path, environment, {}, problems)
        found = lints_of(project, load_graph(project, {}, problems), problems.all, tracked=())
        assert places(found) == [], "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("evaluation", "codes"),
    [
        ({"comparator": "=", "value": True}, ["VO801"]),
        ({**OUTPUT, "structuredOutput": {}, "comparator": "="}, ["VO801"]),
        ({**OUTPUT, "comparator": "=", "value": 1}, ["VO801"]),
        ({**OUTPUT, "path": "done", "comparator": "=", "value": True}, []),
        (
            {"structuredOutputId": Ref("StructuredOutput/o"), "path": "done", "comparator": ">", "value": 1},
            ["VO802"] * 2,
        ),
        ({**OUTPUT, "path": "rooms", "comparator": ">=", "value": 2}, []),
        (
            {"structuredOutputId": Ref("StructuredOutput/o"), "path": "rooms", "comparator": "=", "value": True},
            ["VO802"],
        ),
        ({"structuredOutputId": "00000000-0000-4000-8000-000000000001", "comparator": ">", "value": 2}, []),
    ],
)
def test_evaluations(evaluation: dict[str, object], codes: list[str], tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"done": {"type": "boolean"}, "rooms": {"type": "integer"}}}
    bodies = {"StructuredOutput/o": {"schema": schema}, "Scenario/s": {"evaluations": [evaluation]}}
    resources = {
        address: Resource(
            address=address,
            kind=address.partition("/")[0],
            type="vapi",
            name=None,
            body=body,
            mark=Mark("agents/a.yaml", row, 1),
        )
        for row, (address, body) in enumerate(bodies.items(), 1)
    }
    write(tmp_path, {})
    project = load_project(tmp_path, None, {}, Problems())
    context = Context(project, Graph("shop", "dev", resources), Texts(tmp_path))
    assert [code for code in ("VO801", "VO802") for _ in LINTS[code].check(context)] == codes
