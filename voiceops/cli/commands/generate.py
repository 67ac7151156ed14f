"""`voiceops generate runtime`: the webhook runtime as a project of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from voiceops.cli.terminal.console import Console
from voiceops.errors import Diagnostic, InvalidProject, Mark, VoiceopsError
from voiceops.manifest.problems import Problems

if TYPE_CHECKING:
    from voiceops.cli.wiring import Loaded
    from voiceops.manifest.project import Project
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
@click.option("--stubs", is_flag=True, help="Write the project's missing handler files, typed from its tools.")
@click.option(
    "--from",
    "source",
    metavar="URL#sha256=HASH",
    help="The wheel of voiceops that it installs [default: that of the voiceops that runs, put beside it].",
)
@click.pass_obj
def runtime_command(console: Console, out: Path | None, stubs: bool, source: str | None) -> int:
    """Write the runtime as a small project: one application, the handlers, a container, no live ids.

    It installs what lies beside it or has a hash, never a package by its name alone: the wheel of this voiceops, and
    requirements.lock with the hashes of all that it needs.

    The same manifests and handlers give the same bytes. A file that was edited in DIR is kept, and named: delete it to
    have it written anew. runtime.json has to be what the manifests say: where it was edited, nothing is written. What
    was copied for handlers that the project no longer has is removed from DIR. A requirements.txt beside the handlers
    is installed with them. --stubs changes no file that is there.

    \b
    Examples:
      voiceops -e prod generate runtime --out runtime
      voiceops generate runtime --stubs
    """
    from voiceops.cli.commands.serve import runtime_spec
    from voiceops.cli.templates import template
    from voiceops.packaging.release import release_of
    from voiceops.scaffold.runtime_project import write_project

    release = release_of(source)
    loaded, missing = _load(console)
    spec = runtime_spec(loaded)
    project = loaded.project
    target = out if out is not None else project.root / "runtime"
    _check_target(project, target.resolve())
    folder = project.root / project.handlers
    if missing:
        _write_stubs(console, loaded, spec, missing, stubs)
    written = write_project(
        target.resolve(), spec, folder, template("runtime"), template("lock")["runtime.txt"], release
    )
    for name in written.changed:
        console.out(f"wrote   {name}")
    for name in written.removed:
        console.out(f"removed {name}")
    for name in written.kept:
        console.out(f"kept    {name} (edited there, and not what it would be now; delete it to have it written anew)")
    if "requirements.txt" in written.kept:
        console.note(f"Packages that handlers need have their place in {project.handlers}/requirements.txt.")
    for name in written.strange:
        console.out(f"kept    {name} (not from {project.handlers}; the runtime may load it)")
    console.note(f"{len(written.changed)} written, {len(written.same)} unchanged, in {target}")
    return 0


def _check_target(project: Project, target: Path) -> None:
    """Raise where the runtime's files would get among the project's own."""
    root = project.root.resolve()
    if target == root:
        raise VoiceopsError(
            f"--out is the project's own folder, {target}: its files would be mixed with the runtime's",
            hint="Name a folder in it, as --out runtime, or one elsewhere.",
        )
    for name in (project.handlers, *project.manifests):
        folder = (root / name).resolve()
        if folder != root and target.is_relative_to(folder):
            raise VoiceopsError(
                f"--out lies in {name}, whose files are the project's handlers or manifests",
                hint="Name a folder beside it, as --out runtime.",
            )


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


def _write_stubs(console: Console, loaded: Loaded, spec: RuntimeSpec, missing: list[Diagnostic], stubs: bool) -> None:
    """Write the files that are missing; raise with the stub of every function that a file lacks."""
    from voiceops.scaffold.stubs import module_of, stub_of, tools_by_module

    shown = loaded.project.handlers
    folder = loaded.project.root / shown
    # Instances of one manifest have one handler, and tools may share one: it is missing once.
    lacking: dict[str, Diagnostic] = {}
    for diagnostic in missing:
        resource = loaded.graph.resources.get(diagnostic.address)
        lacking.setdefault((resource.handler if resource else None) or diagnostic.address, diagnostic)
    wrong = _unmendable(loaded.project, lacking)
    for module, tools in tools_by_module(spec).items():
        found = [(tool, lacking.pop(tool.handler)) for tool in tools if tool.handler and tool.handler in lacking]
        if not found:
            continue
        path = _module_file(folder, module)
        name = f"{shown}/{path.relative_to(folder).as_posix()}"
        if stubs and not path.exists():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(module_of(tools), encoding="utf-8")
            except OSError as error:
                raise VoiceopsError(f"{name} can't be written: {error.strerror}") from None
            console.out(f"stub    {name}")
            continue
        advice = f"Add this to {name}" if path.exists() else f"Run again with --stubs, or write {name}"
        wrong += [_with_hint(diagnostic, f"{advice}:\n\n{stub_of(tool)}") for tool, diagnostic in found]
    # Handlers of lines and agents have no schema to make a stub of.
    wrong += lacking.values()
    if wrong:
        raise InvalidProject(sorted(wrong, key=lambda d: d.mark or Mark("", 0, 0)))


def _module_file(folder: Path, module: str) -> Path:
    base = folder.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _unmendable(project: Project, lacking: dict[str, Diagnostic]) -> list[Diagnostic]:
    """What no stub mends: files that are no Python, names that no function can have. Taken out of `lacking`."""
    import keyword

    files: dict[Path, Diagnostic] = {}
    names: list[Diagnostic] = []
    for handler in list(lacking):
        module, _, function = handler.partition(":")
        path = _module_file(project.root / project.handlers, module)
        if error := _syntax_error(path):
            diagnostic = lacking.pop(handler)
            mark = Mark(path.relative_to(project.root).as_posix(), error.lineno or 1, max(1, error.offset or 1))
            files.setdefault(path, replace(diagnostic, summary=f"not valid Python: {error.msg}", mark=mark, hint=""))
        elif keyword.iskeyword(function):
            names.append(_with_hint(lacking.pop(handler), "Python has this word for itself: name another function."))
    return [*files.values(), *names]


def _syntax_error(path: Path) -> SyntaxError | None:
    from voiceops.manifest.handlers import read_module

    try:
        read_module(path.read_text(encoding="utf-8-sig"))
    except SyntaxError as error:
        return error
    except (OSError, UnicodeDecodeError):  # said by the check of handlers
        return None
    return None


def _with_hint(diagnostic: Diagnostic, hint: str) -> Diagnostic:
    return replace(diagnostic, hint=hint)
