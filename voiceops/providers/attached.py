"""What Vapi keeps beside an object: ids that are attached and detached one by one.

Every change looks again first, so that it may be made as often as it takes, after a lost answer too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from voiceops.errors import Ambiguous, NotFound, ProviderError, Rejected
from voiceops.kinds.base import Attached, Kind
from voiceops.providers.answer_forms import items_of, wrapped
from voiceops.providers.http import Api

_ROUNDS = 3


async def attach(api: Api, kind: Kind, id_: str, key: str, wanted: Iterable[str]) -> None:
    """Attach what is missing, detach what is not wanted. Raises ProviderError when that can't be brought about."""
    place, wanted = kind.attached[key], set(wanted)
    path = f"{kind.path}/{id_}/{place.path}"
    refusal: ProviderError | None = None
    for _ in range(_ROUNDS):
        found = await _ids(api, kind, id_, place)
        if found == wanted:
            return
        if refusal is not None:
            raise refusal
        for other in sorted(found - wanted):
            with contextlib.suppress(NotFound):  # gone already
                await api.call("DELETE", f"{path}/{other}")
        for other in sorted(wanted - found):
            try:
                await api.call("POST", path, body={place.id_key: other}, creates=True)
            except Ambiguous:
                pass  # the next look tells
            except Rejected as error:
                refusal = error  # attached already, perhaps: the next look tells
    raise ProviderError(f"the {kind.title}'s {key} don't become what was asked for", endpoint=f"POST {path}")


async def _ids(api: Api, kind: Kind, id_: str, place: Attached) -> set[str]:
    path = f"{kind.path}/{id_}/{place.path}"
    try:
        data = (await api.call("GET", path)).data
    except NotFound:
        return set()  # deleted meanwhile, or too new to be seen
    items, _ = wrapped(data, ("results",))
    found = items_of(items, f"Vapi's list of a {kind.title}'s {place.path}s", f"GET {path}", key=place.id_key)
    return {str(item[place.id_key]) for item in found}
