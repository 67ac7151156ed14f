"""A project's folder, for whoever writes manifests into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
