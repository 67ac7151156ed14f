"""One API over HTTP: concurrency that adapts, retries by what may be repeated, errors that say where.

A request that creates is sent again only when it was provably not executed: 429, or no connection at all.
Any other failure of it is `Ambiguous`: the caller looks for what it may have made. Reads, updates and deletes
are the same however often they are sent.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias

import httpx

from voiceops.errors import Ambiguous, NotFound, NotSent, ProviderError, Rejected, Unauthorized
from voiceops.model.json_in import NoJson, parsed
from voiceops.net.lanes import ONE, Lanes
from voiceops.net.receiving import OutOfBounds, receive
from voiceops.net.trust import trust
from voiceops.net.user_agent import HEADERS
from voiceops.providers.conflicts import conflict_of
from voiceops.providers.provider import Promises

Files: TypeAlias = Mapping[str, tuple[str, bytes, str]]  # by field of a form: file name, content, media type

_WORTH_SAYING = 1.0  # seconds of waiting
_SAID_AGAIN = 2.0
ATTEMPTS = 6
MAX_WAIT = 30.0
_MESSAGES = 50  # of one error answer


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its JSON, and the server's clock (epoch seconds)."""

    data: Any
    date: float
    status: int
    size: int = 0  # of its content, in bytes


@dataclass(frozen=True, slots=True)
class _Request:
    """One request, however often it is sent."""

    method: str
    path: str
    endpoint: str
    params: Mapping[str, Any] | None
    body: Any
    form: Mapping[str, str] | None
    files: Files | None
    creates: bool


