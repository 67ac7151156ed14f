"""Lists: what they select, in which order, and the two shapes they have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from voiceops.sandbox.account import World
from voiceops.sandbox.catalog import Collection
from voiceops.sandbox.requests import absent, bad_request
from voiceops.sandbox.store import Body

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

Show = Callable[[Body], Body]

_BOUNDS = tuple(
    (field + suffix, field, suffix) for field in ("createdAt", "updatedAt") for suffix in ("Gt", "Lt", "Ge", "Le")
)


def visible(world: World, path: str) -> list[Body]:
    """What reads see of a collection now, oldest first."""
    now = world.now()
    return [body for row in world.store.rows(path) if (body := row.seen(now)) is not None]


def read(world: World, path: str, title: str, id_: str) -> Body:
    """An object as reads see it now. Raises Refusal, a 404: they see none with this id."""
    row = world.store.any(path, id_)
    body = row.seen(world.now()) if row is not None else None
    if body is None:
        raise absent(title, id_)
    return body


def one_of(query: Mapping[str, str], name: str, *values: str) -> str | None:
    """A query parameter that is one of these. Raises Refusal, a 400: it is another."""
    value = query.get(name)
    if value is not None and value not in values:
        raise bad_request([f"{name} must be one of the following values: {', '.join(values)}"])
    return value


def _any(_: Body) -> bool:
    return True


def array(
    world: World, collection: Collection, query: Mapping[str, str], show: Show, *, only: Callable[[Body], bool] = _any
) -> Any:
    """A bare array: the first `limit`, and no way to ask for what follows but by time."""
    limit = _limit(query)
    selected = [body for body in _selected(collection, visible(world, collection.path), query) if only(body)]
    found = _ordered(world, selected, world.switches.list_order)
    if (
        world.switches.simulation_lists == "data"
        and collection.path.startswith("/eval/simulation")
        and ("limit" in query or "page" in query)
    ):
        page = _integer(query, "page", 1, 1)
        start = (page - 1) * limit
        shown = [show(body) for body in found[start : start + limit]]
        return {"data": shown, "total": len(found), "limit": limit, "page": page}
    return [show(body) for body in found[:limit]]


def pages(
    world: World, collection: Collection, query: Mapping[str, str], show: Show, *, only: Callable[[Body], bool] = _any
) -> Any:
    """A page with its metadata. Raises Refusal, a 400: the query asks for no page."""
    limit, page = _limit(query), _integer(query, "page", 1, 1)
    order = query.get("sortOrder", "DESC")
    if order not in ("ASC", "DESC"):
        raise bad_request(["sortOrder must be one of the following values: ASC, DESC"])
    selected = [body for body in _selected(collection, visible(world, collection.path), query) if only(body)]
    if word := query.get("search", "").lower():
        selected = [b for b in selected if any(word in _text(b, path).lower() for path in collection.searched)]
    found = _ordered(world, selected, "asc" if order == "ASC" else "desc")
    start, total = (page - 1) * limit, len(found)
    return {
        "results": [show(body) for body in found[start : start + limit]],
        "metadata": {
            "itemsPerPage": limit,
            "totalItems": total,
            "currentPage": page,
            "totalPages": -(-total // limit) if limit else 0,
            "hasNextPage": start + limit < total,
            "sortOrder": order,
        },
    }


def _text(body: Body, path: tuple[str, ...]) -> str:
    value: Any = body
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _selected(collection: Collection, bodies: list[Body], query: Mapping[str, str]) -> list[Body]:
    bounds: list[tuple[str, str, str]] = []
    problems: list[str] = []
    for name, field, suffix in _BOUNDS:
        if name in query:
            try:
                bounds.append((field, suffix, _time(query[name])))
            except ValueError:
                problems.append(f"{name} must be a valid ISO 8601 date string")
    if problems:
        raise bad_request(problems)
    for field, suffix, bound in bounds:
        bodies = [body for body in bodies if _within(body.get(field), suffix, bound)]
    for name in collection.filters:
        if name in query:
            bodies = [body for body in bodies if body.get(name) == query[name]]
    for name in ("id", "assistantId"):
        if name + "Any" in query:
            wanted = query[name + "Any"].split(",")
            bodies = [body for body in bodies if body.get(name) in wanted]
    return bodies


def _within(value: Any, suffix: str, bound: str) -> bool:
    if not isinstance(value, str):
        return True
    return {"Gt": value > bound, "Lt": value < bound, "Ge": value >= bound, "Le": value <= bound}[suffix]


def _time(text: str) -> str:
    """A bound as an object's own times are written, so that text compares as time. Raises ValueError."""
    parsed = datetime.fromisoformat(text)
    parsed = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    return parsed.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ordered(world: World, bodies: list[Body], order: str) -> list[Body]:
    """By creation time; those of one time in the order of creation, or against it. They come oldest first."""
    if order == "random":
        return world.random.sample(bodies, len(bodies))
    ordered = sorted(bodies, key=lambda body: str(body.get("createdAt")))
    return ordered if order == "asc" else ordered[::-1]


def _limit(query: Mapping[str, str]) -> int:
    return _integer(query, "limit", DEFAULT_LIMIT, 0, MAX_LIMIT)


def _integer(query: Mapping[str, str], name: str, default: int, least: int, most: int | None = None) -> int:
    text = query.get(name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise bad_request([f"{name} must be a number conforming to the specified constraints"]) from None
    if value < least:
        raise bad_request([f"{name} must not be less than {least}"])
    if most is not None and value > most:
        raise bad_request([f"{name} must not be greater than {most}"])
    return value
