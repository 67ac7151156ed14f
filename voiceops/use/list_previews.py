"""The previews that there are, and the environment that one is made of."""

from __future__ import annotations

from pathlib import Path

from voiceops.preview.registered import Preview
from voiceops.use.load_project import open_project
from voiceops.use.opened import Opened
from voiceops.use.preview_registry import registered, registry_of
from voiceops.use.process_context import ProcessContext


async def preview_list(folder: Path, context: ProcessContext) -> list[Preview]:
    """Every preview of the project, by name. Raises InvalidProject, StateError, Refused."""
    return list((await registered(registry_of(folder, context))).values())


def base_of(opened: Opened) -> Opened:
    """The environment that a preview is made of; any other environment is its own base. Raises InvalidProject."""
    if not opened.project.preview:
        return opened
    return open_project(opened.project.root, opened.project.base, opened.context)
