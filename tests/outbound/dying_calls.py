"""A `call` that is killed at a chosen place: a process that forks one child for each line it reads.

A line is JSON: `{"arguments": […], "place": …, "nth": …, "output": …}`; the answer is the signal or exit code with
which the child ended. The child runs the real command; the interpreter tells it where it is.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

import httpx

from tests.support.forked import answering, ended, fork
from voiceops.cli.main import run
from voiceops.outbound.claims import Claims
from voiceops.use.process_context import ProcessContext

# Where: a method of the claims is entered or left, or a request is about to be sent, or its answer has come.
PLACES = ("call claim", "return claim", "send", "answer", "call settle", "return settle", "return release")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Countdown:
    """Dies when the place is reached for the nth time."""

    def __init__(self, place: str, nth: int) -> None:
        self.place, self.left = place, nth

    def at(self, place: str) -> None:
        if place == self.place:
            self.left -= 1
            if self.left <= 0:
                die()

    def watch(self, frame: FrameType, event: str, _: Any) -> None:
        if event in ("call", "return") and frame.f_code in _CODES:
            self.at(f"{event} {frame.f_code.co_name}")


_CODES = {Claims.claim.__code__, Claims.settle.__code__, Claims.release.__code__}


class DyingTransport(httpx.AsyncBaseTransport):
    def __init__(self, countdown: Countdown) -> None:
        self.inner = httpx.AsyncHTTPTransport()
        self.countdown = countdown

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        made = request.method == "POST" and request.url.path == "/call"
        if made:
            self.countdown.at("send")
        response = await self.inner.handle_async_request(request)
        if made:
            await response.aread()
            self.countdown.at("answer")
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


def child(arguments: list[str], place: str, nth: int) -> int:
    countdown = Countdown(place, nth)
    context = ProcessContext(transport=lambda: DyingTransport(countdown), settle=0.0, pace=0.05)
    sys.setprofile(countdown.watch)
    return run(arguments, context)


def killed(order: dict[str, Any]) -> int:
    """The real command, in a child: the signal or exit code with which it ended."""
    return ended(fork(order["output"], lambda: child(order["arguments"], order["place"], order["nth"])))


if __name__ == "__main__":
    answering(killed)
