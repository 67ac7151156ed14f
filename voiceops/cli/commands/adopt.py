"""`voiceops import`: take live objects into the state, one by its id, or many at once."""

from __future__ import annotations

from pathlib import Path

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import Address, formats, local_state
from voiceops.model.safe_text import one_line
from voiceops.model.wording import many


@click.command("import")
@click.argument("address", type=Address(), required=False)
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--by-name", is_flag=True, help="Every manifest that fits exactly one unmanaged live object.")
@click.option("--from", "file", type=click.Path(path_type=Path), metavar="FILE", help="Lines of ADDRESS and ID.")
@click.option("--dry-run", is_flag=True, help="With --by-name or --from: only say what would be adopted; no lock.")
@local_state
@formats("text", "json")
@click.pass_obj
def import_command(
    console: Console,
    address: str | None,
    id_: str | None,
    by_name: bool,
    file: Path | None,
    dry_run: bool,
    local_state: bool,
    format_: str,
) -> int:
    """Adopt live objects: each becomes the live side of a manifest. Nothing live is changed.

    One by its id; or with --by-name all whose live names (of lines: numbers) fit; or with --from those that a file
    names, all of them or none. Many are one revision. What is live as its manifest says is no change of the next plan.

    \b
    Examples:
      voiceops import Agent/support 5b6d2d1e-8a4f-4d55-9d0c-2a4b3c1f7e90
      voiceops import --by-name --dry-run
      voiceops import --from ids.txt
    """
    ways = (by_name, file is not None, address is not None)
    if sum(ways) != 1 or (address is not None and id_ is None):
        raise click.UsageError("Give an address and an id, or --by-name, or --from FILE.")
    loaded = use.load(*console.place)
    if address is not None and id_ is not None:
        if dry_run or format_ != "text":
            raise click.UsageError("--dry-run and --format go with --by-name and --from.")
        name = completed(use.adopt(loaded, address, id_, local_state=local_state))
        console.out(f"{address} now stands for {name} ({id_}). See `voiceops plan` for what differs.")
        return 0
    if file is not None:
        done = completed(use.adopt_listed(loaded, console.folder / file, dry_run=dry_run, local_state=local_state))
    else:
        done = completed(use.adopt_by_name(loaded, dry_run=dry_run, local_state=local_state))
    if format_ == "json":
        console.data(done.to_data())
    else:
        console.prose("\n".join(_lines(done)))
    return 0


def _lines(done: use.ManyAdopted) -> list[str]:
    """What was adopted, what was not and why, and what comes next."""
    objects = many(len(done.adopted), "object")
    revision = f" (revision {done.revision})" if done.revision is not None else ""
    lines = [f"{objects} adopted{revision}." if done.written else f"Nothing was written. It would adopt {objects}:"]
    width = max((len(address) for address in done.adopted), default=0)
    lines += [f"  {address:<{width}}  {id_}" for address, id_ in done.adopted.items()]
    if done.managed:
        count = len(done.managed)
        lines.append(f"{count} {'is' if count == 1 else 'are'} managed already.")
    lines += ["", "Left:"] if done.left else []
    for one in done.left:
        lines.append(f"  {one.address}: {one_line(one.why)}")
        lines += [f"    voiceops import {one.address} {id_}  ({one_line(t)})" for id_, t in one.candidates.items()]
    if done.differing:
        lines += ["", f"{len(done.differing)} of them differ from live: `voiceops plan` shows how."]
    return lines
