"""`voiceops secrets rotate`: a secret is changed on both sides, and no message is refused in between."""

from __future__ import annotations

import re
from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.applies import applied
from voiceops.cli.terminal.apply_flags import Flags, check_can_ask
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import BoundedNumber, formats, local_state
from voiceops.errors import VoiceopsError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}\Z")


@click.group("secrets")
def secrets_command() -> None:
    """Change a secret on both sides, and refuse no message in between."""


@secrets_command.command("rotate")
@click.argument("name", metavar="NAME")
@click.option("--generate", is_flag=True, help="Make a new value, and put it into .env with the one before.")
@click.option("--show", is_flag=True, help="With --generate: print the new value, and put it nowhere.")
@click.option("--url", default="", metavar="URL", help="Where the runtime is [default: runtime.url].")
@click.option(
    "--grace",
    type=BoundedNumber(0, 86_400),
    metavar="S",
    help="Seconds for which calls may go on with the old one [default: the agents' longest call].",
)
@click.option(
    "--watch",
    type=BoundedNumber(0, 3_600),
    default=5.0,
    show_default=True,
    metavar="S",
    help="Seconds for which it is looked whether the old one is used.",
)
@click.option("-m", "message", default="", metavar="TEXT", help="Why: kept in the history.")
@click.option("--confirm", metavar="ENV", help="The environment's name, where it is protected by safety.confirm.")
@click.option("--auto-approve", is_flag=True, help="Don't ask before Vapi gets the new one.")
@local_state
@formats("text", "json")
@click.pass_obj
def rotate_command(console: Console, /, name: str, generate: bool, show: bool, url: str, **given: Any) -> int:
    """Change a secret, one step a run: look where that stands, do what can be done from here, say what is yours to do.

    NAME is set to the new value and NAME_PREVIOUS to the old one, here and where the runtime runs, which takes both;
    then Vapi gets the new one; once nothing uses the old one, it goes. Each run asks the runtime by signed requests
    what it takes. Cut off at any step, run it again. Exit 2 while something is left to be done by hand. A secret that
    only objects at Vapi hold is sent to each of them. With --format json the last line says where it stands; before it
    come the lines of the apply, where there was one.

    \b
    Examples:
      voiceops -e prod secrets rotate VAPI_WEBHOOK_SECRET --generate
      voiceops -e prod secrets rotate VAPI_WEBHOOK_SECRET
      voiceops -e prod secrets rotate CRM_TOKEN --auto-approve
    """
    if not _NAME.match(name):
        raise VoiceopsError("NAME is no variable's name", hint="As in ${secret:NAME}: VAPI_WEBHOOK_SECRET.")
    if show and not generate:
        raise VoiceopsError("--show prints what --generate makes", hint="Give both.")
    if show and given["format_"] == "json":
        raise VoiceopsError("--show prints the new value and nothing else", hint="Leave --format out.")
    looking = {"url": url, "grace": given["grace"], "watch": given["watch"]}
    if generate:
        value = use.new_value(use.load(*console.place), name, keep=not show)
        if show:
            console.out(value)
            console.note(f"Set {name} to it, here and where the runtime runs, and {name}_PREVIOUS to the one before.")
            return 2
        console.note(
            f"A new value is in .env as {name}, the one before as {name}_PREVIOUS. "
            "Go on with this command: `voiceops apply` would send it at once."
        )
    loaded = use.load(*console.place)
    found = completed(use.rotation(loaded, name, **looking))
    if found.step.action == "send":
        if (code := _send(console, loaded, found, given)) != 0:
            return code
        loaded = use.load(*console.place)
        found = completed(use.rotation(loaded, name, **looking))
    dropped = found.step.action == "drop" and use.drop_previous(loaded, name)
    if given["format_"] == "json":
        console.line(_data(found, dropped=dropped))
    else:
        console.prose(_told(console, found, dropped=dropped))
    return 0 if found.step.action in ("none", "drop") else 2


def _data(found: use.Rotation, *, dropped: bool) -> dict[str, Any]:
    """`step` is 0 where no rotation is under way; `action`: whose turn it is, as `RotationStep` has it."""
    return {
        "type": "rotation",
        "name": found.name,
        "environment": found.environment,
        "users": list(found.users),
        "step": found.step.number,
        "steps": list(use.ROTATION_STEPS),
        "action": found.step.action,
        "ended": found.step.action == "drop",
        "dropped": dropped,
        "text": found.step.text,
        "notes": list(found.notes),
    }


def _told(console: Console, found: use.Rotation, *, dropped: bool) -> str:
    """Every step, with a sign at those that are done and at the one that is under way; then what is to be done."""
    style, step = console.style(), found.step
    ended = step.action == "drop"
    lines = []
    if step.number:
        head = "is changed" if ended else f"is being changed: step {step.number} of {len(use.ROTATION_STEPS)}"
        lines.append(style(f"{found.name} in {found.environment} {head}", "bold"))
        for number, title in enumerate(use.ROTATION_STEPS, 1):
            done = number < step.number or ended
            sign = style("✓", "green") if done else style("→", "yellow") if number == step.number else " "
            lines.append(f"  {sign} {number} {title}")
    if ended:
        where = ".env" if dropped else "the runtime"
        rest = "" if dropped else f" Unset {found.name}_PREVIOUS here, too."
        lines.append(f"The runtime refuses the old one, and {where} has it no more.{rest}")
    return "\n".join([*lines, *filter(None, [step.text]), *found.notes])


def _send(console: Console, loaded: use.Loaded, found: use.Rotation, given: dict[str, Any]) -> int:
    """An apply of the objects that use it; asked for, as every apply is."""
    flags = Flags(
        format_=given["format_"],
        targets=found.users,
        labels=(),
        excluded=(),
        message=given["message"] or f"{found.name} is changed",
        confirm=given["confirm"],
        force=False,
        lock_timeout=0.0,
        parallelism=10,
        auto_approve=given["auto_approve"],
        local_state=given["local_state"],
        adopt=False,
        require_tests=False,
    )
    check_can_ask(flags, asks=True)
    return applied(console, loaded, flags, flags.scope(resend_secrets=found.users))
