"""The live snapshot: every kind that a plan needs, read at once, each list to its end."""

from __future__ import annotations

import asyncio
import time
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.errors import ProviderError
from voiceops.kinds.base import Kind
from voiceops.kinds.registry import TYPES
from voiceops.model.live import Snapshot
from voiceops.net.together import together
from voiceops.providers.provider import Provider
from voiceops.providers.twilio import Twilio
from voiceops.providers.vapi import Vapi


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of an environment; Twilio is None where no manifest needs it.

    `others` are at further vendors, by the word that the types of their kinds begin with.
    """

    vapi: Vapi
    twilio: Twilio | None
    others: Mapping[str, Provider] = field(default_factory=dict)

    def by_vendor(self) -> Mapping[str, Provider]:
        """Every account that is configured, Vapi's first."""
        own: dict[str, Provider] = {"vapi": self.vapi}
        return own | ({"twilio": self.twilio} if self.twilio is not None else {}) | dict(self.others)

    def of(self, kind: Kind) -> Provider:
        """Where a kind's objects live. Raises ProviderError where there is no account for it."""
        found = self.by_vendor().get(kind.vendor)
        if found is None:
            name = kind.vendor.capitalize()
            hint = "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN." if kind.vendor == "twilio" else ""
            raise ProviderError(f"no {name} account is configured", hint=hint)
        return found

    def on_wait(self, told: Callable[[str], None]) -> None:
        """Who hears of waits for a vendor from now on."""
        for provider in self.by_vendor().values():
            provider.on_wait(told)

    @property
    def date(self) -> float:
        """The vendors' clock now (epoch seconds): of the first that has answered, else this machine's."""
        return next((now for provider in self.by_vendor().values() if (now := provider.now())), 0.0) or time.time()


async def read_live(accounts: Accounts, types: Iterable[str], *, for_plan: bool = False) -> Snapshot:
    """A snapshot of the given types, of those whose vendor has an account here. Raises ProviderError.

    For a plan it also holds the traffic allocations, where agents are among the types, and the organization, for which
    the other lists are asked where these tell nothing.
    """
    providers, types = accounts.by_vendor(), set(types)
    kinds = [kind for kind in TYPES.values() if kind.type in types and kind.vendor in providers]
    taken = time.monotonic()
    asked = list(providers.values()) if for_plan else []
    found: list[Any] = await together(
        [*(providers[kind.vendor].all(kind) for kind in kinds), *(provider.allocations(types) for provider in asked)]
    )
    return await _snapshot(accounts, taken, kinds, found[: len(kinds)], found[len(kinds) :], ask=for_plan)


async def read_account(accounts: Accounts, needed: Iterable[str]) -> tuple[Snapshot, dict[str, ProviderError]]:
    """Everything that is live, each list once; and why a list could not be read, by its kind's name.

    An account may have no access to some kinds, which is no reason to know nothing of the others. Raises ProviderError
    where a type is `needed`, where a list fails for another reason, and where Vapi refuses every one.
    """
    providers, wanted = accounts.by_vendor(), set(needed)
    kinds = [kind for kind in TYPES.values() if kind.vendor in providers]
    taken = time.monotonic()
    listed: list[Any] = await asyncio.gather(
        *(providers[kind.vendor].all(kind) for kind in kinds), return_exceptions=True
    )
    splits: list[Any] = await together(
        provider.allocations({kind.type for kind in kinds}) for provider in providers.values()
    )
    unread: dict[str, ProviderError] = {}
    for kind, items in zip(kinds, listed, strict=True):
        if isinstance(items, ProviderError) and kind.type not in wanted and _may_not_be_listed(items):
            unread[kind.name] = items
        elif isinstance(items, BaseException):
            raise items
    if all(kind.name in unread for kind in kinds if kind.vendor == "vapi"):
        raise next(iter(unread.values()))
    read = [(kind, items) for kind, items in zip(kinds, listed, strict=True) if kind.name not in unread]
    found = await _snapshot(accounts, taken, [k for k, _ in read], [items for _, items in read], splits, ask=True)
    return found, unread


def _may_not_be_listed(error: ProviderError) -> bool:
    """Does the vendor refuse this one list? A wrong key, a limit or a fault says nothing of it."""
    return 400 <= error.status < 500 and error.status not in (401, 408, 429)


async def _snapshot(
    accounts: Accounts, taken: float, kinds: list[Kind], listed: list[Any], splits: list[Any], *, ask: bool
) -> Snapshot:
    objects = {
        kind.type: {item[kind.id_key]: item for item in items} for kind, items in zip(kinds, listed, strict=True)
    }
    told = [split for split in splits if split is not None]
    vapis = {type_: list(items.values()) for type_, items in objects.items() if TYPES[type_].vendor == "vapi"}
    owner = await accounts.vapi.owner(vapis, ask=ask)
    return Snapshot(objects, accounts.date, taken, owner.id, owner.empty, dict(ChainMap(*told)) if told else None)
