"""In every place where a manifest's name may stand for an id, it may be that of an `external:` manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kinds.schema_places import places
from voiceops.errors import Mark
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import root
from voiceops.manifest.documents import Document
from voiceops.manifest.problems import Problems
from voiceops.manifest.resolve import Index, Resolver
from voiceops.model.located import Map, located
from voiceops.model.values import Ref, leaves

HERE = Mark("agents/x.yaml", 1, 1)


def external(kind: str) -> Document:
    return Document(
        kind=kind,
        name="theirs",
        mark=HERE,
        spec=Map(),
        spec_mark=HERE,
        folder=Path(),
        bare=True,
        external=located({"name": "Theirs"}, HERE),
    )


@pytest.mark.parametrize("name", KINDS)
def test_every_place_takes_its_name(name: str) -> None:
    theirs = {document.address: document for document in map(external, KINDS)}
    families = {address: [document] for address, document in theirs.items()}
    user = Document(kind=name, name="ours", mark=HERE, spec=Map(), spec_mark=HERE, folder=Path())
    problems = Problems()
    resolver = Resolver(user, Index(theirs, families, {}, {"Theirs": "Agent/theirs"}), problems, None)
    node = root(name, "manifest")
    count = 0
    for body, kind in places(node, value="theirs"):
        found = resolver.rewrite(node, located(body, HERE), HERE)
        named = {leaf.address for _, leaf in leaves(found) if isinstance(leaf, Ref)}
        assert named == {f"{kind}/theirs"}, body
        count += 1
    assert not problems.all
    assert count or name in {"Credential", "Dictionary", "Eval", "File"}
