"""Twilio's routes: the webhook of a line, and its status callbacks; nothing is read before it is known as theirs.

https://www.twilio.com/docs/usage/security
"""

from __future__ import annotations

import logging
import time
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from voiceops.runtime.auth import twilio_auth
from voiceops.runtime.http.body import NO_BODY, read_body, trust
from voiceops.runtime.http.login import peer_of
from voiceops.runtime.http.served import Served, served_in
from voiceops.runtime.json_text import dumps
from voiceops.runtime.messages.twiml import EMPTY
from voiceops.runtime.observe.log import log
from voiceops.runtime.store.inbox import in_time
from voiceops.runtime.store.records import DONE, WAITING
from voiceops.runtime.vapi_messages import Message

_XML = "text/xml; charset=utf-8"
_STATUS_SECONDS = 10.0  # for a status callback to be stored; Twilio waits 15
_STATUS_TYPE = "twilio.status"


async def voice(request: Request) -> Response:
    """The webhook of a line that the runtime answers."""
    served = served_in(request.scope["state"])
    pairs = await _parameters(request, served)
    if isinstance(pairs, Response):
        return pairs
    line = served.parts.lines.get(request.path_params["path"])
    if line is None:
        return PlainTextResponse("No such line", 404)
    token = request.headers.get("i-twilio-idempotency-token", "")
    return Response(await served.parts.lines.answer(line, dict(pairs), token), media_type=_XML)


async def status(request: Request) -> Response:
    """A status callback: stored, then acknowledged."""
    served = served_in(request.scope["state"])
    pairs = await _parameters(request, served)
    if isinstance(pairs, Response):
        return pairs
    parts, fields = served.parts, dict(pairs)
    message = Message(type=_STATUS_TYPE, status=fields.get("CallStatus"))
    body = dumps({"message": {"type": _STATUS_TYPE, "path": request.path_params["path"], **fields}})
    state = WAITING if parts.events.wants(_STATUS_TYPE) else DONE
    try:
        stored = parts.intake.store(message, body, time.time(), state)
        fresh = await in_time(stored, time.monotonic() + _STATUS_SECONDS)
    except Exception as error:
        log("store", logging.ERROR, error=type(error).__name__, type=_STATUS_TYPE)
        return PlainTextResponse("Not stored", 503)
    if fresh and state == WAITING:
        parts.events.wake()
    parts.observer.message_counted(_STATUS_TYPE, "stored")
    return Response(EMPTY, media_type=_XML)


async def _parameters(request: Request, served: Served) -> list[tuple[str, str]] | Response:
    """A request's parameters, if it is Twilio's; else the answer for whoever it is."""
    parts, peer = served.parts, peer_of(request)
    body = await read_body(request.scope, request.receive, served.bounds.form_bytes, served.bounds.body_seconds)
    if isinstance(body, int):
        return PlainTextResponse(NO_BODY[body], body)
    raw_path = request.scope.get("raw_path") or request.scope["path"].encode()
    url = twilio_auth.public_url(parts.spec.url, raw_path, request.scope.get("query_string", b""))
    content_type = request.headers.get("content-type", "")
    wrong = twilio_auth.verify(
        parts.settings.twilio_tokens,
        url,
        body=body,
        content_type=content_type,
        given=request.headers.get("x-twilio-signature", ""),
        settings=request.headers.get("x-twilio-webhooks-signature-settings", ""),
    )
    if wrong:
        shown = urlsplit(url)._replace(query="").geturl()[:300]
        explain = f"voiceops doctor signature --url '{shown}'"
        parts.observer.refused("twilio", wrong, peer=peer, checked=shown, explain=explain)
        again = served.attempts.failed(peer)
        return PlainTextResponse("Forbidden", 403, None if again else {"connection": "close"})
    trust(request.scope)
    if not served.limiter.allows(request.scope.get("client")):
        return PlainTextResponse("Too many requests", 429)
    return twilio_auth.parameters(body) if "urlencoded" in content_type else []
