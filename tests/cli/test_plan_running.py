"""`plan` beside a runtime that runs: what it serves otherwise is said, and nothing that it does stops the plan."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import SECRET, Process, served
from tests.support.bench import Bench
from voiceops.runtime.spec import RuntimeSpec, ToolSpec
from voiceops.use.runtime_check import Answer, judged, read

TOKEN = "a-dashboard-token"
PROJECT = """
version: 1
project: shop
environments: [live]
defaults: {{Agent: {{server: runtime}}}}
runtime: {{url: "{url}"}}
"""


def _tool(name: str, function: str, **properties: Any) -> str:
    parameters = json.dumps({"type": "object", "properties": properties})
    return (
        f"kind: Tool\nname: {name}\nspec:\n  type: function\n  server: runtime\n"
        f"  function: {{name: {function}, description: What it does., parameters: {parameters}}}\n---\n"
    )


SAME = _tool("hours", "openingHours")
OLDER = SAME + _tool("order", "findOrder", number={"type": "string"}) + _tool("old", "oldThing")
NEWER = SAME + _tool("order", "findOrder", orderNumber={"type": "string"}) + _tool("new", "newThing")
AGENT = """
kind: Agent
name: desk
spec: {model: {provider: openai, model: gpt-4o, tools: [hours]}}
"""


@contextmanager
def _runtime(live: Bench, tools: str, folder: Path, token: str = TOKEN, url: str = "") -> Iterator[Process]:
    """A runtime of a folder of its own, and the project's `runtime.url` at it."""
    live.write("voiceops.yaml", PROJECT.format(url="https://voice.example.com"))
    live.write("agents/all.yaml", tools + AGENT)
    shutil.copytree(live.folder, folder)
    environ = live.environ | {"VOICEOPS_DASHBOARD_TOKEN": token, "VAPI_WEBHOOK_SECRET": SECRET}
    with served(folder, environ) as process:
        live.write("voiceops.yaml", PROJECT.format(url=url or f"http://127.0.0.1:{process.port}"))
        yield process


def _said(live: Bench, *arguments: str, token: str = TOKEN) -> list[dict[str, str]]:
    """The plan's warnings about the runtime."""
    ran = live.run("plan", "--format", "json", *arguments, VOICEOPS_DASHBOARD_TOKEN=token)
    return [d for d in ran.data["diagnostics"] if d["code"].startswith("runtime-")]


@contextmanager
def _answering(status: int, body: bytes, wait: float = 0.0) -> Iterator[tuple[str, list[str]]]:
    """Something else at that address, and the Authorization headers that it was shown."""
    shown: list[str] = []
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append(self.headers.get("authorization", ""))
            done.wait(wait)
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", shown
        finally:
            done.set()
            server.shutdown()
            thread.join(10)


@pytest.fixture
def shop(live: Bench) -> Bench:
    live.write("voiceops.yaml", PROJECT.format(url="https://voice.example.com"))
    live.write("agents/all.yaml", SAME + AGENT)
    return live


