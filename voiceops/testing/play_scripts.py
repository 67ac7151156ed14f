"""Call scripts, played against a runtime that was started for them: each attempt with its transcript."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from voiceops.model.safe_text import flowed, visible
from voiceops.model.wording import some_of
from voiceops.runtime.spec import RuntimeSpec
from voiceops.simulate.player import Moment, Player, Signer
from voiceops.simulate.script import Script
from voiceops.simulate.sender import Sender
from voiceops.testing.outcome import Attempt, Role, Turn

_ROLES: dict[str, Role] = {"caller": "user", "assistant": "assistant", "tool": "tool"}
_REASONS = 3
_ENDING = 2.0  # seconds for a process that ends to be seen to have ended


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptStage:
    """A runtime that runs at `url`, and how its requests are signed."""

    url: str
    spec: RuntimeSpec
    signer: Signer
    died: Callable[[float], Awaitable[str]]  # why it runs no more, "" where it does after so many seconds
    failures: Callable[[int], Awaitable[Sequence[str]]]  # what so many handlers failed with, since it was asked last


async def played(stage: ScriptStage, script: Script, timeout: float, late: str) -> Attempt:
    """A script, played once; its handlers run. `late` is why it was not, within `timeout` seconds.

    A runtime that ended meanwhile is no failure of the script's.
    """
    began = time.monotonic()
    sender = Sender(stage.url)
    try:
        async with asyncio.timeout(timeout):
            call = await Player(stage.spec, script, sender, stage.signer).play()
    except TimeoutError:
        return Attempt(passed=None, reason=late, seconds=time.monotonic() - began)
    finally:
        await sender.close()
    # That a process has ended is known a moment after its connections have.
    silent = any(moment.wrong and not moment.status for moment in call.moments)
    if why := await stage.died(_ENDING if silent else 0.0):
        return Attempt(passed=None, reason=why, seconds=time.monotonic() - began)
    seconds = time.monotonic() - began
    failed = sum(moment.verb == "tool" and moment.failed for moment in call.moments)
    return attempt_of(call.moments, seconds, await stage.failures(failed) if failed else ())


def attempt_of(moments: Sequence[Moment], seconds: float, failures: Sequence[str] = ()) -> Attempt:
    """What came of the steps; `failures`: why handlers failed, which callers are not told."""
    turns: list[Turn] = []
    failed_at: int | None = None
    wrong: list[str] = []
    for moment in moments:
        said = _turns(moment)
        if moment.wrong and not said:
            said = [Turn("system", flowed(f"{moment.verb}: {moment.said}"), moment.at)]
        turns += said
        if moment.wrong:
            failed_at = len(turns) if failed_at is None else failed_at
            where = f" ({moment.place})" if moment.place else ""
            wrong.append(flowed(f"{moment.verb}: {'; '.join(moment.wrong)}{where}"))
    because = [some_of(failures, _REASONS, "; ")] if wrong and failures else []
    return Attempt(
        passed=not wrong,
        reason="; ".join([some_of(wrong, _REASONS, "; "), *because]),
        turn=failed_at,
        seconds=seconds,
        transcript=tuple(turns),
    )


def _turns(moment: Moment) -> list[Turn]:
    role = _ROLES.get(moment.verb)
    if role is None:
        return []
    said = [Turn(role, visible(moment.said), moment.at)]
    if role == "tool" and moment.answer:
        said.append(Turn("tool", visible(moment.answer), moment.at + moment.seconds))
    return said
