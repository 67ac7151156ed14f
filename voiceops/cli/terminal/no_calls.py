"""What to say where a name that somebody gave has no calls: perhaps it is another one."""

from __future__ import annotations

from voiceops.cli.terminal.console import Console


def note_what_has_calls(console: Console, agent: str, phone: str) -> None:
    """Name the command that lists the agents, or the lines, that have calls; nothing where none was asked for."""
    for by, name in (("agent", agent), ("phone", phone)):
        if name:
            console.note(f"No call of {name!r}: `voiceops report --by {by}` shows whose there are.")
