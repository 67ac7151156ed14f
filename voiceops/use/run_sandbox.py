"""Both vendors' APIs on this machine, as a server of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from voiceops.errors import VoiceopsError
from voiceops.sandbox.server import SandboxServer
from voiceops.sandbox.switches import Switches, parse_switches
from voiceops.use.load_project import facts_at


def sandbox_server(
    data: Path | None = None,
    numbers: Sequence[str] = (),
    switches: Sequence[str] = (),
    *,
    port_vapi: int = 0,
    port_twilio: int = 0,
    folder: Path | None = None,
) -> SandboxServer:
    """A server that is not started yet; `data` None keeps all in memory, a port of 0 takes any.

    Bodies are checked by the own facts of the project in `folder`, where there is one that has some.

    `switches` are NAME=VALUE, as docs/sandbox.md lists them. Raises VoiceopsError for one that is none.
    """
    try:
        chosen = Switches().changed(parse_switches(switches))
    except ValueError as error:
        raise VoiceopsError(str(error), hint="docs/sandbox.md lists the switches.") from None
    facts = None if folder is None else facts_at(folder)
    return SandboxServer(
        data=data, numbers=numbers, port_vapi=port_vapi, port_twilio=port_twilio, switches=chosen, facts=facts
    )
