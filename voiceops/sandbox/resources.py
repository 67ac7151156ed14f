"""What is no collection of Vapi's own: dictionaries, which it keeps at another provider."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from voiceops.sandbox.account import World, new_id
from voiceops.sandbox.answers_as import noisy
from voiceops.sandbox.catalog import DICTIONARY_PROVIDERS, Collection
from voiceops.sandbox.listing import pages
from voiceops.sandbox.requests import Table, absent, bad_request, json_body, row_of
from voiceops.sandbox.store import Body, Row


def operations(world: World) -> Table:
    """The routes of dictionaries, with what answers each."""
    return [
        operation
        for provider in DICTIONARY_PROVIDERS
        for operation in _dictionary(world, provider, f"/provider/{provider}/pronunciation-dictionary")
    ]


# one idea: the operations of one collection, each a few lines over what they share
def _dictionary(world: World, provider: str, path: str) -> Table:
    collection = Collection(path=path, title="Pronunciation dictionary", kind="")

    def asked_for(request: Request) -> Row:
        return row_of(world, path, collection.title, request.path_params["id"])

    async def create(request: Request) -> tuple[int, Any]:
        resource = await json_body(request)
        id_, remote, now = new_id(), new_id().replace("-", "")[:20], world.timestamp()
        kept = {
            "id": id_,
            "orgId": world.account.org_id,
            "createdAt": now,
            "updatedAt": now,
            "provider": provider,
            "resourceName": "pronunciation-dictionary",
            "resourceId": remote,
            "resource": {"id": remote, "version_id": new_id().replace("-", "")[:20], **resource},
        }
        return 201, noisy(world, collection, world.add(path, id_, kept).body)

    async def listed(request: Request) -> tuple[int, Any]:
        return 200, pages(world, collection, request.query_params, lambda body: noisy(world, collection, body))

    async def get(request: Request) -> tuple[int, Any]:
        row = world.store.any(path, request.path_params["id"])
        body = row.seen(world.now()) if row else None
        if body is None:
            raise absent(collection.title, request.path_params["id"])
        return 200, noisy(world, collection, body)

    async def update(request: Request) -> tuple[int, Any]:
        row, changes = asked_for(request), await json_body(request)
        if provider == "11labs":
            if not changes.get("rules"):
                raise bad_request("Rules are required to update a pronunciation dictionary")
            if set(changes) != {"rules"}:
                raise bad_request("Only rules can be updated for a pronunciation dictionary")
        before = row.body["resource"]
        if provider == "cartesia":
            changes = _items_changed(before, changes)
        resource = {**before, **changes, "version_id": new_id().replace("-", "")[:20]}
        row = world.replace(row, {**row.body, "resource": resource, "updatedAt": world.timestamp()})
        return 200, noisy(world, collection, row.body)

    async def delete(request: Request) -> tuple[int, Any]:
        row = asked_for(request)
        world.delete(row)
        return 200, row.body

    one = path + "/{id}"
    return [
        (path, "POST", create),
        (path, "GET", listed),
        (one, "GET", get),
        (one, "PATCH", update),
        (one, "DELETE", delete),
    ]


def _items_changed(resource: Body, changes: Body) -> Body:
    """Cartesia's items are added to and taken from by their text, never replaced."""
    if "items" in changes:
        raise bad_request("property items should not exist")
    added, removed = changes.pop("itemsToAdd", []), changes.pop("itemsToRemove", [])
    if not added and not removed:
        return changes
    gone = {item.get("text") if isinstance(item, dict) else item for item in removed}
    kept = [item for item in resource.get("items", []) if item.get("text") not in gone]
    return {**changes, "items": kept + added}
