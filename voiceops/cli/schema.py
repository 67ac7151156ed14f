"""`voiceops schema`: JSON Schemas for editors."""

from __future__ import annotations

import click

from voiceops.cli.console import Console
from voiceops.errors import VoiceopsError


@click.command("schema")
@click.argument("kind", required=False, metavar="[KIND]")
@click.pass_obj
def schema_command(console: Console, kind: str | None) -> int:
    """Print the JSON Schema of a kind's manifest; without KIND, of voiceops.yaml.

    \b
    Example:
      voiceops schema Agent > .voiceops/agent.schema.json
    """
    from voiceops.kinds.json_schema import manifest_schema, project_schema
    from voiceops.kinds.registry import ALL
    from voiceops.manifest.problems import did_you_mean

    if kind is None:
        console.data(project_schema())
        return 0
    if kind not in ALL:
        raise VoiceopsError(f"there is no kind {kind!r}", hint=did_you_mean(kind, ALL) or f"Kinds: {', '.join(ALL)}.")
    console.data(manifest_schema(kind))
    return 0
