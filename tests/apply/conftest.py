"""A project against a sandbox of its own, for every test here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bench import Bench, bench


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Bench]:
    """An empty project `shop` whose environment `live` is a sandbox."""
    with bench(tmp_path) as made:
        yield made
