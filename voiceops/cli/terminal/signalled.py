"""Ctrl-C before and after anything was begun."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass

from voiceops.cli.terminal.console import Console


@dataclass(slots=True)
class Signalled:
    """What a signal means to a command that changes something; `begun` once it sends."""

    console: Console
    begun: bool = False

    def begin(self) -> None:
        """From here on what is under way is finished."""
        self.begun = True

    def listen(self, stop: asyncio.Event) -> None:
        """Until something is begun a signal ends everything; after it what is under way is finished."""
        loop, main = asyncio.get_running_loop(), asyncio.current_task()

        def heard() -> None:
            if not self.begun and main is not None:  # it waits for the lock, reads, or asks: nothing was sent
                main.cancel()
                return
            stopping = stop.is_set()
            stop.set()  # first: a terminal that is gone takes no note
            if not stopping:
                self.console.note("Stopping: requests under way are finished, no new ones are started.")

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, heard)
