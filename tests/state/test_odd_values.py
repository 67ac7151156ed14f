"""Values in states and revisions that have the right types and mean nothing: a sentence with the key, not a traceback.

Each was found by tests/state/test_fuzzed_files.py with thousands of seeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apply.manifests import AGENT, TOOL
from tests.support.bench import Bench, bench
from voiceops.state.sealed import sealed

Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("odd")) as made:
        made.write("agents/a.yaml", AGENT + "---\n" + TOOL)
        made.apply()
        made.edit("agents/a.yaml", "Hello", "Good day")
        made.apply()
        yield made


def said(made: Bench, name: str, edit: Edit, *command: str) -> str:
    """What a command says of a file that was edited; the file is as before afterwards."""
    path: Path = made.folder / ".voiceops/state/live" / name
    before = path.read_text()
    data = json.loads(before)
    data.pop("checksum", None)
    edit(data)
    path.write_text(json.dumps(sealed(data)))
    try:
        ran = made.run(*command, code=None)
    finally:
        path.write_text(before)
    return f"{ran.code} {ran.err}"


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda d: d.update(salt="z1"), "salt is none"),
        (lambda d: d.update(salt="1"), "salt is none"),
        (lambda d: d["resources"]["Agent/desk"].update(owned={"::ref": "Agent/desk"}), "owned must be a map"),
        (lambda d: d["resources"]["Agent/desk"].update(owned={"::absent": True}), "owned must be a map"),
    ],
)
def test_a_state(lived: Bench, edit: Edit, why: str) -> None:
    assert said(lived, "state.json", edit, "plan").startswith("1 ")
    assert why in said(lived, "state.json", edit, "plan")


def body(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data["graph"]["resources"][0]["body"]
    return found


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda d: body(d).update({"::ref": "Agent/desk"}), "body must be a map"),
        (lambda d: body(d).update(metadata={"::ref": "\x1b[2J"}), "refers to an address that is none"),
        (lambda d: body(d).update(metadata=[{"::ref": "Nothing/desk"}]), "refers to an address that is none"),
        (
            lambda d: d["plan"]["resource_changes"][0]["change"].update(actions=["create", "create"]),
            "don't go together",
        ),
        (lambda d: d["plan"]["resource_changes"][0]["change"].update(actions=[]), "don't go together"),
    ],
)
def test_a_revision(lived: Bench, edit: Edit, why: str) -> None:
    assert why in said(lived, "revisions/000001.json", edit, "rollback", "1", "--plan-only")


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d.pop("origin"),
        lambda d: d["origin"].pop("commit", None),
        lambda d: d["plan"].pop("destroy"),
        lambda d: [change.pop("affects") for change in d["plan"]["resource_changes"]],
        lambda d: [change.pop(key) for change in d["plan"]["resource_changes"] for key in ("file", "line")],
    ],
)
def test_what_a_revision_may_lack(lived: Bench, edit: Edit) -> None:
    for command in (("history",), ("show", "1"), ("rollback", "1", "--plan-only")):
        assert said(lived, "revisions/000001.json", edit, *command).startswith("0 ")


def test_prompts_that_are_no_list_cost_nothing(lived: Bench) -> None:
    def edit(data: dict[str, Any]) -> None:
        body(data)["model"]["messages"] = 5.0

    assert "Traceback" not in said(lived, "revisions/000001.json", edit, "rollback", "1", "--plan-only")
