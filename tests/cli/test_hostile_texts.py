"""Texts of strangers on their way to a terminal, a pipeline's log, a comment and a page: through every command."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

import voiceops
from tests.apply.manifests import AGENT, TOOL
from tests.support.bench import Bench, Ran
from voiceops.errors import Diagnostic, Mark, ProviderError
from voiceops.render.diagnostics import render
from voiceops.render.style import PLAIN, Style, finished

EVIL = (
    "\x1b[2Jx\x1b]8;;http://e.example\x07y\x9b31m \u202ez\u200b\u2028 \x07\n"
    "::error::forged\n##[group]a\r::stop-commands::b"
)


def acts(text: str) -> list[str]:
    """What in an output would act on a terminal or a pipeline, or hide."""
    found = [
        f"U+{ord(c):04X}" for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")
    ]
    lines = re.split(r"[\r\n]", text)
    return found + [line for line in lines if line.strip().startswith("::") or "##[" in line]


def safe(ran: Ran) -> Ran:
    assert acts(ran.out) == []
    assert acts(ran.err) == []
    return ran


@pytest.fixture
def hostile(live: Bench) -> Bench:
    """A project that was applied, and then edited live by somebody with ideas."""
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    live.apply("-m", EVIL)
    id_ = live.id_of("Agent/desk")
    live.control.edit(id_, {"firstMessage": EVIL, "metadata": {EVIL: EVIL}})
    return live


@pytest.mark.parametrize(
    "command",
    [
        ["plan"],
        ["plan", "--format", "markdown"],
        ["plan", "--format", "html"],
        ["plan", "--format", "json"],
        ["plan", "--refresh-only"],
        ["plan", "--destroy"],
        ["drift"],
        ["drift", "--format", "json"],
        ["diff"],
        ["history"],
        ["history", "--format", "json"],
        ["show", "1"],
        ["show", "1", "--format", "json"],
        ["status"],
        ["doctor"],
        ["state", "list"],
        ["state", "show", "Agent/desk"],
        ["graph"],
        ["graph", "--format", "svg"],
        ["graph", "--format", "dot"],
        ["apply", "--auto-approve"],
        ["apply", "--auto-approve", "--format", "json"],
    ],
    ids=" ".join,
)
def test_no_command_lets_a_live_text_act(hostile: Bench, command: list[str]) -> None:
    ran = safe(hostile.run(*command, code=None))

    if "json" in command and command[0] != "apply":
        json.loads(ran.out)


TEMPLATE = "{{ 7*7 }}{% for x in y %}{# gone #}[[ 7*7 ]][% if x %]{{ cycler.__init__.__globals__ }}"


@pytest.mark.parametrize("format_", ["text", "markdown", "html"])
def test_a_live_text_is_no_template(hostile: Bench, format_: str) -> None:
    hostile.control.edit(hostile.id_of("Agent/desk"), {"firstMessage": TEMPLATE, "metadata": {TEMPLATE: TEMPLATE}})
    out = safe(hostile.run("plan", "--format", format_)).out
    assert TEMPLATE in (out.replace("\\", "") if format_ == "markdown" else out)


def test_json_stays_exact(hostile: Bench) -> None:
    assert EVIL in texts(hostile.run("drift", "--format", "json", code=2).data)
    assert EVIL in texts(hostile.plan())


def texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_a_message_keeps_its_text_in_json(hostile: Bench) -> None:
    assert hostile.run("history", "--format", "json").data[0]["message"] == EVIL


MANIFESTS = {
    "a key": f"kind: Agent\nname: a\nspec: {{{json.dumps(EVIL)}: 1}}\n",
    "a name": f"kind: Agent\nname: {json.dumps(EVIL)}\nspec: {{}}\n",
    "a kind": f"kind: {json.dumps(EVIL)}\nname: a\nspec: {{}}\n",
    "a reference": f"kind: Agent\nname: a\nspec: {{model: {json.dumps(EVIL)}}}\n",
    "a variable": f"kind: Agent\nname: a\nspec: {{firstMessage: {json.dumps('${var:' + EVIL + '}')}}}\n",
    "a file": f"kind: Agent\nname: a\nspec: {{firstMessage: {json.dumps('${file:' + EVIL + '}')}}}\n",
    "an enum": f"kind: Agent\nname: a\nspec: {{firstMessageMode: {json.dumps(EVIL)}}}\n",
    "a tag": "kind: !::error::x Agent\nname: a\n",
    "a raw escape": "kind: Agent\nname: a\nspec: {firstMessage: \x1b[2J}\n",
    "a raw C1": "kind: Agent\nname: a\nspec: {x\u009b31m: \u202e}\n",
    "a line separator": "kind: Agent\nname: a\nspec: {a\u2028::error::b: 1}\n",
    "a label": f"kind: Agent\nname: a\nlabels: {{{json.dumps(EVIL)}: {json.dumps(EVIL)}}}\nspec: {{}}\n",
}


@pytest.mark.parametrize("name", MANIFESTS)
@pytest.mark.parametrize("format_", ["text", "json", "sarif"])
def test_errors_about_a_manifest_do_not_act(live: Bench, name: str, format_: str) -> None:
    live.write("agents/a.yaml", MANIFESTS[name])
    ran = safe(live.run("validate", "--format", format_, code=None))
    if format_ != "text":
        json.loads(ran.out)


@pytest.mark.parametrize("name", MANIFESTS)
def test_annotations_are_only_ours(live: Bench, name: str) -> None:
    live.write("agents/a.yaml", MANIFESTS[name])
    ran = live.run("validate", "--format", "github", code=None)

    lines = [line for line in ran.out.split("\n") if line]
    assert all(
        re.match(r"::(error|warning) file=agents/a\.yaml,line=\d+,col=\d+,title=[\w-]+::", line) for line in lines
    )
    assert acts(re.sub(r"(?m)^::(error|warning) ", "", ran.out)) == []


@pytest.mark.parametrize(
    "file",
    ["::error::x.yaml", "a\n::error::b.yaml", "a\x1b[2Jb.yaml", "x,line=9.yaml", "a%0Ab.yaml", "\u202elmay.yaml"],
)
@pytest.mark.parametrize("format_", ["text", "github"])
def test_file_names_do_not_act(live: Bench, file: str, format_: str) -> None:
    live.write(f"agents/{file}", "kind: Agent\nname: a\nspec: {nonsense: 1}\n")
    out = live.run("validate", "--format", format_, code=1).out

    assert acts(re.sub(r"(?m)^::(error|warning) (?=file=agents/)", "", out)) == []
    if format_ == "github":
        assert re.fullmatch(r"::error file=agents/[^,:\n]*,line=3,col=\d+,title=[\w-]+::[^\n]*\n", out)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500])
def test_an_apis_error_does_not_act(live: Bench, status: int) -> None:
    live.write("agents/tool.yaml", TOOL)
    live.control.fault(
        "status",
        when="before",
        method="POST",
        path="^/tool$",
        status=status,
        answer={"message": [EVIL], "error": EVIL},
        headers={"x-request-id": "a;b"},
    )
    safe(live.apply(code=1))
    live.control.fault("status", when="before", method="GET", path="^/tool", status=400, answer={"message": EVIL})
    safe(live.run("plan", code=1))


@pytest.mark.parametrize(
    "arguments",
    [
        [EVIL],
        ["plan", EVIL],
        ["plan", "--target", EVIL],
        ["show", EVIL],
        ["rollback", EVIL],
        ["-e", EVIL, "plan"],
        ["diff", EVIL],
        ["state", "show", EVIL],
        ["status", EVIL],
        ["apply", EVIL],
        ["schema", EVIL],
        ["graph", "--target", EVIL],
        ["plan", "-l", EVIL],
        ["plan", "--format", EVIL],
        ["import", EVIL, EVIL],
        ["drift", EVIL],
    ],
    ids=lambda words: " ".join("EVIL" if word == EVIL else word for word in words),
)
def test_arguments_do_not_act(live: Bench, arguments: list[str]) -> None:
    safe(live.run(*[a.replace("\0", "") for a in arguments], code=None))


@pytest.mark.parametrize("name", ["GITHUB_ACTOR", "GITLAB_USER_LOGIN"])
def test_who_applies_does_not_act(live: Bench, name: str) -> None:
    live.write("agents/tool.yaml", TOOL)
    live.run("apply", "--auto-approve", **{name: EVIL, "CI_JOB_URL": EVIL, "GITHUB_RUN_ID": EVIL})
    safe(live.run("history"))
    safe(live.run("show", "1"))


def test_colours_of_a_text_are_none_of_ours() -> None:
    style = Style(colour=True)
    text = finished(style("a\x1b[31mb", "bold") + "\x1b[0m" + style("c", "red"))

    assert text == "\x1b[1ma\\u001b[31mb\x1b[0m\\u001b[0m\x1b[31mc\x1b[0m"
    assert finished(style("::error::x", "dim")) == "\x1b[2m\\u003a:error::x\x1b[0m"


def test_an_error_of_several_lines_stays_one_error() -> None:
    diagnostic = Diagnostic(code="x", summary="one\nerror[y]: two", hint="a\nb", mark=Mark("a\nb.yaml", 1, 1))

    assert render([diagnostic], "text", PLAIN).split("\n")[:4] == [
        "a\\nb.yaml:1:1: error[x]: one",
        "    error[y]: two",
        "    a",
        "    b",
    ]
    assert str(ProviderError("a"))


def test_there_is_one_door() -> None:
    """Nothing but the console prints; what serves and generates has its own, listed here."""
    allowed = {
        "cli/terminal/console.py",
        "runtime/observe/log.py",
        "runtime/observe/tracing.py",
        "runtime/start/generated_project.py",
        "__main__.py",
    }
    allowed |= {"sandbox/__main__.py", "packaging/__main__.py"}
    allowed |= {"use/serve_for_scripts.py"}  # a process that `test` starts, and whose words it reads
    root = Path(voiceops.__file__).parent
    found = []
    for path in root.rglob("*.py"):
        name = str(path.relative_to(root))
        if name in allowed or name.startswith("_data/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            text = ast.unparse(node.func)
            if text in ("print", "click.echo", "click.secho") or re.match(r"sys\.std(out|err)(\.buffer)?\.write", text):
                found.append(f"{name}:{node.lineno}: {text}")
    assert found == []


# Outputs that are odd themselves.


def test_json_is_exact_where_the_terminal_lacks_letters(hostile: Bench) -> None:
    ran = hostile.process("drift", "--format", "json", code=2, PYTHONIOENCODING="ascii")
    assert EVIL in texts(ran.data)
    hostile.edit("agents/agent.yaml", "Hello", "Grüß Gott ☎ 😀")
    out = hostile.process("plan", "--format", "json", PYTHONIOENCODING="ascii").out
    assert "Grüß Gott ☎ 😀" in texts(json.loads(out))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_terminals_of_another_encoding(hostile: Bench, encoding: str) -> None:
    for command in (["plan"], ["history"], ["validate"], ["--help"]):
        program = [sys.executable, "-m", "voiceops", "-C", str(hostile.folder), *command]
        ran = subprocess.run(
            program, capture_output=True, env=hostile.environ | {"PYTHONIOENCODING": encoding}, check=False
        )
        assert ran.returncode == 0
        assert b"Traceback" not in ran.stderr
        ran.stdout.decode(encoding)


def _shell(made: Bench, command: str) -> subprocess.CompletedProcess[str]:
    program = f'"{sys.executable}" -m voiceops -C "{made.folder}"'
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command.replace('VOICEOPS', program)}"],
        capture_output=True,
        text=True,
        env=made.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        "VOICEOPS plan >&-",
        "VOICEOPS plan 2>&-",
        "VOICEOPS plan >&- 2>&-",
        "VOICEOPS plan | true",
        "VOICEOPS plan </dev/null | head -1",
    ],
)
def test_a_reader_that_goes_away_is_no_traceback(hostile: Bench, command: str) -> None:
    ran = _shell(hostile, command)
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
    assert ran.returncode == 0


def test_an_apply_goes_on_without_its_reader(live: Bench) -> None:
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    assert _shell(live, "VOICEOPS apply --auto-approve | true").returncode == 0
    assert live.changes() == {}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_full_disk_behind_the_output_is_an_error(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    ran = _shell(live, "VOICEOPS plan > /dev/full")
    assert ran.returncode == 1
    assert "could not be written" in ran.stderr
    assert _shell(live, "VOICEOPS apply --auto-approve > /dev/full").returncode == 1
    assert live.changes() == {}, "the apply went on"
