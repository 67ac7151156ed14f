"""`voiceops generate runtime`: the webhook runtime as a project of its own."""

from __future__ import annotations

from pathlib import Path

import click

from voiceops import use
from voiceops.cli.terminal.console import Console


@click.group("generate")
def generate_command() -> None:
    """Write the webhook runtime out, to run it elsewhere."""


@generate_command.command("runtime")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder to write [default: runtime, in the project].",
)
@click.option("--stubs", is_flag=True, help="Write the project's missing handler files, typed from its tools.")
@click.option(
    "--from",
    "source",
    metavar="URL#sha256=HASH",
    help="The wheel of voiceops that it installs [default: that of the voiceops that runs, put beside it].",
)
@click.pass_obj
def runtime_command(console: Console, out: Path | None, stubs: bool, source: str | None) -> int:
    """Write the runtime as a small project: one application, the handlers, a container, no live ids.

    It installs what lies beside it or has a hash, never a package by its name alone: the wheel of this voiceops, and
    requirements.lock with the hashes of all that it needs.

    The same manifests and handlers give the same bytes. A file that was edited in DIR is kept, and named: delete it to
    have it written anew. runtime.json has to be what the manifests say: where it was edited, nothing is written. What
    was copied for handlers that the project no longer has is removed from DIR. A requirements.txt beside the handlers
    is installed with them. --stubs changes no file that is there.

    \b
    Examples:
      voiceops -e prod generate runtime --out runtime
      voiceops generate runtime --stubs
    """
    done = use.generate_runtime(
        *console.place, out, source=source, stubs=stubs, stub_written=lambda name: console.out(f"stub    {name}")
    )
    written = done.files
    for name in written.changed:
        console.out(f"wrote   {name}")
    for name in written.removed:
        console.out(f"removed {name}")
    for name in written.kept:
        console.out(f"kept    {name} (edited there, and not what it would be now; delete it to have it written anew)")
    if "requirements.txt" in written.kept:
        console.note(f"Packages that handlers need have their place in {done.handlers}/requirements.txt.")
    for name in written.strange:
        console.out(f"kept    {name} (not from {done.handlers}; the runtime may load it)")
    console.note(f"{len(written.changed)} written, {len(written.same)} unchanged, in {done.folder}")
    return 0
