"""What `apply`, `destroy` and `rollback` take: the same flags, those of saved plans, and who is there to be asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import BoundedNumber, exclusion, formats, local_state, selection
from voiceops.errors import VoiceopsError
from voiceops.use.process_context import SIGNERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags of the three commands, as given."""

    format_: str
    targets: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    excluded: tuple[str, ...]
    message: str
    confirm: str | None
    force: bool
    lock_timeout: float
    parallelism: int
    auto_approve: bool
    local_state: bool
    adopt: bool
    require_tests: bool

    def scope(
        self, *, destroy: bool = False, release_hold: bool = False, resend_secrets: tuple[str, ...] = ()
    ) -> use.Scope:
        """What they say of the plan."""
        return use.Scope(
            targets=self.targets,
            labels=dict(self.labels),
            excluded=self.excluded,
            destroy=destroy,
            force=self.force,
            adopt=self.adopt,
            release_hold=release_hold,
            resend_secrets=resend_secrets,
        )

    def terms(self) -> use.Terms:
        """What they say of the apply; at a terminal a protected environment's name is asked for."""
        return use.Terms(
            message=self.message,
            parallelism=self.parallelism,
            lock_timeout=self.lock_timeout,
            environment=self.confirm,
            asked=sys.stdin.isatty(),
            local_state=self.local_state,
            require_tests=self.require_tests,
        )


def apply_flags(command: Callable[..., Any], *more_formats: str) -> Callable[..., Any]:
    """The flags of `Flags`."""
    for option in (
        formats("text", "json", *more_formats),
        exclusion,
        selection,
        click.option("-m", "message", default="", metavar="TEXT", help="Why: kept in the history."),
        click.option(
            "--confirm",
            metavar="ENV",
            help="The environment's name, where it is protected by safety.confirm.",
        ),
        click.option("--force", is_flag=True, help="Pass safety.maxDestroyPercent; never preventDestroy."),
        click.option(
            "--lock-timeout",
            type=BoundedNumber(0),
            default=0.0,
            metavar="S",
            help="Seconds to wait for the lock.",
        ),
        click.option(
            "--parallelism",
            type=click.IntRange(1, 100),
            default=10,
            show_default=True,
            metavar="N",
            help="How many requests at once, at most.",
        ),
        local_state,
        click.option(
            "--require-tests",
            is_flag=True,
            help="Only what passed its tests, as with safety.requireTests; a rollback warns.",
        ),
        click.option("--auto-approve", is_flag=True, help="Don't ask."),
        click.option(
            "--adopt",
            is_flag=True,
            help="Take over unmanaged objects of the same name, where the match is unambiguous.",
        ),
    ):
        command = option(command)
    return command


def check_can_ask(flags: Flags, *, asks: bool) -> None:
    """Without a terminal there is nobody to ask: said before anything is read or locked. Raises VoiceopsError."""
    if asks and not flags.auto_approve and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise VoiceopsError(
            "this asks before it changes anything, and here is no terminal to ask on", hint="Give --auto-approve."
        )


def verify_flag(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--verify SIGNERS`."""
    return click.option(
        "--verify",
        metavar="SIGNERS",
        help="Take PLANFILE only with the signature (PLANFILE.sig) of one of these: a file of public keys, or of "
        f"OpenSSH's allowed signers, or a key itself [default: {SIGNERS}].",
    )(command)


def sign_flag(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--sign KEY`."""
    return click.option(
        "--sign",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="KEY",
        help="Sign the kept plan with this ed25519 or SSH key: FILE.sig, for --verify.",
    )(command)


def kept_plan(console: Console, path: Path | None, verify: str | None) -> use.KeptPlan | None:
    """PLANFILE, if there is one. Raises VoiceopsError, Refused."""
    if path is not None:
        return use.read_plan(path, console.context, verify)
    if verify is not None:
        raise VoiceopsError("--verify is about a saved plan, and none is given", hint="Give its file.")
    return None
