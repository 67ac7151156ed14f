"""`voiceops test`: the environment's tests."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import formats
from voiceops.cli.terminal.real_calls import RealCalls, real_calls, record_calls, replay_calls, show_replay
from voiceops.render.test_report_json import test_report_data

_KINDS = ("suite", "eval", "script")


@click.command("test")
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--agent", default="", metavar="NAME", help="Only tests of this agent or squad.")
@click.option("--kind", "kinds", type=click.Choice(_KINDS), multiple=True, help="Only tests of this sort; repeat.")
@click.option("--repeat", type=click.IntRange(1, 100), metavar="N", help="Run each so often [default: tests.repeat].")
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="After so long nothing new starts, and what runs is cancelled.",
)
@real_calls
@formats("text", "json")
@click.pass_obj
def test_command(
    console: Console,
    names: tuple[str, ...],
    agent: str,
    kinds: tuple[use.TestKind, ...],
    repeat: int | None,
    budget: float | None,
    format_: str,
    real: RealCalls,
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
      voiceops -e preview-142 test --budget 20
      voiceops -e preview-142 test --replay --since 7d --calls-of prod
      voiceops -e prod test --record 8f14e45f
    """
    if real.record:
        return record_calls(console, real, names, agent, format_)
    if real.replay:
        return show_replay(console, replay_calls(console, real, names, agent, repeat, budget), format_)
    wanted = use.TestsWanted(names=names, agent=agent, kinds=kinds)
    report = completed(use.run_tests(use.load(*console.place), wanted, repeat=repeat, budget=budget, told=console.note))
    if format_ == "json":
        console.data(test_report_data(report))
    else:
        for result in report.results:
            why = result.worst.reason if result.worst is not None else ""
            console.out(f"{result.verdict}: {result.case.name}{f': {why}' if why else ''}")
            if result in report.failing:
                console.out(f"  {result.case.agent_at} {', '.join(result.case.lines)}")
        for warning in report.warnings:
            console.note(warning)
    return report.exit_code
