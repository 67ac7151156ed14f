"""The live snapshot: every kind that a plan needs, read at once, each list to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from voiceops.kinds.base import is_stock
from voiceops.kinds.phone import TWILIO_TYPE
from voiceops.kinds.registry import KINDS
from voiceops.model.live import Snapshot
from voiceops.providers.twilio import Twilio
from voiceops.providers.vapi import Vapi


@dataclass(frozen=True, slots=True)
class Accounts:
    """The two accounts of an environment; Twilio is None where no manifest needs it."""

    vapi: Vapi
    twilio: Twilio | None

    @property
    def date(self) -> float:
        """The server's clock now (epoch seconds)."""
        return self.vapi.api.now() or (self.twilio.api.now() if self.twilio else 0.0) or time.time()


async def read_live(accounts: Accounts, types: Iterable[str]) -> Snapshot:
    """A snapshot of the given types. Raises ProviderError."""
    kinds = [kind for kind in KINDS.values() if kind.type in set(types)]
    taken = time.monotonic()
    jobs: list[Any] = [accounts.vapi.all(kind) for kind in kinds]
    with_twilio = accounts.twilio is not None and TWILIO_TYPE in set(types)
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
    return Snapshot(objects, accounts.date, taken, org)
