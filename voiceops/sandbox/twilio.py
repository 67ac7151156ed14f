"""Twilio's 2010 API, as far as phone numbers need it. https://www.twilio.com/docs/usage/api"""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from voiceops.sandbox import numbers
from voiceops.sandbox.account import Refusal, World
from voiceops.sandbox.json_answer import JsonAnswer
from voiceops.sandbox.middleware import Answer
from voiceops.sandbox.numbers import NUMBERS, PURCHASES, RESERVED, refusal
from voiceops.sandbox.store import Body, Row

APPLICATIONS = "twilio:application"
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_PRICE = 1.15  # dollars a month, for the tally of what was spent

Operation = Callable[[Request, dict[str, str]], Awaitable[tuple[int, Any]]]


def application(world: World) -> Starlette:
    """The API as an ASGI application."""
    account = "/2010-04-01/Accounts/{account}"
    api = _Numbers(world)
    apps = _Applications(world)
    table: list[tuple[str, str, Operation]] = [
        (account + ".json", "GET", api.account),
        (account + "/IncomingPhoneNumbers.json", "GET", api.listed),
        (account + "/IncomingPhoneNumbers.json", "POST", api.buy),
        (account + "/IncomingPhoneNumbers/{type:kind}.json", "GET", api.listed),
        (account + "/IncomingPhoneNumbers/{type:kind}.json", "POST", api.buy),
        (account + "/IncomingPhoneNumbers/{sid}.json", "GET", api.get),
        (account + "/IncomingPhoneNumbers/{sid}.json", "POST", api.update),
        (account + "/IncomingPhoneNumbers/{sid}.json", "DELETE", api.release),
        (account + "/AvailablePhoneNumbers/{country}/{type}.json", "GET", api.available),
        (account + "/Applications.json", "GET", apps.listed),
        (account + "/Applications.json", "POST", apps.create),
        (account + "/Applications/{sid}.json", "GET", apps.get),
        (account + "/Applications/{sid}.json", "POST", apps.update),
        (account + "/Applications/{sid}.json", "DELETE", apps.delete),
    ]
    routes = [
        Route(path.replace("{type:kind}", kind), _endpoint(world, operation), methods=[method])
        for path, method, operation in table
        for kind in (("Local", "Mobile", "TollFree") if "{type:kind}" in path else ("",))
    ]

    async def unknown(request: Request, _: Exception) -> Response:
        return _answer(_absent(request.url.path))

    app = Starlette(routes=routes, exception_handlers={404: unknown, 405: unknown})
    app.router.redirect_slashes = False
    return app


def throttled(world: World) -> Answer:
    """429 in Twilio's words, with Retry-After where the switch says so."""
    headers = {"retry-after": world.switches.retry_after} if world.switches.retry_after else {}
    return Answer.of(429, refusal(429, 20429, "Too Many Requests").body, headers)


def decorate(world: World, active: int) -> dict[str, str]:
    """The headers that Twilio puts on every answer; `active` is how many requests it works on."""
    return {
        "date": world.date(),
        "twilio-request-id": numbers.sid("RQ"),
        "twilio-concurrent-requests": str(active),
        "twilio-request-duration": "0.005",
        "x-home-region": "us1",
        "x-api-domain": "api.twilio.com",
    }


def _endpoint(world: World, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            user, password = _basic(request.headers.get("authorization", ""))
            if not world.account.twilio_accepts(user, password):
                raise refusal(401, 20003, "Authenticate")
            if request.path_params["account"] != world.account.account_sid:
                raise refusal(401, 20003, "Authenticate: these credentials are of another account")
            form = dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))
            if request.method == "GET":
                world.store.refresh()
                status, data = await operation(request, form)
            else:
                with world.store.transaction():
                    status, data = await operation(request, form)
        except Refusal as found:
            return _answer(found)
        return Response(status_code=204) if data is None else JsonAnswer(data, status_code=status)

    return endpoint


def _answer(found: Refusal) -> Response:
    return JsonAnswer(found.body, status_code=found.status, headers=found.headers)