class Limiter:
    """How many requests may be under way: grows by one a round of successes, halves on 429, and then rests.

    The vendors publish no figure for their limits; Twilio's is by concurrency
    (https://www.twilio.com/docs/api/errors/20429), Vapi's by rate.
    """

    def __init__(self, limit: int) -> None:
        self.most = limit
        self.limit = float(limit)
        self._running = 0
        self._resume = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._waiting or self._running >= int(self.limit):
            await self._turn()
        else:
            self._running += 1
        try:
            if (rest := self._resume - time.monotonic()) > 0:
                await asyncio.sleep(rest)
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    async def _turn(self) -> None:
        """Wait in the order of coming; whoever leaves lets the next one in."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._leave()  # it was let in, and does not come
            else:
                turn.cancel()
            raise

    def _leave(self) -> None:
        self._running -= 1
        while self._waiting and self._running < int(self.limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self._running += 1
                turn.set_result(None)

    def succeeded(self) -> None:
        """A request went well: the limit grows, by one a round, up to where it began."""
        self.limit = min(self.most, self.limit + 1 / self.limit)

    def throttled(self, wait: float) -> None:
        """The vendor asked for a pause: half as many from now on, and none for `wait` seconds."""
        self.limit = max(1.0, self.limit / 2)
        self._resume = max(self._resume, time.monotonic() + wait)


@dataclass(slots=True)
class Api:
    """A vendor's API at one base URL."""

    vendor: str
    base_url: str
    limiter: Limiter
    redact: Callable[[str], str]
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: tuple[str, str] | None = None
    promises: Promises = field(default_factory=Promises)
    timeout: float = 30.0
    requests: int = 0
    writes: int = 0
    date: float = 0.0
    transport: httpx.AsyncBaseTransport | None = None  # httpx's own, unless given
    pace: float = 1.0  # how long to wait before trying again: a factor
    on_wait: Callable[[str], None] | None = None  # hears of waits that somebody in front of a terminal notices
    _date_at: float = 0.0
    _lanes: Lanes | None = None
    _why: str = ""  # the last request is sent again
    _told_at: float = float("-inf")

    async def __aenter__(self) -> Api:
        try:
            lanes = Lanes(self._new_client)
            async with lanes.one():  # the first tells whether there is a way at all
                self._lanes = lanes
        except (ValueError, ImportError, httpx.InvalidURL) as error:  # what the environment says of proxies
            raise ProviderError(
                f"no way to {self.vendor} at {self.base_url}: {self.redact(str(error))}",
                hint=f"Check {self.vendor.upper()}_BASE_URL, and HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.",
            ) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._lanes is not None:
            await self._lanes.aclose()

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.base_url,
            headers={**HEADERS, **self.headers, "accept-encoding": "gzip"},
            auth=self.auth,
            transport=self.transport,
            verify=trust(self.base_url),
            timeout=httpx.Timeout(self.timeout, connect=10.0),
            limits=ONE,
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        files: Files | None = None,
        creates: bool = False,
        send_by: float | None = None,
        renew: Callable[[], Awaitable[Any]] | None = None,
    ) -> Answer:
        """Send until there is an answer, as far as that is safe.

        `creates` marks a request that must not be executed twice; after `send_by` (local monotonic seconds) nothing
        is sent any more. `renew` makes the body anew before it is sent again: what it is made from may have changed
        while we waited. Raises ProviderError, of the kind that fits.
        """
        request = _Request(method, path, f"{method} {self.base_url}{path}", params, body, form, files, creates)
        for attempt in range(ATTEMPTS):
            if attempt and renew is not None:
                request = replace(request, body=await renew())
            async with self.limiter:
                if send_by is not None and time.monotonic() > send_by:
                    raise NotSent(
                        f"{self.vendor} let too long be waited: the request was not sent",
                        endpoint=request.endpoint,
                        hint="Try again later, or with a lower --parallelism.",
                    )
                outcome = await self._try(request, attempt)
            if isinstance(outcome, Answer):
                return outcome
            self._tell(outcome, attempt)
            await asyncio.sleep(outcome)
        raise AssertionError("unreachable")

    def _tell(self, wait: float, attempt: int) -> None:
        """Say why nothing happens for a while: once for all requests that wait at the same time."""
        now = time.monotonic()
        if self.on_wait is None or wait < _WORTH_SAYING or now - self._told_at < _SAID_AGAIN:
            return
        self._told_at = now
        self.on_wait(f"{self.vendor} {self._why}: the next try comes in {wait:.0f} s (try {attempt + 2} of {ATTEMPTS})")

    async def _try(self, request: _Request, attempt: int) -> Answer | float:
        """Send once: the answer, or the seconds to wait before the next try. Raises ProviderError where there is none
        to be made."""
        last = attempt == ATTEMPTS - 1
        wait: float = self.pace * random.uniform(0.5, 1.0) * min(MAX_WAIT, 0.5 * 2**attempt)
        try:
            response = await self._send(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            if last:
                raise self._no_connection(request.endpoint, error) from None
            self._why = "can't be reached"
            return wait
        except OutOfBounds as error:
            raise self._unusable(request, f"answer can't be taken: {error}") from None
        except httpx.LocalProtocolError as error:
            raise ProviderError(
                f"a request to {self.vendor} can't be put into words: {self.redact(str(error))}",
                endpoint=request.endpoint,
                hint="Check the keys and addresses that are set for it.",
            ) from None
        except httpx.HTTPError as error:
            if request.creates:
                raise Ambiguous(
                    f"{self.vendor} did not answer ({_name(error)}): the object may or may not exist",
                    endpoint=request.endpoint,
                ) from None
            if last:
                raise ProviderError(
                    f"{self.vendor} did not answer ({_name(error)})",
                    endpoint=request.endpoint,
                    hint="Try again in a moment.",
                ) from None
            self._why = "did not answer"
            return wait
        self._note_date(response)
        return self._read(request, response, wait, last=last)

    def _read(self, request: _Request, response: httpx.Response, wait: float, *, last: bool) -> Answer | float:
        """What an answer means: what it holds, a wait, or an error that is raised."""
        status = response.status_code
        self._why = "asks for a pause (429)" if status == 429 else f"answered {status}"
        if status == 429:
            wait = max(wait, _retry_after(response))
            self.limiter.throttled(wait)
            if last:
                raise self._error(response, request.endpoint)
            return wait
        if status >= 500:
            if request.creates and status not in self.promises.not_executed:
                raise Ambiguous(
                    f"{self.vendor} answered {status}: the object may or may not exist",
                    endpoint=request.endpoint,
                    status=status,
                    request_id=self.redact(_request_id(response)),
                )
            if last:
                raise self._error(response, request.endpoint)
            return max(wait, _retry_after(response))
        if status >= 400:
            # Another write of the same object was under way, and this one was not done.
            if last or conflict_of(response) not in self.promises.conflicts:
                raise self._error(response, request.endpoint)
            return wait
        if 300 <= status < 400:
            raise self._unusable(request, f"answer leads elsewhere ({status}), and keys go nowhere else", status)
        try:
            answer = self._answer(response)
        except NoJson as error:
            if request.creates or last or "deep" in str(error):
                raise self._unusable(request, f"answer {error}", status) from None
            return wait
        self.limiter.succeeded()
        return answer

    def _unusable(self, request: _Request, what: str, status: int = 0) -> ProviderError:
        """There is an answer, and it tells nothing."""
        if request.creates:
            return Ambiguous(
                f"{self.vendor}'s {what}: the object may or may not exist", endpoint=request.endpoint, status=status
            )
        hint = f"Check {self.vendor.upper()}_BASE_URL, and what stands between." if status or "taken" in what else ""
        return ProviderError(f"{self.vendor}'s {what}", endpoint=request.endpoint, status=status, hint=hint)

    async def _send(self, asked: _Request) -> httpx.Response:
        assert self._lanes is not None
        self.requests += 1
        self.writes += asked.method != "GET"
        content = None if asked.body is None else _encoded(asked.body)
        async with self._lanes.one() as client:
            request = client.build_request(
                asked.method,
                asked.path,
                params=asked.params,
                content=content,
                data=dict(asked.form) if asked.form is not None else None,
                files=asked.files,
                headers={"content-type": "application/json"} if content is not None else {},
            )
            return await receive(client, request, patience=2 * self.timeout)

    def _note_date(self, response: httpx.Response) -> None:
        try:
            self.date = parsedate_to_datetime(response.headers["date"]).timestamp()
        except (KeyError, ValueError, OverflowError, OSError):
            self.date = time.time()
        self._date_at = time.monotonic()

    def now(self) -> float:
        """The server's clock (epoch seconds): its last answer's time, and what has passed since; 0 before the first."""
        return self.date + time.monotonic() - self._date_at if self.date else 0.0

    def _answer(self, response: httpx.Response) -> Answer:
        content = response.content
        if response.status_code == 204 or (not content and response.request.method == "DELETE"):
            return Answer(None, self.date, response.status_code)
        return Answer(parsed(content), self.date, response.status_code, len(content))

    def _no_connection(self, endpoint: str, error: Exception) -> ProviderError:
        return ProviderError(
            f"no connection to {self.vendor} at {self.base_url} ({_name(error)})",
            endpoint=endpoint,
            hint=f"Check the network and the base URL ({self.vendor.upper()}_BASE_URL).",
        )

    def _error(self, response: httpx.Response, endpoint: str) -> ProviderError:
        messages, code = _messages(response, self.redact)
        fields = [(path, message) for message in messages for path in [error_path(message)] if path]
        summary = (
            f"{self.vendor} answered {response.status_code}"
            + (f" ({code})" if code else "")
            + (f": {'; '.join(messages)}" if messages else "")
        )
        status = response.status_code
        kind: type[ProviderError] = ProviderError
        hint = ""
        if status in (401, 403):
            kind, hint = (
                Unauthorized,
                f"Check the {self.vendor} key: is it set, is it the private one, may it do this?"
                + (" A suspended or closed account is answered so, too." if self.vendor == "Twilio" else ""),
            )
        elif status == 404:
            kind = NotFound
        elif status in (400, 409, 422):
            kind, hint = Rejected, self.promises.hints.get(conflict_of(response), "")
        elif status == 429:
            hint = "The account's rate limit is reached: try again later, or with a lower --parallelism."
        return kind(
            summary,
            endpoint=endpoint,
            status=status,
            request_id=self.redact(_request_id(response)),
            fields=fields,
            hint=hint,
            names_missing=_names_missing(messages),
        )


def _messages(response: httpx.Response, redact: Callable[[str], str]) -> tuple[list[str], str]:
    """The texts of an error answer, whatever its shape: Vapi's, Twilio's, RFC 9457's, or none.

    Secrets leave it first: cut in half, or with their quotes escaped, they would not be recognised.
    """
    try:
        data = _redacted(parsed(response.content), redact)
    except NoJson:
        return [], ""
    if not isinstance(data, dict):
        return [], ""
    code = data.get("code")
    message = data.get("message") or data.get("detail") or data.get("title") or data.get("error") or []
    found = message if isinstance(message, list) else [message]
    texts = [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in found[:_MESSAGES]]
    return [text[:500] for text in texts], str(code)[:100] if code else ""


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key): _redacted(item, redact) for key, item in value.items()}
    return [_redacted(item, redact) for item in value] if isinstance(value, list) else value


