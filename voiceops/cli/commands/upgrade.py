"""`voiceops upgrade`."""

from __future__ import annotations

from pathlib import Path

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import formats
from voiceops.model.wording import many
from voiceops.render.model_proposals_text import proposal_lines


@click.command("upgrade")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Write the files; without it the diff is shown.")
@click.option("--models", is_flag=True, help="The models that Vapi retires, and their replacements; reads the account.")
@click.option("--detailed-exitcode", is_flag=True, help="Without --write: exit 2 where a file would change.")
@formats("text", "json")
@click.pass_obj
def upgrade_command(
    console: Console, files: tuple[Path, ...], write: bool, models: bool, detailed_exitcode: bool, format_: str
) -> int:
    """Rewrite deprecated and old fields to their successors; comments and layout stay (docs/upgrading.md).

    In manifests, in the defaults of voiceops.yaml and in patches of environments. The live body means the same; what
    has no successor is named, and why. No network, no keys.

    --models instead lists the models of live agents and squads that Vapi retires, each with its replacement and what
    that changes in latency and cost; with --write the manifests get it. Nothing live is changed.

    \b
    Examples:
      voiceops upgrade                          the diff, and what is left
      voiceops upgrade --write agents/support.yaml
      voiceops upgrade --detailed-exitcode      exit 2 where something is old
      voiceops -e prod upgrade --models
    """
    if models:
        if files:
            raise click.UsageError("--models is about the whole account: it takes no FILE")
        return _models(console, write, detailed_exitcode, format_)
    folder, _, context = console.place
    found = use.upgrade(folder, files, write=write, context=context)
    if format_ == "json":
        console.data(found.to_data())
    else:
        _show(console, found)
    return 2 if detailed_exitcode and found.changed and not found.written else 0


def _show(console: Console, found: use.Upgraded) -> None:
    for file in found.changed:
        if not found.written:
            console.out(file.diff().rstrip("\n"))
            continue
        for one in file.rewritten:
            console.out(f"{file.file}:{one.mark.line}: {one.path} → {one.successor}")
    for file in found.files:
        for one in file.rewritten if not console.quiet else ():
            if one.note:
                console.note(f"{file.file}:{one.mark.line}: {one.path}: {one.note}")
        for kept in file.left:
            more = f" (today: {kept.successor})" if kept.successor else ""
            console.prose(f"{file.file}:{kept.mark.line}: {kept.path} stays: {kept.reason}{more}")
    for diagnostic in found.not_compared:
        console.note(f"Not compared with what it was, since the project could not be read: {diagnostic.summary}")
    fields = sum(len(file.rewritten) for file in found.changed)
    left = sum(len(file.left) for file in found.files)
    if found.changed:
        verb = "rewritten" if found.written else "to rewrite (--write does it)"
        console.note(f"{many(fields, 'old field')} {verb} in {many(len(found.changed), 'file')}, {left} left.")
    else:
        console.out("Nothing to rewrite." if left else "No old fields.")


def _models(console: Console, write: bool, detailed_exitcode: bool, format_: str) -> int:
    found = completed(use.replace_models(use.load(*console.place), write=write))
    if format_ == "json":
        console.data(found.to_data())
    else:
        for one in found.proposals:
            reason = next((why for proposal, why in found.left if proposal == one), "")
            console.prose("\n".join(proposal_lines(one, found.today, found.currency, one in found.written, reason)))
        if not found.proposals:
            console.out("No model is going to be retired.")
    return 2 if detailed_exitcode and found.proposals and not write else 0
