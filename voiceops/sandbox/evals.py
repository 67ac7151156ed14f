"""What suites and sounds have beside their collections: copies of suites, a sound's address."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from voiceops.sandbox.account import World, new_id
from voiceops.sandbox.answers_as import shown
from voiceops.sandbox.catalog import BY_PATH
from voiceops.sandbox.requests import Table, bad_request, json_body, row_of
from voiceops.sandbox.store import Body

SUITES = "/eval/simulation/suite"
_NAME_LIMIT = 80


def operations(world: World) -> Table:
    """The routes of suites' copies and of background sounds, with what answers each."""

    async def duplicate(request: Request) -> tuple[int, Any]:
        row = row_of(world, SUITES, BY_PATH[SUITES].title, request.path_params["id"])
        id_, now, copy = new_id(), world.timestamp(), " (copy)"
        name = str(row.body.get("name"))[: _NAME_LIMIT - len(copy)] + copy
        kept = {**row.body, "id": id_, "createdAt": now, "updatedAt": now, "name": name}
        return 201, shown(world, BY_PATH[SUITES], world.add(SUITES, id_, kept).body)

    async def validate_sound(request: Request) -> tuple[int, Any]:
        body = await json_body(request)
        if not isinstance(body.get("url"), str) or set(body) != {"url"}:
            raise bad_request(["url must be a URL address"])
        return 200, _judged(body["url"])

    return [
        (SUITES + "/{id}/duplicate", "POST", duplicate),
        ("/assistant/background-sound/validate", "POST", validate_sound),
    ]


def _judged(url: str) -> Body:
    """Whether a sound can be played. Nothing is called: what is well-formed and public is taken to be one."""
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        return {"valid": False, "reason": "invalid-url"}
    try:
        blocked = not ipaddress.ip_address(split.hostname).is_global
    except ValueError:
        blocked = split.hostname == "localhost"
    return {"valid": False, "reason": "blocked-address"} if blocked else {"valid": True}