_MISSING = ("not found", "does not exist", "not exist")


def _names_missing(messages: Iterable[str]) -> bool:
    """Do the texts say that something is not there? A property that "should not exist" is there, and not wanted."""
    told = [message.lower() for message in messages if not _PROPERTY.match(message)]
    return any(word in message for message in told for word in _MISSING)


# class-validator puts the path of the parent before its sentence: `model.each value in toolIds must be a UUID`.
_PARENT = r"(?:(?P<prefix>[\w.:\[\]-]+)\.)?"
_PROPERTY = re.compile(_PARENT + r"property (?P<name>\S+) should not exist")
_EACH = re.compile(_PARENT + r"each value in (?:nested property )?(?P<name>[\w:-]+) ")
_NESTED = re.compile(_PARENT + r"nested property (?P<name>[\w:-]+) ")
_PATH = re.compile(r"(?P<path>[A-Za-z_][\w]*(?:\.[\w:]+)*) (?:must|should|is|has|was|can)\b")


def error_path(message: str) -> str:
    """The field that an API's message names: `voice.property speed should not exist` → `voice.speed`."""
    found = (pattern.match(message) for pattern in (_PROPERTY, _EACH, _NESTED))
    if match := next((match for match in found if match), None):
        path = f"{match['prefix']}.{match['name']}" if match["prefix"] else match["name"]
    elif match := _PATH.match(message):
        path = match["path"]
    else:
        return ""
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", path)


def _retry_after(response: httpx.Response) -> float:
    value = response.headers.get("retry-after", "")
    try:
        return min(MAX_WAIT * 2, max(0.0, float(value)))
    except ValueError:
        pass
    try:
        return min(MAX_WAIT * 2, max(0.0, parsedate_to_datetime(value).timestamp() - time.time()))
    except (ValueError, TypeError, OverflowError, OSError):
        return 0.0


def _request_id(response: httpx.Response) -> str:
    for name in ("twilio-request-id", "x-request-id", "cf-ray"):
        if value := response.headers.get(name):
            return str(value)[:100]
    return ""


def _encoded(body: Any) -> bytes:
    """A body as JSON; half a character that an answer held goes back as it came."""
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()


def _name(error: Exception) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__).lower()
