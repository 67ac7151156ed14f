"""Vapi: lists to proof of completeness, and single objects. https://docs.vapi.ai/api-reference"""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from voiceops.errors import Ambiguous, NotFound, ProviderError
from voiceops.kinds.base import Kind, Upload, is_stock
from voiceops.kinds.registry import KINDS
from voiceops.model.live import Allocation
from voiceops.model.values import get_path
from voiceops.net.together import together
from voiceops.providers.allocations import allocations
from voiceops.providers.answer_forms import items_of, object_of, wrapped
from voiceops.providers.attached import attach
from voiceops.providers.conflicts import HINTS, WRITE_CONFLICT
from voiceops.providers.http import Answer, Api, Files
from voiceops.providers.paging import Reading
from voiceops.providers.provider import Live, Owner, Promises, Provider

LIMIT = 1000  # the most that a list returns; without the parameter it is cut off at 100, silently
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_DEPTH = 40  # halvings of the time in which a list's objects were made
_FEW = 20  # more than Vapi's own objects in any list
_DEFAULT = 100  # a list of just this length may have been cut off by a server that did not heed the limit


PROMISES = Promises(conflicts=frozenset({WRITE_CONFLICT}), hints=HINTS)


class Vapi(Provider):
    """One organization at Vapi."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def now(self) -> float:
        """Vapi's clock (epoch seconds); 0 before the first answer."""
        return self.api.now()

    def on_wait(self, told: Callable[[str], None]) -> None:
        """Who hears of waits for Vapi from now on."""
        self.api.on_wait = told

    async def owner(self, listed: Mapping[str, Sequence[Live]], *, ask: bool = True) -> Owner:
        """By `orgId` of what was listed, else of what the other lists begin with."""
        found = (str(live["orgId"]) for items in listed.values() for live in items if _is_of_an_org(live))
        if (org := next(found, "")) or not ask:
            return Owner(org)
        others = [kind for kind in KINDS.values() if kind.vendor == "vapi" and kind.type not in listed]
        org, empty = await self.whose(others)
        return Owner(org, empty and not any(listed.values()))

    async def allocations(self, types: Iterable[str]) -> Mapping[str, Allocation] | None:
        """The organization's traffic allocations, where agents are among what is asked about."""
        return await allocations(self.api) if KINDS["Agent"].type in types else None

    async def all(self, kind: Kind) -> list[Live]:
        """Every object of a kind. Raises ProviderError, also when the list can't be proven complete."""
        found = await together(self._listed(place) for place in kind.collections())
        return [item for items in found for item in items]

    async def org(self) -> str:
        """The organization that the key belongs to, where Vapi says so; else nothing. Lists of nothing don't tell.

        `orgId` of SimulationConcurrencyResponse in Vapi's published schema.
        """
        try:
            return str((await self.api.call("GET", "/eval/simulation/concurrency")).data["orgId"])
        except (ProviderError, KeyError, TypeError):
            return ""

    async def whose(self, kinds: Iterable[Kind]) -> tuple[str, bool]:
        """The organization, and whether these kinds have no object in it: asked of the beginning of each list."""
        places = [place for kind in kinds for place in kind.collections()]
        told, *firsts = await together([self.org(), *(self._first(place) for place in places)])
        found = next((org for org in firsts if org), "")
        return found or str(told or ""), not found and all(first is not None for first in firsts)

    async def _first(self, kind: Kind) -> str | None:
        """Whose the first object of a list is, Vapi's own aside; "" of an empty list, None where it is not told."""
        try:
            items, _, _ = await self._page(kind, {"limit": _FEW})
        except ProviderError:
            return None
        found = [item for item in items if not is_stock(item)]
        return str(found[0].get("orgId") or "") or None if found else ""

    async def _listed(self, kind: Kind) -> list[dict[str, Any]]:
        items = await (self._pages(kind) if kind.listing == "page" else self._window(kind, {}, self._reading(kind)))
        if not kind.details:
            return [kind.read(item) for item in items]
        found = await together(self.get(kind, item["id"]) for item in items)
        bare: dict[str, Any] = {key: [] for key in kind.attached}
        return [one or bare | kind.read(item) for one, item in zip(found, items, strict=True)]

    async def _pages(self, kind: Kind) -> list[dict[str, Any]]:
        reading = self._reading(kind)
        page = 1
        while True:
            params = {"limit": LIMIT, "page": page, "sortOrder": "ASC"}
            items, total, size = await self._page(kind, params)
            new = reading.add(items, size)
            if total is not None:
                if len(reading.found) >= total:
                    return reading.items
                if not new:
                    raise reading.broken(f"{len(reading.found)} of {total} objects came")
            elif len(items) not in (_DEFAULT, LIMIT):
                return reading.items
            elif not new:
                raise reading.broken("its pages bring nothing new")
            page += 1

    async def _window(
        self, kind: Kind, bounds: dict[str, str], reading: Reading, depth: int = 0
    ) -> list[dict[str, Any]]:
        """A bare array has no cursor: walk on by creation time, inclusively, for bulk creates share a time."""
        if depth > _DEPTH:
            raise reading.broken("its order and its bounds don't fit together")
        found: dict[str, dict[str, Any]] = {}
        while True:
            items, _, size = await self._page(kind, {"limit": LIMIT, **bounds})
            reading.add(items, size)
            new = [item for item in items if item["id"] not in found]
            found.update((item["id"], item) for item in items)
            if len(items) < LIMIT and (len(items) != _DEFAULT or await self._heeds_limit(kind, bounds)):
                return list(found.values())
            times = [str(item.get("createdAt")) for item in items]
            if times == sorted(times, reverse=True):
                following = {"createdAtLe": times[-1]}
            elif times == sorted(times):
                following = {"createdAtGe": times[-1]}
            else:
                return await self._halves(kind, found, bounds, times, reading, depth)
            if following.items() <= bounds.items():
                if times[0] != times[-1]:
                    raise reading.broken("it does not heed the bounds that it is asked for")
                if len(items) == LIMIT:
                    return await self._same_time(kind, found, times[-1], reading, depth)
                if not new:
                    return list(found.values())
            bounds = {**bounds, **following}

    async def _heeds_limit(self, kind: Kind, bounds: dict[str, str]) -> bool:
        """Just 100 objects for a limit of 1000: all there are, if a smaller limit is heeded."""
        items, _, _ = await self._page(kind, {"limit": _DEFAULT - 1, **bounds})
        return len(items) == _DEFAULT - 1

    async def _same_time(
        self, kind: Kind, found: dict[str, Any], at: str, reading: Reading, depth: int
    ) -> list[dict[str, Any]]:
        """A full page of one creation time: objects beside it can be told apart only by when they were updated."""
        for name in ("createdAtLt", "createdAtGt"):
            found.update((item["id"], item) for item in await self._window(kind, {name: at}, reading, depth + 1))
        updates = sorted({str(item.get("updatedAt")) for item in found.values() if str(item.get("createdAt")) == at})
        one_time = reading.broken(f"more than {LIMIT} objects of one creation time")
        if len(updates) < 2:
            raise one_time
        for low, high in zip([None, *updates], [*updates, None], strict=True):
            bounds = {"createdAtLe": at, "createdAtGe": at}
            if low is not None:
                bounds["updatedAtGe"] = low
            if high is not None:
                bounds["updatedAtLe"] = high
            items, _, size = await self._page(kind, {"limit": LIMIT, **bounds})
            reading.add(items, size)
            if len(items) >= LIMIT:
                raise one_time
            found.update((item["id"], item) for item in items)
        return list(found.values())

    async def _halves(
        self,
        kind: Kind,
        found: dict[str, Any],
        bounds: dict[str, str],
        times: list[str],
        reading: Reading,
        depth: int,
    ) -> list[dict[str, Any]]:
        """A full page in no order: split the time at its middle and read both halves."""
        ordered = sorted(times)
        middle = ordered[len(ordered) // 2]
        if ordered[0] == ordered[-1] or middle in (bounds.get("createdAtLe"), bounds.get("createdAtGe")):
            return await self._same_time(kind, found, middle, reading, depth)
        for half in ({"createdAtLe": middle}, {"createdAtGe": middle}):
            inner = await self._window(kind, {**bounds, **half}, reading, depth + 1)
            found.update((item["id"], item) for item in inner)
        return list(found.values())

    async def _page(self, kind: Kind, params: dict[str, Any]) -> tuple[list[dict[str, Any]], int | None, int]:
        """One page: its objects, how many the whole list says it has, and its size in bytes."""
        answer = await self.api.call("GET", kind.path, params=params)
        items, total = wrapped(answer.data, ("results", "data", "items"))
        return items_of(items, f"Vapi's list of {kind.title}s", f"GET {kind.path}"), total, answer.size

    def _reading(self, kind: Kind) -> Reading:
        return Reading(f"Vapi's list of {kind.title}s", f"GET {kind.path}")

    async def get(self, kind: Kind, id_: str) -> dict[str, Any] | None:
        """One object, or None."""
        try:
            answer = await self.api.call("GET", f"{kind.path}/{id_}")
        except NotFound:
            return None
        return kind.read(self._object(answer, id_, f"GET {kind.path}/{id_}"))

    async def create(
        self, kind: Kind, body: dict[str, Any], send_by: float | None = None, content: bytes = b""
    ) -> tuple[dict[str, Any], float]:
        """The new object and the server's clock; `content` is a file's.

        Raises Ambiguous when the object may or may not exist.
        """
        form, files = _form(kind.upload, body, content) if kind.upload else (None, None)
        sent = None if kind.upload else _sent(kind, body)
        answer = await self.api.call(
            "POST", kind.path, body=sent, form=form, files=files, creates=True, send_by=send_by
        )
        try:
            made = object_of(answer.data, "Vapi's answer to a create", f"POST {kind.path}", answer.status)
        except ProviderError as error:
            raise Ambiguous(
                f"{error.summary}: the object may or may not exist",
                endpoint=f"POST {kind.path}",
                status=answer.status,
            ) from None
        found = kind.read(made)
        if _UUID.match(found["id"]) is None or (sent is not None and not _is_of(kind, sent, found)):
            raise Ambiguous(
                "Vapi's answer to a create is about another object: ours may or may not exist",
                endpoint=f"POST {kind.path}",
                status=answer.status,
            )
        return found | {key: [] for key in kind.attached}, answer.date

    async def update(
        self,
        kind: Kind,
        id_: str,
        body: dict[str, Any],
        live: dict[str, Any] | None = None,
        renew: Callable[[], Awaitable[dict[str, Any]]] | None = None,
    ) -> tuple[dict[str, Any], float]:
        """The object after the change. `live` is how it was: what is attached to it is in no answer.

        `renew` makes the body anew before it is sent again after a wait.
        """

        async def again() -> dict[str, Any]:
            return kind.patch(_sent(kind, await renew()), live or {}) if renew is not None else sent

        attached = {key: list(body[key] or ()) for key in kind.attached if key in body}
        kept = {key: (live or {}).get(key, []) for key in kind.attached} | attached
        found = live or {"id": id_}
        if sent := kind.patch(_sent(kind, body), live or {}):
            params = {name: value for key, name, value in kind.patch_query if key in body}
            answer = await self.api.call("PATCH", f"{kind.path}/{id_}", params=params, body=sent, renew=again)
            found = kind.read(self._object(answer, id_, f"PATCH {kind.path}/{id_}"))
        for key, ids in attached.items():
            await attach(self.api, kind, id_, key, ids)
        return found | kept, self.api.date

    async def delete(self, kind: Kind, id_: str) -> None:
        """An object that is gone already is fine; what is attached to it is detached first."""
        for key in kind.attached:
            await attach(self.api, kind, id_, key, ())
        try:
            await self.api.call("DELETE", f"{kind.path}/{id_}")
        except NotFound as error:
            if "default" in error.summary.lower():
                raise
        except ProviderError as error:
            # A good status with a body that is no JSON says that it was done.
            if not 200 <= error.status < 300:
                raise

    def _object(self, answer: Answer, id_: str, endpoint: str) -> dict[str, Any]:
        found = object_of(answer.data, "Vapi's answer", endpoint, answer.status)
        if found["id"] != id_:
            raise ProviderError(
                "Vapi answered for another object",
                endpoint=endpoint,
                hint="Run apply again: it looks at what is live.",
            )
        return found


def _is_of_an_org(live: Live) -> bool:
    return bool(live.get("orgId")) and not is_stock(live)


def _is_of(kind: Kind, sent: dict[str, Any], found: dict[str, Any]) -> bool:
    """Can it be what was asked for? It shows something of it, and nothing else by name or kind."""
    told = [(get_path(sent, path), get_path(found, path)) for path in (*kind.identity, ("type",), ("provider",))]
    differs = any(isinstance(a, str) and isinstance(b, str) and a != b for a, b in told)
    return not differs and (not sent or not sent.keys().isdisjoint(found))


def _sent(kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
    """The body without what its address says, and without what is attached to the object."""
    return {key: value for key, value in body.items() if key != kind.path_by and key not in kind.attached}


def _form(upload: Upload, body: dict[str, Any], content: bytes) -> tuple[dict[str, str], Files]:
    name = str(body[upload.name])
    media = mimetypes.guess_type(name)[0] or "application/octet-stream"
    given = {key: body[key] for key in upload.fields if body.get(key) is not None}
    form = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    return form, {"file": (name, content, media)}
