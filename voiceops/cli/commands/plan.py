"""`voiceops plan`."""

from __future__ import annotations

from pathlib import Path

import click

from voiceops import use
from voiceops.cli.terminal.apply_flags import sign_flag
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import exclusion, formats, selection
from voiceops.errors import Refused, VoiceopsError


@click.command("plan")
@formats("text", "json", "markdown", "html")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the plan for `apply FILE`.",
)
@sign_flag
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there is something to do.")
@click.option("--destroy", is_flag=True, help="Plan the deletion of everything that is managed.")
@click.option("--refresh-only", is_flag=True, help="Only what was edited live since the last apply.")
@click.option("--adopt", is_flag=True, help="Plan to take over unmanaged objects of the same name.")
@click.option("--release-hold", is_flag=True, help="Plan to bring back what was rolled back, after all.")
@exclusion
@selection
@click.pass_obj
def plan_command(
    console: Console,
    format_: str,
    out: Path | None,
    sign: Path | None,
    detailed_exitcode: bool,
    destroy: bool,
    refresh_only: bool,
    adopt: bool,
    release_hold: bool,
    targets: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    excluded: tuple[str, ...],
) -> int:
    """Show what apply would change on live Vapi and Twilio, and which phone lines would notice.

    Writes nothing, takes no lock, and needs no secret but the API keys. Exit 5 where the plan can't be applied, --force
    aside. With VOICEOPS_DASHBOARD_TOKEN it also says where the runtime that answers at runtime.url serves other tools
    than the manifests.

    \b
    Examples:
      voiceops plan
      voiceops -e prod plan --detailed-exitcode --out plan.json
      voiceops -e prod plan --format markdown > comment.md   for a pull request
      voiceops -e prod plan --format html > plan.html        to read side by side
      voiceops plan --target Agent/support
    """
    from voiceops.cli.terminal.plans import keep, note_warnings, rendered

    if sign is not None and out is None:
        raise VoiceopsError("--sign signs a kept plan", hint="Give --out FILE, too.")
    loaded = use.load(*console.place)
    scope = use.Scope(
        targets=targets,
        labels=dict(labels),
        excluded=excluded,
        destroy=destroy,
        refresh_only=refresh_only,
        adopt=adopt,
        release_hold=release_hold,
    )
    found = completed(use.plan(loaded, scope))
    if out is not None or format_ == "json":
        data = use.plan_data(found, adopt=adopt)
        data["diagnostics"] += [d.to_data() for d in loaded.warnings]
        keep(console, data, out, sign)
    if format_ == "json":
        console.data(data)
    else:
        note_warnings(console, loaded.warnings)
        show = {"html": console.document, "text": console.prose}.get(format_, console.out)
        show(rendered(found, loaded.graph, format_, console))
    if found.refused and not found.needs_force and not refresh_only:
        return Refused.exit_code
    return 2 if detailed_exitcode and (found.active or (found.drift and refresh_only)) else 0
