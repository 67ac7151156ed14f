"""serve, generate, simulate and events, as people run them, over real sockets and processes."""

from __future__ import annotations

import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.runtime_bench import DASHBOARD, Client, served, wait_for
from tests.support.bench import REPOSITORY, Bench
from voiceops.sandbox.server import SandboxServer

PROJECT = """
version: 1
project: shop
environments: [live]
defaults: {Agent: {server: runtime}}
runtime: {url: "https://voice.example.com/hooks", auth: hmac, handlers: agents/handlers}
"""
AGENTS = """
kind: Agent
name: support
spec:
  model: {provider: openai, model: gpt-4o, tools: [find-order, {type: endCall}]}
---
kind: Tool
name: find-order
failureMessage: The order desk is closed.
spec:
  type: function
  function:
    name: findOrder
    description: "Finds an order."
    parameters:
      type: object
      properties:
        orderNumber: {type: string, description: Digits only.}
        when: {type: string, enum: [today, later]}
        from: {type: string}
      required: [orderNumber]
  server: runtime
handler: orders:find_order
---
kind: Phone
name: main
spec: {number: +14155550100, provider: twilio, agent: support, answer: runtime}
"""
ORDERS = """
import time
from pathlib import Path
from voiceops.runtime import on_end_of_call

def find_order(call, orderNumber: str, when: str = "later"):
    with open(Path(__file__).parent / "ran.txt", "a") as file: file.write(orderNumber + chr(10))
    if orderNumber == "0": raise ValueError
    if orderNumber == "wait": time.sleep(1.5)
    return f"Order {orderNumber} is on its way."

@on_end_of_call
def ended(event):
    if event.message.get("endedReason") == "broken": raise ValueError
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    with SandboxServer(numbers=["+14155550100"]) as server, server.control() as control:
        bench = Bench(tmp_path / "shop", server, control)
        bench.write("voiceops.yaml", PROJECT)
        bench.write("agents/agents.yaml", AGENTS)
        bench.write("agents/handlers/orders.py", ORDERS)
        yield bench


def client_environ(bench: Bench) -> dict[str, str]:
    return {**bench.environ, "VOICEOPS_DASHBOARD_TOKEN": DASHBOARD}


def ready(client: Client, bench: Bench) -> Client:
    client.secret = bench.environ["VAPI_WEBHOOK_SECRET"]
    client.token = bench.environ["TWILIO_AUTH_TOKEN"]
    client.url = "https://voice.example.com/hooks"
    return client


SCRIPT = """
name: an order
line: main
from: +14155550123
steps:
  - ring: {}
    expect: <Connect>
  - assistant: Hello.
  - caller: Where is 12?
  - tool: findOrder
    arguments: {orderNumber: "12"}
    expect: {contains: on its way, within: 5}
  - tool: findOrder
    arguments: {orderNumber: "0"}
    expect: {fails: true, equals: The order desk is closed.}
  - interruption
  - hangup
