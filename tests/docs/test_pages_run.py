"""The shell of README.md and docs/: run against the sandbox, in the order in which it stands on its page."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.runtime_bench import served
from tests.state.backends import s3_bucket
from tests.support.bench import REPOSITORY, Bench, shop
from tests.support.pages import Block, blocks_of

BIN = Path(sys.executable).parent


def sh(folder: Path, text: str, environ: dict[str, str], code: int = 0) -> str:
    """A block, or a line of it, in a shell of its own; what it printed."""
    path = f"{folder / 'bin'}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["sh", "-ec", text],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environ | {"PATH": path},
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert ran.returncode == code, f"{text}\nexit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.fixture
def garden(live: Bench) -> Bench:
    """The example project, with its own environments; prod is the sandbox's account."""
    for name in ("agents", "environments"):
        shutil.rmtree(live.folder / name, ignore_errors=True)
        shutil.copytree(REPOSITORY / name, live.folder / name)
    live.write("voiceops.yaml", (REPOSITORY / "voiceops.yaml").read_text(encoding="utf-8"))
    return live


def stand_in(made: Bench, name: str, does: str) -> None:
    """A program that is not on every machine."""
    made.write(f"bin/{name}", f"#!/bin/sh\n{does}\n")
    (made.folder / "bin" / name).chmod(0o755)


def test_five_minutes(tmp_path: Path) -> None:
    """README.md: as a stranger types it; the questions are answered beforehand."""
    first, then, _ = [block for block in blocks_of("README.md", "sh") if not block.reason]
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("VOICEOPS_", "VAPI_", "TWILIO_"))}
    said = sh(tmp_path, _approved(first), environ)
    assert [line for line in said.splitlines() if line.startswith(("Nothing to do", "✓ first-call"))][-2:] == [
        "Nothing to do: 2 objects are as they should be.",
        "✓ first-call",
    ]
    prompt = tmp_path / "shop/agents/prompts/front-desk.md"
    prompt.write_text(prompt.read_text(encoding="utf-8") + "Be friendly.\n", encoding="utf-8")
    assert "1 to update" in sh(tmp_path / "shop", "voiceops plan", environ)
    said = sh(tmp_path / "shop", _approved(then), environ)
    assert "friendlier" in said


def test_five_minutes_with_an_account_that_is_there(live: Bench) -> None:
    """README.md: as a stranger types it, in a folder with nothing but voiceops.yaml."""
    *_, block = [block for block in blocks_of("README.md", "sh") if not block.reason]
    live.control.create("/assistant", {"name": "Front desk", "firstMessage": "Hello!"})
    live.control.reset_requests()
    said = sh(live.folder, block.text, live.environ)
    assert "Nothing to do" in said
    assert live.writes() == []
    assert "firstMessage: Hello!" in (live.folder / "agents/front-desk.yaml").read_text(encoding="utf-8")


def _approved(block: Block) -> str:
    return re.sub(r"^voiceops (apply|rollback)", r"voiceops \1 --auto-approve", block.text, flags=re.MULTILINE)


def test_the_plan_in_the_readme(garden: Bench) -> None:
    """What the README shows is what a plan prints, but for the account."""
    (shown,) = blocks_of("README.md", "text")
    old, new = re.findall(r"^ +[-+] (- Opening.*)$", shown.text, re.MULTILINE)
    garden.run("-e", "prod", "apply", "--auto-approve")
    garden.edit("agents/prompts/front-desk.md", old, new)
    printed = garden.run("-e", "prod", "plan").out
    assert _without_account(printed) == _without_account(shown.text.removeprefix("$ voiceops plan\n"))


def _without_account(text: str) -> str:
    return re.sub(r"^(Plan for .*?) · Vapi.*", r"\1", text.strip())


