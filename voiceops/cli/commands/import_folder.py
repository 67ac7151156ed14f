"""`voiceops import gitops` and `voiceops import json`: what another tool's folder describes, as a project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import formats

F = TypeVar("F", bound=Callable[..., Any])


def _common(command: F) -> F:
    """The folder, and what both commands take."""
    command = click.option("--dry-run", is_flag=True, help="Only say what would be written and adopted.")(command)
    command = click.option(
        "--offline", is_flag=True, help="Ask no account: write the project, and the ids for `import --from`."
    )(command)
    command = click.option(
        "--out",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The new project's folder [default: FOLDER-voiceops, beside it].",
    )(command)
    return click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")(command)


@click.command("import gitops")
@_common
@click.option(
    "--org", metavar="NAME", help="Only this organization of the checkout [default: all, an environment each]."
)
@click.option("--skip-dangling", is_flag=True, help="Leave references to nothing out, instead of stopping at them.")
@formats("text", "json")
@click.pass_obj
def import_gitops_command(
    console: Console,
    folder: Path,
    out: Path | None,
    org: str | None,
    skip_dangling: bool,
    offline: bool,
    dry_run: bool,
    format_: str,
) -> int:
    """Make a project out of a VapiAI/gitops checkout, and manage what is live of it.

    Nothing is written into the checkout, nothing of it is run, and nothing live is changed: live ids are kept, and the
    plan afterwards is empty where live is what the folder says. Keys of its env files go to the new project's `.env`.

    \b
    Examples:
      voiceops import gitops ../acme-vapi --dry-run
      voiceops import gitops ../acme-vapi --org prod --out ../voice
    """
    return _import(console, "gitops", folder, out, format_, offline, dry_run, org=org, skip_dangling=skip_dangling)


@click.command("import json")
@_common
@formats("text", "json")
@click.pass_obj
def import_json_command(
    console: Console, folder: Path, out: Path | None, offline: bool, dry_run: bool, format_: str
) -> int:
    """Make a project out of a folder of API payloads, one JSON file each, and manage those that have an id.

    The folder that a file stands in tells what it is (assistants/, tools/, squads/), else its keys do. Nothing
    live is changed; a payload without an id is created by the next apply.

    \b
    Example:
      voiceops import json backup/2026-05-01 --out voice
    """
    return _import(console, "json", folder, out, format_, offline, dry_run)


def _import(
    console: Console,
    form: Literal["gitops", "json"],
    folder: Path,
    out: Path | None,
    format_: str,
    offline: bool,
    dry_run: bool,
    **more: Any,
) -> int:
    from voiceops.render.folder_import import render_folder_import

    base = console.folder
    target = base / out if out is not None else None
    importing = use.import_folder(
        form, base / folder, target, console.context, offline=offline, dry_run=dry_run, **more
    )
    done = completed(importing)
    if format_ == "json":
        console.data(done.to_data())
    else:
        console.prose("\n".join(render_folder_import(done, console.style(), Path.cwd())))
    return 0
