"""Golden files: what a stranger sees, kept as text. VOICEOPS_UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.bench import Bench, bench

GOLDEN = Path(__file__).parent / "golden"

# A busy machine is no fault of what is tested: neither a deadline nor "too slow" is.
settings.register_profile(
    "suite", deadline=None, database=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does; not on trio too."""
    return "asyncio"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Bench]:
    """An empty project `shop` whose environment `live` is a sandbox of its own."""
    with bench(tmp_path) as made:
        yield made


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """`golden(name, text)`: the text must be that of tests/golden/NAME."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("VOICEOPS_UPDATE_GOLDEN") == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path.name} is not there yet: run with VOICEOPS_UPDATE_GOLDEN=1"
        assert text == path.read_text(encoding="utf-8")

    return check


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures that tests note with `record_property("figure", …)`, one line each."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    figures = [
        f"{'ok' if report.passed else 'FAILED'}: {text}"
        for report in reports
        for name, text in getattr(report, "user_properties", ())
        if name == "figure" and report.when == "call"
    ]
    if figures:
        terminalreporter.section("figures")
        for line in sorted(figures):
            terminalreporter.write_line(line)
