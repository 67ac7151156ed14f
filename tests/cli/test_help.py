"""What somebody reads who asks for help, or mistypes: it fits 80 columns, and says what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from tests.support.bench import bench
from voiceops.cli.main import cli
from voiceops.cli.terminal.console import Console


def contexts(context: click.Context) -> Iterator[click.Context]:
    """That of the command, and those of all commands below it."""
    yield context
    command = context.command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from contexts(click.Context(below, info_name=name, parent=context, obj=Console()))


def test_it_fits_80_columns() -> None:
    root = click.Context(cli, info_name="voiceops", obj=Console(), terminal_width=80)
    helps = [context.get_help() for context in contexts(root)]
    assert len(helps) > 50
    lines = [line for text in helps for line in text.splitlines()]
    assert [line for line in lines if len(line) > 80] == []
    assert [line for line in lines if re.search(r"\w-$", line)] == [], "a word that a hyphen tears apart"
    assert [line for line in lines if re.search(r"RANGE|INTEGER|FLOAT", line)] == [], "a programmer's word for a value"


def test_a_name_that_no_environment_can_have_is_told_which_there_are(tmp_path: Path) -> None:
    with bench(tmp_path / "shop") as made:
        made.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [dev, 'client-*']\n")
        ran = made.run("-e", "dev,client-7", "plan", code=1)
    assert "'dev,client-7' is no environment's name (a-z, 0-9, -)\n    It has: dev, client-*." in ran.err
