"""docs/incidents.md: each case is made in the sandbox, and what the page says to type prints what it says."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import Client, Process, served, wait_for
from tests.support.bench import REPOSITORY, Bench, bench
from tests.support.pages import Block, blocks_of
from tests.support.quick import quick

PAGE = "docs/incidents.md"
NAME = "VAPI_WEBHOOK_SECRET"
SECRET = "a-webhook-secret-of-some-length"


class Night:
    """The garden shop in prod, with its runtime."""

    def __init__(self, made: Bench) -> None:
        self.made = made
        self.url = ""
        self.without: tuple[str, ...] = ()  # variables that only .env sets

    def type(self, block: Block) -> None:
        """What a block says is typed, and what it shows is among what is printed, in this order."""
        for typed, shown in _typed(block):
            printed = self.printed(typed)
            place = 0
            for line in shown:
                found = re.compile(_pattern(line), re.MULTILINE).search(printed, place)
                assert found is not None, f"{block}: {typed}\nlacks: {line}\nprinted:\n{printed}"
                place = found.end()

    def printed(self, typed: str) -> str:
        words = shlex.split(typed)
        if words[0] != "voiceops":
            subprocess.run(words, cwd=self.made.folder, check=True)
            return ""
        without: dict[str, Any] = dict.fromkeys(self.without)
        ran = self.made.run(*words[1:], code=None, RUNTIME_URL=self.url, **without)
        return f"{ran.err}{ran.out}"

    def serve(self, **environ: str) -> AbstractContextManager[Process]:
        """The runtime, whose orders can't be asked for."""
        wanted = {"CONTACTS_FILE": f"{self.made.folder}/contacts.jsonl", "ORDERS_URL": "http://127.0.0.1:9"}
        return served(self.made.folder, self.made.environ | wanted | {"VOICEOPS_ENV": "prod"} | environ)


def _typed(block: Block) -> Iterator[tuple[str, list[str]]]:
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, shown


def _pattern(line: str) -> str:
    return r"^" + ".*".join(re.escape(part) for part in line.split("…"))


def of(title: str) -> list[Block]:
    """The console blocks of one section."""
    text = (REPOSITORY / PAGE).read_text(encoding="utf-8")
    start = text[: text.index(f"\n## {title}\n")].count("\n") + 1
    end = text.find("\n## ", text.index(f"\n## {title}\n") + 1)
    last = text[:end].count("\n") + 1 if end > 0 else 10**6
    found = [block for block in blocks_of(PAGE, "console") if start < block.line <= last]
    assert found
    return found


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with quick(), bench(tmp_path) as made:
        for name in ("agents", "environments"):
            shutil.rmtree(made.folder / name, ignore_errors=True)
            shutil.copytree(REPOSITORY / name, made.folder / name)
        made.write("voiceops.yaml", (REPOSITORY / "voiceops.yaml").read_text(encoding="utf-8"))
        yield Night(made)


def begun(night: Night, server: Client | None = None) -> None:
    night.url = f"http://127.0.0.1:{server.port}" if server is not None else "https://voice.fern-and-field.example"
    night.printed("voiceops -e prod apply --auto-approve")


def test_a_line_is_dead(night: Night) -> None:
    with night.serve() as runtime:
        begun(night, runtime)
        time.sleep(0.3)  # what came right after an apply may be a list that lags
        night.made.control.edit_number("+14155550100", voice_url="https://elsewhere.example/")
        (block,) = of("A line is dead")
        night.type(block)


def test_a_prompt_is_bad(night: Night) -> None:
    begun(night)
    prompt = (night.made.folder / "agents/prompts/front-desk.md").read_text()
    night.made.edit("agents/prompts/front-desk.md", "Monday to Saturday", "Never")
    night.made.run("-e", "prod", "apply", "--auto-approve", "-m", "new hours", RUNTIME_URL=night.url)
    night.made.run("-e", "prod", "calls", "sync", RUNTIME_URL=night.url)
    (block,) = of("A prompt is bad")
    night.type(block)
    live = night.made.control.objects("/assistant")
    desk = next(agent for agent in live if agent["name"] == "front-desk")
    assert "Monday to Saturday" in desk["model"]["messages"][0]["content"]
    assert "Monday to Saturday" in prompt


def test_a_vendor_is_down(night: Night) -> None:
    begun(night)
    while_down, afterwards = of("Vapi or Twilio is down")
    night.made.control.fault("status", vendor="vapi", path="^/", status=503)
    night.type(while_down)
    night.made.control.clear_faults()
    night.type(afterwards)


