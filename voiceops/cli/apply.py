"""`voiceops apply` and `voiceops destroy`."""

from __future__ import annotations

import asyncio
import getpass
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import click

from voiceops.cli.console import Console
from voiceops.cli.options import formats, selection
from voiceops.errors import PartialApply, VoiceopsError


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        formats("text", "json"),
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
        click.option("--auto-approve", is_flag=True, help="Don't ask."),
    ):
        command = option(command)
    return command


@click.command("apply")
@click.option(
    "--adopt",
    is_flag=True,
    help="Take over unmanaged objects of the same name, where the match is unambiguous.",
)
@_shared
@click.pass_obj
def apply_command(console: Console, /, **given: Any) -> int:
    """Make live Vapi and Twilio what the manifests say; ask first.

    \b
    Examples:
      voiceops apply
      voiceops -e prod apply --auto-approve -m "new greeting"
    """
    return _apply(console, destroy=False, **given)


@click.command("destroy")
@_shared
@click.pass_obj
def destroy_command(console: Console, /, **given: Any) -> int:
    """Delete everything that is managed in the environment; numbers stay unless release: true."""
    return _apply(console, destroy=True, adopt=False, **given)


def _apply(
    console: Console,
    *,
    destroy: bool,
    adopt: bool,
    auto_approve: bool,
    parallelism: int,
    lock_timeout: float,
    force: bool,
    confirm: str | None,
    message: str,
    format_: str,
    targets: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
) -> int:
    from voiceops.apply.run import Outcome, apply
    from voiceops.cli.progress import reporter
    from voiceops.cli.wiring import load, open_job, options_of, without_resources
    from voiceops.model.plan import Plan
    from voiceops.render.text import render_diagnostic, render_plan

    if not auto_approve and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise VoiceopsError(
            "apply asks before it changes anything, and here is no terminal to ask on",
            hint="Give --auto-approve.",
        )
    loaded = load(console)
    project = loaded.project
    if project.safety.confirm and confirm != project.environment:
        raise VoiceopsError(
            f"the environment {project.environment} is protected",
            hint=f"Give --confirm {project.environment}.",
        )
    options = options_of(project, targets=targets, labels=dict(labels), destroy=destroy, force=force, adopt=adopt)
    graph = without_resources(loaded.graph) if destroy else loaded.graph
    report = reporter(console, format_)
    if format_ == "text":
        for warning in loaded.warnings:
            console.note(render_diagnostic(warning, console.style(sys.stderr)))

    async def confirmed(plan: Plan) -> bool:
        if format_ == "text" and not console.quiet:
            console.out(render_plan(plan, console.style(), verbose=console.verbose))
        if auto_approve:
            return True
        answer = await asyncio.to_thread(input, f"Apply this to {plan.environment}? Only 'yes' is taken: ")
        return answer.strip() == "yes"

    async def work() -> Outcome:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _stopping(console, stop))
        async with open_job(loaded, graph, options, parallelism) as job:
            with report:
                return await apply(
                    job,
                    report.event,
                    confirmed,
                    lock_timeout=lock_timeout,
                    message=message,
                    who=_who,
                    stop=stop,
                )

    outcome = asyncio.run(work())
    if outcome.result is None:
        if not outcome.plan.active:
            report.nothing(outcome.plan)
            return 0
        raise VoiceopsError("not approved: nothing was changed")
    report.summary(outcome)
    if outcome.result.complete:
        return 0
    if outcome.result.refused is not None:
        return outcome.result.refused.exit_code
    return PartialApply.exit_code if outcome.result.done else VoiceopsError.exit_code


def _stopping(console: Console, stop: asyncio.Event) -> Callable[[], None]:
    def handler() -> None:
        if not stop.is_set():
            console.note("Stopping: requests under way are finished, no new ones are started.")
        stop.set()

    return handler


def _who() -> dict[str, Any]:
    """Who applies: the pipeline's identity where there is one, else user@host."""
    for name, source in (("GITHUB_ACTOR", "github"), ("GITLAB_USER_LOGIN", "gitlab")):
        if os.environ.get(name):
            return {"name": os.environ[name], "source": source}
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return {"name": f"{user}@{socket.gethostname()}", "source": "local"}
