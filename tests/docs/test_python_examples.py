"""The Python of docs/: handlers are loaded by the runtime's own loader and called, the sandbox's example is run."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import yaml

from tests.runtime.runtime_bench import serving, spec_of, tool
from tests.support.bench import REPOSITORY
from tests.support.pages import blocks, blocks_of, pages
from voiceops.runtime import Event
from voiceops.runtime.handlers.loading import Handlers

HANDLERS = "docs/handlers.md"


def test_every_block_has_its_test_and_compiles() -> None:
    found = [b for page in pages() for b in blocks(page) if b.language == "python"]
    assert [block.page for block in found] == [*3 * ["docs/api.md"], *3 * [HANDLERS], "docs/sandbox.md"]
    for block in found:
        ast.parse(block.text, str(block))


def test_the_handler_answers_its_tool(tmp_path: Path) -> None:
    """The manifest of the page says what Vapi sends, the function beside it gives the answer."""
    (block, _, _) = blocks_of(HANDLERS, "python")
    (manifest,) = [yaml.safe_load(b.text) for b in blocks_of(HANDLERS, "yaml")]
    function = manifest["spec"]["function"]
    handler = manifest["handler"].replace("orders:", "h:")
    spec = spec_of(tool(function["name"], handler, parameters=function["parameters"]))
    with serving(tmp_path, spec, block.text) as client:
        answer = client.tool(function["name"], {"orderNumber": "1234"})
        wrong = client.tool(function["name"], {"order": "1234"})
    assert json.loads(answer["result"]) == {"state": "sent", "day": "tomorrow"}
    assert "result" not in wrong
    assert wrong["error"]


def test_a_call_remembers(tmp_path: Path) -> None:
    (_, block, _) = blocks_of(HANDLERS, "python")
    item = {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]}
    spec = spec_of(tool("addToCart", "h:add_to_cart", parameters=item), tool("readCart", "h:read_cart"))
    with serving(tmp_path, spec, block.text) as client:
        assert client.tool("readCart")["result"] == "Your cart is empty."
        assert client.tool("addToCart", {"item": "tulips"})["result"] == "That makes 1."
        assert client.tool("addToCart", {"item": "roses"})["result"] == "That makes 2."
        assert client.tool("readCart")["result"] == "tulips, roses"
        assert client.tool("readCart", call="another")["result"] == "Your cart is empty."


async def test_functions_for_messages_are_registered_and_run(tmp_path: Path) -> None:
    (_, _, block) = blocks_of(HANDLERS, "python")
    module = "examples_of_messages"
    (tmp_path / f"{module}.py").write_text(block.text, encoding="utf-8")
    loaded = Handlers(tmp_path, [f"{module}:{name}" for name in ("keep", "seen", "forward")])
    kept: list[tuple[Any, ...]] = []

    class Kept:
        """The page's own crm and queue."""

        async def save(self, *given: Any, key: str) -> None:
            kept.append((*given, key))

        async def send(self, body: bytes, *, deduplication_id: str) -> None:
            kept.append((body, deduplication_id))

    message = {"type": "end-of-call-report", "call": {"id": "call-1"}, "endedReason": "customer-ended-call"}
    event = Event(7, "end-of-call-report", "call-1", 0.0, 1, json.dumps({"message": message}).encode())
    for name in ("keep", "seen", "forward"):
        handler = loaded.get(f"{module}:{name}")
        assert handler is not None
        handler.function.__globals__.update(crm=Kept(), queue=Kept())
        given = handler.function(event)
        if inspect.isawaitable(given):
            await given
    assert kept == [("call-1", "customer-ended-call", str(event.id)), (event.body, str(event.id))]


def test_the_sandbox_in_a_test(tmp_path: Path) -> None:
    """With a request where the page has `...`: its answer is lost, and it counts."""
    (block,) = blocks_of("docs/sandbox.md", "python")
    before, rest = block.text.split("    ...  #")
    request = """
        import httpx
        try:
            httpx.post(f"{server.vapi_url}/assistant", json={}, headers={"Authorization": f"Bearer {server.api_key}"})
        except httpx.TransportError:
            pass
        server.twilio_url, server.account_sid, server.auth_token
    """
    (tmp_path / "example.py").write_text(
        before + textwrap.indent(textwrap.dedent(request), "    ") + "    #" + rest, encoding="utf-8"
    )
    ran = subprocess.run([sys.executable, tmp_path / "example.py"], capture_output=True, text=True, cwd=REPOSITORY)
    assert ran.returncode == 0, ran.stderr
