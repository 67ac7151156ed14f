"""`voiceops test`: the environment's tests."""

from __future__ import annotations

from pathlib import Path

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import BoundedNumber, formats
from voiceops.cli.terminal.real_calls import RealCalls, real_calls, record_calls, replay_calls, show_replay
from voiceops.cli.terminal.test_reports import FORMATS, report_files, show, shown_tests

_KINDS = ("suite", "eval", "script")


@click.command("test")
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--agent", default="", metavar="NAME", help="Only tests of this agent or squad.")
@click.option("--kind", "kinds", type=click.Choice(_KINDS), multiple=True, help="Only tests of this sort; repeat.")
@click.option("--repeat", type=click.IntRange(1, 100), metavar="N", help="Run each so often [default: tests.repeat].")
@click.option(
    "--budget",
    type=BoundedNumber(min=0, min_open=True),
    metavar="MINUTES",
    help="After so long nothing new starts, and what runs is cancelled.",
)
@click.option(
    "--changed",
    is_flag=True,
    help="Only tests of what differs from what is live (of a preview: in the environment it is made of).",
)
@real_calls
@formats(*FORMATS)
@report_files
@click.pass_obj
def test_command(
    console: Console,
    names: tuple[str, ...],
    agent: str,
    kinds: tuple[use.TestKind, ...],
    repeat: int | None,
    budget: float | None,
    changed: bool,
    format_: str,
    real: RealCalls,
    files: tuple[Path, ...],
) -> int:
    """Run the environment's tests: simulation suites and evals at Vapi, call scripts on this machine.

    Suites and evals call the agents that are live, and cost what their calls cost. Call scripts are the files in
    tests/: they are played against a runtime that is started for them, with the project's own handlers. NAME is a
    suite, a simulation of one ("orders / refund"), an eval or a script; * and ? stand for others. Ends with 0 when all
    passed, 1 when something failed, 3 when something could not be run. Ctrl-C cancels what runs at Vapi.

    --replay has real calls again, with the agents as they are now and with the tools' answers of then, and tells which
    would have ended otherwise; no tool runs. --record writes real calls down as scenarios and scripts. For both, NAME
    is a call's id.

    \b
    Examples:
      voiceops test
      voiceops -e staging test orders --repeat 3
      voiceops test --kind script
      voiceops -e preview-142 test --budget 20 --out report.xml --out report.md
      voiceops -e preview-142 test --replay --since 7d --calls-of prod
      voiceops -e prod test --record 8f14e45f
    """
    if real.record:
        if files:
            raise click.UsageError("--out is about what came of tests: leave it out with --record.")
        return record_calls(console, real, names, agent, format_)
    if real.replay:
        return show_replay(console, replay_calls(console, real, names, agent, repeat, budget), format_, files)
    wanted = use.TestsWanted(names=names, agent=agent, kinds=kinds)
    running = use.run_tests(
        use.load(*console.place), wanted, repeat=repeat, budget=budget, changed=changed, told=console.note
    )
    return show(console, shown_tests(completed(running)), format_, files)
