"""Scripts of `simulate`: everything is checked before a call begins, and a call that nobody takes is no success."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import AgentSpec, LineSpec, served, spec_of, tool
from tests.support.bench import Bench
from voiceops.errors import InvalidProject
from voiceops.sandbox.server import SandboxServer
from voiceops.simulate.script import default_script
from voiceops.simulate.script_file import read_script

SPEC = spec_of(
    tool("find", "h:find"),
    lines=(
        LineSpec(address="Phone/main", path="main", number="+14155550100", target="Agent/desk"),
        LineSpec(address="Phone/own", path="own", number="+14155550101", answer="runtime", target="Agent/desk"),
        LineSpec(address="Phone/router", path="router", number="+14155550102"),
    ),
    agents=(AgentSpec(address="Agent/desk", name="front desk"), AgentSpec(address="Agent/back", name="back office")),
)
TOOL = "  - tool: find\n    "
STEP = "  - "


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidProject) as caught:
        read_script(text, "calls/order.yaml", SPEC)
    return [str(diagnostic) for diagnostic in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("step", "place", "said"),
    [
        (TOOL + 'expect: {matches: "("}', "3:14", "steps[0].expect.matches: is no regular expression"),
        (TOOL + "expect: {matches: 'a{99999999999}'}", "3:14", "is no regular expression"),
        (TOOL + "expect: {within: soon}", "3:14", "steps[0].expect.within: must be a number of seconds"),
        (TOOL + "expect: {within: true}", "3:14", "must be a number of seconds"),
        (TOOL + "expect: {status: ok}", "3:14", "steps[0].expect.status: must be an HTTP status"),
        (TOOL + "expect: {fails: yes}", "3:14", "steps[0].expect.fails: must be true or false"),
        (TOOL + "expect: {contains: [x]}", "3:14", "steps[0].expect.contains: must be a text"),
        (TOOL + "expect: {equals: 1.50}", "3:14", "steps[0].expect.equals: must be a text"),
        (
            TOOL + "expect: {contain: x}",
            "3:14",
            "steps[0].expect.contain: is not known here\n    Did you mean contains?",
        ),
        (TOOL + "expect: [x]", "3:5", "steps[0].expect: must be a text"),
        (TOOL + "expect:", "3:5", "Or a map of contains, equals, matches, fails, within, status."),
        (TOOL + "arguments: [1]", "3:5", "steps[0].arguments: must be a map"),
        (TOOL + "arguments: monday", "3:5", "steps[0].arguments: must be a map"),
        (TOOL + "id: {}", "3:5", "steps[0].id: must be a text"),
        (TOOL + "argument: {}", "3:5", "steps[0].argument: is not known here\n    Did you mean arguments?"),
        (STEP + "tool: fnid", "2:5", "there is no tool fnid\n    Did you mean find? Known: find."),
        (STEP + "tool: fnid\n    expect: sent", "2:5", "there is no tool fnid\n    Did you mean find? Known: find."),
        (STEP + "tool:", "2:5", "steps[0].tool: must be a text"),
        (STEP + "wait: soon", "2:5", "steps[0].wait: must be a number of seconds"),
        (STEP + "wait: -1", "2:5", "steps[0].wait: must be a number of seconds"),
        (STEP + "wait: 1e300", "2:5", "steps[0].wait: must be a number of seconds"),
        (STEP + "wait", "2:5", "wait needs a value"),
        (STEP + "{wait: 1, expect: x}", "2:15", "steps[0].expect: is not known here"),
        (STEP + "interruption: late", "2:5", "steps[0].interruption: must be a number of seconds"),
        (STEP + "message: 5", "2:5", "steps[0].message: must be a map with a type"),
        (STEP + "message: {}", "2:5", "steps[0].message: must be a map with a type"),
        (STEP + "message: {type: [x]}", "2:5", "steps[0].message: must be a map with a type"),
        (STEP + "hangup: {}\n    report: [1]", "3:5", "steps[0].report: must be a map"),
        (STEP + "ring: {agent: x}", "2:5", "steps[0].ring: takes no value"),
        (STEP + "caller: {}", "2:5", "steps[0].caller: must be a text"),
        (STEP + "5", "2:5", "steps[0]: a step is a map with one verb\n    A step is one of ring, "),
        (STEP + "[]", "2:5", "a step is a map with one verb"),
        (STEP + "{}", "2:5", "a step is a map with one verb"),
        (STEP + "{ring: {}, wait: 1}", "2:5", "a step is a map with one verb"),
        (STEP + "rign", "2:5", "unknown step rign\n    Did you mean ring?"),
    ],
)
def test_every_mistake_has_its_place(step: str, place: str, said: str) -> None:
    (found,) = problems(f"steps:\n{step}\n")
    assert found.startswith(f"calls/order.yaml:{place}: error[script]: ")
    assert said in found


def test_the_head_of_a_script() -> None:
    found = "\n".join(problems("name: {}\nline: mian\nagent: desc\nfrom: [1]\nstesp: []\n---\nsteps: [ring]\n"))
    for said in (
        "order.yaml:1:1: error[script]: name: must be a text",
        "line: there is no line mian\n    Did you mean main? Known: main, own, router.",
        "agent: there is no agent desc\n    Did you mean desk? Known: desk, back.",
        "order.yaml:4:1: error[script]: from: must be a text",
        "stesp: is not known here\n    Did you mean steps?",
        "a script needs a list of steps",
        "order.yaml:7:1: error[script]: a file holds one script",
    ):
        assert said in found
    for text in ("", "[]", "steps: 5", "steps: {}", "hello"):
        assert problems(text)


def test_an_expectation_that_nothing_would_be_held_against() -> None:
    ring = "steps:\n  - ring: {}\n    expect: <Connect>\n"
    assert "steps[0].expect: has no answer" in problems(f"line: main\n{ring}")[0]
    assert "steps[0].expect: has no answer" in problems(f"agent: back\n{ring}")[0]
    for line in ("own", "router"):
        assert read_script(f"line: {line}\n{ring}", "s", SPEC).steps[0].expect == {"contains": "<Connect>"}


def test_who_is_called() -> None:
    def chosen(head: str) -> tuple[str, str]:
        script = read_script(f"{head}\nsteps: [ring]\n", "s", SPEC)
        return (script.line.path if script.line else "", script.agent)

    assert chosen("") == ("own", "")
    assert chosen("line: '+14155550100'") == ("main", "")
    for name in ("desk", "Agent/desk", "front desk"):
        assert chosen(f"agent: {name}") == ("own", "Agent/desk")
    assert chosen("agent: back") == ("", "Agent/back")
    assert chosen("agent: back\nline: router") == ("router", "Agent/back")
    alone = default_script(spec_of(agents=SPEC.agents))
    assert (alone.line, alone.agent) == (None, "Agent/desk")


PROJECT = """
version: 1
project: shop
environments: [live]
defaults: {Agent: {server: runtime}}
runtime: {url: "https://voice.example.com", auth: hmac, handlers: agents/handlers}
"""
AGENTS = """
kind: Agent
name: support
spec: {model: {provider: openai, model: gpt-4o, tools: [find-order]}}
---
kind: Tool
name: find-order
spec:
  type: function
  function: {name: findOrder, description: Finds an order., parameters: {type: object, properties: {}}}
  server: runtime
