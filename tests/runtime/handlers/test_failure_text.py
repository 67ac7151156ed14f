"""What the log has of a handler's error: its kind, its place, its words in one line; nothing of callers or keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import ORDER, Told, served, serving, spec_of, tool, wait_for
from tests.runtime.start.test_commands import AGENTS, PROJECT, client_environ, ready
from tests.support.bench import Bench
from voiceops.errors import VoiceopsError
from voiceops.runtime.handlers.failure_text import told, without_values
from voiceops.runtime.handlers.invoke import Failure
from voiceops.runtime.handlers.loading import Handlers
from voiceops.sandbox.server import SandboxServer

HANDLERS = """
import asyncio, json
class Odd:
    def __repr__(self): raise RuntimeError("no text")
async def late(n): await asyncio.sleep(0); raise LookupError("no such\\nshelf")
def plain(n): raise ValueError(f"order {n} is unknown")
def library(n): return json.loads("{")
def nested(n):
    def inside(): raise OSError("disk")
    try: inside()
    except OSError as error: raise RuntimeError("shop closed") from error
async def several(n):
    async with asyncio.TaskGroup() as group: group.create_task(late(n))
def silent(n): raise ValueError
def ends(n): raise SystemExit("bye")
def unsent(n): return {"x": object()}
def generator(n): yield 1
class Bad(Exception):
    def __str__(self): raise TypeError
def bad(n): raise Bad
"""
EXPECTED = {
    "late": "LookupError at {file}:6: no such shelf",
    "plain": "ValueError at {file}:7: order (n) is unknown",
    "library": "JSONDecodeError at {file}:8: Expecting property name",
    "nested": "RuntimeError at {file}:12: shop closed",
    "several": "ExceptionGroup of 1, the first: LookupError at {file}:6: no such shelf",
    "silent": "ValueError at {file}:15",
    "ends": "SystemExit at {file}:16: bye",
    "unsent": "unsent at {file}:17 gave what is no text, dict: ",
    "generator": "generator at {file}:18 gave what is no text, generator: ",
    "bad": "Bad at {file}:21",
}


def test_kind_place_and_words(tmp_path: Path) -> None:
    told_of = Told()
    tools = [tool(name, f"h:{name}") for name in EXPECTED]
    with serving(tmp_path, spec_of(*tools), HANDLERS, observers=(told_of,)) as server:
        for name in EXPECTED:
            assert "error" in server.tool(name, {"n": "8812-55"})
    for name, expected in EXPECTED.items():
        file = next(Path(tmp_path).rglob("h_*.py")).name
        assert expected.format(file=file) in told_of.tools[name], told_of.tools[name]
        assert "\n" not in told_of.tools[name]
        assert "8812-55" not in told_of.tools[name]


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("no order 1234-5", {"orderNumber": "1234-5"}, "no order (orderNumber)"),
        ("'Ada Byron' not found", {"who": {"name": "Ada Byron"}}, "'(who.name)' not found"),
        ("bad 4711", {"n": 4711}, "bad (n)"),
        ("calls +1 415 555 0123 failed", {}, "calls (number) failed"),
        ("calls 4155550123 failed", {}, "calls (number) failed"),
        ("(415) 555-0123", {}, "(number)"),
        ("at 2026-03-02 by 10.0.0.5:5432", {}, "at 2026-03-02 by 10.0.0.5:5432"),
        ("401 for Bearer abcdef0123456789", {}, "401 for (hidden)"),
        ("postgresql://app:hunter22@db/shop", {}, "postgresql://(hidden)@db/shop"),
        ("key sk-abcdefghijklmnop is wrong", {}, "key (hidden) is wrong"),
        ("key is s3cr3t-of-the-shop", {}, "key is (hidden)"),
        ("short ab", {"a": "ab"}, "short ab"),
        ("yes True", {"a": True}, "yes True"),
    ],
)
def test_what_callers_said_and_secrets_are_taken_out(
    text: str, arguments: dict[str, Any], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_API_KEY", "s3cr3t-of-the-shop")
    assert without_values(text, arguments) == expected


def test_control_characters_and_length() -> None:
    assert told(ValueError("a\x1b[31m\nb\u202e")) == "ValueError: a\\u001b[31m b\\u202e"
    assert len(told(ValueError("x" * 5000))) < 400
    assert Failure("failed", "ValueError at a.py:1", "gone").whole == "ValueError at a.py:1: gone"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("raise RuntimeError('no\\nkey sk-abcdefghijklmnop')", "line 1: RuntimeError: no key (hidden)"),
        ("def f(:\n", "line 1: SyntaxError"),
        ("import nothing_like_it", "line 1: ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("raise SystemExit('stop')", "line 1: SystemExit: stop"),
    ],
)
def test_a_module_that_does_not_load(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "orders_broken.py").write_text(text)
    with pytest.raises(VoiceopsError) as caught:
        Handlers(tmp_path, ["orders_broken:f"])
    assert expected in caught.value.summary
    assert "\n" not in caught.value.summary


def test_the_log_of_a_served_project(tmp_path: Path) -> None:
    with SandboxServer(numbers=["+14155550100"]) as sandbox, sandbox.control() as control:
        shop = Bench(tmp_path / "shop", sandbox, control)
        shop.write("voiceops.yaml", PROJECT)
        shop.write("agents/agents.yaml", AGENTS)
        shop.write(
            "agents/handlers/orders.py",
            "from voiceops.runtime import on_end_of_call\n"
            "def find_order(orderNumber): raise ValueError(f'no {orderNumber}\\n{open}')\n"
            "@on_end_of_call\n"
            "def ended(event): raise KeyError('crm is down')\n",
        )
        with served(shop.folder, client_environ(shop)) as client:
            ready(client, shop)
            assert client.tool("findOrder", {"orderNumber": "77-1234"})["error"] == "The order desk is closed."
            client.message("end-of-call-report", endedReason="x")
            log = shop.folder / "serve.log"
            wait_for(lambda: '"event":"event"' in log.read_text())
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
        (told_tool,) = [line["detail"] for line in lines if line["event"] == "tool"]
        assert told_tool.startswith("ValueError at orders.py:2: no (orderNumber) ")
        (told_event, *_) = [line["detail"] for line in lines if line["event"] == "event"]
        assert "KeyError at orders.py:4" in told_event
        assert "crm is down" in told_event
        assert "77-1234" not in log.read_text()


def test_the_log_of_a_question(tmp_path: Path) -> None:
    told_of = Told()
    handler = "@on_assistant_request\ndef choose(call): raise ValueError('no desk')\n"
    with serving(tmp_path, spec_of(tool("look", None, parameters=ORDER)), handler, observers=(told_of,)) as server:
        got = server.message("assistant-request")
        assert got.headers["voiceops-outcome"] == "failed"
        assert "error" in got.data
    assert "no desk" in told_of.failed[-1]
    assert ":3" in told_of.failed[-1]
