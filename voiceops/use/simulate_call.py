"""Simulate: play a call script, once or many times at once, against a running runtime, and check what it answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from voiceops.errors import VoiceopsError
from voiceops.kinds.schema import Facts, using
from voiceops.model.env_values import checked
from voiceops.net.together import together
from voiceops.runtime.spec import RuntimeSpec
from voiceops.simulate.player import Moment, Played, Player, Signer
from voiceops.simulate.script import Script, default_script
from voiceops.simulate.script_file import read_script
from voiceops.simulate.sender import Sender, checked_url, is_loopback
from voiceops.use.load_project import Loaded
from voiceops.use.local_sandbox import filled_in
from voiceops.use.runtime_needs import runtime_spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A call that can be played: who is called, by which script, signed with which secrets, judged by which facts."""

    spec: RuntimeSpec
    script: Script
    signer: Signer
    facts: Facts | None = None


def elsewhere(url: str) -> str:
    """The host of a runtime on another machine, whose handlers would run; empty for this one. Raises VoiceopsError on
    what is no http(s) address."""
    host = checked_url(url)
    return "" if is_loopback(url) else host


def rehearse(loaded: Loaded, script: Path | None = None, public_url: str = "") -> Rehearsal:
    """Read the script (None: every tool once, with made-up arguments). `public_url` is what the runtime takes for its
    own address, where that is not runtime.url.

    Raises VoiceopsError where there is no runtime, the script is none, or a secret to sign with is missing.
    """
    spec = runtime_spec(loaded)
    chosen = default_script(spec) if script is None else read_script(_text(script), script.as_posix(), spec)
    environ = filled_in(loaded.project, loaded.environ)
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
    secret, token = (checked(name, environ.get(name, "")) for name in ("VAPI_WEBHOOK_SECRET", "TWILIO_AUTH_TOKEN"))
    return Rehearsal(spec=spec, script=chosen, signer=Signer(spec, secret, token), facts=loaded.project.facts)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VoiceopsError(f"{path} can't be read: {getattr(error, 'strerror', error)}") from None


async def simulate(rehearsal: Rehearsal, url: str, *, calls: int = 1, over: float = 0.0) -> list[Played]:
    """Play the call `calls` times at once, each spread over `over` seconds; its handlers run and do what they do.

    Raises VoiceopsError where nothing answers at `url`.
    """
    sender = Sender(url)
    try:

        async def one(number: int) -> Played:
            # Calls don't start in the same instant, and no two share a connection for long.
            await asyncio.sleep(over * number / calls if over else 0)
            return await Player(rehearsal.spec, rehearsal.script, sender, rehearsal.signer, over).play()

        with using(rehearsal.facts):
            played = await together(one(number) for number in range(calls))
    finally:
        await sender.close()
    moments: list[Moment] = [moment for call in played for moment in call.moments]
    if moments and all(moment.status == 0 for moment in moments):
        raise VoiceopsError(
            f"nothing answers at {url}", hint="Start it: voiceops serve; or say where it is with --url."
        )
    return played
