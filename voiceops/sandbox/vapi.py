"""Vapi's REST API over the catalog: one set of operations, applied to every collection."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from voiceops.sandbox import (
    chats,
    eval_runs,
    evals,
    files,
    phones,
    placed_calls,
    resources,
    simulation_runs,
    traffic,
)
from voiceops.sandbox.account import PINS, Refusal, World, new_id
from voiceops.sandbox.answers_as import shown
from voiceops.sandbox.catalog import (
    BY_PATH,
    COLLECTIONS,
    KNOWLEDGE,
    PERSONALITIES,
    PHONES,
    STOCK,
    Collection,
)
from voiceops.sandbox.json_answer import JsonAnswer
from voiceops.sandbox.listing import array, pages
from voiceops.sandbox.middleware import Answer
from voiceops.sandbox.references import missing
from voiceops.sandbox.requests import Operation, Unhurried, absent, bad_request, json_body, not_found, row_of
from voiceops.sandbox.rewrites import accepted_modes, normalised
from voiceops.sandbox.store import Body, Row
from voiceops.sandbox.validation import Check, Problem


def application(world: World) -> Starlette:
    """The API as an ASGI application."""
    routes: list[Route] = []

    def add(path: str, method: str, operation: Operation) -> None:
        routes.append(Route(path, _endpoint(world, operation), methods=[method]))

    for early in (resources, evals, eval_runs, simulation_runs):  # before the ids of the collections
        for path, method, operation in early.operations(world):
            add(path, method, operation)
    for collection in sorted(COLLECTIONS, key=lambda item: -item.path.count("/")):
        resource = Resource(world, collection)
        add(collection.path, "POST", resource.create)
        add(collection.path, "GET", resource.listed)
        if collection.page_path:
            add(collection.page_path, "GET", resource.listed_in_pages)
        add(collection.path + "/{id}", "GET", resource.get)
        add(collection.path + "/{id}", "PATCH", resource.update)
        add(collection.path + "/{id}", "DELETE", resource.delete)
    for extra in (files, placed_calls, traffic, chats):
        for path, method, operation in extra.operations(world):
            add(path, method, operation)

    async def unknown(request: Request, _: Exception) -> Response:
        path = request.url.path
        return JsonAnswer(
            {"message": f"Cannot {request.method} {path}", "error": "Not Found", "statusCode": 404}, status_code=404
        )

    app = Starlette(routes=routes, exception_handlers={404: unknown, 405: unknown})
    app.router.redirect_slashes = False
    return app


def throttled(world: World) -> Answer:
    """429, with Retry-After where the switch says so."""
    headers = {"retry-after": world.switches.retry_after} if world.switches.retry_after else {}
    body = {"message": "Too Many Requests", "error": "Too Many Requests", "statusCode": 429}
    return Answer.of(429, body, headers)


def decorate(world: World, active: int) -> dict[str, str]:
    """The headers that Vapi puts on every answer."""
    return {"date": world.date(), "server": "voiceops-sandbox", "x-request-id": new_id()}


def _endpoint(world: World, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {world.account.api_key}":
            body = {"message": "The key is missing or unknown", "error": "Unauthorized", "statusCode": 401}
            return JsonAnswer(body, status_code=401)
        try:
            await request.body()  # read before the transaction, which must not wait for anything
            if request.method == "GET" or isinstance(operation, Unhurried):
                world.store.refresh()
                status, data = await operation(request)
            else:
                with world.store.transaction():
                    status, data = await operation(request)
            return JsonAnswer(data, status_code=status)
        except RecursionError:
            refusal = bad_request("The body is nested too deeply")
        except Refusal as found:
            refusal = found
        return JsonAnswer(refusal.body, status_code=refusal.status, headers=refusal.headers)

    return endpoint


@dataclass(frozen=True, slots=True)
class Resource:
    """The five operations on one collection."""

    world: World
    collection: Collection

    async def create(self, request: Request) -> tuple[int, Any]:
        world, collection = self.world, self.collection
        body = self._given(await json_body(request))
        if world.switches.validate:
            self._refuse(self._check().create(collection, body))
        self._check_references(body, body)
        now = world.switches.created_at or world.timestamp()
        id_ = new_id()
        kept = {
            "id": id_,
            "orgId": world.account.org_id,
            "createdAt": now,
            "updatedAt": now,
            **normalised(world, collection, body, body),
        }
        if collection.versioned:
            kept["latestVersion"] = 1
        if collection.path == PHONES:
            kept = phones.imported(world, kept)
        row = world.add(collection.path, id_, kept)
        if collection.path == KNOWLEDGE:
            files.provision(world, kept)
        return 201, self._shown(row.body)

    async def listed(self, request: Request) -> tuple[int, Any]:
        """A list as this collection gives it: an array, or pages."""
        shape = pages if self.collection.listing == "page" else array
        return 200, shape(self.world, self.collection, request.query_params, self._shown)

    async def listed_in_pages(self, request: Request) -> tuple[int, Any]:
        """A list in pages, of a collection whose own route gives an array."""
        return 200, pages(self.world, self.collection, request.query_params, self._shown)

    async def get(self, request: Request) -> tuple[int, Any]:
        id_ = request.path_params["id"]
        row = self.world.store.any(self.collection.path, id_)
        body = row.seen(self.world.now()) if row is not None else None
        if body is None:
            raise absent(self.collection.title, id_)
        if self.collection.path == KNOWLEDGE:
            return 200, self._shown(body) | files.details(self.world, body)
        return 200, self._shown(body)

    async def update(self, request: Request) -> tuple[int, Any]:
        world, collection = self.world, self.collection
        row = self._row(request)
        body = self._given(await json_body(request))
        if world.switches.patch_type == "accept":
            body = {key: value for key, value in body.items() if key not in collection.patch_refuses}
        if world.switches.validate:
            self._refuse(self._check().update(collection, body, row.body))
        self._check_references(body, row.body)
        if collection.path == "/structured-output":
            _check_schema_type(row.body, body, request.query_params.get("schemaOverride") == "true")
        changes = normalised(world, collection, body, row.body)
        changed = any(row.body.get(key) != value for key, value in changes.items())
        kept = {**row.body, **changes, "updatedAt": world.timestamp()}
        if collection.versioned and changed:
            kept["latestVersion"] = int(row.body.get("latestVersion") or 1) + (not world.switches.drafts)
        if collection.path == PHONES:
            kept = phones.updated(world, row.body, kept, body)
        row = world.replace(row, kept)
        if collection.path == "/assistant" and changed and not world.switches.drafts:
            traffic.published(world, row.id)
        return 200, self._shown(row.body)

    async def delete(self, request: Request) -> tuple[int, Any]:
        world, collection = self.world, self.collection
        row = self._row(request, deletes=True)
        if collection.pinned and world.exists(PINS, row.id):
            noun = collection.title.lower()
            raise Refusal(409, {"error": collection.pinned, "message": f"The {noun} is pinned by a version"})
        self._check_unused(row)
        if collection.path == PHONES:
            phones.deleted(world, row.body)
        if collection.path == KNOWLEDGE:
            files.withdraw(world, row.body)
        world.delete(row)
        return 200, self._shown(row.body)

    def _check_unused(self, row: Row) -> None:
        if self.collection.used_by is None or not self.world.switches.in_use:
            return
        where, key, code = self.collection.used_by
        users = [body.get("name") or body["id"] for body in self.world.store.bodies(where) if body.get(key) == row.id]
        if users:
            text = f"{self.collection.title} {row.id} is used by {len(users)} simulation(s): {', '.join(users[:5])}"
            raise Refusal(409, {"error": code, "message": text})

    def _row(self, request: Request, *, deletes: bool = False) -> Row:
        id_ = request.path_params["id"]
        row = row_of(self.world, self.collection.path, self.collection.title, id_)
        if row.body.get("orgId") is None:
            done = "deleted" if deletes else "updated"
            raise not_found(f"Personality {id_} not found or is a Vapi default (cannot be {done})")
        return row

    def _given(self, body: Body) -> Body:
        """The body without what the API reads over, and with the names of today."""
        kept = {key: value for key, value in body.items() if key not in self.collection.ignored}
        renamed: Body = accepted_modes(kept)
        return renamed

    def _shown(self, body: Body) -> Body:
        if self.collection.path == PHONES:
            body = phones.with_status(self.world, body)
        return shown(self.world, self.collection, body)

    def _check(self) -> Check:
        switches = self.world.switches
        return Check(open_enums=switches.open_enums, patch_required=switches.patch_required)

    def _refuse(self, problems: list[Problem]) -> None:
        if problems:
            echo = self.world.switches.echo_in_errors
            raise bad_request([f"{p.text} (received {json.dumps(p.value)})" if echo else p.text for p in problems])

    def _check_references(self, body: Body, live: Body) -> None:
        if self.world.switches.references and (texts := missing(self.world, self.collection, body, live)):
            raise bad_request(texts[0] if len(texts) == 1 else texts)


def _check_schema_type(live: Body, body: Body, override: bool) -> None:
    """A structured output's schema keeps its type, unless the request says that it may change."""
    before, after = live.get("schema"), body.get("schema")
    if override or not isinstance(before, dict) or not isinstance(after, dict):
        return
    if before.get("type") != after.get("type"):
        raise bad_request("The schema's type can't be changed without schemaOverride=true")


def plant(world: World) -> None:
    """What every org has from the start."""
    collection = BY_PATH[PERSONALITIES]
    for id_, name in STOCK:
        if world.store.get(collection.path, id_) is None:
            at = "2025-01-01T00:00:00.000Z"
            body = {"id": id_, "orgId": None, "createdAt": at, "updatedAt": at, "name": name, "path": None}
            assistant = {"name": name, "model": {"provider": "openai", "model": "gpt-4o"}}
            world.store.put(Row(collection.path, id_, {**body, "assistant": assistant}))
