"""The dashboard's addresses: who may see them, which page stands there, and what its forms do."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from voiceops._version import __version__
from voiceops.model.wording import many
from voiceops.runtime.dashboard import frame as frames
from voiceops.runtime.dashboard.asked import AskedCalls, asked_for
from voiceops.runtime.dashboard.board import BoardReading
from voiceops.runtime.dashboard.call_list_page import call_list
from voiceops.runtime.dashboard.call_page import call_page
from voiceops.runtime.dashboard.figures import outcomes
from voiceops.runtime.dashboard.frame import Frame
from voiceops.runtime.dashboard.overview_page import PERIODS, overview
from voiceops.runtime.dashboard.part_pages import AGENTS, LINES, PartKind, part_list, part_page
from voiceops.runtime.dashboard.queue_page import dead_letters, queue_page, replay_page
from voiceops.runtime.dashboard.runtime_page import runtime_page
from voiceops.runtime.dashboard.tools_page import tools_page
from voiceops.runtime.dashboard.words import moment
from voiceops.runtime.http.login import peer_of
from voiceops.runtime.http.served import Served, published, served_in
from voiceops.runtime.http.visitor import Visitor, forget, form_of, new_session, remember, visitor_of
from voiceops.runtime.observe.log import log
from voiceops.runtime.parts import Parts

T = TypeVar("T")

_TO = re.compile(r"(/(calls?|agents?|lines?|tools|queue|runtime))?(\?[!-~]{0,2000})?")  # where a login may lead
_LOOK_SECONDS = 3.0
_GONE = "There is no such page."
_SLOW = "The store does not answer in time"


@dataclass(frozen=True, slots=True)
class PageLook:
    """Somebody looks at a page."""

    served: Served
    frame: Frame
    query: Mapping[str, str]
    now: float

    def asked(self, **defaults: str) -> AskedCalls:
        """The filters in the address."""
        return asked_for(self.query, self.now, **defaults)

    async def read(self, work: Callable[[BoardReading], T]) -> T:
        """What the work gives, done in the board's thread. Raises what the database raises."""
        return await self.served.board.ask(work)


Page = tuple[int, str]


async def dashboard(request: Request) -> Response:
    """Every page of it: for who is known, else the form that asks for the token."""
    served = served_in(request.scope["state"])
    known = _known(request, served)
    if isinstance(known, Response):
        return known
    rest = _rest(request)
    if rest == "/login":
        return RedirectResponse(_base(rest), 303)
    look = PageLook(served, _frame(request, served, known), _query(request), time.time())
    maker = _PAGES.get(rest)
    try:
        status, text = await maker(look) if maker else (404, frames.said(look.frame, "Not found", _GONE))
    except Exception as error:
        log("dashboard", logging.ERROR, error=type(error).__name__, path=rest)
        status, text = 503, frames.said(look.frame, "No figures", f"{_SLOW}. Try again in a moment.")
    response = _html(status, text)
    if known.fresh:
        remember(response, known, request, served)
    return response


async def log_in(request: Request) -> Response:
    """The token, once; then the browser has a session."""
    served = served_in(request.scope["state"])
    token, peer = served.parts.settings.dashboard_token, peer_of(request)
    if not token:
        return PlainTextResponse("Not Found", 404)
    fields = await form_of(request, served)
    if isinstance(fields, int):
        return PlainTextResponse("No form", fields)
    to = fields.get("to", "")
    to = to if _TO.fullmatch(to) else ""
    if not served.logins.may(peer):
        served.parts.observer.refused("dashboard", "too-many", peer=peer)
        return _refused(429, _stranger("/login"), to, "Too many attempts. Wait a minute.")
    given = fields.get("token", "").strip().encode()
    if not hmac.compare_digest(sha256(token.encode()).digest(), sha256(given).digest()):
        served.logins.failed(peer)
        served.parts.observer.refused("dashboard", "token", peer=peer)
        return _refused(401, _stranger("/login"), to, "That is not the token.")
    response = RedirectResponse(_base("/login") + to, 303)
    remember(response, new_session(token), request, served)
    return response


async def log_out(request: Request) -> Response:
    """The browser forgets its session."""
    found = await _changing(request)
    if isinstance(found, Response):
        return found
    response = RedirectResponse(_base("/logout"), 303)
    forget(response)
    return response


async def replay(request: Request) -> Response:
    """Let dead letters run again."""
    found = await _changing(request)
    if isinstance(found, Response):
        return found
    served, fields = found

    def again(reading: BoardReading) -> int:
        letters = dead_letters(reading, id_=fields.get("id", ""), type_=fields.get("type", ""))
        return reading.backend.replay([one.id for one in letters])

    try:
        count = await served.board.ask(again)
    except Exception as error:
        log("dashboard", logging.ERROR, error=type(error).__name__)
        return PlainTextResponse(_SLOW, 503)
    served.parts.events.wake()
    log("replayed", count=count, peer=peer_of(request))
    return RedirectResponse(f"../../dashboard/queue?done={count}", 303)


# who it is, and where


def _known(request: Request, served: Served) -> Visitor | Response:
    if not served.parts.settings.dashboard_token:
        return PlainTextResponse("Not Found", 404)
    rest = _rest(request)
    found = visitor_of(request, served)
    if isinstance(found, Response):
        return _refused(429, _stranger(rest), "", "Too many attempts. Wait a minute.")
    if found is None:
        query = request.url.query
        to = rest + (f"?{query}" if query else "")
        return _refused(401, _stranger(rest), to if _TO.fullmatch(to) else "")
    return found


