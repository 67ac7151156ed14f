"""What Vapi's operations share: reading a body, and refusing in the words of its framework (NestJS)."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.requests import Request

from voiceops.sandbox.account import Refusal, World
from voiceops.sandbox.store import Body, Row

# What answers one route: a status and what goes out as JSON.
Operation: TypeAlias = Callable[[Request], Awaitable[tuple[int, Any]]]
Table: TypeAlias = list[tuple[str, str, Operation]]  # path, method, operation


@dataclass(frozen=True, slots=True)
class Unhurried:
    """An operation that waits for others before it writes: it opens its transaction itself."""

    run: Operation

    async def __call__(self, request: Request) -> tuple[int, Any]:
        return await self.run(request)


def bad_request(messages: list[str] | str) -> Refusal:
    """400: a list where the body was checked field by field, a text otherwise."""
    return Refusal(400, {"message": messages, "error": "Bad Request", "statusCode": 400})


def not_found(text: str) -> Refusal:
    """404 with a text."""
    return Refusal(404, {"message": text, "error": "Not Found", "statusCode": 404})


def absent(title: str, id_: str) -> Refusal:
    """404 for an id, be it unknown, another organization's, or not visible yet."""
    return not_found(f'{title} with ID "{id_}" not found')


def row_of(world: World, path: str, title: str, id_: str) -> Row:
    """One object of a collection. Raises Refusal, a 404 that says which."""
    row = world.store.get(path, id_)
    if row is None:
        raise absent(title, id_)
    return row


async def json_body(request: Request) -> Body:
    """The request's JSON object. Raises Refusal."""
    raw = await request.body()
    try:
        data = json.loads(raw, parse_constant=_no_number, parse_float=_number) if raw else {}
    except (ValueError, RecursionError) as error:
        raise bad_request(f"The body is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise bad_request("The body must be a JSON object")
    return data


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _number(text: str) -> float | None:
    """As Node has it: 1e999 is infinite, and infinite is null in what it writes."""
    value = float(text)
    return value if math.isfinite(value) else None


def only(body: Body, *keys: str) -> Body:
    """The body, which may hold these keys and no others. Raises Refusal."""
    if unknown := [f"property {key} should not exist" for key in body if key not in keys]:
        raise bad_request(unknown)
    return body
