"""Files, and the knowledge bases that they are attached to."""

from __future__ import annotations

import json
from datetime import datetime
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from starlette.requests import Request

from voiceops.sandbox.account import World, new_id
from voiceops.sandbox.answers_as import noisy
from voiceops.sandbox.catalog import FILES, KNOWLEDGE, TOOLS, Collection
from voiceops.sandbox.listing import array
from voiceops.sandbox.requests import Table, absent, bad_request, json_body, only, row_of
from voiceops.sandbox.store import Body, Row
from voiceops.sandbox.validation import Check

_COLLECTION = Collection(path=FILES, title="File", kind="File", filters=("purpose",))
_ATTACHED = "sandbox:knowledge-base-file"
_METADATA_LIMIT = 4096


def operations(world: World) -> Table:
    """Files, and which knowledge bases they are attached to."""
    return [*_files(world), *_attachments(world)]


def _files(world: World) -> Table:
    async def create(request: Request) -> tuple[int, Any]:
        parts = _multipart(request.headers.get("content-type", ""), await request.body())
        if "file" not in parts:
            raise bad_request(["file should not be empty"])
        body = _file(world, parts)
        return 201, _settled(world, world.add(FILES, body["id"], body).body)

    async def listed(request: Request) -> tuple[int, Any]:
        return 200, array(world, _COLLECTION, request.query_params, lambda body: _settled(world, body))

    async def get(request: Request) -> tuple[int, Any]:
        row = world.store.any(FILES, request.path_params["id"])
        body = row.seen(world.now()) if row else None
        if body is None:
            raise absent("File", request.path_params["id"])
        return 200, _settled(world, body)

    async def update(request: Request) -> tuple[int, Any]:
        row = row_of(world, FILES, "File", request.path_params["id"])
        body = await json_body(request)
        if problems := Check().update(_COLLECTION, body, {}):
            raise bad_request([problem.text for problem in problems])
        return 200, _settled(world, world.replace(row, {**row.body, **body, "updatedAt": world.timestamp()}).body)

    async def delete(request: Request) -> tuple[int, Any]:
        row = row_of(world, FILES, "File", request.path_params["id"])
        world.delete(row)
        for attached in world.store.rows(_ATTACHED):
            if attached.body["fileId"] == row.id:
                world.store.remove(_ATTACHED, attached.id)
        return 200, _settled(world, row.body)

    one = FILES + "/{id}"
    return [
        (FILES, "POST", create),
        (FILES, "GET", listed),
        (one, "GET", get),
        (one, "PATCH", update),
        (one, "DELETE", delete),
    ]


def _attachments(world: World) -> Table:
    async def attach(request: Request) -> tuple[int, Any]:
        base = row_of(world, KNOWLEDGE, "Knowledge base", request.path_params["id"])
        body = only(await json_body(request), "fileId")
        file = row_of(world, FILES, "File", str(body.get("fileId")))
        for attached in world.store.rows(_ATTACHED):
            if (attached.body["knowledgeBaseV2Id"], attached.body["fileId"]) == (base.id, file.id):
                raise bad_request(f"File {file.id} is attached already")
        now, id_ = world.timestamp(), new_id()
        kept = {
            "id": id_,
            "knowledgeBaseV2Id": base.id,
            "fileId": file.id,
            "fileName": file.body["name"],
            "mimetype": file.body["mimetype"],
            "bytes": file.body["bytes"],
            "status": "ready",
            "createdAt": now,
            "updatedAt": now,
        }
        return 201, _settled(world, world.store.put(Row(_ATTACHED, id_, kept)).body)

    async def attached_files(request: Request) -> tuple[int, Any]:
        base = row_of(world, KNOWLEDGE, "Knowledge base", request.path_params["id"])
        rows = world.store.rows(_ATTACHED)
        return 200, [_settled(world, row.body) for row in rows if row.body["knowledgeBaseV2Id"] == base.id]

    async def detach(request: Request) -> tuple[int, Any]:
        base, id_ = request.path_params["id"], request.path_params["file"]
        for row in world.store.rows(_ATTACHED):
            if row.body["knowledgeBaseV2Id"] == base and id_ in (row.body["fileId"], row.id):
                world.store.remove(_ATTACHED, row.id)
                return 200, _settled(world, row.body)
        raise absent("File", id_)

    inside = KNOWLEDGE + "/{id}/file"
    return [
        (inside, "POST", attach),
        (inside, "GET", attached_files),
        (inside + "/{file}", "DELETE", detach),
    ]


def provision(world: World, base: Body) -> None:
    """A knowledge base comes with a tool that searches it."""
    id_ = new_id()
    times = {key: base[key] for key in ("orgId", "createdAt", "updatedAt")}
    parameters = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    function = {"name": f"search_{id_[:8]}", "description": "Searches the files.", "parameters": parameters}
    tool = {"id": id_, **times, "type": "knowledgeBase", "knowledgeBaseId": base["id"], "function": function}
    world.add(TOOLS, id_, {**tool, "latestVersion": 1})


def details(world: World, base: Body) -> Body:
    """What only the address of one knowledge base shows: its files, and its tool."""
    attached = [row.body for row in world.store.rows(_ATTACHED) if row.body["knowledgeBaseV2Id"] == base["id"]]
    tool = next((row.id for row in _tools(world, base)), None)
    return {"files": [_settled(world, body) for body in attached], "toolId": tool}


def withdraw(world: World, base: Body) -> None:
    """The tool goes with its knowledge base, and so does every place of a file in it."""
    for row in _tools(world, base):
        world.delete(row)
    for row in world.store.rows(_ATTACHED):
        if row.body["knowledgeBaseV2Id"] == base["id"]:
            world.store.remove(_ATTACHED, row.id)


def _tools(world: World, base: Body) -> list[Row]:
    return [row for row in world.store.rows(TOOLS) if row.alive and row.body.get("knowledgeBaseId") == base["id"]]


def _settled(world: World, body: Body) -> Body:
    """A file, or its place in a knowledge base, is worked on for a while."""
    age = world.now() - datetime.fromisoformat(body["createdAt"]).timestamp()
    if age < world.switches.settle:
        body = {**body, "status": "indexing" if "knowledgeBaseV2Id" in body else "processing"}
    return noisy(world, _COLLECTION, body)


def _file(world: World, parts: dict[str, tuple[str, str, bytes]]) -> Body:
    name, kind, content = parts["file"]
    id_, now = new_id(), world.timestamp()
    text = parts.get("metadata", ("", "", b""))[2].decode()
    try:
        metadata = json.loads(text) if text else None
    except ValueError:
        metadata = text
    if len(text) > _METADATA_LIMIT or (text and not isinstance(metadata, dict)):
        raise bad_request([f"metadata must be a JSON object of at most {_METADATA_LIMIT} characters"])
    given = {"purpose": parts["purpose"][2].decode()} if "purpose" in parts else {}
    return {
        "id": id_,
        "orgId": world.account.org_id,
        "createdAt": now,
        "updatedAt": now,
        "object": "file",
        "status": "done",
        "name": name[:40],
        "originalName": name,
        "bytes": len(content),
        "mimetype": kind,
        "url": f"https://sandbox.invalid/files/{id_}",
        **given,
        **({"metadata": metadata} if metadata is not None else {}),
    }


def _multipart(content_type: str, body: bytes) -> dict[str, tuple[str, str, bytes]]:
    """The parts of a multipart form: file name, type and content by field name."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    found: dict[str, tuple[str, str, bytes]] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = (part.get_filename() or "file", part.get_content_type(), content)
    return found