def test_an_older_runtime_differs_and_the_plan_says_where(
    shop: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with _runtime(shop, OLDER, tmp_path_factory.mktemp("served") / "older"):
        assert _said(shop) == []

        shop.write("agents/all.yaml", NEWER + AGENT)
        found = {d["address"]: d["summary"] for d in _said(shop)}
        assert found == {
            "Tool/new": "the running runtime does not know newThing",
            "Tool/old": "the running runtime serves oldThing, which these manifests don't have",
            "Tool/order": "the running runtime knows findOrder with other parameters",
        }
        assert {d["severity"] for d in _said(shop)} == {"warning"}
        assert [d["address"] for d in _said(shop, "--target", "Tool/new")] == ["Tool/new"]
        assert _said(shop, "--destroy") == _said(shop, token="") == []

        for format_ in ("text", "markdown", "html"):
            ran = shop.run("plan", "--format", format_, VOICEOPS_DASHBOARD_TOKEN=TOKEN)
            assert "does not know newThing" in ran.out
            assert TOKEN not in ran.out + ran.err

        # From .env, as everything else.
        shop.write(".env", f"VOICEOPS_DASHBOARD_TOKEN={TOKEN}\n")
        assert "does not know newThing" in shop.run("plan").out
        shop.remove(".env")

        assert _said(shop, token="another") == [
            {
                "severity": "warning",
                "code": "runtime-token",
                "summary": f"the runtime at {_url(shop)} does not accept VOICEOPS_DASHBOARD_TOKEN: "
                "its tools were not compared",
                "hint": "Give both the same VOICEOPS_DASHBOARD_TOKEN; a runtime that was started without one "
                "accepts none.",
            }
        ]

        # What it serves has no part in what a kept plan may do.
        kept = shop.run("plan", "--out", str(shop.folder / "kept.json"), VOICEOPS_DASHBOARD_TOKEN=TOKEN)
        assert "does not know newThing" in kept.out
    shop.run("apply", str(shop.folder / "kept.json"))
    ran = shop.run("plan", VOICEOPS_DASHBOARD_TOKEN=TOKEN)
    assert "Nothing to do" in ran.out
    assert "runtime" not in ran.out + ran.err


def _url(made: Bench) -> str:
    return (made.folder / "voiceops.yaml").read_text().partition('url: "')[2].partition('"')[0]


def test_nobody_there_is_no_news_but_with_v(shop: Bench) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"  # bound and not listening: refused
        shop.write("voiceops.yaml", PROJECT.format(url=url))
        before = shop.run("plan")
        ran = shop.run("plan", VOICEOPS_DASHBOARD_TOKEN=TOKEN)
        assert (ran.out, ran.err) == (before.out, before.err)
        loud = shop.run("-v", "plan", VOICEOPS_DASHBOARD_TOKEN=TOKEN)
        assert f"The runtime at {url} does not answer (ConnectError): its tools were not compared." in loud.err


def test_a_runtime_that_hangs_costs_two_seconds(shop: Bench) -> None:
    with _answering(200, b"{}", wait=20) as (url, shown):
        shop.write("voiceops.yaml", PROJECT.format(url=url))
        started = time.monotonic()
        ran = shop.process("-v", "plan", VOICEOPS_DASHBOARD_TOKEN=TOKEN)
        assert time.monotonic() - started < 6  # two of them for a process that starts on a busy machine
        assert "does not answer" in ran.err
        assert shown == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"<html>hello</html>", "runtime-answer"),
        (200, b'{"status": "ready", "tools": [{"name": 1}]}', "runtime-answer"),
        (404, b"{}", "runtime-answer"),
        (302, b"", "runtime-answer"),
        (401, b"", "runtime-token"),
        (502, b"bad gateway", ""),
    ],
)
def test_a_stranger_at_the_address_is_one_warning(shop: Bench, status: int, body: bytes, code: str) -> None:
    with _answering(status, body) as (url, shown):
        shop.write("voiceops.yaml", PROJECT.format(url=url))
        assert [d["code"] for d in _said(shop)] == ([code] if code else [])
        assert len(shown) == 1  # no redirect is followed with the token


def test_another_environment_and_another_project() -> None:
    spec = RuntimeSpec(project="shop", environment="prod", url="https://a.example", auth="hmac")
    data = {"project": "shop", "environment": "dev", "revision": 3, "tools": []}
    (found,) = judged(Answer(data=data), spec.url, spec)
    assert found.severity == "warning"
    assert "serves the environment dev, and this plan is for prod" in found.summary
    many = [{"name": f"t{n}", "address": f"Tool/t{n}", "schema": "x"} for n in range(30)]
    (found,) = judged(Answer(data=data | {"project": "other", "tools": many}), spec.url, spec)
    assert "another project: other" in found.summary
    assert len(judged(Answer(data=data | {"environment": "prod", "tools": many}), spec.url, spec)) == 21


def test_a_runtime_s_words_can_t_act_on_a_terminal() -> None:
    tool = ToolSpec(name="look", address="Tool/look")
    spec = RuntimeSpec(project="shop", environment="prod", url="https://a.example", auth="hmac", tools=(tool,))
    served = [{"name": "a\x1b[2J\n\u202eb" + "x" * 500, "address": "Tool/\x07", "schema": ""}]
    body = {"status": "ready", "project": "shop", "environment": "prod", "revision": 7, "tools": served}
    found = judged(read(200, json.dumps(body).encode()), spec.url, spec)
    text = "".join(f"{d.address} {d.summary}" for d in found)
    assert text.isprintable()
    assert "(revision 7)" in text
    assert len(text) < 500
