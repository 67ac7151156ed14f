"""CONTRIBUTING.md's how-tos, each taken step by step: what it says is all that there is to do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.contributing.conftest import Checkout
from tests.runtime.runtime_bench import serving, spec_of, wait_for
from tests.state.stores import BACKENDS, STORES

# A kind.

KIND = '''\
"""Board: figures that a team looks at (`/reporting/board`)."""

from voiceops.kinds.base import Kind

KIND = Kind(name="Board", type="vapi_board", path="/reporting/board", title="board", after=("Agent",))
'''
ROW = '    Collection(path="/reporting/board", title="Board", kind="Board"),\n'


def _body(*required: str) -> dict[str, Any]:
    fields = {
        "name": {"type": "string", "maxLength": 40},
        "columns": {"type": "number", "minimum": 1, "maximum": 4},
        "assistantId": {"type": "string"},
    }
    return {"type": "object", "required": list(required), "properties": fields}


def _takes(name: str) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}}


# As much of the vendor's OpenAPI file as describes the new collection.
OPENAPI = {
    "paths": {
        "/reporting/board": {"post": _takes("CreateBoardDTO")},
        "/reporting/board/{id}": {"patch": _takes("UpdateBoardDTO")},
    },
    "components": {"schemas": {"CreateBoardDTO": _body("name"), "UpdateBoardDTO": _body()}},
}
# `make schema` writes the file anew; here its facts of the new kind go beside those of the others.
MAKE_SCHEMA = """
import json, pathlib
from voiceops.vendor_facts.from_openapi import build
found, _ = build(json.loads(pathlib.Path("openapi.json").read_text()))
path = pathlib.Path("schema/vapi.json")
facts = json.loads(path.read_text())
facts["roots"]["Board"] = found["roots"]["Board"]
facts["types"] |= {name: found["types"][name] for name in ("CreateBoardDTO", "UpdateBoardDTO")}
path.write_text(json.dumps(facts))
"""
LIFE = """
import sys, pathlib
from tests.support.bench import bench
folder = pathlib.Path(sys.argv[1])
folder.mkdir()
with bench(folder) as made:
    made.write("agents/desk.yaml", "kind: Agent\\nname: desk\\nspec: {model: {provider: openai, model: gpt-4o}}\\n")
    made.write("agents/week.yaml", "kind: Board\\nname: week\\nspec: {columns: 2, assistantId: desk}\\n")
    made.run("validate")
    assert list(made.changes()) == ["Agent/desk", "Board/week"]
    made.apply()
    assert made.changes() == {}
    assert made.live("Board/week")["assistantId"] == made.id_of("Agent/desk")
    made.edit("agents/week.yaml", "columns: 2", "columns: 3")
    assert made.changes() == {"Board/week": ["update"]}
    made.apply()
    assert made.live("Board/week")["columns"] == 3
    made.edit("agents/week.yaml", "columns: 3", "columns: 9")
    assert "not between 1 and 4" in made.run("validate", code=1).out
    made.remove("agents/week.yaml")
    made.apply("--force")
    assert list(made.state()["resources"]) == ["Agent/desk"]
"""


def test_a_kind(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write("voiceops/kinds/board.py", KIND)
    said = checkout.python("-m", "voiceops", "schema", "Board", code=1)
    assert "make schema OPENAPI=FILE" in said, "a forgotten step is said"
    checkout.write("openapi.json", json.dumps(OPENAPI))
    checkout.python("-c", MAKE_SCHEMA)
    checkout.edit("voiceops/sandbox/catalog.py", "COLLECTIONS = (\n", f"COLLECTIONS = (\n{ROW}")
    checkout.python("scripts/make_kinds_table.py")
    checkout.python("scripts/make_reference.py")
    assert "| `Board` | `/reporting/board` | `vapi_board` |" in (checkout.folder / "docs/kinds.md").read_text()
    assert (checkout.folder / "docs/reference/manifests/Board.md").is_file()
    checkout.python("-c", LIFE, str(tmp_path / "project"))


# A lint.

LINT = '''\
"""How a call is opened."""

from __future__ import annotations

from collections.abc import Iterator

from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding


@lint("VO999", "greeting-shouts", "A greeting in capital letters is spelled out")
def greeting_shouts(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        said = assistant.spot.get("firstMessage")
        if isinstance(said, str) and said.isupper():
            yield assistant.spot.finding("the first message is all capitals", "firstMessage")
'''


def test_a_lint(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write("voiceops/lints/greetings.py", LINT)
    project = tmp_path / "project"
    (project / "agents").mkdir(parents=True)
    (project / "voiceops.yaml").write_text("version: 1\nproject: shop\nenvironments: [live]\n")
    manifest = project / "agents" / "desk.yaml"
    text = "kind: Agent\nname: desk\nspec:\n  firstMessage: HELLO THERE\n  model: {provider: openai, model: gpt-4o}\n"
    manifest.write_text(text)
    said = checkout.python("-m", "voiceops", "-C", str(project), "validate")
    assert "VO999" in said
    assert "desk.yaml:4" in said
    manifest.write_text(text.replace("HELLO THERE", "Hello there"))
    assert "VO999" not in checkout.python("-m", "voiceops", "-C", str(project), "validate")


# A state back end.


def test_a_state_back_end_is_one_more_row_of_the_conformance_suite() -> None:
    """tests/state/memory_store.py is a whole one: the suite runs over it as over those that ship."""
    assert "memory" in STORES.keys() - BACKENDS.keys()


# A message of the runtime.

HANDLERS = """
import json
seen = []

@answers("call.mood-request")
def mood(call):
    return {"mood": json.loads(json.dumps(call.message))["tone"].upper()}

@on("call.mood-changed")
def changed(event):
    import pathlib
    pathlib.Path(__file__).with_name("seen").write_bytes(event.body)
"""


def test_a_message_that_vapi_does_not_send_yet(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(), HANDLERS) as client:
        assert client.message("call.mood-request", tone="glad").data == {"mood": "GLAD"}
        assert client.message("call.mood-changed", tone="sad").status == 200
        wait_for(lambda: list(tmp_path.glob("handlers-*/seen")))
        time.sleep(0.05)
        (seen,) = tmp_path.glob("handlers-*/seen")
        assert json.loads(seen.read_bytes())["message"]["tone"] == "sad"
