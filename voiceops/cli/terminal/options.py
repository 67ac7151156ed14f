"""Options that several commands share."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from voiceops.model.address import ADDRESS

F = TypeVar("F", bound=Callable[..., Any])

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}\Z")
_PATTERN = re.compile(r"[A-Za-z*?]+/[a-z0-9*?-]+(\[[a-z0-9*?-]+\])?\Z")


class Address(click.ParamType[str]):
    """An address, `Kind/name` or `Kind/name[key]`."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address as it was written; anything else is a usage error."""
        if not ADDRESS.match(str(value)):
            self.fail(f"{value!r} is no address: write Kind/name, or Kind/name[key].", param, ctx)
        return str(value)


class AddressPattern(click.ParamType[str]):
    """An address, or a pattern with `*` and `?`."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The pattern as it was written; what can match no address is a usage error."""
        if not _PATTERN.match(str(value)):
            self.fail(f"{value!r} is no address: write Kind/name, Kind/name[key], or a pattern: Kind/*.", param, ctx)
        return str(value)


class BoundedNumber(click.FloatRange):
    """A number between bounds. `nan` is none: it is neither below nor above a bound."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; what is none, or out of bounds, is a usage error."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


class Label(click.ParamType[tuple[str, str]]):
    """`key=value`."""

    name = "label"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The key and the value; without a `=` or a key it is a usage error."""
        key, separator, text = str(value).partition("=")
        if not separator or not key:
            self.fail(f"{value!r} is no label: write key=value.", param, ctx)
        return key, text


class Variable(click.ParamType[tuple[str, str]]):
    """`name=value`, of a variable that an agent's texts use."""

    name = "variable"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The name and the value; a text that is neither is a usage error."""
        name, separator, text = str(value).partition("=")
        if not separator or not _VARIABLE.match(name) or name == "customer":
            self.fail(f"{value!r} is no variable: write name=value (`customer` is Vapi's own).", param, ctx)
        return name, text


def selection(command: F) -> F:
    """`--target` and `-l`: only some of the changes, with what they need."""
    command = click.option(
        "-l",
        "--label",
        "labels",
        type=Label(),
        multiple=True,
        metavar="KEY=VALUE",
        help="Only what carries this label; repeat for several.",
    )(command)
    return click.option(
        "--target",
        "targets",
        type=Address(),
        multiple=True,
        metavar="ADDR",
        help="Only this address and what it needs first; repeat for several.",
    )(command)


def exclusion(command: F) -> F:
    """`--exclude`: all but some of the changes."""
    return click.option(
        "--exclude",
        "excluded",
        type=AddressPattern(),
        multiple=True,
        metavar="ADDR",
        help="All but this address, or pattern (Agent/*), and what depends on its change; repeat for several.",
    )(command)


def local_state(command: F) -> F:
    """`--local-state`: of every command that writes a state."""
    return click.option(
        "--local-state",
        is_flag=True,
        help="In a pipeline: the state in the checkout is meant, and committed afterwards.",
    )(command)


def formats(*names: str) -> Callable[[F], F]:
    """`--format`, the first name being the default."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help="How to print.",
    )
