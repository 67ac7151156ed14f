"""`voiceops generate runtime`: the webhook runtime as a project of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from voiceops.cli.console import Console
from voiceops.errors import Diagnostic, InvalidProject, Mark, VoiceopsError
from voiceops.manifest.problems import Problems

if TYPE_CHECKING:
    from voiceops.cli.wiring import Loaded
    from voiceops.runtime.spec import RuntimeSpec


@click.group("generate")
def generate_command() -> None:
    """Write things out."""


@generate_command.command("runtime")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder to write [default: runtime, in the project].",
)
@click.option("--stubs", is_flag=True, help="Write missing handler files, with typed arguments from the tools.")
@click.pass_obj
def runtime_command(console: Console, out: Path | None, stubs: bool) -> int:
    """Write the runtime as a small project: one application, the handlers, a container, no live ids.

    The same manifests give the same bytes. A handler's file that exists is never changed.

    \b
    Examples:
      voiceops -e prod generate runtime --out runtime
      voiceops generate runtime --stubs
    """
    from voiceops._version import __version__
    from voiceops.cli.serve import runtime_spec
    from voiceops.cli.templates import template
    from voiceops.runtime.generate import write_project

    loaded, missing = _load(console)
    spec = runtime_spec(loaded)
    folder = loaded.project.root / loaded.project.handlers
    if missing:
        _write_stubs(console, spec, folder, loaded.project.handlers, missing, stubs)
    target = out if out is not None else loaded.project.root / "runtime"
    written = write_project(target.resolve(), spec, folder, template("runtime"), __version__)
    for name in written.changed:
        console.out(f"wrote   {name}")
    for name in written.kept:
        console.out(f"kept    {name} (edited there; {loaded.project.handlers} has another version)")
    console.note(f"{len(written.changed)} written, {len(written.same)} unchanged, in {target}")
    return 0


class _Sorting(Problems):
    """Sets missing handlers aside: they are this command's business."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers: list[Diagnostic] = []

    def add(self, diagnostic: Diagnostic) -> None:
        if diagnostic.code == "handler" and "is no handler" not in diagnostic.summary:
            self.handlers.append(diagnostic)
        else:
            super().add(diagnostic)


def _load(console: Console) -> tuple[Loaded, list[Diagnostic]]:
    """The project, and what is wrong with its handlers."""
    from voiceops.cli import wiring
    from voiceops.manifest.compose import load_graph
    from voiceops.manifest.project import load_project

    root = wiring.root_of(console)
    environ = wiring.environment_variables(root)
    problems = _Sorting()
    project = load_project(root, console.environment or environ.get("VOICEOPS_ENV"), environ, problems)
    graph = load_graph(project, environ, problems)
    return wiring.Loaded(project, graph, (), environ), problems.handlers


def _write_stubs(
    console: Console, spec: RuntimeSpec, folder: Path, shown: str, missing: list[Diagnostic], stubs: bool
) -> None:
    """Write the files that are missing; raise with the stub of every function that a file lacks."""
    from voiceops.runtime.stubs import module_of, stub_of, tools_by_module

    wrong: list[Diagnostic] = []
    addresses = {diagnostic.address: diagnostic for diagnostic in missing}
    for module, tools in tools_by_module(spec).items():
        lacking = [tool for tool in tools if tool.address in addresses]
        if not lacking:
            continue
        base = folder.joinpath(*module.split("."))
        path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
        name = f"{shown}/{path.relative_to(folder).as_posix()}"
        if path.exists():
            for tool in lacking:
                diagnostic = addresses.pop(tool.address)
                wrong.append(_with_hint(diagnostic, f"Add this to {name}:\n\n{stub_of(tool)}"))
        elif not stubs:
            for tool in lacking:
                diagnostic = addresses.pop(tool.address)
                wrong.append(_with_hint(diagnostic, f"Run again with --stubs, or write {name}:\n\n{stub_of(tool)}"))
        else:
            for tool in lacking:
                addresses.pop(tool.address)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(module_of(tools), encoding="utf-8")
            except OSError as error:
                raise VoiceopsError(f"{name} can't be written: {error.strerror}") from None
            console.out(f"stub    {name}")
    # Handlers of lines and agents have no schema to make a stub of.
    wrong += [d for d in missing if d.address in addresses]
    if wrong:
        raise InvalidProject(sorted(wrong, key=lambda d: d.mark or Mark("", 0, 0)))


def _with_hint(diagnostic: Diagnostic, hint: str) -> Diagnostic:
    from dataclasses import replace

    return replace(diagnostic, hint=hint)