handler: orders:find_order
---
kind: Phone
name: closed
spec: {number: +14155550100, provider: twilio}
handler: orders:nobody
---
kind: Phone
name: refused
spec: {number: +14155550101, provider: twilio, answer: runtime}
handler: orders:refuse
"""
ORDERS = """
def find_order(): return "sent"
def nobody(call): raise ValueError
def refuse(call): return {"error": "We are closed."}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    with SandboxServer(numbers=["+14155550100", "+14155550101"]) as server, server.control() as control:
        bench = Bench(tmp_path / "shop", server, control)
        bench.write("voiceops.yaml", PROJECT)
        bench.write("agents/agents.yaml", AGENTS)
        bench.write("agents/handlers/orders.py", ORDERS)
        yield bench


def test_a_call_that_nobody_takes_is_wrong_unless_expected(shop: Bench) -> None:
    with served(shop.folder, shop.environ) as client:
        url = f"http://127.0.0.1:{client.port}"

        def play(text: str, code: int) -> str:
            shop.write("s.yaml", text)
            return shop.run("simulate", str(shop.folder / "s.yaml"), "--url", url, code=code).out

        for line in ("closed", "refused"):
            assert "wrong: nobody takes the call" in play(f"line: {line}\nsteps: [ring]\n", 1)
            ring = f"line: {line}\nsteps:\n  - ring: {{}}\n    expect: "
            assert "nobody takes the call" in play(ring + "{within: 5}\n", 1)
            assert "ok: 1 call" in play(ring + "{fails: true}\n", 0)
        assert "ok: 1 call" in play("line: refused\nsteps:\n  - ring: {}\n    expect: We are closed.\n", 0)
        assert "ok: 1 call" in play("agent: support\nsteps: [ring, {tool: findOrder, expect: sent}, hangup]\n", 0)
        assert "ok: 1 call, 0 requests" in play("steps: [{wait: 0}]\n", 0)
        waited = shop.run("simulate", str(shop.folder / "s.yaml"), "--url", url, "--format", "json").data
        assert (waited["requests"], waited["wrong"]) == (0, 0)


def test_the_project_that_init_writes_is_ok(tmp_path: Path) -> None:
    with SandboxServer() as server, server.control() as control:
        bench = Bench(tmp_path / "new", server, control)
        bench.folder.mkdir()
        bench.run("init", "--with-runtime")
        environ: dict[str, Any] = {
            "VAPI_API_KEY": "",
            "VAPI_BASE_URL": "",
            "TWILIO_AUTH_TOKEN": "",
            "VAPI_WEBHOOK_SECRET": "",
        }
        with served(bench.folder, bench.environ | environ, "--no-tunnel", command="dev") as client:
            url = f"http://127.0.0.1:{client.port}"
            ran = bench.run("simulate", "--url", url, "--public-url", url, **environ)
            assert "ok: 1 call" in ran.out
            ran = bench.run("simulate", "nothing.yaml", "--url", url, code=1, **environ)
            assert "nothing.yaml can't be read" in ran.err
            bench.write("s.yaml", "steps:\n  - wait: soon\n")
            ran = bench.run("simulate", str(bench.folder / "s.yaml"), "--url", url, code=1, **environ)
            assert "s.yaml:2:5: error[script]: steps[0].wait: must be a number of seconds" in ran.err
