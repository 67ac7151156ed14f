"""`voiceops schema`: JSON Schemas for editors, and newer facts about Vapi's API for the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import formats


class _WithDefault(click.Group):
    """`schema`, `schema KIND` and `schema --write` are `schema show …`: kinds are no commands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("schema", cls=_WithDefault)
def schema_command() -> None:
    """Print the JSON Schema of a kind's manifest; without KIND, of voiceops.yaml.

    \b
    Examples:
      voiceops schema Agent
      voiceops schema --write    after a clone: .voiceops/ is not in git
      voiceops schema update openapi.json --dry-run
    """


@schema_command.command("show")
@click.argument("kind", required=False, metavar="[KIND]")
@click.option("--write", is_flag=True, help="Write the schemas that editors read into .voiceops/ instead.")
@click.pass_obj
def show_command(console: Console, kind: str | None, write: bool) -> int:
    """Print the JSON Schema of a kind's manifest, from the facts that the project works with.

    `show` may be left out.
    """
    if not write:
        console.data(use.json_schema(kind, console.folder))
        return 0
    for path in use.write_editor_schemas(console.folder):
        console.out(str(path))
    return 0


@schema_command.command("update")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the facts there instead.")
@click.option("--dry-run", is_flag=True, help="Say what is new, and write nothing.")
@formats("text", "json")
@click.pass_obj
def update_command(console: Console, file: Path, out: Path | None, dry_run: bool, format_: str) -> int:
    """Take a newer description of Vapi's API over, as the project's own facts.

    FILE is Vapi's OpenAPI document (JSON or YAML), or its Python client: a wheel, a source archive, or the folder
    that it is installed in. It is read as data; nothing of it is run. The facts go to vapi-schema.json beside
    voiceops.yaml: review and commit them like any other file. Every command then works with them.

    \b
    Examples:
      voiceops schema update openapi.json --dry-run
      pip download --no-deps vapi-server-sdk
      voiceops schema update vapi_server_sdk-*.whl
    """
    from voiceops.render.schema_report import render_update, update_data

    found = use.update_schema(file, console.folder, out, dry_run=dry_run)
    if format_ == "json":
        data: dict[str, Any] = update_data(found.changes, found.notes)
        head = {"file": str(found.path), "written": found.written, "source": found.source}
        console.data(head | {"compared_with": found.compared_with} | data)
        return 0
    console.prose(render_update(found.changes, found.notes, found.compared_with))
    said = f"{found.kinds} kinds, {found.types} types"
    if found.unchanged:
        console.note(f"{found.path} says the same already.")
    elif found.written:
        console.note(f"{found.path} was written: {said}. Review it, then `voiceops validate -e all`, and commit it.")
    else:
        console.note(f"Nothing was written: {found.path} would hold {said}.")
    return 0
