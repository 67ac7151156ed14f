"""An apply in front of a terminal: the plan and the question, Ctrl-C, progress, and how it ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from voiceops.apply.apply_events import Emit
from voiceops.apply.run import Outcome
from voiceops.cli.terminal.apply_flags import Flags
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.progress import Reporter, reporter
from voiceops.cli.terminal.signalled import Signalled
from voiceops.errors import Diagnostic, PartialApply, VoiceopsError
from voiceops.model.plan import Plan
from voiceops.render.grouped import render_diagnostics
from voiceops.render.text import render_diagnostic, render_plan

Work: TypeAlias = Callable[[Callable[[Plan], Awaitable[bool]], Emit, asyncio.Event], Awaitable[Outcome]]


def conduct(
    console: Console,
    flags: Flags,
    work: Work,
    *,
    protected: bool,
    asks: bool = True,
    warnings: Iterable[Diagnostic] = (),
) -> int:
    """Run what applies, given who confirms, who listens, and what stops it; tell how it ended, as an exit code.

    Raises VoiceopsError: when nobody agreed, or a signal came before anything was changed; and whatever `work` raises.
    """
    if flags.format_ == "text":
        for entry in render_diagnostics(tuple(warnings), console.style(sys.stderr)):
            console.note(entry)
    report = reporter(console, flags.format_)
    asking = _Asking(console=console, flags=flags, asks=asks and not flags.auto_approve, protected=protected)

    async def applied() -> Outcome:
        stop = asyncio.Event()
        asking.listen(stop)
        with report:
            return await work(asking.confirmed, report.event, stop)

    try:
        outcome = completed(applied())
    except asyncio.CancelledError:
        raise VoiceopsError("stopped before anything was changed") from None
    return _told(console, flags, report, outcome)


def _told(console: Console, flags: Flags, report: Reporter, outcome: Outcome) -> int:
    if outcome.result is None:
        if outcome.plan.active:
            raise VoiceopsError("not approved: nothing was changed")
        if flags.format_ == "text":
            for diagnostic in outcome.plan.diagnostics:
                console.note(render_diagnostic(diagnostic, console.style(sys.stderr)))
        report.nothing(outcome.plan)
        return 0
    report.summary(outcome)
    if flags.format_ == "text" and outcome.revision and any(c.affects and not c.is_no_op for c in outcome.plan.active):
        console.note(f"To see whether calls go worse since: voiceops -e {outcome.plan.environment} watch")
    if outcome.result.complete:
        return 0
    if outcome.result.refused is not None:
        return outcome.result.refused.exit_code
    return PartialApply.exit_code if outcome.result.done else VoiceopsError.exit_code


@dataclass(slots=True, kw_only=True)
class _Asking(Signalled):
    """The question before anything is changed."""

    flags: Flags
    asks: bool
    protected: bool  # the environment's name is what has to be typed

    async def confirmed(self, plan: Plan) -> bool:
        """Show the plan, and ask where somebody is to be asked."""
        console = self.console
        if self.flags.format_ == "text" and not console.quiet:
            console.prose(render_plan(plan, console.style(), verbose=console.verbose))
        if not self.asks:
            self.begun = True
            return True
        word = plan.environment if self.protected and self.flags.confirm is None else "yes"
        answer = await _answer(console, f"Apply this to {plan.environment}? Only '{word}' is taken: ")
        self.begun = answer.strip() == word
        return self.begun


async def _answer(console: Console, question: str) -> str:
    """A line from the terminal, or nothing at its end. Not in a thread, which no signal would get out of it."""
    console.say(question, end="")
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        loop.remove_reader(sys.stdin)
        line.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        return await line
    except asyncio.CancelledError:
        console.say("")  # after the question, and the ^C that the terminal shows
        raise
    finally:
        loop.remove_reader(sys.stdin)
