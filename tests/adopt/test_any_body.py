"""Any account becomes manifests of which a plan has nothing to do, and which make the same objects anew.

The bodies are made out of the schema's facts, with all that live objects have beside one (made_accounts.py); the
manifests are read by the real manifest layer. `VOICEOPS_ACCOUNTS` says how many accounts of three objects a kind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.adopt.made_accounts import KEY, TOKEN, Made
from tests.support.folder import Folder
from voiceops.adopt.found import Found
from voiceops.adopt.phone_lines import TwilioAccount
from voiceops.adopt.repository import Known, Repository, repository_of
from voiceops.engine.fields.body import set_values
from voiceops.engine.fields.diff import NOTHING_APPLIED, differences
from voiceops.kinds.base import SERVER_KEYS
from voiceops.kinds.nodes import body_node, field_of, items_of
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import Node
from voiceops.model.graph import Graph
from voiceops.model.values import Outside, Ref, Secret, Template, format_path, map_leaves
from voiceops.model.values import Path as Steps

ACCOUNTS = int(os.environ.get("VOICEOPS_ACCOUNTS", "12"))
UNSEEN = "a-secret-that-nobody-saw"  # pragma: allowlist secret
IMPORTED = {"voice_url": "https://api.vapi.ai/twilio/inbound_call", "voice_method": "POST"}


class Adopted:
    """One account as a repository, written out and read again."""

    def __init__(self, root: Path, made: Made) -> None:
        self.made = made
        bodies = [(kind, id_, made.body(kind, id_)) for kind, ids in made.ids.items() for id_ in ids]
        # That a mock names a tool which is not there shows in the manifests only: a pull reads its own, and is told so.
        self.found = [
            Found(kind=kind, id=id_, body=body, refused=("toolMocks",) if body.get("toolMocks") else ())
            for kind, id_, body in bodies
        ]
        lines = [one.body for one in self.found if one.kind == "Phone" and one.body.get("twilioAccountSid") != "AC2"]
        known = Known(
            twilio=TwilioAccount("AC1"),
            numbers={body["number"]: {"phone_number": body["number"], **IMPORTED} for body in lines},
            secrets={"TWILIO_AUTH_TOKEN": TOKEN},
        )
        self.repository: Repository = repository_of(self.found, known)
        folder = Folder(root)
        for path, text in self.repository.files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode())
        self.environ = {one.name: one.value or UNSEEN for one in self.repository.secrets}
        self.environ |= {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": TOKEN}
        self.graph: Graph = folder.graph("dev", self.environ)
        self.ids = {**self.repository.ids, **self.repository.externals}
        by_id = {one.id: one for one in self.found}
        self.at = {address: by_id[id_] for address, id_ in self.ids.items()}

    def desired(self, address: str) -> dict[str, Any]:
        """What the manifest asks for, with live ids and secrets in it."""

        def leaf(item: Any) -> Any:
            if isinstance(item, (Ref, Outside)):
                one = self.at[item.address]
                return one.id if item.attribute == "id" else KINDS[one.kind].read(dict(one.body)).get(item.attribute)
            if isinstance(item, Secret):
                return item.reveal(self.environ.get)
            return "".join(map(str, map(leaf, item.parts))) if isinstance(item, Template) else item

        return set_values(KINDS[self.at[address].kind], map_leaves(self.graph.resources[address].body, leaf))

    def changes(self, address: str) -> list[str]:
        """What a plan would change, secrets that no answer shows aside."""
        one = self.at[address]
        kind = KINDS[one.kind]
        live, node = kind.read(dict(one.body)), body_node(kind, "create")
        found = differences(self.desired(address), NOTHING_APPLIED, live, self.graph.resources[address].ignore, node)
        return [
            f"{address} {format_path(each.path)}: {each.before!r} → {each.after!r}"
            for each in found
            if not (each.after in (UNSEEN, TOKEN) and (not isinstance(each.before, str) or "****" in each.before))
        ]

    def missing(self, address: str) -> list[str]:
        """What a new object out of the manifest would lack, and no server fills in."""
        one = self.at[address]
        kind = KINDS[one.kind]
        left = {*SERVER_KEYS, *kind.attributes, "assistantIds"} | (
            {"number"} if one.body.get("provider") == "vapi" else set()
        )
        live = {key: item for key, item in kind.read(dict(one.body)).items() if key not in left}
        beyond = map(format_path, _beyond((), self.desired(address), live, body_node(kind, "create")))
        start = f"{address}: a manifest can't say "
        told = "".join(note for note in self.repository.notes if note.startswith(start)).replace(";", "").split()
        return [f"{address} {name}" for name in beyond if name not in told]


def _beyond(path: Steps, made: Any, live: Any, node: Node | None) -> Iterator[Steps]:
    if isinstance(made, dict) and isinstance(live, dict):
        for key, item in live.items():
            field = field_of(node, key, made, live)
            if key in made:
                yield from _beyond((*path, key), made[key], item, field)
            elif key not in SERVER_KEYS and not _is_nothing(item) and (field is None or field.get("default") != item):
                yield (*path, key)
    elif isinstance(made, list) and isinstance(live, list):
        for index, (a, b) in enumerate(zip(made, live, strict=False)):
            yield from _beyond((*path, index), a, b, items_of(node))


def _is_nothing(item: Any) -> bool:
    return item is None or item == "" or (isinstance(item, Mapping) and all(map(_is_nothing, item.values())))


@pytest.mark.parametrize("seed", range(ACCOUNTS))
def test_a_plan_of_the_manifests_has_nothing_to_do_and_they_make_the_same_anew(tmp_path: Path, seed: int) -> None:
    adopted = Adopted(tmp_path, Made(seed))
    assert len(adopted.ids) == len(adopted.found), "every object has a manifest"
    for address in adopted.repository.ids:
        assert adopted.changes(address) == []
        assert adopted.missing(address) == []


@pytest.mark.parametrize("seed", range(1_000_000, 1_000_000 + ACCOUNTS))
def test_nor_has_it_for_bodies_that_no_schema_knows(tmp_path: Path, seed: int) -> None:
    """Of wrong types, with missing keys and with keys that mean something else in a manifest."""
    adopted = Adopted(tmp_path, Made(seed, odd=0.6))
    for address in adopted.repository.ids:
        assert adopted.changes(address) == []


@pytest.mark.parametrize("seed", range(2_000_000, 2_000_000 + ACCOUNTS // 2))
def test_no_secret_stands_in_a_file(tmp_path: Path, seed: int) -> None:
    made = Made(seed, odd=0.3)
    adopted = Adopted(tmp_path, made)
    for path, text in adopted.repository.files.items():
        assert KEY not in text, path
        assert not [secret for secret in made.secrets if secret in text], path


@pytest.mark.parametrize("seed", range(3_000_000, 3_000_000 + ACCOUNTS // 4))
def test_the_same_account_makes_the_same_files(tmp_path: Path, seed: int) -> None:
    first = Adopted(tmp_path / "a", Made(seed)).repository
    again = Adopted(tmp_path / "b", Made(seed)).repository
    assert dict(first.files) == dict(again.files)
