"""The command group, its common options, and the way from an error to an exit code."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from voiceops._version import __version__
from voiceops.cli.terminal.console import Console
from voiceops.errors import VoiceopsError
from voiceops.use.process_context import ProcessContext

# Command → the module that holds it: only the one that runs is imported.
_COMMANDS = {
    "init": "init",
    "validate": "validate",
    "plan": "plan",
    "apply": "apply",
    "destroy": "apply",
    "drift": "drift",
    "import": "adopt",
    "pull": "pull",
    "upgrade": "upgrade",
    "audit": "audit",
    "import gitops": "import_folder",
    "import json": "import_folder",
    "rollback": "rollback",
    "status": "status",
    "history": "history",
    "show": "history",
    "diff": "diff",
    "explain": "explain",
    "graph": "graph",
    "state": "state",
    "serve": "serve",
    "generate": "generate",
    "simulate": "simulate",
    "call": "call",
    "test": "test",
    "calls": "calls",
    "report": "report",
    "watch": "watch",
    "events": "events",
    "dev": "dev",
    "doctor": "doctor",
    "preview": "preview",
    "sandbox": "sandbox",
    "secrets": "secret_rotation",
    "schema": "schema",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        from importlib import import_module

        module = import_module(f"voiceops.cli.commands.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name.replace(' ', '_')}_command")
        return _with_common_options(command)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from difflib import get_close_matches

        if " ".join(args[:2]) in _COMMANDS:  # two words: `import gitops`
            args = [" ".join(args[:2]), *args[2:]]
        name = args[0] if args else ""
        if name and name not in _COMMANDS and not name.startswith("-"):
            near = get_close_matches(name, _COMMANDS, n=1)
            raise click.UsageError(
                f"there is no command {name!r}." + (f" Did you mean {near[0]}?" if near else ""), ctx
            )
        return super().resolve_command(ctx, args)


def _with_common_options(command: click.Command) -> click.Command:
    """The same options after the command's name, where people type them, too."""
    command.short_help = command.short_help or _summary(command.help or "")
    for parameter in command.params:
        number = isinstance(parameter.type, (click.types.IntParamType, click.types.FloatParamType))
        if number and isinstance(parameter, click.Option):
            parameter.metavar = parameter.metavar or "N"
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _with_common_options(inner)
        if not command.invoke_without_command:
            return command
    taken = {text for parameter in command.params for text in parameter.opts}
    for attribute, option in _COMMON.items():
        if taken.isdisjoint(option.opts):
            option.callback = _noting(attribute)
            command.params.append(option)
    return command


def _summary(text: str) -> str:
    """The first sentence of a help text, whole: click would cut it where the line ends."""
    paragraph = " ".join(text.replace("\b", "").strip().split("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s", paragraph, maxsplit=1)[0].rstrip(".")


def _noting(attribute: str) -> Any:
    def note(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value is not None and value is not False:
            setattr(ctx.obj, attribute, False if attribute == "colour" else value)

    return note


_COMMON = {
    "folder": click.Option(["-C"], type=click.Path(path_type=Path), metavar="DIR", hidden=True, expose_value=False),
    "environment": click.Option(["-e", "--environment"], metavar="ENV", hidden=True, expose_value=False),
    "colour": click.Option(["--no-color"], is_flag=True, hidden=True, expose_value=False),
    "quiet": click.Option(["-q", "--quiet"], is_flag=True, hidden=True, expose_value=False),
    "verbose": click.Option(["-v", "--verbose"], is_flag=True, hidden=True, expose_value=False),
}


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "-C",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The project's folder.",
    metavar="DIR",
)
@click.option(
    "-e",
    "--environment",
    envvar="VOICEOPS_ENV",
    metavar="ENV",
    help="The environment [default: the project's].",
)
@click.option("--no-color", is_flag=True, help="Plain text, also on a terminal (or set NO_COLOR).")
@click.option("-q", "--quiet", is_flag=True, help="Only results and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Also why nothing happens to what stays as it is.")
@click.version_option(__version__, prog_name="voiceops", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, folder: Path, environment: str | None, no_color: bool, quiet: bool, verbose: bool) -> None:
    """Voice agents on Vapi and Twilio as code.

    \b
    Start here:
      voiceops init shop && cd shop     a project that runs on the local sandbox
      voiceops plan                     what would change, and who would notice
      voiceops apply                    make it so
      voiceops plan                     nothing to do
      voiceops test                     a call to its phone line
    """
    console: Console = ctx.ensure_object(Console)
    console.folder, console.environment = folder, environment
    console.colour = False if no_color else None
    console.quiet, console.verbose = quiet, verbose


def _never_trace_what_is_written() -> None:
    """A terminal of another encoding shows `?` for what it lacks; a closed stream swallows."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for as long as we run
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def run(arguments: Sequence[str] | None = None, context: ProcessContext | None = None) -> int:
    """Run a command line and return its exit code; every error is shown, none as a traceback."""
    console = Console()
    console.context = replace(
        context or ProcessContext(),
        on_wait=console.note,
        on_detail=lambda text: console.note(text) if console.verbose else None,
    )
    _never_trace_what_is_written()
    code = _run(console, arguments)
    console.flush()
    error = console.unwritten
    if error is not None and not isinstance(error, BrokenPipeError) and not code:
        console.error(f"the output could not be written: {error.strerror}", "Check where it goes, and room there.")
        return 1
    return code


def _run(console: Console, arguments: Sequence[str] | None) -> int:
    try:
        result = cli.main(
            args=list(arguments) if arguments is not None else None,
            prog_name="voiceops",
            standalone_mode=False,
            obj=console,
        )
        return result if isinstance(result, int) else 0
    except click.exceptions.Abort:
        return _stopped(console)
    except click.exceptions.NoArgsIsHelpError as error:
        console.out(error.ctx.get_help() if error.ctx is not None else error.format_message())
        return 0
    except click.ClickException as error:
        console.error(error.format_message(), hint=_usage_hint(error))
        return 1
    except VoiceopsError as error:
        console.failure(error)
        return error.exit_code
    except OSError as error:  # a disk that is full, a folder that can't be read, a port that is taken
        taken = error.errno == errno.EADDRINUSE
        console.error(
            f"{error.filename or ('a port' if taken else 'a file')}: {error.strerror or error}",
            hint="Stop the process that listens there, or choose another port."
            if taken
            else "Check that it is there, its rights, and room.",
        )
        return 1
    except RuntimeError as error:
        if not str(error).startswith("Symlink loop"):
            raise
        console.error(str(error), hint="A link leads to itself: take it away.")
        return 1
    except KeyboardInterrupt:
        return _stopped(console)


def _stopped(console: Console) -> int:
    console.quiet = False
    console.note("\nStopped.")
    return 1


def _usage_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"See {context.command_path} --help." if context is not None else ""
