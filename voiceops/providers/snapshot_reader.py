"""The live snapshot: every kind that a plan needs, read at once, each list to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from voiceops.kinds.base import is_stock
from voiceops.kinds.phone import TWILIO_TYPE
from voiceops.kinds.registry import KINDS
from voiceops.model.live import Snapshot
from voiceops.providers.allocations import allocations
from voiceops.providers.twilio import Twilio
from voiceops.providers.vapi import Vapi

AGENT = KINDS["Agent"].type


@dataclass(frozen=True, slots=True)
class Accounts:
    """The two accounts of an environment; Twilio is None where no manifest needs it."""

    vapi: Vapi
    twilio: Twilio | None

    def on_wait(self, told: Callable[[str], None]) -> None:
        """Who hears of waits for a vendor from now on."""
        self.vapi.api.on_wait = told
        if self.twilio is not None:
            self.twilio.api.on_wait = told

    @property
    def date(self) -> float:
        """The server's clock now (epoch seconds)."""
        return self.vapi.api.now() or (self.twilio.api.now() if self.twilio else 0.0) or time.time()


async def read_live(accounts: Accounts, types: Iterable[str], *, for_plan: bool = False) -> Snapshot:
    """A snapshot of the given types. Raises ProviderError.

    For a plan it also holds the traffic allocations, where agents are among the types, and the organization, for which
    the other lists are asked where these tell nothing.
    """
    types = set(types)
    kinds = [kind for kind in KINDS.values() if kind.type in types]
    taken = time.monotonic()
    jobs: list[Any] = [accounts.vapi.all(kind) for kind in kinds]
    jobs.append(allocations(accounts.vapi.api) if for_plan and AGENT in types else _nothing())
    with_twilio = accounts.twilio is not None and TWILIO_TYPE in types
    if with_twilio and accounts.twilio is not None:
        jobs.append(accounts.twilio.numbers())
    results = await asyncio.gather(*jobs)
    objects = {kind.type: {item["id"]: item for item in items} for kind, items in zip(kinds, results, strict=False)}
    if with_twilio:
        objects[TWILIO_TYPE] = {item["sid"]: item for item in results[-1]}
    org = next(
        (
            str(item["orgId"])
            for kind in kinds
            for item in objects[kind.type].values()
            if item.get("orgId") and not is_stock(item)
        ),
        "",
    )
    empty = False
    if for_plan and not org:
        org, empty = await accounts.vapi.whose([kind for kind in KINDS.values() if kind not in kinds])
        empty = empty and not any(objects[kind.type] for kind in kinds)
    return Snapshot(objects, accounts.date, taken, org, empty, results[len(kinds)])


async def _nothing() -> None:
    return None
