"""`voiceops simulate`: a scripted call against a running runtime."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import formats
from voiceops.errors import VoiceopsError
from voiceops.model.env_values import checked

if TYPE_CHECKING:
    from voiceops.runtime.spec import RuntimeSpec
    from voiceops.simulate.player import Moment, Played, Signer
    from voiceops.simulate.script import Script

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
      voiceops simulate calls/order.yaml --url http://127.0.0.1:8080
      voiceops simulate --concurrency 1000 --over 30
    """
    from voiceops.cli.commands.serve import runtime_environ, runtime_spec
    from voiceops.cli.wiring import load
    from voiceops.simulate.player import Signer
    from voiceops.simulate.script import default_script
    from voiceops.simulate.script_file import read_script
    from voiceops.simulate.sender import checked_url, is_loopback

    host = checked_url(url)
    asks = not is_loopback(url) and not yes
    if asks and not _terminal():
        raise VoiceopsError(
            f"{host} is not this machine: its handlers would run, and here is no terminal to ask on",
            hint="Give --yes where a call may be played there. Nothing was sent.",
        )
    loaded = load(console)
    spec = runtime_spec(loaded)
    if script is None:
        chosen = default_script(spec)
    else:
        try:
            text = script.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise VoiceopsError(f"{script} can't be read: {getattr(error, 'strerror', error)}") from None
        chosen = read_script(text, script.as_posix(), spec)
    environ = runtime_environ(loaded)
    needed = ["VAPI_WEBHOOK_SECRET"]
    if chosen.line is not None and chosen.line.answer == "runtime":
        needed.append("TWILIO_AUTH_TOKEN")
    if missing := [name for name in needed if not environ.get(name)]:
        raise VoiceopsError(
            f"the call can't be signed: {', '.join(missing)} not set",
            hint="Set what the runtime has, or put it into .env.",
        )
    if public_url:
        spec = replace(spec, url=public_url.rstrip("/"))
    if asks and not _agreed(console, host, chosen.name, concurrency):
        raise VoiceopsError("nothing was sent", hint="Only 'yes' is taken, or --yes.")
    secret, token = (checked(name, environ.get(name, "")) for name in ("VAPI_WEBHOOK_SECRET", "TWILIO_AUTH_TOKEN"))
    signer = Signer(spec, secret, token)
    calls = asyncio.run(_play(spec, chosen, url, signer, concurrency, over))
    moments = [moment for call in calls for moment in call.moments]
    if moments and all(moment.status == 0 for moment in moments):
        raise VoiceopsError(
            f"nothing answers at {url}", hint="Start it: voiceops serve; or say where it is with --url."
        )
    wrong = [moment for moment in moments if moment.wrong]
    if format_ == "json":
        console.data(_data(calls, chosen))
    elif concurrency == 1:
        _timeline(console, chosen, calls[0].moments)
    if format_ != "json":
        _summary(console, calls, wrong)
    return 1 if wrong else 0


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _agreed(console: Console, host: str, script: str, concurrency: int) -> bool:
    """Ask before handlers run elsewhere."""
    times = "" if concurrency == 1 else f", {concurrency:,} times at once"
    console.say(f"Play {script!r} against {host}{times}? Its handlers run. Only 'yes' is taken: ", end="")
    return sys.stdin.readline().strip() == "yes"


async def _play(
    spec: RuntimeSpec, script: Script, url: str, signer: Signer, concurrency: int, over: float
) -> list[Played]:
    from voiceops.simulate.player import Player
    from voiceops.simulate.sender import Sender

    sender = Sender(url)
    try:

        async def one(number: int) -> Played:
            # Calls don't start in the same instant, and no two share a connection for long.
            await asyncio.sleep(over * number / concurrency if over else 0)
            return await Player(spec, script, sender, signer, over).play()

        return list(await asyncio.gather(*(one(number) for number in range(concurrency))))
    finally:
        await sender.close()


def _timeline(console: Console, script: Script, moments: list[Moment]) -> None:
    style = console.style()
    console.out(style(script.name, "bold"))
    for moment in moments:
        said = _short(moment.said, 60)
        answer = f"  → {_short(moment.answer, _WIDTH - 40)}" if moment.answer else ""
        took = style(f"{moment.seconds * 1000:6.0f} ms", "dim")
        console.out(f"{moment.at:7.2f}  {moment.verb:<12} {took}  {said}{answer}")
        for wrong in moment.wrong:
            console.out(f"{'':9}{style('wrong', 'red')}: {_short(wrong, 200)} ({moment.place or moment.verb})")


def _summary(console: Console, calls: list[Played], wrong: list[Moment]) -> None:
    moments = sorted((m for call in calls for m in call.moments), key=lambda m: m.seconds)
    if len(calls) > 1:
        for verb in sorted({moment.verb for moment in moments}):
            times = [moment.seconds * 1000 for moment in moments if moment.verb == verb]
            console.out(
                f"{verb:<12} {len(times):>7} requests   p50 {_at(times, 0.5):7.1f} ms   p95 {_at(times, 0.95):7.1f} ms"
                f"   p99 {_at(times, 0.99):7.1f} ms   worst {times[-1]:7.1f} ms"
            )
        for text in sorted({f"{m.verb}: {w}" for m in wrong for w in m.wrong})[:10]:
            console.out(f"wrong: {text}")
    style = console.style()
    verdict = style("ok", "green") if not wrong else style(f"{len(wrong)} wrong", "red")
    slowest = moments[-1].seconds * 1000 if moments else 0
    plural = "" if len(calls) == 1 else "s"
    console.out(f"{verdict}: {len(calls)} call{plural}, {len(moments)} requests, the slowest {slowest:.0f} ms")


def _at(times: list[float], share: float) -> float:
    """A percentile of sorted times; 0 where there are none, since a script may only wait."""
    return times[min(len(times) - 1, int(len(times) * share))] if times else 0.0


def _data(calls: list[Played], script: Script) -> dict[str, object]:
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
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
