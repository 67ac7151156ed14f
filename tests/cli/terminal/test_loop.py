"""The one event loop of a command."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from voiceops.cli.terminal.loop import completed


class Large:
    """A result whose text is expensive."""

    asked = 0

    def __repr__(self) -> str:
        Large.asked += 1
        return "a text of a hundred megabytes"


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """Python's own handler of Ctrl-C: the one that asyncio replaces while it runs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_result_is_given_back_and_never_written_out() -> None:
    async def work() -> Large:
        return Large()

    Large.asked = 0
    assert isinstance(completed(work()), Large)
    assert Large.asked == 0


def test_what_goes_wrong_is_raised() -> None:
    async def work() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        completed(work())
