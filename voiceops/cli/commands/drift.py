"""`voiceops drift`."""

from __future__ import annotations

from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import Address, formats, local_state
from voiceops.render.text import render_diagnostic, render_drift


@click.command("drift")
@click.argument("addresses", type=Address(), nargs=-1, metavar="[ADDR]...")
@click.option("--accept", is_flag=True, help="Write the live edits back into the manifests; comments stay.")
@click.option("-m", "message", default="", metavar="TEXT", help="With --accept: why, kept in the history.")
@local_state
@formats("text", "json")
@click.pass_obj
def drift_command(
    console: Console, addresses: tuple[str, ...], accept: bool, message: str, local_state: bool, format_: str
) -> int:
    """Show what was edited live since the last apply, by field; exit 2 where something was.

    --accept takes edits over into the files: the manifest, a part, defaults, an environment's patch or a prompt's file,
    wherever the value stands. Nothing live is changed. What can't be written back is named, and why.

    \b
    Examples:
      voiceops -e prod drift                          in a nightly job
      voiceops -e prod drift --accept Agent/support   keep what was edited live
    """

    loaded = use.load(*console.place)
    if not accept:
        found = completed(use.drift(loaded, addresses))
        if format_ == "json":
            console.data(_data(found))
        else:
            console.prose(
                render_drift(list(found.drift), console.style(), plan=found.plan)
                or "No drift: what is live is what was applied."
            )
        return 2 if found.drift else 0
    result = completed(use.accept_drift(loaded, addresses, message=message, local_state=local_state))
    taken, refused = result.accepted.taken, result.accepted.refused
    if format_ == "json":
        accepted = {"accepted": [t.to_data() for t in taken], "refused": [d.to_data() for d in refused]}
        console.data(_data(result.found) | accepted)
        return 1 if refused else 0
    for one in taken:
        console.out(f"{one.file}:{one.line}: {one.address} is as it is live now")
    for diagnostic in refused:
        console.note(render_diagnostic(diagnostic, console.style()))
    if not result.found.drift:
        console.out("No drift: what is live is what was applied.")
    if not result.recorded:
        console.note("More has changed in these manifests than was taken over: `voiceops apply` records it.")
    return 1 if refused else 0


def _data(found: use.Drifted) -> dict[str, Any]:
    return {
        "project": found.plan.project,
        "environment": found.plan.environment,
        "org": found.plan.org,
        "resource_drift": [drift.to_data() for drift in found.drift],
    }
