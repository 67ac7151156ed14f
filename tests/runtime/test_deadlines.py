"""How long a handler has: its server's timeoutSeconds less a margin, or `runtime.toolSeconds`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import serving, spec_of, tool
from tests.runtime.start.test_commands import client_environ, ready, served
from tests.support.bench import Bench
from voiceops.runtime.spec import RuntimeSpec, deadline_of, spec_text
from voiceops.sandbox.server import SandboxServer

PROJECT = """
version: 1
project: shop
environments: [live]
runtime: {{url: "https://voice.example.com"{more}}}
"""
TOOL = """
kind: Tool
name: {name}
spec:
  type: function
  function: {{name: {name}, description: Looks something up.}}
{server}
handler: h:look
---
"""
AGENT = """
kind: Agent
name: {name}
spec:
  {server}
  model: {{provider: openai, model: gpt-4o, tools: [{tools}]}}
---
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    with SandboxServer() as server, server.control() as control:
        bench = Bench(tmp_path / "shop", server, control)
        bench.write("agents/handlers/h.py", "import time\ndef look(): time.sleep(5)\n")
        yield bench


def written(shop: Bench) -> RuntimeSpec:
    out = shop.folder / "out"
    shop.run("generate", "runtime", "--out", str(out))
    return RuntimeSpec.from_data(json.loads((out / "runtime.json").read_text()))


@pytest.mark.parametrize(
    ("own", "agents", "tool_seconds", "seconds"),
    [
        ("runtime", ["runtime"], None, 10.0),
        ("runtime", ["runtime"], 4, 4.0),
        ("runtime", ["runtime"], 18, 18.0),
        ("{from: runtime, timeoutSeconds: 5}", ["runtime"], None, 4.5),
        ("{from: runtime, timeoutSeconds: 20}", ["runtime"], None, 18.0),
        ("{from: runtime, timeoutSeconds: 60}", ["runtime"], 4, 58.0),
        ("{from: runtime, timeoutSeconds: 1}", ["runtime"], 4, 0.7),
        # Without a server of its own a tool is asked for at its agent's.
        ("", ["{from: runtime, timeoutSeconds: 5}"], None, 4.5),
        ("", ["{from: runtime, timeoutSeconds: 30}"], None, 28.0),
        ("", ["{from: runtime, timeoutSeconds: 30}", "runtime"], None, 10.0),
        ("", ["{from: runtime, timeoutSeconds: 5}", "runtime"], None, 4.5),
        ("", ["{from: runtime, timeoutSeconds: 5}", "runtime"], 2, 2.0),
        ("", ["runtime"], None, 10.0),
    ],
)
def test_what_a_generated_project_gives(
    shop: Bench, own: str, agents: list[str], tool_seconds: float | None, seconds: float
) -> None:
    shop.write("voiceops.yaml", PROJECT.format(more=f", toolSeconds: {tool_seconds}" if tool_seconds else ""))
    made = [AGENT.format(name=f"a{n}", server=f"server: {server}", tools="look") for n, server in enumerate(agents)]
    shop.write("agents/a.yaml", TOOL.format(name="look", server=f"  server: {own}" if own else "") + "".join(made))
    spec = written(shop)
    (found,) = spec.tools
    assert spec.deadline(found.timeout) == pytest.approx(seconds)
    assert RuntimeSpec.from_data(json.loads(spec_text(spec))) == spec


@pytest.mark.parametrize("value", ["0", "0.5", "19", "300", "soon", "true", "[1]", "-1", ".nan"])
def test_tool_seconds_are_checked(shop: Bench, value: str) -> None:
    shop.write("voiceops.yaml", PROJECT.format(more=f", toolSeconds: {value}"))
    shop.write("agents/a.yaml", AGENT.format(name="a", server="server: runtime", tools=""))
    ran = shop.run("validate", code=1)
    assert "voiceops.yaml:5:" in ran.out + ran.err
    assert "runtime.toolSeconds" in ran.out + ran.err


def test_vapi_is_left_its_margin() -> None:
    assert deadline_of(None, 300) == 18.0
    assert deadline_of(None, 3) == 3
    assert deadline_of(20.0, 3) == 18.0


def test_a_handler_that_takes_longer(tmp_path: Path) -> None:
    spec = spec_of(
        tool("look", "h:look"),
        tool("longer", "h:look", timeout=10.0),
        tool("where", "h:look", type="transferCall"),
        tool_seconds=0.5,
    )
    with serving(tmp_path, spec, "import time\ndef look(): time.sleep(4); return 'fine'\n") as server:
        began = time.monotonic()
        assert "error" in server.tool("look")
        assert 0.4 < time.monotonic() - began < 3.5
        assert server.tool("longer")["result"] == "fine"
        began = time.monotonic()
        assert "error" in server.message("transfer-destination-request").data
        assert time.monotonic() - began < 3.5


def test_serve_reads_the_project(shop: Bench) -> None:
    shop.write("voiceops.yaml", PROJECT.format(more=", toolSeconds: 1"))
    shop.write(
        "agents/a.yaml",
        TOOL.format(name="look", server="  server: runtime")
        + AGENT.format(name="a", server="server: runtime", tools="look"),
    )
    environ: dict[str, Any] = client_environ(shop)
    with served(shop.folder, environ) as client:
        ready(client, shop).url = "https://voice.example.com"
        (listed,) = client.get("/readyz", environ["VOICEOPS_DASHBOARD_TOKEN"]).data["tools"]
        assert (listed["timeout"], listed["seconds"]) == (None, 1.0)
        began = time.monotonic()
        assert "error" in client.tool("look")
        assert time.monotonic() - began < 4.5
