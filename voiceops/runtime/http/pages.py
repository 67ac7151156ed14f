"""The routes that are not hot: Twilio's webhooks, health, readiness, metrics, the dashboard."""

from __future__ import annotations

import asyncio
import base64
import hmac
import ipaddress
import logging
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from voiceops._version import __version__
from voiceops.runtime.auth import twilio_auth
from voiceops.runtime.dashboard import page as dashboard
from voiceops.runtime.dashboard.figures import Figures, outcomes
from voiceops.runtime.dashboard.figures import figures as count_figures
from voiceops.runtime.http import bounds
from voiceops.runtime.http.body import NO_BODY, read_body, trust
from voiceops.runtime.json_text import dumps
from voiceops.runtime.messages.twiml import EMPTY
from voiceops.runtime.observe.log import log
from voiceops.runtime.store.inbox import in_time
from voiceops.runtime.store.records import DONE, WAITING
from voiceops.runtime.vapi_messages import Message

if TYPE_CHECKING:
    from voiceops.runtime.http.app import Runtime

_XML = "text/xml; charset=utf-8"
_STATUS_SECONDS = 10.0  # for a status callback to be stored; Twilio waits 15
_LOOK_SECONDS = 3.0  # for the store to say how it is
_FRESH = 2.0  # seconds for which the dashboard's figures are good
STATUS_TYPE = "twilio.status"


def routes(runtime: Runtime, prefix: str) -> list[BaseRoute]:
    """Every route, also below the path of the public URL, where a proxy leaves that on."""
    pages = _Pages(runtime)
    table: list[tuple[str, Any, str]] = [
        ("/twilio/voice/{path:path}", pages.voice, "POST"),
        ("/twilio/status/{path:path}", pages.status, "POST"),
        ("/healthz", pages.healthz, "GET"),
        ("/readyz", pages.readyz, "GET"),
        ("/metrics", pages.metrics, "GET"),
        ("/dashboard", pages.dashboard, "GET"),
    ]
    return [Route(base + path, page, methods=[method]) for base in {"", prefix} for path, page, method in table]


def _peer(request: Request) -> str:
    return request.client.host if request.client is not None else ""


