"""`voiceops init`: a working project in one command."""

from __future__ import annotations

from pathlib import Path

import click

from voiceops import use
from voiceops.cli.terminal.console import Console


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[DIR]")
@click.option("--with-runtime", is_flag=True, help="With a tool, its handler, and the webhook runtime's settings.")
@click.option("--ci", type=click.Choice(["github", "gitlab"]), help="With a pipeline; also for a project that exists.")
@click.option(
    "--from",
    "source",
    metavar="URL#sha256=HASH",
    help="The wheel of voiceops that the pipeline installs [default: that of the voiceops that runs, put into ci/].",
)
@click.option("--keep-edited", is_flag=True, help="Renew a pipeline, and leave what was edited in it as it is.")
@click.pass_obj
def init_command(
    console: Console, folder: Path, with_runtime: bool, ci: str | None, source: str | None, keep_edited: bool
) -> int:
    """Write a project that works at once: one agent and one phone line, on the local sandbox.

    A pipeline installs voiceops from a wheel in ci/, and all that it needs by hash. Written again by a newer voiceops,
    its files are renewed; edited ones are named, and nothing is written without --keep-edited.

    \b
    Examples:
      voiceops init shop && cd shop && voiceops apply
      voiceops init shop --with-runtime
      voiceops init --ci github         a pipeline for the project that is here
    """
    if ci is None and (source is not None or keep_edited):
        raise click.UsageError("--from and --keep-edited are about a pipeline: add --ci github or --ci gitlab.")
    target = (console.folder / folder).resolve()
    if ci and (target / "voiceops.yaml").exists():
        return _add_pipeline(console, target, ci, source, keep_edited=keep_edited)
    written = use.start_project(target, with_runtime=with_runtime, ci=ci, source=source)
    shown = folder.as_posix()
    console.out(f"A project is ready in {target}:")
    for path in written:
        console.out(f"  {path}")
    enter = "" if shown == "." else f"cd {shown} && "
    console.out(f"\nNext: {enter}voiceops plan")
    for head in (path for path in written if path.endswith(".yml")):  # the pipeline's own; the project's are .yaml
        console.out(f"What to set up once stands at the top of {head}.")
    return 0


def _add_pipeline(console: Console, target: Path, ci: str, source: str | None, *, keep_edited: bool) -> int:
    """A project that is there keeps its files; the pipeline's come beside them, or are renewed."""
    console.folder = target
    done = use.renew_pipeline(*console.place, ci, source=source, keep_edited=keep_edited)
    console.out(f"A pipeline is ready in {target}:")
    for word, names in (("wrote  ", done.changed), ("removed", done.removed), ("kept   ", done.kept)):
        for name in names:
            console.out(f"  {word} {name}")
    if not (done.changed or done.removed):
        console.out("  every file is what it would be" if not done.kept else "  every other file is what it would be")
    console.out(f"\nNext: what to set up once stands at the top of {done.head}.")
    return 0
