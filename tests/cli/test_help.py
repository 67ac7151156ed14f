"""`--help` of every command fits a terminal of 80 columns: nothing is cut by its edge, no word is torn apart."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

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
