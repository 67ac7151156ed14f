"""What stands in `voiceops.yaml` and the environment's file, as written: the project itself has no marks."""

from __future__ import annotations

from typing import Any

from voiceops.errors import InvalidProject, Mark
from voiceops.lints.context import Context
from voiceops.manifest.project import PROJECT_FILE
from voiceops.manifest.strict_yaml import read_documents
from voiceops.model.located import Map


def setting(context: Context, *path: str) -> tuple[Any, Mark] | None:
    """A setting's own text and place: the environment's file comes before the project's."""
    project = context.project
    for file in (f"environments/{project.made_of}.yaml", PROJECT_FILE):
        try:
            documents = read_documents("\n".join(context.texts.lines(file)), file)
        except InvalidProject:  # said already, when the project was loaded
            continue
        value: Any = documents[0][0] if documents else None
        mark = Mark(file, 1, 1)
        for step in path:
            if not isinstance(value, Map) or step not in value:
                break
            mark, value = value.marks[step], value[step]
        else:
            return value, mark
    return None
