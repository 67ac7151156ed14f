"""A number that is lent for a time: bound to something else, and put back as it was found.

Nothing but its route is read or written: who answers it, and which server is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voiceops.errors import NotFound, ProviderError, Rejected
from voiceops.kinds.registry import KINDS
from voiceops.model.values import JSON, copy
from voiceops.net.until import until
from voiceops.preview.registered import LentNumber
from voiceops.providers.vapi import Vapi

_PHONE = KINDS["Phone"]
_TARGETS = {"assistantId": "Agent", "squadId": "Squad"}
_SERVER = "server"
_UNSEEN = ("headers", "secret")  # of a server: what an API shows of them is not what would have to be sent again
_PATIENCE = 30.0  # seconds for a new object to be there for a number


def route_of(live: Mapping[str, Any], *, server: bool) -> dict[str, JSON]:
    """The keys of a number that say where its calls go, as they are; None where one is not set."""
    return {key: copy(live.get(key)) for key in (*_TARGETS, *((_SERVER,) if server else ()))}


def can_be_put_back(live: Mapping[str, Any], *, server: bool) -> bool:
    """Can the route be written again just as it is?"""
    found = live.get(_SERVER)
    return not server or not isinstance(found, dict) or not any(found.get(key) for key in _UNSEEN)


def targets_of(route: Mapping[str, JSON]) -> set[str]:
    """The ids that a route names: an agent's, a squad's, the credential's of its server."""
    server = route.get(_SERVER)
    named = [route.get(key) for key in _TARGETS] + ([server.get("credentialId")] if isinstance(server, dict) else [])
    return {id_ for id_ in named if isinstance(id_, str)}


async def bind(vapi: Vapi, lent: LentNumber, route: Mapping[str, JSON], needed: tuple[str, str]) -> None:
    """Point the number somewhere else, once what it is to reach is there. `needed`: its kind and its id.

    Raises ProviderError.
    """
    kind, id_ = KINDS[needed[0]], needed[1]

    async def there() -> dict[str, Any] | None:
        return await vapi.get(kind, id_)

    if await until(there, limit=_PATIENCE) is None:
        raise ProviderError(
            f"{lent.number} was not bound: Vapi still does not know the {kind.title} {id_}",
            hint="Run the command again.",
        )
    await _written(vapi, lent, dict(route))


async def give_back(vapi: Vapi, lent: LentNumber) -> str:
    """Write the route that the number had, where it is one of ours now. A sentence where it is not; else nothing.

    Raises ProviderError.
    """
    live = await vapi.get(_PHONE, lent.id)
    if live is None:
        return f"{lent.number} is not at Vapi any more: there was nothing to give back"
    now = route_of(live, server=_SERVER in lent.before)
    if now == dict(lent.before):
        return ""
    if others := targets_of(now) - targets_of(lent.before) - set(lent.bound):
        return f"{lent.number} was bound to something else meanwhile ({', '.join(sorted(others))}): it is left so"
    body, gone = dict(lent.before), ""
    for key, kind in _TARGETS.items():
        id_ = body.get(key)
        if isinstance(id_, str) and await vapi.get(KINDS[kind], id_) is None:
            body[key] = None
            gone = f"{lent.number} was bound to the {KINDS[kind].title} {id_}, which is gone: now nobody answers it"
    await _written(vapi, lent, body)
    return gone


async def _written(vapi: Vapi, lent: LentNumber, body: dict[str, Any]) -> None:
    """Send it, again while the API does not know yet what was made a moment ago."""
    refusal: ProviderError | None = None

    async def sent() -> bool | None:
        nonlocal refusal
        try:
            await vapi.update(_PHONE, lent.id, body)
        except (Rejected, NotFound) as error:
            if not error.names_missing:
                raise
            refusal = error
            return None
        return True

    if await until(sent, limit=_PATIENCE) is None:
        assert refusal is not None
        raise refusal