async def _changing(request: Request) -> tuple[Served, dict[str, str]] | Response:
    """The fields of a form that may change something; else the answer."""
    served = served_in(request.scope["state"])
    known = _known(request, served)
    if isinstance(known, Response):
        return known
    fields = await form_of(request, served)
    if isinstance(fields, int):
        return PlainTextResponse("No form", fields)
    if not known.may_change(request, fields.get("proof", "")):
        served.parts.observer.refused("dashboard", "form", peer=peer_of(request))
        text = "This form was not sent from a page of your session. Open the page anew, and send it again."
        return _html(403, frames.said(_frame(request, served, known), "Not done", text))
    return served, fields


def _rest(request: Request) -> str:
    """The path below the dashboard's own."""
    rest = request.path_params.get("rest", "")
    return f"/{rest}" if rest else request.scope["path"].rpartition("/dashboard")[2]


def _base(rest: str) -> str:
    """The way from a page to the dashboard's own path: whatever stands before it is a proxy's."""
    return "../" * rest.count("/") + "dashboard"


def _query(request: Request) -> dict[str, str]:
    return {name: value.replace("\0", "\ufffd") for name, value in request.query_params.items()}


def _stranger(rest: str) -> Frame:
    """What somebody sees who is not known: nothing of whose dashboard it is."""
    return Frame(base=_base(rest), project="voiceops", environment="dashboard", about="", known=False)


def _frame(request: Request, served: Served, visitor: Visitor) -> Frame:
    parts = served.parts
    revision = f"revision {parts.revision} · " if parts.revision is not None else ""
    return Frame(
        base=_base(_rest(request)),
        project=parts.spec.project,
        environment=parts.spec.environment,
        about=f"{revision}voiceops {__version__} · running since {moment(parts.started)} · all times in UTC",
        proof=visitor.proof,
        refresh=request.query_params.get("refresh") == "60",
    )


def _html(status: int, text: str) -> Response:
    return HTMLResponse(text, status, headers=frames.headers())


def _refused(status: int, frame: Frame, to: str, wrong: str = "") -> Response:
    response = _html(status, frames.login_page(frame, to, wrong))
    if status == 401:  # as a bearer: browsers would ask for a password in a window of their own
        response.headers["www-authenticate"] = 'Bearer realm="voiceops"'
    else:
        response.headers["retry-after"] = "60"
    return response


# the pages


async def _overview(look: PageLook) -> Page:
    figures = await look.served.counted.queue()
    period = look.query.get("period", "7d")
    period = period if period in PERIODS else "7d"
    return 200, await look.read(lambda reading: overview(reading, look.frame, figures, period))


async def _calls(look: PageLook) -> Page:
    asked = look.asked()
    text = await look.read(lambda reading: call_list(reading, look.frame, asked))
    return 400 if asked.problems else 200, text


async def _call(look: PageLook) -> Page:
    found = await look.read(lambda reading: reading.store.get(look.query.get("id", "")))
    if found is None:
        return 404, frames.said(look.frame, "Not found", "There is no such call in the store.")
    return 200, await asyncio.to_thread(call_page, look.frame, found)


def _listed(kind: PartKind) -> Callable[[PageLook], Awaitable[Page]]:
    async def page(look: PageLook) -> Page:
        asked = look.asked(since="7d")
        text = await look.read(lambda reading: part_list(reading, look.frame, asked, kind))
        return 400 if asked.problems else 200, text

    return page


def _one(kind: PartKind) -> Callable[[PageLook], Awaitable[Page]]:
    async def page(look: PageLook) -> Page:
        name = look.query.get("name", "")
        if not name:
            return 404, frames.said(look.frame, "Not found", f"There is no such {kind.word}.")
        inside = {field: value for field, value in look.query.items() if field != kind.field}
        asked = replace(look, query=inside).asked(since="30d", **{kind.field: name})
        text = await look.read(lambda reading: part_page(reading, look.frame, asked, kind, name, look.now))
        return 400 if asked.problems else 200, text

    return page


async def _tools(look: PageLook) -> Page:
    asked = look.asked(since="7d")
    text = await look.read(lambda reading: tools_page(reading, look.frame, asked))
    return 400 if asked.problems else 200, text


async def _queue(look: PageLook) -> Page:
    figures = await look.served.counted.queue()
    done = look.query.get("done", "")
    said = (
        f"{many(int(done), 'dead letter')} will run again."
        if done.isascii() and done.isdigit() and len(done) < 6
        else ""
    )
    return 200, await look.read(lambda reading: queue_page(reading, look.frame, figures, said))


async def _replay(look: PageLook) -> Page:
    id_, type_ = look.query.get("id", ""), look.query.get("type", "")
    letters = await look.read(lambda reading: dead_letters(reading, id_=id_, type_=type_))
    if not letters:
        return 404, frames.said(look.frame, "Not found", "There is no such dead letter: it may have run again already.")
    return 200, replay_page(look.frame, letters, id_=id_, type_=type_)


async def _runtime(look: PageLook) -> Page:
    parts: Parts = look.served.parts
    figures = await look.served.counted.whole()
    others = await published(parts, time.monotonic() + _LOOK_SECONDS)
    counted = outcomes([parts.metrics.snapshot(), *others])
    names = tuple(tool.name for tool in parts.spec.tools)
    return 200, await asyncio.to_thread(
        lambda: runtime_page(look.frame, figures, counted, tools=names, draining=parts.health.draining)
    )


_PAGES: dict[str, Callable[[PageLook], Awaitable[Page]]] = {
    "": _overview,
    "/calls": _calls,
    "/call": _call,
    "/agents": _listed(AGENTS),
    "/agent": _one(AGENTS),
    "/lines": _listed(LINES),
    "/line": _one(LINES),
    "/tools": _tools,
    "/queue": _queue,
    "/queue/replay": _replay,
    "/runtime": _runtime,
}
