"""What is measured: the runtime from a spec, the same without its store, and an application that does nothing."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.runtime_load import SECRET
from voiceops.runtime.handlers.invoke import Invoker
from voiceops.runtime.handlers.loading import Handlers
from voiceops.runtime.http.app import RuntimeApp
from voiceops.runtime.messages.tool_calls import Tools
from voiceops.runtime.observe.log import configure
from voiceops.runtime.parts import Parts, Setup
from voiceops.runtime.settings import Settings
from voiceops.runtime.spec import RuntimeSpec, ToolSpec
from voiceops.runtime.start.workers import bind, config_of, serve

SCHEMA = {
    "type": "object",
    "properties": {"orderNumber": {"type": "string", "minLength": 1, "maxLength": 20}},
    "required": ["orderNumber"],
}
HANDLER = """
async def lookup_order(orderNumber: str) -> dict:
    return {"found": True, "state": "sent", "orderNumber": orderNumber}
"""


def runtime(folder: Path, database: str, *, stored: bool) -> RuntimeApp:
    (folder / "orders.py").write_text(HANDLER)
    tool = ToolSpec(name="lookupOrder", address="Tool/lookup-order", parameters=SCHEMA, handler="orders:lookup_order")
    spec = RuntimeSpec(project="bench", environment="bench", url="https://bench.example", auth="hmac", tools=(tool,))
    safe = os.environ.get("VOICEOPS_POWER_SAFE", "1") != "0"
    settings = Settings(
        database=database,
        vapi_secrets=(SECRET,),
        power_safe=safe,
        dashboard_token=os.environ.get("VOICEOPS_DASHBOARD_TOKEN", ""),
    )
    configure()  # as in use: a line a call
    setup = Setup(spec=spec, settings=settings, handlers=Handlers(folder, spec.handlers))
    return RuntimeApp(setup) if stored else RuntimeApp(setup, opening=unstored)


@asynccontextmanager
async def unstored(setup: Setup) -> AsyncIterator[Parts]:
    """The same parts, but that tool calls are not claimed."""
    async with Parts.open(setup) as parts:
        tools = Tools(setup.spec, setup.handlers, Invoker(), parts.observer, once=None)
        yield replace(parts, tools=tools)


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body and says 200."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    body = b'{"results":[{"toolCallId":"1","name":"lookupOrder","result":"{}"}]}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    kind = sys.argv[1]
    bound = bind("127.0.0.1", 0)
    print(bound.getsockname()[1], flush=True)
    if kind == "bare":
        import uvicorn

        config = config_of(bare, http="auto")
        config.lifespan = "off"
        uvicorn.Server(config).run(sockets=[bound])
        return
    with tempfile.TemporaryDirectory(dir=os.environ.get("VOICEOPS_BENCH_DIR")) as folder:
        database = os.environ.get("VOICEOPS_RUNTIME_DB") or str(Path(folder) / "runtime.db")
        serve(runtime(Path(folder), database, stored=kind != "unstored"), bound)


if __name__ == "__main__":
    main()
