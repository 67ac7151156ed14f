"""The kinds are found in their folder; each stands after what its objects need."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.bench import REPOSITORY
from voiceops.errors import VoiceopsError
from voiceops.kinds.registry import KINDS, discovered, in_order
from voiceops.kinds.schema import facts, root
from voiceops.sandbox.catalog import BY_PATH

# The sandbox lists its collections by itself, as a witness; it answers these from modules of their own.
ANSWERED_APART = {"Dictionary", "File"}


def referred(kind: str) -> set[str]:
    """The kinds that the bodies of this one may name, at any depth."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting: list[Any] = [root(kind, "manifest")]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            found |= {node[key] for key in ("reference", "mayReference") if isinstance(node.get(key), str)}
            types = [*([node["of"]] if "of" in node else []), *node.get("variants", {}).values()]
            types += node.get("patterns", {}).values()
            for name in types:
                if name not in seen:
                    seen.add(name)
                    waiting += facts()["types"][name]["fields"].values()
            waiting += [node[key] for key in ("items", "values", "options", "others") if key in node]
    return found


def reached(kind: str, edges: dict[str, set[str]]) -> Iterator[str]:
    waiting, seen = [kind], set[str]()
    while waiting:
        for name in edges[waiting.pop()] - seen:
            seen.add(name)
            waiting.append(name)
            yield name


def test_what_a_body_may_name_stands_before_it() -> None:
    """Unless the other may name it too: then either order is right."""
    edges = {name: referred(name) & KINDS.keys() for name in KINDS if name in facts()["roots"]}
    places = list(KINDS)
    for name in edges:
        for other in sorted(edges[name]):
            if name not in reached(other, edges):
                assert places.index(other) < places.index(name), (
                    f"a {name} may name a {other}: add {other!r} to `after` of the kind {name}"
                )


def test_the_sandbox_knows_every_kind() -> None:
    for kind in KINDS.values():
        if kind.name not in ANSWERED_APART and kind.name in facts()["roots"]:
            assert kind.path in BY_PATH, f"add a row for {kind.path} to COLLECTIONS in voiceops/sandbox/catalog.py"


def test_a_choice_is_made_by_name() -> None:
    kinds = [replace(KINDS["Agent"], name=name, after=after) for name, after in (("C", ()), ("A", ("C",)), ("B", ()))]
    assert [kind.name for kind in in_order(kinds)] == ["B", "C", "A"]


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"A": ("B",), "B": ("A",)}, r"wait for each other.*'A': \['B'\].*'B': \['A'\]"),
        ({"A": ("Nobody",)}, r"one that does not exist.*'A': \['Nobody'\]"),
    ],
    ids=["a circle", "nobody"],
)
def test_an_order_that_is_none(after: dict[str, tuple[str, ...]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        in_order(replace(KINDS["Agent"], name=name, after=names) for name, names in after.items())


def test_two_kinds_of_one_name() -> None:
    with pytest.raises(ValueError, match=r"two files .* call their kind Agent"):
        in_order([KINDS["Agent"], KINDS["Agent"]])


def test_a_file_without_a_kind_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kinds_without_one"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "campaign.py").write_text('"""No kind."""\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TypeError, match="campaign has no `KIND = Kind"):
        discovered(folder.name, [str(folder)])


def test_a_kind_without_a_schema_says_what_to_run() -> None:
    with pytest.raises(VoiceopsError, match="does not describe the bodies of the kind Campaign") as caught:
        root("Campaign")
    assert "make schema OPENAPI=FILE" in caught.value.hint


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_the_kinds_are_found_inside_a_zip(tmp_path: Path, flag: str) -> None:
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted((REPOSITORY / "voiceops").rglob("*.py")):
            packed.write(path, path.relative_to(REPOSITORY))
    script = f"import sys; sys.path.insert(0, {str(archive)!r}); from voiceops.kinds import registry; "
    script += "print(registry.__file__); print(*registry.KINDS)"
    ran = subprocess.run([sys.executable, flag, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)
    place, names = ran.stdout.splitlines()
    assert place.startswith(str(archive))
    assert names.split() == list(KINDS)
