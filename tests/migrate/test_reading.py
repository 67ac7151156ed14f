"""A VapiAI/gitops folder, read: what is a resource, what its file says, what its ids and references mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.migrate.five_folders import (
    LONG,
    write_nested,
    write_newest,
    write_oldest,
    write_organizations,
    write_two_states,
)
from tests.migrate.peer_folders import STOCK, put
from voiceops.adopt.found import Found, Written
from voiceops.errors import InvalidProject
from voiceops.manifest.problems import Problems
from voiceops.migrate.env_file import connection_of
from voiceops.migrate.gitops import read_gitops
from voiceops.migrate.ignore_file import ignored_by, patterns_of
from voiceops.migrate.manifest_names import manifest_names
from voiceops.migrate.named_references import token_of
from voiceops.migrate.resource_file import body_of
from voiceops.migrate.state_file import ids_of
from voiceops.migrate.yaml_core import plain_value
from voiceops.model.address import address
from voiceops.sandbox.server import SandboxServer

ONE, TWO = "11111111-aaaa-4333-8444-555555555555", "22222222-aaaa-4333-8444-555555555555"
TWICE = f'{{"tools": {{\n"a": "{ONE}",\n"b": {{"uuid": "{ONE}"}}}}}}'
BOMB = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 8)}]\n" for before, name in pairwise("abcdefghi")
)
HEAD = "name: A\nmodel: {provider: openai, model: gpt-4o}\n"


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[SandboxServer, SandboxServer]]:
    with SandboxServer() as one, SandboxServer(org_id=TWO) as other:
        yield one, other


def found(root: Path, **options: Any) -> dict[str, Found]:
    return {address(one.kind, one.wanted): one for one in read_gitops(root, **options).accounts[0].found}


def problems(root: Path, **options: Any) -> list[str]:
    with pytest.raises(InvalidProject) as caught:
        read_gitops(root, **options)
    return [str(one) for one in caught.value.diagnostics]


def small(root: Path, **files: str) -> Path:
    """A checkout with one agent, and more files by `/`-less names."""
    put(root, "resources/acme/assistants/a.yml", HEAD)
    for name, text in files.items():
        put(root, name, text)
    return root


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("off", "off"), ("yes", "yes"), ("=", "="), ("9:30", "9:30"), ("2024-01-31", "2024-01-31"),
        ("~", None), ("", None), ("Null", None), ("True", True), ("FALSE", False), ("tRue", "tRue"),
        ("+12", 12), ("007", 7), ("0o17", 15), ("0x1F", 31), ("1_000", "1_000"), (".5", 0.5), ("1.", 1), ("1e3", 1000),
        ("-1.50", -1.5), (".inf", None), ("-.INF", None), (".nan", None), ("+14155550100", 14155550100),
        ("12345678901234567890", 12345678901234567168), ("1.2.3", "1.2.3"), ("-", "-"), ("0b1", "0b1"),
    ],
)  # fmt: skip
def test_a_text_without_quotes_is_what_the_core_schema_says(text: str, value: object) -> None:
    assert plain_value(text) == value
    assert type(plain_value(text)) is type(value)


@pytest.mark.parametrize(
    ("pattern", "place", "fits"),
    [
        ("assistants/ab-*", "assistants/ab-1", True),
        ("assistants/ab-*", "assistants/ab-1/x", False),
        ("assistants/**", "assistants/ab-1/x", True),
        ("tools/?", "tools/a", True),
        ("tools/?", "tools/ab", False),
        ("tools/a.b", "tools/axb", False),
        ("!tools/a", "tools/a", False),
        ("# tools/a", "tools/a", False),
        ("tools/a", "evals/a", False),
    ],
)
def test_ignore_patterns(pattern: str, place: str, fits: bool) -> None:
    assert bool(ignored_by(place, patterns_of(f"\ufeff\n{pattern}\r\n"))) is fits


@pytest.mark.parametrize(
    ("state", "known"),
    [
        ({"assistants": {"a": ONE}, "tools": {}, "structuredOutputs": {}}, {("Agent", "a"): ONE}),
        ({"assistants": {}, "squads": {"s": ONE}, "simulationSuites": {"x": TWO}},
         {("Squad", "s"): ONE, ("SimulationSuite", "x"): TWO}),
        ({"tools": {}, "credentials": {"c": ONE}}, {("Credential", "c"): ONE}),
        ({"assistants": {"a": {"uuid": ONE.upper(), "lastPulledHash": "x"}}}, {("Agent", "a"): ONE}),
        ({"assistants": {}, "evals": {"e": {"uuid": ONE}}}, {("Eval", "e"): ONE}),
        ({"assistants": {}, "variables": {"v": 1}, "latestVersion": 2, "unheardOf": {"x": 1}}, {}),
    ],
)  # fmt: skip
def test_a_state_file_of_any_age(state: dict[str, Any], known: dict[tuple[str, str], str]) -> None:
    met = Problems()
    ids = ids_of(b"\xef\xbb\xbf" + json.dumps(state).encode(), ".vapi-state.a.json", met)
    assert ids.uuids == known
    assert not met.all
    assert ids.variables == state.get("variables", {})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "the state file is no JSON"),
        ("[]", "this is no state file of VapiAI/gitops"),
        ('{"a": {}}', "it has none of assistants, tools and structuredOutputs"),
        ('{"assistants": {},\n "tools": []}', "state.json:2:1: error[state-form]: tools must be a map, not a list"),
        ('{"assistants": {\n"a": 1}}', "state.json:2:1: error[state-form]: assistants: 'a' stands for no UUID"),
        (TWICE, "state.json:3:1: error[state-id-twice]: 'a' and 'b' both stand for the Tool"),
        ("[" * 500 + "]" * 500, "nested more than 100 deep"),
    ],
)  # fmt: skip
def test_a_state_file_of_no_known_shape(content: str, said: str) -> None:
    met = Problems()
    ids_of(content.encode(), "state.json", met)
    assert [said in str(one) for one in met.all] == [True], met.all


def test_env_files_together() -> None:
    local = "VAPI_TOKEN=old\nexport VAPI_PRIVATE_API_KEY = 'new' \n"
    shared = (
        "VAPI_PRIVATE_API_KEY=shared\r\nVAPI_BASE_URL=https://api.eu.vapi.ai # ours\nCRM=1\n#VAPI_TOKEN=x\n"
        f"VAPI_CREDENTIAL_ACME_SERVER={ONE}\nVAPI_PHONE_NUMBER_MAIN={TWO}\nVAPI_CREDENTIAL_X=none\n"
    )
    met = connection_of([local, shared])
    assert (met.key, met.url, met.others) == ("new", "https://api.eu.vapi.ai", ("CRM",))
    assert met.credentials == {"ACME_SERVER": ONE}
    assert met.phones == {"MAIN": TWO}
    assert "new" not in repr(met)


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_front_matter_ends_at_its_first_closing_line(end: str) -> None:
    messages = "    - {role: system, content: old}\n    - {role: user, content: Hi}\n"
    text = f"---\nname: A\nmodel:\n  messages:\n{messages}---\n\n# B\n---\nc: d\n\n"
    body = body_of(text.replace("\n", end), "a.md")
    assert body.value["model"]["messages"] == [
        {"role": "system", "content": f"# B{end}---{end}c: d"},
        {"role": "user", "content": "Hi"},
    ]
    assert body.mark(("model", "messages", 0)).line == 8
    assert body.mark(("name",)).line == 2


def test_an_empty_prompt_leaves_the_messages_as_they_are() -> None:
    body = body_of("---\nname: A\nmodel: {messages: [{role: system, content: kept}]}\n---\n \u2028\n", "a.md")
    assert body.value["model"]["messages"] == [{"role": "system", "content": "kept"}]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.md", "# Prompt\n", "a.md:1:1: error[front-matter]: front matter is missing"),
        ("a.md", "---\nname: A\n", "has no end"),
        ("a.md", "---\n# nothing\n---\nHi", "a resource is a map, not nothing"),
        ("a.md", "---\nname: A\nname: B\n---\nHi", "a.md:3:1: error[yaml-duplicate-key]"),
        ("a.yml", "- a\n", "a resource is a map, not a list"),
        ("a.yml", "", "a resource is a map, not nothing"),
        ("a.yml", "a: 1\n---\nb: 2\n", "a.yml:3:1: error[resource-form]: one resource a file"),
        ("a.yml", "b: &b {x: 1}\na:\n  <<: *b\n", "a.yml:3:3: error[yaml-merge]"),
        ("a.yml", "a: !!python/object:os.system x\n", "a.yml:1:4: error[yaml-tag]"),
        ("a.yml", "a: 1" + "0" * 400 + "\n", "error[yaml-number]"),
        ("a.yml", BOMB, "makes the document too large"),
        ("a.json", '{"name": "\\ud83d"}', "half a character"),
        ("a.json", "[1]", "one object a file, not a list"),
        ("a.json", "{,", "the file is no JSON"),
    ],
)  # fmt: skip
def test_what_is_no_resource(name: str, text: str, said: str) -> None:
    with pytest.raises(InvalidProject) as caught:
        body_of(text, name)
    assert [said in str(one) for one in caught.value.diagnostics] == [True], caught.value.diagnostics


def test_json_is_read_as_its_writers_meant_it() -> None:
    text = '\ufeff{"name": "\\ud83d\\ude00", "deep": {"x": [1, 2.0, NaN]},\n "toolIds": ["t"]}'
    body = body_of(text, "a.json")
    assert body.value == {"name": "\U0001f600", "deep": {"x": [1, 2.0, None]}, "toolIds": ["t"]}
    assert body.mark(("toolIds", 0)).line == 2


def test_names_for_ids() -> None:
    ids = {
        ("Agent", "Night Desk-11111111"): ONE,
        ("Agent", "night-desk"): TWO,
        ("Agent", "sales/intake"): "",
        ("Agent", "sales-intake"): "",
        ("Agent", "Straße"): "",
        ("Agent", "客服"): "",
        ("Agent", "plain-11111111"): TWO,
        ("Tool", LONG): "",
        ("Tool", LONG + "!"): "",
        ("Tool", "sales/intake"): "",
    }
    names = manifest_names(ids)
    assert names["Agent", "night-desk"] == "night-desk"
    assert names["Agent", "Night Desk-11111111"] == "night-desk-11111111"
    assert names["Agent", "sales-intake"] == "sales-intake"
    assert names["Agent", "sales/intake"].startswith("sales-intake-")
    assert names["Agent", "plain-11111111"] == "plain-11111111"  # another object's head
    assert names["Agent", "Straße"] == "strasse"
    assert names["Tool", "sales/intake"] == "sales-intake"
    assert max(map(len, names.values())) <= 63
    assert len({(kind, name) for (kind, _), name in names.items()}) == len(ids)
    assert names == manifest_names(dict(reversed(ids.items())))


def test_the_oldest_layout(tmp_path: Path, servers: tuple[SandboxServer, SandboxServer]) -> None:
    peer = write_oldest(tmp_path, servers[0])
    read = read_gitops(tmp_path)
    (account,) = read.accounts
    assert account.name == "prod"
    assert len(account.found) == 10
    assert account.ids["Agent/night-desk"] == peer.uuids["assistants", "Night Desk-{head}"]
    assert account.connection.key == servers[0].api_key
    assert not read.notes
    assert not account.fileless
    assert not account.creates
    by_name = found(tmp_path)
    assert by_name["Agent/intake"].body["model"]["toolIds"][0] == token_of(
        "Tool", peer.file_id("tools", "lookup-{head}")
    )
    assert by_name["Agent/intake"].body["backgroundSound"] == "off"
    assert by_name["StructuredOutput/summary"].body["assistantIds"][0] == token_of("Agent", "intake")
    assert read.equal_names == {
        'Agent "Intake"': ("Agent/night-desk", "Agent/intake"),
        'Tool "end_call_tool"': ("Tool/end-call", "Tool/old-end-call"),
    }
    assert {one.file for one in read.skipped} == {
        "vapi-checks.yml",
        "promotion.yml",
        "resources/assistants/intake.2026-05-01T10-00-00-000Z.bkp.md",
        "resources/assistants/notes.txt",
    }


def test_one_folder_for_two_states(tmp_path: Path, servers: tuple[SandboxServer, SandboxServer]) -> None:
    made = write_two_states(tmp_path, *servers)
    prod, dev = read_gitops(tmp_path).accounts
    assert (prod.name, dev.name) == ("prod", "dev")
    assert prod.found[0].body == dev.found[0].body
    assert dev.ids["Squad/all"] == made["dev"].uuids["squads", "all"]
    assert [one.id for one in dev.fileless] == ["long-gone"]
    simulations = {one.wanted: one.body for one in prod.found if one.kind == "Simulation"}
    assert simulations["carl"]["personalityId"] == STOCK
    squad = next(one.body for one in prod.found if one.kind == "Squad")
    assert squad["members"][0]["assistantOverrides"]["model"]["toolIds"] == [token_of("Tool", "lookup")]
    appended = squad["membersOverrides"]["tools:append"][0]
    assert appended["destinations"][0]["assistantId"] == token_of("Agent", "front")
    assert [one.name for one in read_gitops(tmp_path, "dev").accounts] == ["dev"]


def test_a_folder_for_each_organization(tmp_path: Path, servers: tuple[SandboxServer, SandboxServer]) -> None:
    write_organizations(tmp_path, *servers)
    read = read_gitops(tmp_path)
    night, day = read.accounts
    environments = {one.wanted: one.environments for one in night.found}
    assert environments == {"lookup": (), "same": (), "alarm": ("night",), "desk": (), "twin": (), "acme-server": ()}
    credential = next(one for one in night.found if one.kind == "Credential")
    assert credential.outside
    assert night.variables["credential-acme-server"] != day.variables["credential-acme-server"]
    assert {one.file for one in read.skipped} == {
        "resources/day/assistants/ab-test.yml",
        "resources/day/evals/a/b.yml",
    }


def test_ids_with_folders(tmp_path: Path, servers: tuple[SandboxServer, SandboxServer]) -> None:
    write_nested(tmp_path, servers[0])
    (account,) = read_gitops(tmp_path).accounts
    assert account.connection.key == servers[0].api_key  # the local file's, by its newer name
    sales = next(one for one in account.found if one.wanted == "sales-intake" and one.kind == "Agent")
    assert sales.body["model"]["toolIds"] == [token_of("Tool", "sales/intake")]


def test_managed_variables(tmp_path: Path, servers: tuple[SandboxServer, SandboxServer]) -> None:
    write_newest(tmp_path, servers[0])
    by_name = found(tmp_path)
    desk = by_name["Agent/desk"].body
    assert desk["firstMessage"] == Written("${var:greeting}")
    assert desk["endCallPhrases"] == Written("${var:phrases}")
    assert desk["voicemailMessage"] == "{{unknown_one}}"
    assert desk["model"]["messages"][0]["content"] == "Say {{greeting}} to {{customer.name}}."
    assert by_name["Tool/wait"].body["server"]["timeoutSeconds"] == Written("${var:timeout}")


def test_a_file_without_a_state_is_a_create(tmp_path: Path) -> None:
    small(tmp_path)
    (account,) = read_gitops(tmp_path).accounts
    assert account.creates == ("Agent/a",)
    assert account.ids == {}


def test_vapis_own_personalities_get_no_manifest(tmp_path: Path) -> None:
    base = "resources/acme/simulations"
    put(tmp_path, f"{base}/personalities/carl.yml", "name: Carl\nassistant: {}\n")
    put(tmp_path, f"{base}/personalities/sam.yml", "name: Sam\nassistant: {}\n_platformDefault: true\n")
    put(tmp_path, f"{base}/tests/x.yml", "scenarioId: s\npersonalityId: carl\n")
    put(tmp_path, f"{base}/scenarios/s.yml", "name: S\ninstructions: Ask.\nevaluations: []\n")
    put(tmp_path, ".vapi-state.acme.json", {"assistants": {}, "personalities": {"carl": STOCK}})
    by_name = found(tmp_path)
    assert set(by_name) == {"Simulation/x", "Scenario/s"}
    assert by_name["Simulation/x"].body["personalityId"] == STOCK
    assert {one.file for one in read_gitops(tmp_path).skipped} == {
        f"{base}/personalities/carl.yml",
        f"{base}/personalities/sam.yml",
    }


DANGLING = """name: A
model:
  provider: openai
  toolIds:
    - lookup
    - gone ## the old one
