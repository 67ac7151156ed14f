"""Who looks at the dashboard: somebody with the token in the request, or with the session that a login left.

A session needs no store: it is a time and a random number, signed with the token, so that every worker knows it and
another token ends it. What changes something needs beside it a proof, which only pages of that session hold.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from voiceops.runtime.http.body import read_body
from voiceops.runtime.http.login import login
from voiceops.runtime.http.served import Served

_COOKIE = "voiceops-session"
_SECONDS = 12 * 3600
_SESSION = re.compile(r"([0-9]{1,12})\.[A-Za-z0-9_-]{20,40}")
_FIELDS = 20  # of a form


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is known. `session` is empty for a program that sends the token with each request."""

    session: str
    proof: str = ""
    fresh: bool = False  # the session has just begun

    def may_change(self, request: Request, proof: str) -> bool:
        """Did a page of this session send it, or a program with the token as a bearer?"""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        return not self.session or hmac.compare_digest(self.proof.encode(), proof.encode())


def visitor_of(request: Request, served: Served) -> Visitor | Response | None:
    """Who it is; None: a stranger; an answer for a source that has tried too many tokens."""
    token = served.parts.settings.dashboard_token
    known = login(request, served, [token])
    if isinstance(known, Response):
        return known
    if known:
        basic = request.headers.get("authorization", "").lower().startswith("basic")
        return new_session(token) if basic else Visitor("")  # a browser sends a password to whoever asks for it
    return _from_cookie(token, request.cookies.get(_COOKIE, ""))


def new_session(token: str) -> Visitor:
    """A session that begins now."""
    inside = f"{int(time.time()) + _SECONDS}.{secrets.token_urlsafe(18)}"
    session = f"{inside}.{_signed(token, 'session', inside)}"
    return Visitor(session, _signed(token, "proof", session), fresh=True)


def _from_cookie(token: str, session: str) -> Visitor | None:
    inside, _, signature = session.rpartition(".")
    found = _SESSION.fullmatch(inside)
    if found is None or not signature.isascii():
        return None
    if not hmac.compare_digest(_signed(token, "session", inside), signature) or int(found[1]) < time.time():
        return None
    return Visitor(session, _signed(token, "proof", session))


def _signed(token: str, what: str, text: str) -> str:
    return hmac.new(token.encode(), f"voiceops dashboard {what}\n{text}".encode(), "sha256").hexdigest()


def remember(response: Response, visitor: Visitor, request: Request, served: Served) -> None:
    """Let the browser keep the session: out of reach of scripts and of other sites, for this folder alone."""
    public = urlsplit(served.parts.spec.url)
    secure = public.scheme == "https" and request.headers.get("host", "") == public.netloc
    response.set_cookie(
        _COOKIE, visitor.session, max_age=_SECONDS, path=None, secure=secure, httponly=True, samesite="strict"
    )


def forget(response: Response) -> None:
    """Let the browser drop the session."""
    response.set_cookie(_COOKIE, "", max_age=0, path=None, httponly=True, samesite="strict")


async def form_of(request: Request, served: Served) -> dict[str, str] | int:
    """The fields of a form, or the status that says why there are none."""
    body = await read_body(request.scope, request.receive, served.bounds.form_bytes, served.bounds.body_seconds)
    if isinstance(body, int):
        return body
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        return 400
