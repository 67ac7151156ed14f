"""A project against a sandbox of its own, for every test here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, bench


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Bench]:
    """An empty project `shop` whose environment `live` is a sandbox."""
    with bench(tmp_path / "shop") as made:
        yield made


@pytest.fixture
def desk(live: Bench) -> Bench:
    """An agent with a tool, on a line: applied."""
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    live.apply("-m", "the first")
    return live