"""


def test_serve_simulate_and_events(shop: Bench) -> None:
    shop.apply()
    shop.write("calls/order.yaml", SCRIPT)
    script = str(shop.folder / "calls/order.yaml")
    with served(shop.folder, client_environ(shop)) as client:
        ready(client, shop)
        url = f"http://127.0.0.1:{client.port}"
        data = client.get("/readyz", DASHBOARD).data
        assert data["revision"] == 1
        assert [t["name"] for t in data["tools"]] == ["findOrder"]
        assert client.get("/hooks/healthz").status == 200  # where a proxy leaves the path on
        ran = shop.run("simulate", script, "--url", url)
        assert "ok: 1 call" in ran.out
        assert "Order 12 is on its way." in ran.out
        shop.edit("calls/order.yaml", "on its way", "lost")
        ran = shop.run("simulate", script, "--url", url, code=1)
        assert "should contain 'lost'" in ran.out
        many = shop.run("simulate", "--url", url, "--concurrency", "20", "--format", "json").data
        assert (many["calls"], many["wrong"]) == (20, 0)
        assert len(shop.control.objects("/call")) == 22
        client.message("end-of-call-report", endedReason="broken")
        wait_for(lambda: any(e["error"] for e in shop.run("events", "list", "--format", "json").data))
        (event,) = [e for e in shop.run("events", "list", "--format", "json").data if e["error"]]
        assert "ValueError" in event["error"]
        shown = shop.run("events", "show", event["id"]).data
        assert shown["body"]["message"]["endedReason"] == "broken"
        assert "1 of 1" in shop.run("events", "replay", event["id"]).out
        assert client.stop() == 0
    log = (shop.folder / "serve.log").read_text()
    assert "Traceback" not in log
    assert "+1415" not in log
    assert client.secret not in log
    assert "nothing answers" in shop.run("simulate", "--url", url, code=1).err


def test_a_script_is_read_strictly(shop: Bench) -> None:
    shop.write(
        "s.yaml", "line: mian\nsteps:\n  - tol: x\n  - rign\n  - tool: findOrdr\n  - {ring: {}, expect: {has: x}}\n"
    )
    ran = shop.run("simulate", str(shop.folder / "s.yaml"), code=1)
    for said in (
        "Did you mean main?",
        "Did you mean tool?",
        "Did you mean ring?",
        "Did you mean findOrder?",
        "s.yaml:3",
    ):
        assert said in ran.err


@pytest.mark.parametrize("missing", ["VAPI_WEBHOOK_SECRET", "TWILIO_AUTH_TOKEN", "VAPI_API_KEY"])
def test_no_start_without_secrets(shop: Bench, missing: str) -> None:
    ran = shop.process("serve", "--port", "0", code=1, **{missing: ""})
    assert missing in ran.err
    assert ran.out == ""


def test_no_start_with_handlers_that_do_not_load(shop: Bench) -> None:
    shop.write("agents/handlers/orders.py", "def find_order(): pass\nimport nothing_of_that_name\n")
    ran = shop.process("serve", "--port", "0", code=1)
    assert "orders.py can't be loaded: line 2: ModuleNotFoundError" in ran.err


def test_several_workers_share_everything(shop: Bench) -> None:
    with served(shop.folder, client_environ(shop), "--workers", "2") as client:
        ready(client, shop)
        for n in range(30):
            assert client.tool("findOrder", {"orderNumber": f"1{n}"}, id=f"c{n % 10}")["result"].startswith("Order")
        wait_for(
            lambda: 'voiceops_messages_total{outcome="answered",type="tool-calls"} 30' in client.get("/metrics").text
        )
        assert client.stop() == 0
    assert len((shop.folder / "agents/handlers/ran.txt").read_text().split()) == 10


def test_requests_under_way_are_answered_at_the_end(shop: Bench) -> None:
    import threading

    with served(shop.folder, client_environ(shop)) as client:
        ready(client, shop)
        found: list[str] = []
        thread = threading.Thread(
            target=lambda: found.append(client.tool("findOrder", {"orderNumber": "wait"})["result"])
        )
        thread.start()
        wait_for(lambda: (shop.folder / "agents/handlers/ran.txt").exists())
        assert client.stop() == 0
        thread.join()
        assert found == ["Order wait is on its way."]


def test_a_claim_that_a_crash_left_is_answered_with_the_sentence_or_run_again(shop: Bench) -> None:
    import threading

    ran = shop.folder / "agents/handlers/ran.txt"
    for idempotent in (False, True):
        ran.unlink(missing_ok=True)
        if idempotent:
            shop.edit("agents/agents.yaml", "failureMessage:", "idempotent: true\nfailureMessage:")
        with served(shop.folder, client_environ(shop)) as client:
            ready(client, shop)

            def ask(client: Client = client, idempotent: bool = idempotent) -> None:
                try:
                    client.tool("findOrder", {"orderNumber": "wait"}, id=f"crash-{idempotent}")
                except OSError:
                    return

            thread = threading.Thread(target=ask)
            thread.start()
            wait_for(ran.exists)
            client.kill()
            thread.join()
        with served(shop.folder, client_environ(shop)) as client:
            ready(client, shop)
            for _ in range(2):
                entry = client.tool("findOrder", {"orderNumber": "wait"}, id=f"crash-{idempotent}")
                assert entry.get("result" if idempotent else "error") == (
                    "Order wait is on its way." if idempotent else "The order desk is closed."
                )
        assert len(ran.read_text().split()) == (2 if idempotent else 1)


def test_generate_writes_a_project_that_runs(shop: Bench, tmp_path: Path) -> None:
    out, again = tmp_path / "out", tmp_path / "deep" / "again"
    shop.run("generate", "runtime", "--out", str(out))
    shop.run("generate", "runtime", "--out", str(again))
    assert {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()} == {
        p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()
    }
    text = "".join(p.read_text("latin-1") for p in out.rglob("*") if p.is_file())  # the wheel among them
    assert "a-webhook-secret" not in text
    assert str(tmp_path) not in text
    for name in ("VAPI_WEBHOOK_SECRET", "TWILIO_AUTH_TOKEN", "VAPI_API_KEY", "VOICEOPS_RUNTIME_DB"):
        assert f"\n{name}" in (out / ".env.example").read_text()
    (out / "handlers/orders.py").write_text(ORDERS + "# mine\n")
    kept = shop.run("generate", "runtime", "--out", str(out))
    assert "kept    handlers/orders.py" in kept.out
    assert (out / "handlers/orders.py").read_text().endswith("# mine\n")
    shop.edit("agents/handlers/orders.py", "on its way", "nearly there")
    changed = shop.run("generate", "runtime", "--out", str(again))
    assert [line.split()[1] for line in changed.out.splitlines()] == ["handlers/orders.py", "handlers.lock"]
    shutil.rmtree(shop.folder)
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", "0"],
        cwd=again,
        stdout=subprocess.PIPE,
        text=True,
        env={**client_environ(shop), "PYTHONPATH": str(REPOSITORY)},
    )
    assert process.stdout is not None
    try:
        client = ready(Client(int(process.stdout.readline().strip().rpartition(":")[2])), shop)
        wait_for(lambda: _up(client))
        assert client.tool("findOrder", {"orderNumber": "7"})["result"] == "Order 7 is nearly there."
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stdout.close()
    refused = subprocess.run(
        [sys.executable, "app.py", "--port", "0"],
        cwd=again,
        capture_output=True,
        text=True,
        env={**os.environ, "VAPI_WEBHOOK_SECRET": "", "PYTHONPATH": str(REPOSITORY)},
    )
    assert refused.returncode == 1
    assert "VAPI_WEBHOOK_SECRET" in refused.stderr
    assert "Traceback" not in refused.stderr


def _up(client: Client) -> bool:
    try:
        return client.get("/healthz").status == 200
    except OSError:
        return False


def test_stubs(shop: Bench) -> None:
    handlers = shop.folder / "agents/handlers/orders.py"
    handlers.write_text("def other(): pass\n")
    for flags in ([], ["--stubs"]):
        ran = shop.run("generate", "runtime", *flags, code=1)
        assert "orders.py has no function find_order" in ran.err
        assert re.search(r"\n +orderNumber: str,\n +when: Literal\[", ran.err)
        assert handlers.read_text() == "def other(): pass\n"
    handlers.unlink()
    assert "--stubs" in shop.run("generate", "runtime", code=1).err
    assert not handlers.exists()
    ran = shop.run("generate", "runtime", "--stubs")
    assert "stub    agents/handlers/orders.py" in ran.out
    text = handlers.read_text()
    assert 'when: Literal["today", "later"] | None = None' in text
    assert "from_: str | None = None" in text
    assert "orderNumber: Digits only." in text
    py_compile.compile(str(handlers), cfile=str(shop.folder / "x.pyc"), doraise=True)
    assert shop.run("validate").code == 0


def test_reload(shop: Bench) -> None:
    with served(shop.folder, client_environ(shop), "--reload") as client:
        ready(client, shop)
        assert client.tool("findOrder", {"orderNumber": "1"})["result"] == "Order 1 is on its way."
        shop.edit("agents/handlers/orders.py", "on its way", "here")

        def changed() -> bool:
            (shop.folder / "agents/handlers/orders.py").touch()  # whoever watches may have begun only now
            try:
                return client.tool("findOrder", {"orderNumber": "1"})["result"] == "Order 1 is here."
            except (OSError, json.JSONDecodeError):
                return False

        wait_for(changed)


def test_dev_on_a_sandbox_of_its_own(shop: Bench) -> None:
    shop.edit("voiceops.yaml", "environments: [live]", "environments: [live]\nproviders: sandbox")
    environ = {k: v for k, v in shop.environ.items() if not k.startswith(("VAPI_", "TWILIO_"))}
    environ |= {"VAPI_WEBHOOK_SECRET": "", "TWILIO_AUTH_TOKEN": ""}
    with served(shop.folder, environ, "--no-tunnel", command="dev") as client:
        url = f"http://127.0.0.1:{client.port}"
        ran = shop.run(
            "simulate", "--url", url, "--public-url", url, VAPI_WEBHOOK_SECRET="", TWILIO_AUTH_TOKEN="", VAPI_API_KEY=""
        )
        assert "<Connect>" in ran.out
        assert "Order 1234 is on its way." in ran.out
    assert not list((shop.folder / ".voiceops/dev").iterdir())
    assert not (shop.folder / ".voiceops/state").exists()


def test_dev_on_live_accounts_puts_back_what_it_changed(shop: Bench) -> None:
    shop.apply()
    agent = shop.id_of("Agent/support")
    with served(shop.folder, shop.environ, "--url", "https://ann.example.dev", command="dev"):
        assert shop.control.object(agent)["server"]["url"] == "https://ann.example.dev/vapi/events"
        voice = shop.control.number("+14155550100")["voice_url"]
        assert voice == "https://ann.example.dev/twilio/voice/main"
    assert shop.control.object(agent)["server"]["url"] == "https://voice.example.com/hooks/vapi/events"
    assert shop.plan()["summary"]["update"] == 0