hooks:
  - on: call.ending
    do:
      - {type: tool, toolId: nobody}
      - {type: say, exact: Bye}
server: {url: https://a.example, credentialId: no-such}
"""


def test_a_dangling_reference_is_named_with_its_line_or_left_out(tmp_path: Path) -> None:
    put(tmp_path, "resources/acme/assistants/a.yml", DANGLING)
    put(tmp_path, "resources/acme/tools/lookup.yml", "type: function\nfunction: {name: lookup}\n")
    file = "resources/acme/assistants/a.yml"
    said = problems(tmp_path)
    assert [one.split(": error")[0] for one in said] == [f"{file}:6:7", f"{file}:10:22", f"{file}:12:34"]
    assert "there is no Tool 'gone'" in said[0]
    read = read_gitops(tmp_path, skip_dangling=True)
    body = next(one.body for one in read.accounts[0].found if one.kind == "Agent")
    assert body["model"]["toolIds"] == [token_of("Tool", "lookup")]
    assert body["hooks"][0]["do"] == [{"type": "say", "exact": "Bye"}]
    assert body["server"] == {"url": "https://a.example"}
    assert [one.severity for one in read.notes] == ["warning"] * 3


def test_an_unknown_uuid_stays_and_is_said(tmp_path: Path) -> None:
    put(tmp_path, "resources/acme/assistants/a.yml", f"{HEAD}hooks:\n  - do: [{{toolId: {ONE}}}]\n")
    read = read_gitops(tmp_path)
    assert read.accounts[0].found[0].body["hooks"][0]["do"][0]["toolId"] == ONE
    assert [str(one).split(": warning")[0] for one in read.notes] == ["resources/acme/assistants/a.yml:4:11"]


def test_a_live_object_without_a_file_is_named_by_its_uuid(tmp_path: Path) -> None:
    put(tmp_path, "resources/acme/assistants/a.yml", f"{HEAD}hooks:\n  - do: [{{toolId: old}}, {{toolId: {TWO}}}]\n")
    put(tmp_path, ".vapi-state.acme.json", {"tools": {"old": TWO}})
    read = read_gitops(tmp_path)
    assert [one["toolId"] for one in read.accounts[0].found[0].body["hooks"][0]["do"]] == [TWO, TWO]
    assert not read.notes


def test_the_same_keys_elsewhere_are_no_references(tmp_path: Path) -> None:
    text = f"{HEAD}metadata: {{toolId: crm-7}}\nvariableValues: {{assistantId: none}}\n"
    put(tmp_path, "resources/acme/assistants/a.yml", text)
    assert found(tmp_path)["Agent/a"].body["metadata"] == {"toolId": "crm-7"}


def test_credentials_by_slug_or_binding_only_where_their_id_stands(tmp_path: Path) -> None:
    put(tmp_path, "resources/acme/assistants/a.yml", f"{HEAD}credentialIds: [openai, Acme Server, {TWO}]\n")
    put(tmp_path, ".vapi-state.acme.json", {"assistants": {}, "credentials": {"openai": ONE, "other": TWO}})
    put(tmp_path, ".env.acme", f"VAPI_CREDENTIAL_ACME_SERVER={ONE}\n")
    by_name = found(tmp_path)
    assert by_name["Agent/a"].body["model"]["provider"] == "openai"
    assert len(by_name["Agent/a"].body["credentialIds"]) == 3
    assert {name: one.id for name, one in by_name.items() if one.outside} == {
        "Credential/acme-server": ONE,
        "Credential/openai": ONE,
        "Credential/other": TWO,
    }


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "is no VapiAI/gitops checkout: it has no folder resources/"),
        ({"resources/x.txt": ""}, "has no folder of an organization"),
        ({"resources/acme/tools/x.txt": ""}, "its resources/ holds no file of an agent"),
        ({"resources/acme/tools/x.ts": "process.exit(1)"}, "tools/x.ts:1:1: error[resource-code]: x.ts is a program"),
        ({"resources/acme/assistants/a.md": "---\nname: A\n---\n"}, "a.yml:1:1: error[resource-twice]: the Agent 'a'"),
        ({"resources/acme/assistants/b.yml": b"name: \xff\n"}, "b.yml:1:1: error[file]: it is not UTF-8 text"),
        ({"resources/acme/assistants/b.yml": b"#" * 1_048_577}, "it is larger than 1,048,576 bytes"),
        ({".vapi-state.acme.json": "{"}, ".vapi-state.acme.json:1:1: error[state-form]"),
    ],
)  # fmt: skip
def test_what_is_no_checkout(tmp_path: Path, files: dict[str, Any], said: str) -> None:
    if any("assistants" in name or "state" in name for name in files):
        small(tmp_path)
    for name, content in files.items():
        put(tmp_path, name, content)
    met = problems(tmp_path)
    assert len(met) == 1, met
    assert said in met[0]


def test_no_link_is_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    put(outside, "b.yml", "name: B\n")
    root = small(tmp_path / "root")
    (root / "resources/acme/assistants/b.yml").symlink_to(outside / "b.yml")
    (root / "resources/acme/assistants/loop").symlink_to(root / "resources")
    (root / "resources/acme/tools").symlink_to(outside)
    (root / ".vapi-state.acme.json").symlink_to(outside / "b.yml")
    assert set(found(root)) == {"Agent/a"}
    assert {one.file for one in read_gitops(root).skipped} == {
        "resources/acme/assistants/b.yml",
        "resources/acme/assistants/loop",
        "resources/acme/tools",
    }


def test_an_organization_that_is_not_there(tmp_path: Path) -> None:
    assert "It has: acme." in problems(small(tmp_path), org="nobody")[0]


def test_ids_that_would_lead_elsewhere_are_only_names(tmp_path: Path) -> None:
    text = f"{HEAD}credentialIds: []\nhooks:\n  - do: [{{toolId: ../../../etc/passwd}}]\n"
    put(tmp_path, "resources/acme/assistants/a.yml", text)
    assert "there is no Tool '../../../etc/passwd'" in problems(tmp_path)[0]