def test_a_tool_fails(night: Night) -> None:
    begun(night)
    with night.serve() as runtime:
        begun(night, runtime)
        _call_with_a_tool(runtime, night.made.control.objects("/assistant"))
        # A call is kept first, and has its revision when the recorder has looked for it.
        wait_for(lambda: "manifest" in night.printed("voiceops -e prod calls show 3f2a"))
        (block,) = of("A tool fails")
        night.type(block)


def _call_with_a_tool(runtime: Client, agents: list[dict[str, Any]]) -> None:
    desk = next(agent["id"] for agent in agents if agent["name"] == "front-desk")
    now = int(time.time() * 1000)
    about = {"call": {"id": "3f2a0c1e-0000-4000-8000-000000000001", "type": "inboundPhoneCall", "assistantId": desk}}
    asked = [{"id": "t1", "function": {"name": "lookupOrder", "arguments": {"orderNumber": "1234"}}}]
    runtime.message("status-update", status="in-progress", timestamp=now, **about)
    runtime.message("tool-calls", toolCallList=asked, **about)
    runtime.message("status-update", status="ended", timestamp=now + 9000, **about)
    said = [
        {"role": "tool_calls", "secondsFromStart": 2, "toolCalls": [{"id": "t1", "function": asked[0]["function"]}]}
    ]
    runtime.message(
        "end-of-call-report",
        timestamp=now + 9100,
        endedReason="customer-ended-call",
        artifact={"messages": said},
        **about,
    )


def test_a_lock_is_left_behind(night: Night) -> None:
    begun(night)
    made = night.made
    rule = made.control.fault("pause", when="before", method="PATCH", path="^/assistant/", times=1)
    made.edit("agents/prompts/front-desk.md", "Monday to Saturday", "Never")
    other = subprocess.Popen(
        [sys.executable, "-m", "voiceops", "-C", str(made.folder), "-e", "prod", "apply", "--auto-approve"],
        env=made.environ | {"RUNTIME_URL": night.url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    made.control.wait_for_pause(rule, 60)
    held, left = of("A lock was left behind")
    night.type(held)
    other.kill()
    other.wait(10)
    made.control.clear_faults()
    night.type(left)


def test_a_secret_leaked(night: Night) -> None:
    night.without = (NAME,)
    made = night.made
    made.write(".env", f"{NAME}={SECRET}\n")
    generating, going_on = of("A secret leaked")
    with night.serve() as first:
        begun(night, first)
        night.type(generating)
    new = next(line for line in (made.folder / ".env").read_text().splitlines() if line.startswith(f"{NAME}="))
    with night.serve(**{NAME: new.partition("=")[2], f"{NAME}_PREVIOUS": SECRET}) as both:
        night.url = f"http://127.0.0.1:{both.port}"
        sending, ending = going_on.text.split("$ ")[1:]
        with night.serve(**{NAME: new.partition("=")[2], f"{NAME}_PREVIOUS": ""}) as last:
            night.type(replace(going_on, text=f"$ {sending}"))
            night.url = f"http://127.0.0.1:{last.port}"
            night.type(replace(going_on, text=f"$ {ending}"))


def test_the_store_is_damaged(night: Night) -> None:
    made = night.made
    store = made.folder / ".voiceops" / "runtime" / "prod.db"
    seeing, mending = of("The store is full, damaged or gone")
    with night.serve() as runtime:
        begun(night, runtime)
        made.control.make_calls(30)
        store.write_bytes(b"no database" * 1000)
        wait_for(lambda: runtime.get("/readyz").status == 503)
        night.type(seeing)
    for beside in store.parent.glob("prod.db-*"):
        beside.unlink()
    night.type(replace(mending, text=mending.text.partition("$ voiceops")[0]))
    with night.serve() as runtime:
        wait_for(lambda: runtime.get("/readyz").status == 200)
        night.type(mending_calls := replace(mending, text="$ voiceops" + mending.text.partition("$ voiceops")[2]))
        assert "front-desk" in night.printed("voiceops -e prod calls"), mending_calls


def test_every_case_is_made_here() -> None:
    text = (REPOSITORY / PAGE).read_text(encoding="utf-8")
    tests = [name for name in globals() if name.startswith("test_")]
    assert len(re.findall(r"^## ", text, re.MULTILINE)) == len(tests) - 1
