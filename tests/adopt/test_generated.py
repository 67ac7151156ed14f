"""Manifests for generated accounts say what is live: no value otherwise, and none lost but what the server fills in.

Without commands and sockets, so that many objects are looked at; `VOICEOPS_PULLED` says how many of each kind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.adopt.live_objects import ACCOUNT_SID, ORG, Account
from tests.support.bench import PROJECT
from voiceops.adopt.found import Found
from voiceops.adopt.phone_lines import TwilioAccount
from voiceops.adopt.repository import Known, Repository, repository_of
from voiceops.engine.fields.equality import same
from voiceops.kinds.base import SERVER_KEYS
from voiceops.kinds.nodes import body_node, field_of, items_of
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import Node
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import load_project
from voiceops.model.address import kind_of
from voiceops.model.graph import Graph
from voiceops.model.values import ABSENT, JSON, Secret, Template, format_path, map_leaves
from voiceops.sandbox.account import Account as Owner
from voiceops.sandbox.account import World
from voiceops.sandbox.numbers import edited, new
from voiceops.sandbox.store import Store

PULLED = int(os.environ.get("VOICEOPS_PULLED", "40"))
IN_ONE = 50  # objects of each kind in one account
# What Vapi gives, or keeps on both sides of an edge: a structured output's only type, the number of a line of its own.
GIVEN = {"assistantIds", "resourceId", "versionId", "type", "number"}
ENVIRON = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "VAPI_API_KEY": "sandbox", "TWILIO_AUTH_TOKEN": "sandbox"}


@pytest.mark.parametrize("seed", range(1000, 1000 + -(-PULLED // IN_ONE)))
def test_the_manifests_say_what_is_live(tmp_path: Path, seed: int) -> None:
    live = bodies(Account(seed, IN_ONE))
    # That a mock names a tool which is not there shows in the manifests only: a pull reads its own, and is told so.
    found = [
        Found(kind=kind, body=body, id=body["id"], refused=("toolMocks",) if body.get("toolMocks") else ())
        for kind, body in live.values()
    ]
    repository = repository_of(found, Known(twilio=TwilioAccount(ACCOUNT_SID), numbers=numbers(Account(seed, IN_ONE))))
    graph = read_back(repository, tmp_path)
    wrong = []
    for address, id_ in repository.ids.items():
        kind = KINDS[kind_of(address)]
        shown = kind.read(live[id_][1])
        said = filled(graph.resources[address].body, repository, live)
        wrong += [f"{address}: {text}" for text in compared(said, shown, body_node(kind), top=kind.name == "Phone")]
    assert not wrong, "\n".join(wrong)


def bodies(account: Account) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every object as its own address shows it, by id."""
    files: dict[str, list[Any]] = {}
    for base, file in account.attached:
        files.setdefault(base, []).append({"fileId": file})
    return {
        body["id"]: (kind, {**body, "files": files.get(body["id"], [])} if kind == "KnowledgeBase" else body)
        for kind, found in account.bodies.items()
        for body in found
    }


def numbers(account: Account) -> dict[str, dict[str, Any]]:
    world = World(Store(), Owner(api_key="", org_id=ORG, account_sid=ACCOUNT_SID, auth_token=""))
    return {number: edited(world, new(world, number), settings) for number, settings in account.numbers}


def read_back(repository: Repository, folder: Path) -> Graph:
    """What the manifest layer makes of the files."""
    for name, text in {"voiceops.yaml": PROJECT, **repository.files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    problems = Problems()
    return load_graph(load_project(folder, "live", ENVIRON, problems), ENVIRON, problems)


def filled(body: JSON, repository: Repository, live: Mapping[str, tuple[str, dict[str, Any]]]) -> JSON:
    """A desired body with what stands for its references and secrets."""
    ids = {**repository.ids, **repository.externals}
    secrets = {**ENVIRON, **{secret.name: secret.value for secret in repository.secrets}}

    def leaf(item: JSON) -> JSON:
        if isinstance(item, Secret):
            return item.reveal(secrets.get)
        if isinstance(item, Template):
            return "".join(str(leaf(part)) for part in item.parts)
        address = getattr(item, "address", None)  # Ref, Outside
        if address is None:
            return item
        kind, found = live[ids[address]]
        return ids[address] if item.attribute == "id" else KINDS[kind].read(found)[item.attribute]

    return map_leaves(body, leaf)


def compared(
    said: Any, live: Any, node: Node | None, path: tuple[str | int, ...] = (), *, top: bool = False
) -> Iterator[str]:
    """Where a manifest says something else than what is live, or nothing of it."""
    if isinstance(said, dict) and isinstance(live, dict):
        for key in said.keys() | live.keys():
            one, other = said.get(key, ABSENT), live.get(key, ABSENT)
            if one is ABSENT and is_left_out(key, other, field_of(node, key, live), top=not path):
                continue
            if not (top and one is not ABSENT and other is ABSENT):
                yield from compared(one, other, field_of(node, key, live, said), (*path, key))
    elif isinstance(said, list) and isinstance(live, list) and len(said) == len(live) and not same(said, live, node):
        for index, (one, other) in enumerate(zip(said, live, strict=True)):
            yield from compared(one, other, items_of(node), (*path, index))
    elif not same(said, live, node):
        yield f"{format_path(path)} is {live!r:.200}, not {said!r:.200}"


def is_left_out(key: str, value: Any, node: Node | None, *, top: bool) -> bool:
    """Is it the server's, or says what it says anyway?"""
    servers = top and (key in SERVER_KEYS or key in GIVEN)
    return bool(servers or is_nothing(value) or (node is not None and "default" in node and node["default"] == value))


def is_nothing(value: Any) -> bool:
    """Null, or a map of nothing but nulls."""
    if isinstance(value, dict) and value:
        return all(map(is_nothing, value.values()))
    return value is None