def test_drawings(garden: Bench) -> None:
    stand_in(garden, "dot", "cat > /dev/null")
    for block in blocks_of("docs/graph.md", "sh"):
        for line in block.lines:
            said = sh(garden.folder, line, garden.environ)
            assert said or ">" in line
    assert (garden.folder / "graph.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_plan_for_terraform_compliance(garden: Bench) -> None:
    (block,) = [b for b in blocks_of("docs/plan-formats.md", "sh") if "jq" in b.text]
    (feature,) = blocks_of("docs/plan-formats.md", "gherkin")
    garden.write("features/voices.feature", feature.text)
    stand_in(garden, "jq", "exec python -c 'import json, sys; json.dump(json.load(sys.stdin), sys.stdout)'")
    voice = re.search(r"voiceId: (\S+)", (garden.folder / "agents/parts.yaml").read_text(encoding="utf-8"))
    assert voice is not None
    garden.edit("agents/parts.yaml", voice[0], "voiceId: sarah")
    assert "1 passed" in sh(garden.folder, block.text, garden.environ)
    garden.edit("agents/parts.yaml", "voiceId: sarah", "voiceId: elsewhere")
    sh(garden.folder, block.text, garden.environ, code=1)


def test_the_estimates_in_the_text(live: Bench) -> None:
    (shown,) = blocks_of("docs/estimates.md", "text")
    shop(live)
    live.apply()
    live.edit("agents/front-desk.yaml", "gpt-4.1-mini", "gpt-4.1")
    assert shown.text in live.run("plan").out


def test_the_estimates_in_the_json(garden: Bench) -> None:
    (block,) = blocks_of("docs/estimates.md", "json")
    shown = json.loads(f"{{{block.text}}}")["estimates"]
    found = json.loads(garden.run("-e", "prod", "plan", "--format", "json").out)["estimates"]
    assert shown.keys() == found.keys()
    agent = next(a for a in found["agents"] if a["address"] == "Agent/front-desk")
    assert shown["agents"][0].keys() == agent.keys()
    assert shown["agents"][0]["before"].keys() == agent["after"].keys()
    assert shown["numbersPerMonth"].keys() == found["numbersPerMonth"].keys()


def test_a_state_is_restored(live: Bench) -> None:
    (block,) = blocks_of("docs/state.md", "console")
    for word in ("one", "two", "three"):
        live.write("agents/a.yaml", f"kind: Agent\nname: a\nspec: {{firstMessage: {word}}}\n")
        live.apply()
    listing, restoring, planning = block.lines
    said = sh(live.folder, listing, live.environ)
    shown = [line for line in block.text.splitlines() if line.startswith("serial")]
    form = re.compile(r"serial (\d+) +revision \d+ +\d+ objects?")
    assert all(form.fullmatch(line) for line in shown)
    kept = [form.fullmatch(line) for line in said.splitlines()]
    assert kept
    assert all(kept), said
    newest = kept[0]
    assert newest is not None
    sh(live.folder, restoring.replace(" 12", f" {newest[1]}"), live.environ)
    sh(live.folder, planning, live.environ)


def test_a_state_moves(live: Bench) -> None:
    live.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [prod]\n")
    live.write("agents/a.yaml", "kind: Agent\nname: a\nspec: {firstMessage: Hello.}\n")
    live.apply()
    (block,) = [b for b in blocks_of("docs/state.md", "sh") if not b.reason]
    environ = live.environ | s3_bucket("acme-voice")
    for line in block.lines:
        sh(live.folder, line, environ)
    said = sh(live.folder, "voiceops plan", environ | {"VOICEOPS_STATE": "s3://acme-voice/state"})
    assert "Nothing to do" in said


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_sandbox_is_asked_to_misbehave(live: Bench) -> None:
    (block,) = [b for b in blocks_of("docs/sandbox.md", "sh") if "curl" in b.text]
    live.write("agents/a.yaml", "kind: Agent\nname: a\nspec: {model: {provider: openai, model: gpt-4.1}}\n")
    live.edit("agents/a.yaml", "gpt-4.1}", "gpt-4.1, systemPrompt: Be kind.}")
    live.apply()
    environ = live.environ | {"S": f"{live.server.vapi_url}/_sandbox", "ID": live.id_of("Agent/a")}
    for line in block.lines:
        answer = json.loads(sh(live.folder, line, environ))
        assert "error" not in answer, line
    assert live.control.switches()["lag"] == 1.0
    assert live.live("Agent/a")["model"]["messages"][0]["content"] == "Be brief."
    assert live.control.number("+14155550100")["voice_url"] == "https://elsewhere.example/"
    assert len(live.control.objects("/assistant")) == 2501


def test_the_sandbox_as_a_process(garden: Bench) -> None:
    """On ports of this test's own; each command is stopped when it has said where it is."""
    (block,) = [b for b in blocks_of("docs/sandbox.md", "sh") if "sandbox.env" in b.text]
    starting, using, *others = block.lines
    free = " --port-vapi 0 --port-twilio 0"
    for line in (starting, *others):
        typed = line.partition("#")[0].strip()
        command, _, target = typed.partition(">")
        process = subprocess.Popen(
            ["sh", "-c", f"exec {command}{free if '-m' not in command else ''}"],
            cwd=garden.folder,
            stdout=subprocess.PIPE,
            text=True,
            env=garden.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        )
        try:
            assert process.stdout is not None
            said = ""
            while "TWILIO_AUTH_TOKEN" not in said:
                printed = process.stdout.readline()
                assert printed, f"{command} ended: {said}"
                said += printed
            if target:
                environ = {k: v for k, v in garden.environ.items() if not k.startswith(("VAPI_", "TWILIO_"))}
                garden.write(target.strip(), said)
                assert "to create" in sh(garden.folder, using, environ | {"VAPI_WEBHOOK_SECRET": "s" * 32})
        finally:
            process.terminate()
            process.communicate(timeout=90)


def test_the_runtime_is_served_called_and_written_out(live: Bench) -> None:
    (block,) = blocks_of("docs/runtime.md", "sh")
    serving, calling, writing = block.lines
    shop(live)
    live.write("agents/handlers/orders.py", "def lookup_order(orderNumber: str) -> str:\n    return 'Sent.'\n")
    live.apply()
    assert serving.startswith("voiceops serve --port ")
    # A handler of the example keeps what callers leave.
    with served(live.folder, live.environ | {"CONTACTS_FILE": str(live.folder / "contacts.jsonl")}) as client:
        said = sh(live.folder, f"{calling.partition('#')[0]} --url http://127.0.0.1:{client.port}", live.environ)
    assert "ok: 1 call" in said
    sh(live.folder, writing, live.environ)
    listed = re.findall(r"[\w.-]+\.[\w.-]+|\w+/|Dockerfile", writing.partition("#")[2])
    assert len(listed) == 6
    for name in listed:
        assert (live.folder / "runtime" / name).exists(), name
