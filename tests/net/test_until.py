"""Waiting: asked at once or after a rest, again and again, until there is an answer or the time is over."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from voiceops.net.until import until


def answering(*answers: str | None) -> tuple[Callable[[], Awaitable[str | None]], list[float]]:
    """A question with these answers in turn, the last for ever, and when it was asked."""
    asked: list[float] = []

    async def ask() -> str | None:
        asked.append(time.monotonic())
        return answers[min(len(asked), len(answers)) - 1]

    return ask, asked


async def test_an_answer_at_once_is_no_wait() -> None:
    ask, asked = answering("there")
    assert await until(ask, every=(60.0,)) == "there"
    assert len(asked) == 1


async def test_it_is_asked_again_after_each_rest_and_the_last_rest_stays() -> None:
    ask, asked = answering(None, None, None, None, "there")
    assert await until(ask, every=(0.01, 0.05)) == "there"
    rests = [later - sooner for sooner, later in pairwise(asked)]
    assert len(asked) == 5
    assert rests[0] >= 0.009
    assert all(rest >= 0.049 for rest in rests[1:])


async def test_the_first_question_may_come_after_a_rest() -> None:
    ask, asked = answering("there")
    began = time.monotonic()
    assert await until(ask, every=(0.05,), at_once=False) == "there"
    assert asked[0] - began >= 0.049


async def test_none_when_the_time_is_over_and_asked_once_all_the_same() -> None:
    ask, asked = answering(None)
    assert await until(ask, limit=0.03, every=(0.01,)) is None
    assert len(asked) >= 2
    ask, asked = answering(None)
    assert await until(ask, limit=-1.0) is None
    assert len(asked) == 1


async def test_what_the_question_raises_ends_it() -> None:
    async def ask() -> str | None:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        await until(ask, every=(60.0,))