class _Pages:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._counting = asyncio.Lock()
        self._counted: Figures | None = None

    async def voice(self, request: Request) -> Response:
        """The webhook of a line that the runtime answers."""
        pairs = await self._twilio(request)
        if isinstance(pairs, Response):
            return pairs
        line = self._runtime.lines.get(request.path_params["path"])
        if line is None:
            return PlainTextResponse("No such line", 404)
        token = request.headers.get("i-twilio-idempotency-token", "")
        return Response(await self._runtime.lines.answer(line, dict(pairs), token), media_type=_XML)

    async def status(self, request: Request) -> Response:
        """A status callback: stored, then acknowledged."""
        pairs = await self._twilio(request)
        if isinstance(pairs, Response):
            return pairs
        fields = dict(pairs)
        message = Message(type=STATUS_TYPE, status=fields.get("CallStatus"))
        data = {"message": {"type": STATUS_TYPE, "path": request.path_params["path"], **fields}}
        body = dumps(data)
        state = WAITING if self._runtime.processor.wants(STATUS_TYPE) else DONE
        try:
            stored = self._runtime.store(message, body, time.time(), state, "")
            fresh = await in_time(stored, time.monotonic() + _STATUS_SECONDS)
        except Exception as error:
            log("store", logging.ERROR, error=type(error).__name__, type=STATUS_TYPE)
            return PlainTextResponse("Not stored", 503)
        if fresh and state == WAITING:
            self._runtime.processor.wake()
        self._runtime.metrics.counter("voiceops_messages_total", type=STATUS_TYPE, outcome="stored").add()
        return Response(EMPTY, media_type=_XML)

    async def _twilio(self, request: Request) -> list[tuple[str, str]] | Response:
        """A request's parameters, if it is Twilio's."""
        runtime = self._runtime
        body = await read_body(request.scope, request.receive, bounds.FORM_BYTES)
        if isinstance(body, int):
            return PlainTextResponse(NO_BODY[body], body)
        raw_path = request.scope.get("raw_path") or request.scope["path"].encode()
        url = twilio_auth.public_url(runtime.spec.url, raw_path, request.scope.get("query_string", b""))
        content_type = request.headers.get("content-type", "")
        wrong = twilio_auth.verify(
            runtime.settings.twilio_tokens,
            url,
            body=body,
            content_type=content_type,
            given=request.headers.get("x-twilio-signature", ""),
            settings=request.headers.get("x-twilio-webhooks-signature-settings", ""),
        )
        if wrong:
            runtime.metrics.counter("voiceops_auth_failures_total", vendor="twilio", reason=wrong).add()
            shown = urlsplit(url)._replace(query="").geturl()[:300]
            runtime.noise.say(
                "refused",
                vendor="twilio",
                reason=wrong,
                peer=_peer(request),
                checked=shown,
                explain=f"voiceops doctor signature --url '{shown}'",
            )
            again = runtime.attempts.failed(_peer(request))
            return PlainTextResponse("Forbidden", 403, None if again else {"connection": "close"})
        trust(request.scope)
        if not runtime.limiter.allows(request.scope.get("client")):
            return PlainTextResponse("Too many requests", 429)
        return twilio_auth.parameters(body) if "urlencoded" in content_type else []

    async def healthz(self, request: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def readyz(self, request: Request) -> Response:
        """It can do its work, or can't; with the dashboard's token also why, and what it serves."""
        runtime = self._runtime
        known = self._login(request, [runtime.settings.dashboard_token])
        if isinstance(known, Response):
            return known
        wrong, stats = await runtime.health()
        data: dict[str, Any] = {"status": "not ready" if wrong else "ready"}
        if known:
            data |= {
                "status": wrong or "ready",
                "version": __version__,
                "project": runtime.spec.project,
                "environment": runtime.spec.environment,
                "revision": runtime.revision,
                "digest": runtime.spec.digest,
                "tools": [
                    {
                        "name": tool.name,
                        "address": tool.address,
                        "schema": tool.schema_hash,
                        "handler": tool.handler,
                        "timeout": tool.timeout,
                        "seconds": runtime.spec.deadline(tool.timeout),
                    }
                    for tool in runtime.spec.tools
                ],
                "lines": [{"address": line.address, "answer": line.answer} for line in runtime.spec.lines],
                "queue": {"waiting": stats.waiting, "working": stats.working, "dead": stats.dead} if stats else None,
            }
        return JSONResponse(data, 503 if wrong else 200)

    async def metrics(self, request: Request) -> Response:
        """Figures, for this machine; for others with a token, for they name tools and outcomes."""
        runtime = self._runtime
        if not _is_local(request):
            known = self._login(request, [runtime.settings.metrics_token, runtime.settings.dashboard_token])
            if isinstance(known, Response):
                return known
            if not known:
                return PlainTextResponse("Unauthorized", 401, {"www-authenticate": 'Bearer realm="voiceops"'})
        others: list[str] = []
        gauges: list[tuple[str, str, float]] = []
        try:
            until = time.monotonic() + _LOOK_SECONDS
            stats = await in_time(runtime.inbox.run(lambda backend: backend.stats()), until)
            if runtime.boot:
                others = await in_time(runtime.inbox.run(lambda backend: backend.published(runtime.boot)), until)
            age = max(0.0, time.time() - stats.oldest) if stats.oldest else 0.0
            gauges = [
                ("voiceops_queue_depth", "Stored messages that wait for their handlers.", stats.waiting),
                ("voiceops_queue_dead", "Stored messages whose handlers failed too often.", stats.dead),
                ("voiceops_queue_oldest_seconds", "Age of the oldest message that waits.", age),
            ]
        except Exception as error:
            log("store", logging.ERROR, error=type(error).__name__)
        ready = not (runtime.draining or runtime.unwell)
        gauges.append(("voiceops_ready", "1 when requests are served.", int(ready)))
        gauges.append(("voiceops_connections", "Open connections, this one among them.", len(runtime.connections)))
        return Response(runtime.metrics.text(others, gauges), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def dashboard(self, request: Request) -> Response:
        """Traffic, tools and the queue, in one page without scripts."""
        runtime = self._runtime
        if not runtime.settings.dashboard_token:
            return PlainTextResponse("Not Found", 404)
        known = self._login(request, [runtime.settings.dashboard_token])
        if isinstance(known, Response):
            return known
        if not known:
            return PlainTextResponse("Unauthorized", 401, {"www-authenticate": 'Basic realm="voiceops"'})
        try:
            figures = await self._figures()
            others = []
            if runtime.boot:
                asked = runtime.inbox.run(lambda backend: backend.published(runtime.boot))
                others = await in_time(asked, time.monotonic() + _LOOK_SECONDS)
        except Exception as error:
            log("dashboard", logging.ERROR, error=type(error).__name__)
            return PlainTextResponse("The store does not answer in time", 503)
        about = dashboard.About(
            project=runtime.spec.project,
            environment=runtime.spec.environment,
            version=__version__,
            revision=runtime.revision,
            draining=runtime.draining,
            started=runtime.started,
            tools=tuple(tool.name for tool in runtime.spec.tools),
        )
        counted = outcomes([runtime.metrics.snapshot(), *others])
        text = await asyncio.to_thread(dashboard.page, about, figures, counted)  # the first one reads its template
        return Response(text, media_type="text/html; charset=utf-8", headers=dashboard.headers())

    async def _figures(self) -> Figures:
        """What the store says now, or said a moment ago: however many look, they count through it one at a time."""
        async with self._counting:
            now = time.time()
            if self._counted is None or not 0 <= now - self._counted.now < _FRESH:
                runtime = self._runtime
                backend, location = runtime.inbox.backend, runtime.settings.database
                self._counted = await asyncio.to_thread(count_figures, backend, location, now)
            return self._counted

    def _login(self, request: Request, tokens: Sequence[str]) -> bool | Response:
        """Does the request carry one of these? Or the answer for a source that has tried too many others.

        As a bearer, or as the password that a browser asks for. What is wrong is counted, limited and logged.
        """
        runtime, peer = self._runtime, _peer(request)
        given = _offered(request)
        if given is None:
            return False
        if not runtime.logins.may(peer):
            self._refuse_login(peer, "too-many")
            return PlainTextResponse("Too many attempts", 429, {"retry-after": "60"})
        valid = False
        for token in filter(None, tokens):  # digests, so that not even a length shows in the time that this takes
            valid |= hmac.compare_digest(sha256(token.encode()).digest(), sha256(given).digest())
        if not valid:
            runtime.logins.failed(peer)
            self._refuse_login(peer, "token")
        return valid

    def _refuse_login(self, peer: str, why: str) -> None:
        self._runtime.metrics.counter("voiceops_auth_failures_total", vendor="dashboard", reason=why).add()
        self._runtime.noise.say("refused", vendor="dashboard", reason=why, peer=peer)


def _offered(request: Request) -> bytes | None:
    """The token in a request; None where it has none."""
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    given = text.strip().encode("latin-1", "replace")
    if kind.lower() == "bearer":
        return given
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(given, validate=True).partition(b":")[2]
    except ValueError:
        return b""


# A request with one of these came through a proxy: that the proxy stands on this machine says nothing of who asks.
_FORWARDED = (
    *("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via", "x-real-ip"),
    *("cf-connecting-ip", "true-client-ip", "x-client-ip", "x-original-forwarded-for", "x-envoy-external-address"),
)


def _is_local(request: Request) -> bool:
    """Did it come from this machine, and not only through it?"""
    try:
        address = ipaddress.ip_address(_peer(request).partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    local = (mapped or address).is_loopback
    return local and not any(name in request.headers for name in _FORWARDED)
