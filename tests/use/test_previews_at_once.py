"""Many pull requests' previews at once on one account: nobody's name, number, object or lock is in another's way.

By default a few of them; VOICEOPS_EVERY_WRITE=1 takes 30.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.state.backends import BUCKET, KEYS, postgres_url, s3_endpoint, terraform_server
from tests.support.bench import bench, shop
from tests.use.preview_children import Children, account

MANY = 30 if os.environ.get("VOICEOPS_EVERY_WRITE") else 2
NUMBERS = [f"+141555502{n:02}" for n in range(MANY // 2)]


STATES: dict[str, Callable[[], str]] = {
    "folder": lambda: ".voiceops/state",
    "postgres": postgres_url,
    "s3": lambda: f"s3://{BUCKET}/many?endpoint={s3_endpoint()}",
    "http": lambda: terraform_server().url("many-{environment}"),
}


@pytest.mark.parametrize("backend", STATES)
def test_many_at_once(
    tmp_path: Path, backend: str, record_property: Callable[[str, object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with bench(tmp_path / "shop") as made:
        shop(made)
        made.write("agents/keypad.yaml", "kind: Tool\nname: keypad\nspec: {type: dtmf}\n")
        text = (made.folder / "voiceops.yaml").read_text().replace("project: garden-shop", f"project: {backend}-many")
        state = STATES[backend]()
        lines = json.dumps(NUMBERS)
        made.write("voiceops.yaml", f'{text}\nstate: "{state}"\npreviews: {{max: {MANY}, lines: {lines}}}\n')
        made.apply("-q")
        for number in NUMBERS:
            made.control.create("/phone-number", {"provider": "vapi", "number": number})
        before = account(made)
        children = Children(made)
        names = [f"pr-{number}" for number in range(MANY)]
        try:
            began = time.monotonic()
            ups = children.at_once(
                [("preview", "up", name, "--line", "main-line", "--format", "json", "-q") for name in names]
            )
            took = time.monotonic() - began
            assert {children.output(n) for n, (code, _) in enumerate(ups) if code} == set()
            found = [json.loads(children.output(number)) for number in range(MANY)]
            held = [made.run("-e", f"preview-{name}", "state", "list", "--format", "json").data for name in names[:4]]
            assert all(made.changes("-e", f"preview-{name}") == {} for name in names[:2])
            ids = [agent["id"] for one in found for agent in one["agents"]]
            live_names = [agent["name"] for one in found for agent in one["agents"]]
            numbers = [one["number"] for one in found if one["number"]]
            assert len(set(ids)) == len(ids)
            assert len(set(live_names)) == len(live_names)
            assert sorted(numbers) == sorted(NUMBERS), "each number once, and none is left over"
            objects = [entry["id"] for one in held for entry in one]
            assert len(set(objects)) == len(objects)
            assert made.changes() == {}
            assert len(made.run("preview", "list", "--format", "json").data) == MANY
            downs = children.at_once([("preview", "down", name, "-q") for name in names])
            assert [code for code, _ in downs] == [0] * MANY
        finally:
            children.close()
        assert account(made) == before
        assert made.run("preview", "list", "--format", "json").data == []
        record_property("figure", f"{MANY} previews at once ({backend}): up in {took:.1f} s of wall, {len(ids)} agents")
