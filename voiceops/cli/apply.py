"""`voiceops apply` and `voiceops destroy`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voiceops.cli.applying import Flags, apply_flags, check_can_ask, check_confirmed, run_apply
from voiceops.cli.console import Console
from voiceops.errors import Refused, VoiceopsError

if TYPE_CHECKING:
    from voiceops.engine.saved import SavedPlan


@click.command("apply")
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False), required=False, metavar="[PLANFILE]")
@click.option("--release-hold", is_flag=True, help="Apply manifests that were rolled back, after all.")
@apply_flags
@click.pass_obj
def apply_command(console: Console, /, plan_file: Path | None, release_hold: bool, **given: Any) -> int:
    """Make live Vapi and Twilio what the manifests say; ask first.

    With PLANFILE, kept by `plan --out`, it plans again and applies the changes that were reviewed and no others;
    if one of them would come out otherwise now, nothing is applied.

    \b
    Examples:
      voiceops apply
      voiceops -e prod apply --auto-approve -m "new greeting"
      voiceops -e prod apply plan.json
    """
    flags = Flags(**given)
    check_can_ask(flags, asks=plan_file is None)
    saved = _read(plan_file) if plan_file is not None else None
    if saved is not None and saved.rollback_to is not None:
        from voiceops.cli.rollback import roll_back

        return roll_back(console, flags, saved.rollback_to, saved=saved)
    return _apply(console, flags, destroy=saved.destroy if saved else False, saved=saved, release_hold=release_hold)


@click.command("destroy")
@apply_flags
@click.pass_obj
def destroy_command(console: Console, /, **given: Any) -> int:
    """Delete everything that is managed in the environment; numbers stay unless release: true.

    \b
    Example:
      voiceops -e review-17 destroy --auto-approve
    """
    flags = Flags(**given)
    check_can_ask(flags, asks=True)
    return _apply(console, flags, destroy=True)


def _apply(
    console: Console, flags: Flags, *, destroy: bool, saved: SavedPlan | None = None, release_hold: bool = False
) -> int:
    from voiceops.apply.revisions import Request
    from voiceops.cli.origin import origin
    from voiceops.cli.wiring import check_lints, labels_of, load, open_job, options_of, without_resources

    loaded = load(console)
    project = loaded.project
    check_confirmed(project, flags)
    if not destroy:
        check_lints(loaded)
    options = options_of(
        project,
        targets=flags.targets,
        labels=dict(flags.labels),
        carried=labels_of(loaded.graph) if destroy else {},
        destroy=destroy,
        force=flags.force,
        adopt=flags.adopt or (saved.adopt if saved else False),
        release_hold=release_hold,
    )
    graph = without_resources(loaded.graph) if destroy else loaded.graph
    request = Request(
        operation="destroy" if destroy else "apply",
        message=flags.message,
        lock_timeout=flags.lock_timeout,
        origin=origin(project.root, loaded.environ),
        saved=saved,
    )
    return run_apply(
        console,
        project,
        flags,
        request,
        lambda: open_job(loaded, graph, options, flags.parallelism),
        loaded.warnings,
        asks=saved is None,
    )


def _read(path: Path) -> SavedPlan:
    """A saved plan. Raises VoiceopsError, or Refused for one that this version can't hold against a new plan."""
    import json

    from voiceops.engine.saved import SavedPlan

    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise VoiceopsError(f"the plan {path} can't be read: {error.strerror}") from None
    except ValueError:
        raise VoiceopsError(f"{path} is no plan: it is not JSON", hint="Make one with `voiceops plan --out`.") from None
    try:
        return SavedPlan.from_data(data)
    except ValueError as error:
        raise Refused(f"the plan {path} can't be applied: {error}", hint="Make a new plan.") from None
