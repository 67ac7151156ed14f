"""`voiceops schema`: JSON Schemas for editors."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.errors import VoiceopsError


@click.command("schema")
@click.argument("kind", required=False, metavar="[KIND]")
@click.option("--write", is_flag=True, help="Write the schemas that editors read into .voiceops/ instead.")
@click.pass_obj
def schema_command(console: Console, kind: str | None, write: bool) -> int:
    """Print the JSON Schema of a kind's manifest; without KIND, of voiceops.yaml.

    \b
    Examples:
      voiceops schema Agent
      voiceops schema --write    after a clone: .voiceops/ is not in git
    """
    from voiceops.kinds.json_schema import manifest_schema, project_schema
    from voiceops.kinds.registry import ALL
    from voiceops.manifest.problems import did_you_mean

    if write:
        from voiceops.scaffold.editor_schemas import write_schemas

        for path in write_schemas(use.root_of(console.folder)):
            console.out(str(path))
        return 0
    if kind is None:
        console.data(project_schema())
        return 0
    if kind not in ALL:
        raise VoiceopsError(f"there is no kind {kind!r}", hint=did_you_mean(kind, ALL) or f"Kinds: {', '.join(ALL)}.")
    console.data(manifest_schema(kind))
    return 0
