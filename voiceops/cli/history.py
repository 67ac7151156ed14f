"""`voiceops history` and `voiceops show`."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from voiceops.cli.console import Console
from voiceops.cli.options import formats
from voiceops.errors import VoiceopsError


def _revisions(console: Console) -> list[dict[str, Any]]:
    from voiceops.cli.wiring import load_settings, store_of

    return asyncio.run(store_of(load_settings(console)).revisions())


@click.command("history")
@formats("text", "json")
@click.pass_obj
def history_command(console: Console, format_: str) -> int:
    """List the applies of the environment: number, when, who, why, how it ended."""
    found = _revisions(console)
    if format_ == "json":
        keys = ("number", "at", "operation", "message", "origin", "result")
        console.data([{key: r.get(key) for key in keys} | {"summary": r["plan"]["summary"]} for r in found])
        return 0
    for revision in found:
        counts = ", ".join(f"{n} {word}" for word, n in revision["plan"]["summary"].items() if n and word != "no_op")
        console.out(
            f"{revision['number']:>4}  {revision['at']}  {revision['origin'].get('who', ''):<24} "
            f"{revision['operation']:<8} {revision['result']:<7} {counts}"
            + (f"  “{revision['message']}”" if revision["message"] else "")
        )
    if not found:
        console.out("Nothing was applied yet.")
    return 0


@click.command("show")
@click.argument("revision", type=int, metavar="REV")
@formats("text", "json")
@click.pass_obj
def show_command(console: Console, revision: int, format_: str) -> int:
    """Show one apply: what changed, what it overwrote, what failed."""
    found = next((r for r in _revisions(console) if r["number"] == revision), None)
    if found is None:
        raise VoiceopsError(f"there is no revision {revision}", hint="See `voiceops history`.")
    if format_ == "json":
        console.data(found)
        return 0
    console.out(f"Revision {revision} · {found['at']} · {found['origin'].get('who', '')} · {found['result']}")
    if found["message"]:
        console.out(f"  “{found['message']}”")
    for change in found["plan"]["resource_changes"]:
        if change["change"]["actions"] != ["no-op"]:
            console.out(f"  {' + '.join(change['change']['actions'])} {change['address']} ({change['action_reason']})")
            for field in change["change"]["paths"]:
                console.out(f"      {field['path']}")
    for key, error in found["failed"].items():
        console.out(f"  failed: {key}: {error}")
    for key, cause in found["skipped"].items():
        console.out(f"  skipped: {key}, because of {cause}")
    return 0
