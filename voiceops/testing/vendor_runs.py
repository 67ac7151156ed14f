"""Runs at Vapi: started, looked at, read and cancelled. Runs are nobody's to manage: nothing of them is kept.

A start whose answer was lost is looked for among the runs before it is sent again: a simulation is a call that is paid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.errors import Ambiguous, NotFound, ProviderError
from voiceops.model.instants import instant_of, to_millisecond
from voiceops.net.until import until
from voiceops.providers.answer_forms import maps_of, wrapped
from voiceops.providers.http import Api

SIMULATIONS = "/eval/simulation/run"
EVALS = "/eval/run"
CONCURRENCY = "/eval/simulation/concurrency"
_PAGE = 1000  # the most that a list returns
_EARLIER = 5.0  # seconds before a start from which on runs are listed
_SKEW = 1.0  # seconds by which the clocks of one vendor may differ
_ATTEMPTS = 3  # starts whose answers are lost
_FEW = 4  # keys of an answer that tells the id and hardly more
_LOOK_AGAIN = 0.5  # seconds between two looks for a run


@dataclass(frozen=True, slots=True)
class RunState:
    """A run as Vapi shows it."""

    id: str
    ended: bool
    body: Mapping[str, Any]


@dataclass(slots=True)
class VendorRuns:
    """The runs of one sort; `settle` is for how many seconds a list may lag behind."""

    api: Api
    path: str
    settle: float
    known: set[str] = field(default_factory=set)  # runs that a lost start is none of: ours, and those before
    _starting: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def look_before(self) -> None:
        """What there is before the first start: a run of the same test, of a moment ago. Raises ProviderError."""
        self.known |= {str(item["id"]) for item in await self._listed(self.api.now() - _EARLIER)}

    async def start(self, body: Mapping[str, Any]) -> str:
        """Begin a run and return its id. Raises ProviderError.

        Runs of the same body begin one after another: else a lost one could not be told from its twin.
        """
        lock = self._starting.setdefault(repr(body), asyncio.Lock())
        async with lock:
            for attempt in range(_ATTEMPTS):
                since = self.api.now()
                try:
                    answer = await self.api.call("POST", self.path, body=dict(body), creates=True)
                    id_ = await self._told(_run_of(answer.data, body), body, since)
                except Ambiguous:
                    id_ = ""
                    if attempt == _ATTEMPTS - 1:
                        raise
                id_ = id_ or await self._lost(body, since)
                if id_:
                    self.known.add(id_)
                    return id_
        raise Ambiguous("Vapi's answer to the start of a test tells no run", endpoint=f"POST {self.path}")

    async def _lost(self, body: Mapping[str, Any], since: float) -> str:
        """A run of this body that began since then and is not known yet; "" where there is none."""

        async def found() -> str | None:
            for item in await self._listed(since - _EARLIER):
                if self._is_new(item, since) and _is_of(item, body):
                    return str(item["id"])
            return None

        return await until(found, limit=self.settle, every=(min(_LOOK_AGAIN, max(0.05, self.settle / 4)),)) or ""

    async def _told(self, run: Mapping[str, Any], body: Mapping[str, Any], since: float) -> str:
        """The id that an answer to a start tells. One that tells of an earlier run counts only where none began."""
        id_ = str(run.get("id") or "")
        if not id_ or id_ in self.known:
            return ""
        if "createdAt" in run and not self._is_new(run, since):
            return await self._lost(body, since) or id_
        return id_

    def _is_new(self, item: Mapping[str, Any], since: float) -> bool:
        return item["id"] not in self.known and (instant_of(item.get("createdAt")) or 0.0) >= since - _SKEW

    async def states(self, ids: Iterable[str], since: float) -> dict[str, RunState]:
        """How the runs stand, by one list of those since then; what it does not show is asked for one by one.

        Raises ProviderError.
        """
        wanted = set(ids)
        found = {str(item["id"]): item for item in await self._listed(since - _EARLIER) if item["id"] in wanted}
        for id_ in sorted(wanted - found.keys()):
            if (item := await self.get(id_)) is not None:
                found[id_] = item
        return {id_: RunState(id_, item.get("status") == "ended", item) for id_, item in found.items()}

    async def get(self, id_: str) -> dict[str, Any] | None:
        """One run, or None where Vapi has none. Raises ProviderError."""
        try:
            answer = await self.api.call("GET", f"{self.path}/{id_}")
        except NotFound:
            return None
        found = answer.data
        if not isinstance(found, dict) or found.get("id") != id_:
            raise ProviderError("Vapi answered for another run", endpoint=f"GET {self.path}/{id_}")
        return found

    async def items(self, id_: str) -> list[dict[str, Any]]:
        """The items of a simulation run: one a simulation. Raises ProviderError."""
        answer = await self.api.call("GET", f"{self.path}/{id_}/item", params={"limit": _PAGE})
        items, _ = wrapped(answer.data, ("results", "data", "items"))
        return [item for item in maps_of(items) if item.get("runId") in (None, id_)]

    async def cancel(self, id_: str) -> None:
        """End a run that nobody waits for any more; one that is gone is fine. Raises ProviderError."""
        method = "PATCH" if self.path == SIMULATIONS else "DELETE"  # evals have no other way
        try:
            await self.api.call(method, f"{self.path}/{id_}")
        except NotFound:
            return
        except ProviderError as error:
            # It has ended meanwhile; or it was done, and only the answer makes no sense.
            if error.status not in (400, 409, 422) and not 200 <= error.status < 300:
                raise

    async def _listed(self, since: float) -> list[dict[str, Any]]:
        params: dict[str, Any] = {"limit": _PAGE, "sortOrder": "DESC"}
        if since > 0:
            params["createdAtGe"] = to_millisecond(since)
        answer = await self.api.call("GET", self.path, params=params)
        items, _ = wrapped(answer.data, ("results", "data", "items"))
        return [item for item in maps_of(items) if isinstance(item.get("id"), str)]


async def can_start(api: Api) -> tuple[int, int]:
    """How many simulations may run at once in the account, and how many more may start now.

    Each takes two of the call slots that Vapi counts: who calls, and who answers. Raises ProviderError.
    """
    data = (await api.call("GET", CONCURRENCY)).data
    found = data if isinstance(data, dict) else {}
    limit, free = (found.get(key) for key in ("concurrencyLimit", "availableToStart"))
    most = max(1, int(limit) // 2) if isinstance(limit, (int, float)) else 1
    return most, int(free) if isinstance(free, (int, float)) else most


def _run_of(data: Any, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run that an answer to a start tells of, with its `id`; empty where it tells of no run like this one.

    The answer's shape is published for simulations only.
    """
    if not isinstance(data, dict):
        return {}
    for key in ("evalRun", "run"):
        if isinstance(data.get(key), dict):
            return _run_of(data[key], body)
    if "target" in data and not _is_of(data, body):
        return {}
    if "target" not in data and ("simulations" in body or len(data) > _FEW):
        return {}
    id_ = next((data[key] for key in ("id", "evalRunId", "runId") if isinstance(data.get(key), str)), "")
    return {**data, "id": id_}


def _is_of(item: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Is it the run that a start with this body begins? Of what was sent, all that says what runs against whom."""
    if not _holds(item.get("target"), body.get("target")):
        return False
    if "evalId" in body:
        return bool(item.get("evalId") == body["evalId"])
    sent, shown = body.get("simulations"), item.get("simulations")
    if not isinstance(sent, list) or not isinstance(shown, list) or len(sent) != len(shown):
        return False
    return all(_holds(one, other) for one, other in zip(shown, sent, strict=True))


def _holds(shown: Any, sent: Any) -> bool:
    return isinstance(shown, dict) and isinstance(sent, dict) and all(shown.get(k) == v for k, v in sent.items())
