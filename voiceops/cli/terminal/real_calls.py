"""`test --replay` and `test --record`: real calls again, and real calls as tests."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.period import When, now
from voiceops.cli.terminal.test_reports import ShownReport, show
from voiceops.render.replay_text import left_out_rows, render_cost, render_recorded, render_replay
from voiceops.render.test_report_json import test_report_data

F = TypeVar("F", bound=Callable[..., Any])

UNASKED_MONEY, UNASKED_CHATS = 1.0, 300  # up to here a replay runs without being asked about
_EVERY, _NOTES = 10, 10  # calls between two notes of how far it is, at least; and notes, about


@dataclass(frozen=True, slots=True, kw_only=True)
class RealCalls:
    """What the command line says about real calls."""

    replay: bool
    record: bool
    since: float | None
    n: int
    calls_of: str
    into: Path | None
    yes: bool
    db: str

    def wanted(self, ids: tuple[str, ...], agent: str) -> use.CallsWanted:
        """Which calls."""
        return use.CallsWanted(
            ids=ids, since=self.since, agent=agent, calls=self.n, calls_of=self.calls_of, database=self.db
        )


def real_calls(command: F) -> F:
    """The flags of both; the command gets them as `real`."""

    @functools.wraps(command)
    def with_real(*args: Any, **given: Any) -> Any:
        mine = {name: given.pop(name) for name in RealCalls.__slots__}
        real = RealCalls(**mine)
        if real.replay and real.record:
            raise click.UsageError("--replay and --record are two things: give one of them.")
        _refuse_idle(real, bool(given.get("names")), str(given.get("format_")))
        return command(*args, real=real, **given)

    for option in reversed(
        (
            click.option("--replay", is_flag=True, help="Have real calls again, with the agents as they are now."),
            click.option("--record", is_flag=True, help="Write real calls down as scenarios and call scripts."),
            click.option(
                "--since", type=When(now), metavar="T", help="Real calls: only those since 24h, 7d, or a date."
            ),
            click.option(
                "--n",
                type=click.IntRange(1, 10_000),
                default=50,
                show_default=True,
                metavar="N",
                help="Real calls: the newest so many.",
            ),
            click.option("--calls-of", default="", metavar="ENV", help="Real calls: of another environment."),
            click.option(
                "--into",
                type=click.Path(path_type=Path, file_okay=False),
                metavar="DIR",
                help="--record: where manifests go [default: recorded/ beside the agents].",
            ),
            click.option("--yes", is_flag=True, help="--replay: don't ask, whatever it probably costs."),
            click.option("--db", default="", metavar="URL", help="Real calls: another store of calls."),
        )
    ):
        with_real = option(with_real)
    return cast(F, with_real)


def _refuse_idle(real: RealCalls, ids: bool, format_: str) -> None:
    """Flags that would say nothing are slips."""
    if not (real.replay or real.record):
        idle: tuple[str, ...] = ("since", "n", "calls_of", "into", "db")
        why = "is about real calls: give it with --replay or --record."
    elif real.replay:
        idle = ("into", "kinds", "changed")
        why = "says nothing about calls that are replayed: leave it out."
    else:
        idle = ("kinds", "changed", "repeat", "budget", "yes")
        why = "says nothing about calls that are recorded: leave it out."
    _refuse(idle, why)
    if ids and (real.replay or real.record):
        _refuse(
            ("since", "n", "agent"), "chooses among calls, and these are named by their ids: leave one of them out."
        )
    if real.record and format_ in ("junit", "markdown"):
        raise click.UsageError(f"--format {format_} is of tests: --record has text and json.")


def _refuse(names: Collection[str], why: str) -> None:
    context = click.get_current_context()
    for option in context.command.params:
        if option.name in names and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option.opts[0]} {why}")


def replay_calls(
    console: Console, real: RealCalls, ids: tuple[str, ...], agent: str, repeat: int | None, budget: float | None
) -> use.Replay:
    """Have the calls again, after saying what it probably costs. Raises VoiceopsError: nobody agreed."""

    def agree(cost: use.ReplayCost) -> bool:
        console.note(render_cost(cost))
        if real.yes or (cost.money <= UNASKED_MONEY and cost.chats <= UNASKED_CHATS):
            return True
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return False
        console.say("Replay them? Only 'yes' is taken: ", end="")
        return sys.stdin.readline().strip() == "yes"

    def progress(done: int, of: int) -> None:
        if done % max(_EVERY, of // _NOTES) == 0 and done < of:
            console.note(f"{done} of {of} calls are done.")

    loaded = use.load(*console.place)
    wanted = use.ReplayWanted(
        calls=real.wanted(ids, agent),
        repeat=repeat or loaded.project.trials.repeat,
        min_pass=loaded.project.trials.min_pass,
        seconds=None if budget is None else 60 * budget,
    )
    return completed(use.replay(loaded, wanted, agree=agree, progress=progress))


def show_replay(console: Console, replay: use.Replay, format_: str, files: tuple[Path, ...] = ()) -> int:
    """Print what came of it, and write it into the files; the exit code. Raises VoiceopsError: as show."""
    report = replay.report
    not_had = left_out_rows(replay.left_out)
    shown = ShownReport(
        report=dataclasses.replace(report, warnings=(*report.warnings, *not_had)),
        data=test_report_data(report) | {"replay": replay.to_data()},
        text=functools.partial(render_replay, replay),
    )
    code = show(console, shown, format_, files)
    if format_ == "text":
        for warning in report.warnings:
            console.note(warning)
    return code


def record_calls(console: Console, real: RealCalls, ids: tuple[str, ...], agent: str, format_: str) -> int:
    """Write the calls down; say what was written."""
    recorded = completed(use.record(use.load(*console.place), real.wanted(ids, agent), real.into))
    if format_ == "json":
        data = asdict(recorded)
        console.data(data | {"leftOut": data.pop("left_out")})
    else:
        console.prose(render_recorded(recorded.written, recorded.there, recorded.left_out, recorded.replaced))
    for warning in recorded.warnings:
        console.note(warning)
    return 0
