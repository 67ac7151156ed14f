"""The table of routes, and those that are for what watches: health, readiness, metrics."""

from __future__ import annotations

import logging
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from voiceops._version import __version__
from voiceops.runtime.http import board_routes, twilio_routes
from voiceops.runtime.http.login import is_local, login
from voiceops.runtime.http.served import published, served_in
from voiceops.runtime.observe.log import log
from voiceops.runtime.parts import Parts
from voiceops.runtime.store.inbox import in_time

_LOOK_SECONDS = 3.0  # for the store to say how it is


def routes(prefix: str) -> list[BaseRoute]:
    """Every route that is not hot, also below the path of the public URL, where a proxy leaves that on."""
    table: list[tuple[str, Any, str]] = [
        ("/twilio/voice/{path:path}", twilio_routes.voice, "POST"),
        ("/twilio/status/{path:path}", twilio_routes.status, "POST"),
        ("/healthz", healthz, "GET"),
        ("/readyz", readyz, "GET"),
        ("/metrics", metrics, "GET"),
        ("/dashboard", board_routes.dashboard, "GET"),
        ("/dashboard/{rest:path}", board_routes.dashboard, "GET"),
        ("/dashboard/login", board_routes.log_in, "POST"),
        ("/dashboard/logout", board_routes.log_out, "POST"),
        ("/dashboard/queue/replay", board_routes.replay, "POST"),
    ]
    return [Route(base + path, page, methods=[method]) for base in {"", prefix} for path, page, method in table]


async def healthz(request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """It can do its work, or can't; with the dashboard's token also why, and what it serves."""
    served = served_in(request.scope["state"])
    parts = served.parts
    known = login(request, served, [parts.settings.dashboard_token])
    if isinstance(known, Response):
        return known
    wrong, stats = await parts.health.now()
    data: dict[str, Any] = {"status": "not ready" if wrong else "ready"}
    if known:
        queue = {"waiting": stats.waiting, "working": stats.working, "dead": stats.dead} if stats else None
        data |= {"status": wrong or "ready", **_serves(parts), "queue": queue}
    return JSONResponse(data, 503 if wrong else 200)


def _serves(parts: Parts) -> dict[str, Any]:
    """What `plan` compares with the manifests."""
    spec = parts.spec
    return {
        "version": __version__,
        "project": spec.project,
        "environment": spec.environment,
        "revision": parts.revision,
        "digest": spec.digest,
        "tools": [
            {
                "name": tool.name,
                "address": tool.address,
                "schema": tool.schema_hash,
                "handler": tool.handler,
                "timeout": tool.timeout,
                "seconds": spec.deadline(tool.timeout),
            }
            for tool in spec.tools
        ],
        "lines": [{"address": line.address, "answer": line.answer} for line in spec.lines],
    }


async def metrics(request: Request) -> Response:
    """Figures, for this machine; for others with a token, for they name tools and outcomes.

    https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    served = served_in(request.scope["state"])
    parts = served.parts
    if not is_local(request):
        known = login(request, served, [parts.settings.metrics_token, parts.settings.dashboard_token])
        if isinstance(known, Response):
            return known
        if not known:
            return PlainTextResponse("Unauthorized", 401, {"www-authenticate": 'Bearer realm="voiceops"'})
    others: list[str] = []
    gauges: list[tuple[str, str, float]] = []
    try:
        until = time.monotonic() + _LOOK_SECONDS
        stats = await in_time(parts.inbox.run(lambda backend: backend.stats()), until)
        others = await published(parts, until)
        age = max(0.0, time.time() - stats.oldest) if stats.oldest else 0.0
        gauges = [
            ("voiceops_queue_depth", "Stored messages that wait for their handlers.", stats.waiting),
            ("voiceops_queue_dead", "Stored messages whose handlers failed too often.", stats.dead),
            ("voiceops_queue_oldest_seconds", "Age of the oldest message that waits.", age),
        ]
    except Exception as error:
        log("store", logging.ERROR, error=type(error).__name__)
    ready = not (parts.health.draining or parts.health.unwell)
    gauges.append(("voiceops_ready", "1 when requests are served.", int(ready)))
    gauges.append(("voiceops_connections", "Open connections, this one among them.", len(served.connections)))
    return Response(parts.metrics.text(others, gauges), media_type="text/plain; version=0.0.4; charset=utf-8")
