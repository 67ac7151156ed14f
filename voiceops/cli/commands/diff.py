"""`voiceops diff`: a revision against another, or against the manifests; an environment against another."""

from __future__ import annotations

from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import formats
from voiceops.errors import VoiceopsError


@click.command("diff")
@click.argument("revisions", type=click.IntRange(1), nargs=-1, metavar="REV [REV]")
@click.option(
    "-e", "--environment", "environments", multiple=True, metavar="ENV", help="Two of them: compare environments."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when something differs.")
@formats("text", "json")
@click.pass_obj
def diff_command(
    console: Console, revisions: tuple[int, ...], environments: tuple[str, ...], detailed_exitcode: bool, format_: str
) -> int:
    """Show what differs between two revisions, between a revision and the manifests, or between two environments.

    Between environments the manifests are compared as each resolves them, without what is an environment's own
    (naming, accounts, the runtime's address); then comes what each has live, as far as it was applied.

    \b
    Examples:
      voiceops -e prod diff 12            what changed since revision 12
      voiceops -e prod diff 11 12         what revision 12 changed
      voiceops diff -e staging -e prod    what a promotion has still to bring
    """
    names = list(environments)
    if console.environment and (len(names) == 1 and not revisions):
        names.insert(0, console.environment)
    if len(names) == 2 and not revisions:
        loaded = [use.load(*console.at(name)) for name in names]
        found = completed(use.compare_environments(*loaded))
    elif len(names) < 2 and 1 <= len(revisions) <= 2:
        opened = use.open_project(*console.at(names[0] if names else console.environment))
        found = completed(use.compare_revisions(opened, revisions))
    else:
        raise VoiceopsError(
            "diff takes one or two revisions, or two environments",
            hint="voiceops diff 12, voiceops diff 11 12, or voiceops diff -e staging -e prod.",
        )
    _show(console, found, format_)
    return 2 if detailed_exitcode and found.differences else 0


def _show(console: Console, found: use.Comparison, format_: str) -> None:
    from voiceops.render.compare_text import comparison_data, render_comparison, render_live, render_settings

    live = {name: None if one is None else _live_data(one, comparison_data) for name, one in found.live.items()}
    if format_ == "json":
        data: dict[str, Any] = {
            "first": found.first,
            "second": found.second,
            "differences": comparison_data(found.differences),
        }
        if live:
            data |= {"settings": {name: list(pair) for name, pair in found.settings.items()}, "live": live}
        console.data(data)
        return
    console.prose(render_comparison(found.differences, found.first, found.second, console.style()))
    if found.settings:
        console.prose(render_settings(found.settings, console.style()))
    if live:
        console.prose(render_live(live, console.style()))


def _live_data(live: use.Live, comparison_data: Any) -> dict[str, Any]:
    return {
        "revision": live.revision,
        "at": live.at,
        "commit": live.commit,
        "objects": live.objects,
        "pending": [
            {key: d[key] for key in ("address", "difference")} | {"fields": [f["path"] for f in d["fields"]]}
            for d in comparison_data(live.pending)
        ],
    }
