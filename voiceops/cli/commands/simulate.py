"""`voiceops simulate`: a call script against a running runtime."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import formats
from voiceops.errors import VoiceopsError
from voiceops.model.wording import cut, many

_WIDTH = 96


@click.command("simulate")
@click.argument("script", required=False, type=click.Path(path_type=Path, dir_okay=False), metavar="[SCRIPT.yaml]")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, metavar="URL", help="Where the runtime is.")
@click.option("--public-url", metavar="URL", help="What it takes for its own address [default: runtime.url].")
@click.option("--concurrency", type=click.IntRange(1, 100_000), default=1, metavar="N", help="So many calls at once.")
@click.option("--over", type=float, default=0.0, metavar="SECONDS", help="Spread each call over so long.")
@click.option("--yes", is_flag=True, help="Don't ask before a call to a runtime on another machine.")
@formats("text", "json")
@click.pass_obj
def simulate_command(
    console: Console,
    script: Path | None,
    url: str,
    public_url: str | None,
    concurrency: int,
    over: float,
    yes: bool,
    format_: str,
) -> int:
    """Play a call against a running runtime, and check what it answers.

    Requests are signed as Twilio and Vapi sign theirs. Without a script every tool is used once, with made-up
    arguments. The secrets are those that the runtime has: VAPI_WEBHOOK_SECRET, and TWILIO_AUTH_TOKEN for lines that
    it answers. A failure's sentence, a late answer, or one that Vapi refuses ends with 1, unless the script says
    `fails:`; so does an answer that is not what the script expects. Handlers run and do what they do: against
    another machine than this one it asks first.

    \b
    Examples:
      voiceops simulate
      voiceops simulate tests/order.yaml --url http://127.0.0.1:8080
      voiceops simulate --concurrency 1000 --over 30
    """
    host = use.elsewhere(url)
    asks = bool(host) and not yes
    if asks and not _terminal():
        raise VoiceopsError(
            f"{host} is not this machine: its handlers would run, and here is no terminal to ask on",
            hint="Give --yes where a call may be played there. Nothing was sent.",
        )
    call = use.rehearse(use.load(*console.place), script, public_url or "")
    if asks and not _agreed(console, host, call.script.name, concurrency):
        raise VoiceopsError("nothing was sent", hint="Only 'yes' is taken, or --yes.")
    calls = completed(use.simulate(call, url, calls=concurrency, over=over))
    wrong = [moment for played in calls for moment in played.wrong]
    if format_ == "json":
        console.data(_data(calls, call.script))
    else:
        if concurrency == 1:
            _timeline(console, call.script, calls[0].moments)
        _summary(console, calls, wrong)
    return 1 if wrong else 0


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _agreed(console: Console, host: str, script: str, concurrency: int) -> bool:
    """Ask before handlers run elsewhere."""
    times = "" if concurrency == 1 else f", {concurrency:,} times at once"
    console.say(f"Play {script!r} against {host}{times}? Its handlers run. Only 'yes' is taken: ", end="")
    return sys.stdin.readline().strip() == "yes"


def _timeline(console: Console, script: use.Script, moments: list[use.Moment]) -> None:
    style = console.style()
    console.out(style(script.name, "bold"))
    for moment in moments:
        said = _short(moment.said, 60)
        answer = f"  → {_short(moment.answer, _WIDTH - 40)}" if moment.answer else ""
        took = style(f"{moment.seconds * 1000:6.0f} ms", "dim")
        console.out(f"{moment.at:7.2f}  {moment.verb:<12} {took}  {said}{answer}")
        for wrong in moment.wrong:
            console.out(f"{'':9}{style('wrong', 'red')}: {_short(wrong, 200)} ({moment.place or moment.verb})")


def _summary(console: Console, calls: list[use.Played], wrong: list[use.Moment]) -> None:
    moments = sorted((m for call in calls for m in call.moments), key=lambda m: m.seconds)
    if len(calls) > 1:
        for verb in sorted({moment.verb for moment in moments}):
            times = [moment.seconds * 1000 for moment in moments if moment.verb == verb]
            console.prose(
                f"{verb:<12} {len(times):>7} requests   p50 {_at(times, 0.5):7.1f} ms   p95 {_at(times, 0.95):7.1f} ms"
                f"   p99 {_at(times, 0.99):7.1f} ms   worst {times[-1]:7.1f} ms"
            )
        for text in sorted({f"{m.verb}: {w}" for m in wrong for w in m.wrong})[:10]:
            console.out(f"wrong: {text}")
    style = console.style()
    verdict = style("ok", "green") if not wrong else style(f"{len(wrong)} wrong", "red")
    slowest = moments[-1].seconds * 1000 if moments else 0
    console.out(f"{verdict}: {many(len(calls), 'call')}, {len(moments)} requests, the slowest {slowest:.0f} ms")


def _at(times: list[float], share: float) -> float:
    """A percentile of sorted times; 0 where there are none, since a script may only wait."""
    return times[min(len(times) - 1, int(len(times) * share))] if times else 0.0


def _data(calls: list[use.Played], script: use.Script) -> dict[str, object]:
    times = sorted(m.seconds * 1000 for call in calls for m in call.moments)
    first = calls[0].moments
    return {
        "name": script.name,
        "calls": len(calls),
        "requests": len(times),
        "wrong": sum(len(call.wrong) for call in calls),
        "milliseconds": {f"p{round(q * 100)}": round(_at(times, q), 2) for q in (0.5, 0.95, 0.99)},
        "steps": [
            {
                "at": round(m.at, 3),
                "step": m.verb,
                "said": m.said,
                "answer": m.answer,
                "milliseconds": round(m.seconds * 1000, 2),
                "status": m.status,
                "failed": m.failed,
                "wrong": list(m.wrong),
            }
            for m in first
        ],
    }


def _short(text: str, width: int) -> str:
    return cut(" ".join(text.split()), width)
