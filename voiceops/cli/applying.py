"""What `apply`, `destroy` and `rollback` share: their flags, the question, the run and its exit code."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import exclusion, formats, local_state, selection
from voiceops.errors import PartialApply, Refused, VoiceopsError

if TYPE_CHECKING:
    from voiceops.apply.job import Job
    from voiceops.apply.revisions import Request
    from voiceops.errors import Diagnostic
    from voiceops.manifest.project import Project
    from voiceops.model.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags of the three commands, as given."""

    format_: str
    targets: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    excluded: tuple[str, ...]
    message: str
    confirm: str | None
    force: bool
    lock_timeout: float
    parallelism: int
    auto_approve: bool
    local_state: bool
    adopt: bool


def apply_flags(command: Callable[..., Any], *more_formats: str) -> Callable[..., Any]:
    """The flags of `Flags`."""
    for option in (
        formats("text", "json", *more_formats),
        exclusion,
        selection,
        click.option("-m", "message", default="", metavar="TEXT", help="Why: kept in the history."),
        click.option(
            "--confirm",
            metavar="ENV",
            help="The environment's name, where it is protected by safety.confirm.",
        ),
        click.option("--force", is_flag=True, help="Pass safety.maxDestroyPercent; never preventDestroy."),
        click.option(
            "--lock-timeout",
            type=click.FloatRange(0),
            default=0.0,
            metavar="S",
            help="Seconds to wait for the lock.",
        ),
        click.option(
            "--parallelism",
            type=click.IntRange(1, 100),
            default=10,
            show_default=True,
            metavar="N",
            help="How many requests at once, at most.",
        ),
        local_state,
        click.option("--auto-approve", is_flag=True, help="Don't ask."),
        click.option(
            "--adopt",
            is_flag=True,
            help="Take over unmanaged objects of the same name, where the match is unambiguous.",
        ),
    ):
        command = option(command)
    return command


def check_can_ask(flags: Flags, *, asks: bool) -> None:
    """Without a terminal there is nobody to ask: said before anything is read or locked. Raises VoiceopsError."""
    if asks and not flags.auto_approve and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise VoiceopsError(
            "this asks before it changes anything, and here is no terminal to ask on", hint="Give --auto-approve."
        )


def check_confirmed(project: Project, flags: Flags) -> None:
    """A protected environment wants its name typed: by flag, or at the question; and in a pipeline its state has to be
    in a place that stays. Raises Refused."""
    from voiceops.use.state_place import check_place

    check_place(project, local=flags.local_state)
    if not project.safety.confirm or flags.confirm == project.environment:
        return
    if flags.confirm is not None or not sys.stdin.isatty():
        raise Refused(
            f"the environment {project.environment} is protected", hint=f"Give --confirm {project.environment}."
        )


def run_apply(
    console: Console,
    project: Project,
    flags: Flags,
    request: Request,
    open_job: Callable[[], AbstractAsyncContextManager[Job]],
    warnings: tuple[Diagnostic, ...] = (),
    *,
    asks: bool = True,
) -> int:
    """Apply, and tell how it ended."""
    from voiceops.apply.run import Outcome, apply
    from voiceops.cli.terminal.progress import reporter
    from voiceops.render.grouped import render_diagnostics
    from voiceops.render.text import render_diagnostic, render_plan

    report = reporter(console, flags.format_)
    if flags.format_ == "text":
        for entry in render_diagnostics(warnings, console.style(sys.stderr)):
            console.note(entry)

    begun = False

    async def confirmed(plan: Plan) -> bool:
        nonlocal begun
        if flags.format_ == "text" and not console.quiet:
            console.prose(render_plan(plan, console.style(), verbose=console.verbose))
        if flags.auto_approve or not asks:
            begun = True
            return True
        protected = project.safety.confirm and flags.confirm is None
        word = plan.environment if protected else "yes"
        answer = await _ask(f"Apply this to {plan.environment}? Only '{word}' is taken: ")
        begun = answer.strip() == word
        return begun

    async def work() -> Outcome:
        stop = asyncio.Event()
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        told = _stopping(console, stop)

        def stopping() -> None:
            if begun or main is None:
                told()
            else:  # it waits for the lock, reads, or asks: nothing was sent
                main.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopping)
        async with open_job() as job:
            with report:
                return await apply(job, request, report.event, confirmed, stop)

    try:
        outcome = asyncio.run(work())
    except asyncio.CancelledError:
        raise VoiceopsError("stopped before anything was changed") from None
    if outcome.result is None:
        if not outcome.plan.active:
            if flags.format_ == "text":
                for diagnostic in outcome.plan.diagnostics:
                    console.note(render_diagnostic(diagnostic, console.style(sys.stderr)))
            report.nothing(outcome.plan)
            return 0
        raise VoiceopsError("not approved: nothing was changed")
    report.summary(outcome)
    if outcome.result.complete:
        return 0
    if outcome.result.refused is not None:
        return outcome.result.refused.exit_code
    return PartialApply.exit_code if outcome.result.done else VoiceopsError.exit_code


async def _ask(question: str) -> str:
    """A line from the terminal, or nothing at its end. Not in a thread, which no signal would get out of it."""
    Console().say(question, end="")
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        loop.remove_reader(sys.stdin)
        line.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        return await line
    except asyncio.CancelledError:
        Console().say("")  # after the question, and the ^C that the terminal shows
        raise
    finally:
        loop.remove_reader(sys.stdin)


def _stopping(console: Console, stop: asyncio.Event) -> Callable[[], None]:
    def handler() -> None:
        if not stop.is_set():
            console.note("Stopping: requests under way are finished, no new ones are started.")
        stop.set()

    return handler
