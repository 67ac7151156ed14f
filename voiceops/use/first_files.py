"""A project begins: its first files, and the pipeline that checks and applies it."""

from __future__ import annotations

from pathlib import Path

from voiceops.packaging.release import release_of
from voiceops.scaffold.first_project import write_first_project
from voiceops.scaffold.pipeline import Renewed, pipeline_files, renew
from voiceops.use.load_project import open_project
from voiceops.use.opened import Opened
from voiceops.use.process_context import ProcessContext


def start_project(
    folder: Path, *, with_runtime: bool = False, ci: str | None = None, source: str | None = None
) -> list[str]:
    """Write a project that works at once on the local sandbox; the names of its files.

    `ci` (`github` or `gitlab`) adds a pipeline; `source` is the wheel that it installs, as `URL#sha256=HASH` (None:
    that of the voiceops that runs, put into ci/). Raises VoiceopsError, with nothing written, where a file is there
    already; also where the disk takes no more.
    """
    release = release_of(source) if ci else None
    return write_first_project(folder, with_runtime=with_runtime, ci=ci, release=release)


def renew_pipeline(
    folder: Path,
    environment: str | None,
    context: ProcessContext,
    ci: str,
    *,
    source: str | None = None,
    keep_edited: bool = False,
) -> Renewed:
    """Bring the pipeline of the project in `folder` to what this voiceops writes, or write its first one.

    Raises InvalidProject, and VoiceopsError, with nothing written, where a file is somebody else's, or was edited and
    `keep_edited` is off.
    """
    opened = open_project(folder, environment, context)
    files = pipeline_files(ci, opened.project.name, _sandbox_of(opened), release_of(source))
    return renew(folder, ci, files, keep_edited=keep_edited)


def _sandbox_of(opened: Opened) -> str:
    """The project's first environment with `providers: sandbox`; empty where it has none. Raises VoiceopsError."""
    for environment in opened.project.environments:
        if open_project(opened.project.root, environment, opened.context).project.providers.sandbox:
            return environment
    return ""
