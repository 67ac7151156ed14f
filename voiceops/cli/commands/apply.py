"""`voiceops apply` and `voiceops destroy`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.applies import applied
from voiceops.cli.terminal.apply_flags import Flags, apply_flags, check_can_ask, kept_plan, verify_flag
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import Address
from voiceops.errors import VoiceopsError


@click.command("apply")
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False), required=False, metavar="[PLANFILE]")
@click.option("--release-hold", is_flag=True, help="Bring back what was rolled back, after all.")
@click.option(
    "--resend-secrets",
    type=Address(),
    multiple=True,
    metavar="ADDR",
    help="Send this object's secrets, though nothing tells that they changed; repeat.",
)
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
    resend_secrets: tuple[str, ...],
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
      voiceops -e prod apply --resend-secrets Credential/crm
    """
    flags = Flags(**given)
    if resend_secrets and plan_file is not None:
        raise VoiceopsError("--resend-secrets adds to what was reviewed", hint="Apply without PLANFILE for it.")
    check_can_ask(flags, asks=plan_file is None)
    scope = flags.scope(destroy=destroy, release_hold=release_hold, resend_secrets=resend_secrets)
    kept = kept_plan(console, plan_file, verify)
    return applied(console, use.load(*console.place), flags, scope, kept)


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
    kept = kept_plan(console, plan_file, verify)
    return applied(console, use.load(*console.place), flags, flags.scope(destroy=True), kept)