def _absent(path: str) -> Refusal:
    return refusal(404, 20404, f"The requested resource {path} was not found")


def _basic(header: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password


def _page(world: World, request: Request, key: str, bodies: list[Body], filters: tuple[str, ...]) -> Body:
    """One page, newest first. A token names the last object that was seen, so that new ones shift nothing."""
    query: Mapping[str, str] = request.query_params
    size, number = _size(query), int(query.get("Page") or 0) if (query.get("Page") or "0").isdigit() else 0
    token = query.get("PageToken", "")
    start = 0
    if token:
        sids = [body["sid"] for body in bodies]
        seen = _opened(token)
        if seen is None:
            raise refusal(400, 20001, "PageToken is not valid")
        start = sids.index(seen) + 1 if seen in sids else len(sids)
    found = bodies[start : start + size]
    echoed = [(name, query[name]) for name in filters if name in query]
    base = request.url.path

    def uri(page: int, mark: str = "") -> str:
        more = [("PageToken", mark)] if mark else []
        return f"{base}?{urlencode([*echoed, ('PageSize', size), ('Page', page), *more])}"

    following = start + size < len(bodies)
    return {
        key: found,
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": number * size + max(0, len(found) - 1),
        "uri": uri(number, token),
        "first_page_uri": uri(0),
        "previous_page_uri": uri(number - 1, token) if number else None,
        "next_page_uri": uri(number + 1, _sealed(found[-1]["sid"])) if following else None,
    }


def _size(query: Mapping[str, str]) -> int:
    text = query.get("PageSize", "50")
    return min(1000, max(1, int(text))) if text.lstrip("-").isdigit() else 50


def _sealed(sid: str) -> str:
    return "PA" + base64.urlsafe_b64encode(sid.encode()).decode().rstrip("=")


def _opened(token: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(token.removeprefix("PA") + "==").decode()
    except ValueError:
        return None


class _Numbers:
    """The account and its phone numbers."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def account(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        known = self.world.account
        return 200, {
            "sid": known.account_sid,
            "owner_account_sid": known.account_sid,
            "auth_token": known.auth_token,
            "friendly_name": "Sandbox",
            "status": self.world.switches.account_status,
            "type": "Full",
            "date_created": "Wed, 01 Jan 2025 00:00:00 +0000",
            "date_updated": "Wed, 01 Jan 2025 00:00:00 +0000",
            "uri": request.url.path,
            "subresource_uris": {
                "incoming_phone_numbers": request.url.path.replace(".json", "/IncomingPhoneNumbers.json")
            },
        }

    async def listed(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        query = request.query_params
        now = self.world.now()
        bodies = [body for row in self.world.store.rows(NUMBERS)[::-1] if (body := row.seen(now)) is not None]
        if pattern := query.get("PhoneNumber"):
            wanted = re.compile(re.escape(pattern).replace(r"\*", r"\d"))
            bodies = [body for body in bodies if wanted.search(body["phone_number"])]
        if name := query.get("FriendlyName"):
            bodies = [body for body in bodies if body["friendly_name"] == name]
        if origin := query.get("Origin"):
            bodies = [body for body in bodies if body["origin"] == origin]
        listed = [numbers.shown(self.world, body) for body in bodies]
        filters = ("Beta", "FriendlyName", "PhoneNumber", "Origin")
        return 200, _page(self.world, request, "incoming_phone_numbers", listed, filters)

    async def get(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        row = self.world.store.any(NUMBERS, request.path_params["sid"])
        body = row.seen(self.world.now()) if row is not None else None
        if body is None:
            raise _absent(request.url.path)
        return 200, numbers.shown(self.world, body)

    async def update(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        row = self._row(request)
        row = self.world.replace(row, numbers.written(self.world, row.body, form))
        return 200, numbers.shown(self.world, row.body)

    async def release(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        row = self._row(request)
        self.world.delete(row)
        number = row.body["phone_number"]
        self.world.store.put(Row(RESERVED, number, {"phone_number": number}))
        return 204, None

    async def buy(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        """A purchase, which the collection's POST always is."""
        number = form.get("PhoneNumber") or self._in_area(form.get("AreaCode", ""))
        self._check_available(number)
        body = numbers.written(self.world, numbers.new(self.world, number), form)
        row = self.world.add(NUMBERS, body["sid"], body)
        spent = {"number": number, "sid": row.id, "price": _PRICE, "at": self.world.timestamp()}
        self.world.store.put(Row(PURCHASES, row.id, spent))
        return 201, numbers.shown(self.world, row.body)

    async def available(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        area = request.query_params.get("AreaCode", "415")
        found = [number for i in range(5) if self._free(number := f"+1{area}55502{i:02}")]
        offers = [
            {
                "phone_number": number,
                "friendly_name": number,
                "iso_country": request.path_params["country"],
                "address_requirements": "none",
                "beta": False,
                "capabilities": {"voice": True, "SMS": True, "MMS": True, "fax": False},
            }
            for number in found
        ]
        return 200, {"uri": request.url.path, "available_phone_numbers": offers}

    def _row(self, request: Request) -> Row:
        row = self.world.store.get(NUMBERS, request.path_params["sid"])
        if row is None:
            raise _absent(request.url.path)
        return row

    def _check_available(self, number: str) -> None:
        if number == "+15005550001" or not _E164.fullmatch(number):
            raise refusal(400, 21421, f"PhoneNumber is invalid: {number}")
        if not self._free(number):
            raise refusal(400, 21422, f"PhoneNumber is not available: {number}")

    def _free(self, number: str) -> bool:
        taken = number == "+15005550000" or self.world.exists(RESERVED, number)
        return not taken and numbers.by_number(self.world, number) is None

    def _in_area(self, area: str) -> str:
        if not area:
            raise refusal(400, 21421, "PhoneNumber or AreaCode is required")
        if not re.fullmatch(r"[2-9]\d\d", area):
            raise refusal(400, 21451, f"AreaCode is invalid: {area}")
        if area == "500":
            return "+15005550006"
        free = None if area == "533" else next((n for i in range(100) if self._free(n := f"+1{area}55501{i:02}")), None)
        if free is None:
            raise refusal(400, 21452, f"No phone numbers found in area code {area}")
        return free


class _Applications:
    """TwiML applications: kept and listed, so that a number may name one."""

    _FIELDS = ("FriendlyName", "VoiceUrl", "VoiceMethod", "VoiceFallbackUrl", "StatusCallback", "SmsUrl")

    def __init__(self, world: World) -> None:
        self.world = world

    async def listed(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        bodies = self.world.store.bodies(APPLICATIONS)[::-1]
        if name := request.query_params.get("FriendlyName"):
            bodies = [body for body in bodies if body["friendly_name"] == name]
        return 200, _page(self.world, request, "applications", bodies, ("FriendlyName",))

    async def create(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        id_, now = numbers.sid("AP"), numbers.date(self.world)
        uri = f"{request.url.path.removesuffix('.json')}/{id_}.json"
        body = {
            "sid": id_,
            "account_sid": self.world.account.account_sid,
            "api_version": "2010-04-01",
            "date_created": now,
            "date_updated": now,
            "uri": uri,
            **{_snake(key): "POST" if key.endswith("Method") else "" for key in self._FIELDS},
            **self._given(form),
        }
        return 201, self.world.add(APPLICATIONS, id_, body).body

    async def get(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        return 200, self._row(request).body

    async def update(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        row = self._row(request)
        after = {**row.body, **self._given(form), "date_updated": numbers.date(self.world)}
        return 200, self.world.replace(row, after).body

    async def delete(self, request: Request, form: dict[str, str]) -> tuple[int, Any]:
        self.world.delete(self._row(request))
        return 204, None

    def _given(self, form: dict[str, str]) -> Body:
        return {_snake(key): form[key] for key in self._FIELDS if key in form}

    def _row(self, request: Request) -> Row:
        row = self.world.store.get(APPLICATIONS, request.path_params["sid"])
        if row is None:
            raise _absent(request.url.path)
        return row


def _snake(key: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()
