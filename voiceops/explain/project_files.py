"""The project's documents as they stand in its files, before anything is put together: read once more for explain."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping

from voiceops.explain.layers import ProjectFiles
from voiceops.kinds.registry import ALL
from voiceops.manifest.documents import Document, instances, read_manifests
from voiceops.manifest.interpolate import Interpolator
from voiceops.manifest.plain_secrets import KnownSecrets
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import Project


def read_project_files(project: Project, environ: Mapping[str, str]) -> ProjectFiles:
    """Every document of the environment, each instance of a forEach on its own. What is wrong, loading tells."""
    problems = Problems()
    found: dict[str, Document] = {}
    for document in read_manifests(project.root, project.manifests, ALL, problems, project.manifest_marks):
        wanted = document.environments
        if wanted is not None and not any(fnmatch.fnmatch(project.made_of, name) for name in wanted):
            continue
        interpolator = Interpolator(
            root=project.root,
            variables=project.variables,
            environ=environ,
            problems=problems,
            folder=document.folder,
            runtime_url=project.runtime_url,
            known=KnownSecrets(environ),
        )
        for one in instances(document, interpolator, problems):
            found[one.address] = one
    return ProjectFiles(project, found)
