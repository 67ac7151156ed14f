"""`voiceops apply` and `voiceops destroy`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from voiceops.cli.applying import Flags, apply_flags, check_can_ask, check_confirmed, run_apply
from voiceops.cli.saved_plan import KeptPlan, check_asked, read_plan, verify_flag
from voiceops.cli.terminal.console import Console


@click.command("apply")
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False), required=False, metavar="[PLANFILE]")
@click.option("--release-hold", is_flag=True, help="Bring back what was rolled back, after all.")
@click.option("--destroy", is_flag=True, help="Delete everything that is managed, as `destroy` does.")
@verify_flag
@apply_flags
@click.pass_obj
def apply_command(
    console: Console,
    /,
    plan_file: Path | None,
    release_hold: bool,
    destroy: bool,
    verify: str | None,
    **given: Any,
) -> int:
    """Make live Vapi and Twilio what the manifests say; ask first.

    With PLANFILE, kept by `plan --out`, it plans again and applies the changes that were reviewed and no others; if one
    of them would come out otherwise now, nothing is applied. The file says what was reviewed, never what to do: a plan
    that destroys or adopts needs --destroy or --adopt here, too, and one that rolls back goes to `rollback PLANFILE`.

    \b
    Examples:
      voiceops apply
      voiceops -e prod apply --auto-approve -m "new greeting"
      voiceops -e prod apply plan.json
      voiceops -e prod apply plan.json --verify signers
    """
    flags = Flags(**given)
    check_can_ask(flags, asks=plan_file is None)
    kept = read_plan(plan_file, verify)
    return _apply(console, flags, destroy=destroy, kept=kept, release_hold=release_hold)


@click.command("destroy")
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False), required=False, metavar="[PLANFILE]")
@verify_flag
@apply_flags
@click.pass_obj
def destroy_command(console: Console, /, plan_file: Path | None, verify: str | None, **given: Any) -> int:
    """Delete everything that is managed in the environment; numbers stay unless release: true.

    With PLANFILE, kept by `plan --destroy --out`: what was reviewed, and nothing else.

    \b
    Examples:
      voiceops -e review-17 destroy --auto-approve
      voiceops -e review-17 destroy plan.json
    """
    flags = Flags(**given)
    check_can_ask(flags, asks=plan_file is None)
    return _apply(console, flags, destroy=True, kept=read_plan(plan_file, verify))


def _apply(console: Console, flags: Flags, *, destroy: bool, kept: KeptPlan | None, release_hold: bool = False) -> int:
    from voiceops.apply.revisions import Request
    from voiceops.cli.wiring import check_lints, labels_of, load, open_job, options_of, uses_of, without_resources
    from voiceops.use.origin import origin
    from voiceops.use.state_place import place_warnings

    if kept is not None:
        check_asked(kept, destroy=destroy, adopt=flags.adopt)
    loaded = load(console)
    project = loaded.project
    check_confirmed(project, flags)
    if not destroy:
        check_lints(loaded)
    options = options_of(
        project,
        targets=flags.targets,
        labels=dict(flags.labels),
        excluded=flags.excluded,
        carried=labels_of(loaded.graph) if destroy else {},
        uses=uses_of(loaded.graph) if destroy else {},
        destroy=destroy,
        force=flags.force,
        adopt=flags.adopt,
        release_hold=release_hold,
    )
    graph = without_resources(loaded.graph) if destroy else loaded.graph
    request = Request(
        operation="destroy" if destroy else "apply",
        message=flags.message,
        lock_timeout=flags.lock_timeout,
        origin=origin(project.root, loaded.environ) | (kept.origin if kept else {}),
        saved=kept.plan if kept else None,
    )
    return run_apply(
        console,
        project,
        flags,
        request,
        lambda: open_job(loaded, graph, options, flags.parallelism),
        (*loaded.warnings, *place_warnings(project)),
        asks=kept is None,
    )
