"""One simulated world: both vendors' account, data, clock and switches, and what was asked of them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from voiceops.sandbox.faults import Faults
from voiceops.sandbox.outcomes import Outcomes
from voiceops.sandbox.request_log import Log
from voiceops.sandbox.store import Row, Store
from voiceops.sandbox.switches import Switches

PINS = "sandbox:pin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who the callers are: one Vapi org and one Twilio account."""

    api_key: str
    org_id: str
    account_sid: str
    auth_token: str
    twilio_keys: tuple[tuple[str, str], ...] = (("SK" + "1".zfill(32), "sandbox"),)

    def twilio_accepts(self, user: str, password: str) -> bool:
        """Whether Twilio lets in: the account with its token, or a key with its secret."""
        return (user, password) == (self.account_sid, self.auth_token) or (user, password) in self.twilio_keys


class Refusal(Exception):
    """A request that a vendor refuses: the answer to give."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}")
        self.status = status
        self.body = body
        self.headers = headers or {}


@dataclass(slots=True)
class World:
    """What both applications and the control endpoint share."""

    store: Store
    account: Account
    switches: Switches = field(default_factory=Switches)
    faults: Faults = field(default_factory=Faults)
    outcomes: Outcomes = field(default_factory=Outcomes)
    log: Log = field(default_factory=Log)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    random: random.Random = field(default_factory=random.Random)

    def now(self) -> float:
        """The vendors' clock."""
        return time.time() + self.switches.clock_skew

    def timestamp(self) -> str:
        """Now as Vapi writes it: ISO 8601 in milliseconds."""
        return iso(self.now())

    def date(self) -> str:
        """Now as HTTP and Twilio's 2010 API write it, but for the zone."""
        return formatdate(self.now(), usegmt=True)

    async def wait(self, seconds: float) -> None:
        """Sleep, but no longer than the sandbox runs."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), seconds)

    def add(self, collection: str, id_: str, body: dict[str, Any]) -> Row:
        """A new object, visible after the lag."""
        return self.store.put(Row(collection, id_, body, visible_at=self.now() + self.switches.lag))

    def replace(self, row: Row, body: dict[str, Any]) -> Row:
        """A new content for an object; reads may show the old one for a while."""
        new = row.changed(body)
        if lag := self.switches.lag_update:
            new = replace(new, before=row.body, before_until=self.now() + lag)
        return self.store.put(new)

    def delete(self, row: Row) -> None:
        """An object goes; reads may show it for a while."""
        if self.switches.lag_delete:
            gone_at = self.now() + self.switches.lag_delete
            self.store.put(replace(row.changed(row.body), gone_at=gone_at))
        else:
            self.store.remove(row.collection, row.id)

    def exists(self, collection: str, id_: str) -> bool:
        """Is there an object with this id in the collection, visible or not?"""
        return self.store.get(collection, id_) is not None


def iso(seconds: float) -> str:
    """Seconds since 1970 as Vapi writes a time: UTC, with milliseconds and a `Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id() -> str:
    """A new id as Vapi gives them: a UUID."""
    return str(uuid.uuid4())
