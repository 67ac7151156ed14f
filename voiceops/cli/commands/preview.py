"""`voiceops preview`: an environment for a pull request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import BoundedNumber, formats
from voiceops.cli.terminal.period import Span
from voiceops.cli.terminal.progress import Reporter
from voiceops.cli.terminal.signalled import Signalled
from voiceops.errors import PartialApply, VoiceopsError
from voiceops.render import preview_text

T = TypeVar("T")

_PATIENCE = click.option(
    "--lock-timeout",
    type=BoundedNumber(0),
    default=300.0,
    show_default=True,
    metavar="S",
    help="Seconds to wait for another command that works on the same preview, or changes the list.",
)


@click.group("preview")
def preview_command() -> None:
    """Make an environment for a pull request, and take it down again.

    A preview is an environment, made of another one: its own objects under names of their own, its own state, no phone
    line but, where asked for, one number out of the pool. Every command takes it, as -e preview-NAME.
    """


@preview_command.command("up")
@click.argument("name")
@click.option(
    "--from", "source", default="", metavar="ENV", help="The environment to make it of [-e ENV, previews.from]."
)
@click.option("--ttl", type=Span(), metavar="TIME", help="How long it stays: 24h, 7d [previews.ttl].")
@click.option("--line", default="", metavar="PHONE", help="Bind a free number of previews.lines to what PHONE reaches.")
@click.option("--runtime", metavar="URL", help="The base URL of a webhook runtime of its own; an empty one: none.")
@_PATIENCE
@formats("text", "json")
@click.pass_obj
def up_command(console: Console, /, lock_timeout: float, format_: str, **asked: Any) -> int:
    """Make the preview NAME, or bring it to what the manifests say now; its time counts from now.

    Asks nothing. Nothing of the environment that it is made of is touched. Whatever happens to this command, the
    preview is listed, and `preview down NAME` or `preview sweep` takes all of it away.

    \b
    Examples:
      voiceops preview up pr-12
      voiceops preview up pr-12 --line support-line --ttl 3d
      voiceops -e preview-pr-12 plan
    """
    heard = Signalled(console)
    asked["source"] = asked["source"] or console.environment or ""

    async def made() -> use.PreviewUp:
        terms = _terms(heard, lock_timeout)
        return await use.preview_up(console.folder, console.context, use.PreviewWanted(**asked), terms)

    found = _ended(made())
    if format_ == "json":
        console.data(found.to_data())
    else:
        failed = None if found.complete else found.to_data()["failed"]
        console.prose(preview_text.up(found.preview, found.made, found.notes, console.style(), failed=failed))
    return 0 if found.complete else PartialApply.exit_code


@preview_command.command("list")
@formats("text", "json")
@click.pass_obj
def list_command(console: Console, format_: str) -> None:
    """Every preview: made of what, until when, with which number."""
    found = completed(use.preview_list(console.folder, console.context))
    if format_ == "json":
        console.data([preview.shown() for preview in found])
    else:
        console.prose(preview_text.listed(found, time.time(), console.style()))


@preview_command.command("down")
@click.argument("name")
@_PATIENCE
@formats("text", "json")
@click.pass_obj
def down_command(console: Console, name: str, lock_timeout: float, format_: str) -> int:
    """Take the preview NAME down: give its number back, delete what it made, forget it.

    Asks nothing. One that is not there is fine, so that it can be run again.
    """
    heard = Signalled(console)

    async def gone() -> use.PreviewDown:
        return await use.preview_down(console.folder, console.context, name, _terms(heard, lock_timeout))

    found = _ended(gone())
    if format_ == "json":
        console.data(found.to_data())
    else:
        console.prose(preview_text.down(found.to_data(), console.style()))
    return 0


@preview_command.command("sweep")
@click.option("--all", "every", is_flag=True, help="Every preview, whatever its time.")
@_PATIENCE
@formats("text", "json")
@click.pass_obj
def sweep_command(console: Console, every: bool, lock_timeout: float, format_: str) -> int:
    """Take down the previews that are past their time, and finish what a `down` that died left.

    For a nightly job. What fails in one leaves the others alone; the exit code is then the gravest.
    """
    heard = Signalled(console)

    def told(one: use.PreviewDown) -> None:
        if format_ == "text":
            console.prose(preview_text.down(one.to_data(), console.style()))
        if one.error is not None:
            console.failure(one.error)

    async def swept() -> list[use.PreviewDown]:
        terms = _terms(heard, lock_timeout)
        return await use.preview_sweep(console.folder, console.context, terms, every=every, told=told)

    found = _ended(swept())
    if format_ == "json":
        console.data([one.to_data() for one in found])
    elif not found:
        console.prose("Nothing to sweep.")
    return max((one.error.exit_code for one in found if one.error is not None), default=0)


def _terms(heard: Signalled, lock_timeout: float) -> use.PreviewTerms:
    """Within the loop: what is under way is told beside the result, and a signal stops it."""
    console, stop = heard.console, asyncio.Event()
    words = Reporter(console)

    def told(event: use.Event) -> None:
        if text := words.text(event):
            console.note(text)

    heard.listen(stop)
    return use.PreviewTerms(emit=told, stop=stop, begun=heard.begin, lock_timeout=lock_timeout)


def _ended(work: Coroutine[Any, Any, T]) -> T:
    try:
        return completed(work)
    except asyncio.CancelledError:
        raise VoiceopsError("stopped before anything was changed at Vapi") from None
