"""The webhook runtime of a project, written as a project of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voiceops.manifest.compose import load_graph
from voiceops.packaging.release import release_of
from voiceops.scaffold.handler_files import MissingHandlers, write_handler_files
from voiceops.scaffold.runtime_project import WrittenProject, check_place, write_project
from voiceops.use.load_project import Loaded, opened_with_problems
from voiceops.use.process_context import ProcessContext
from voiceops.use.runtime_needs import runtime_spec


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRuntime:
    """What was done to each file in `folder`; `handlers` is the project's own folder of handlers, from its root."""

    folder: Path
    handlers: str
    files: WrittenProject


def generate_runtime(
    folder: Path | str = ".",
    environment: str | None = None,
    context: ProcessContext | None = None,
    out: Path | None = None,
    *,
    source: str | None = None,
    stubs: bool = False,
    stub_written: Callable[[str], None] | None = None,
) -> WrittenRuntime:
    """Write the project's runtime into `out` (None: `runtime`, in the project), or renew it.

    `source` is the wheel that it installs, as `URL#sha256=HASH` (None: that of the voiceops that runs, beside it).
    `stubs`: write the handler files that are missing; `stub_written` is told each, for what comes after may fail.

    Raises InvalidProject with every problem, and VoiceopsError: where the project has no runtime, `out` is no place
    for one, a file was edited that has to be what the manifests say, or can't be written.
    """
    release = release_of(source)
    missing = MissingHandlers()
    opened, _ = opened_with_problems(Path(folder), environment, context or ProcessContext(), missing)
    loaded = Loaded(opened.project, opened.environ, opened.context, load_graph(opened.project, opened.environ, missing))
    spec, project = runtime_spec(loaded), loaded.project
    target = out if out is not None else project.root / "runtime"
    check_place(project, target)
    for name in write_handler_files(project, loaded.graph, spec, missing.handlers, stubs=stubs):
        if stub_written is not None:
            stub_written(name)
    files = write_project(target.resolve(), spec, project.root / project.handlers, release)
    return WrittenRuntime(folder=target, handlers=project.handlers, files=files)
