"""One browser for a module's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.chromium import Page, browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found
