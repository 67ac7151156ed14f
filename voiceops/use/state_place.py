"""Where the state of a live environment must not be: in a folder that goes away with the machine.

A pipeline's checkout is deleted after the job, and with it a state that was written into it; the next job would make
everything a second time. An ignored folder is on one machine alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from voiceops.errors import Diagnostic, Refused
from voiceops.manifest.project import Project

_PIPELINES = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "JENKINS_URL")
_CHECKOUTS = {
    "GITHUB_ACTIONS": "GITHUB_WORKSPACE",
    "GITLAB_CI": "CI_PROJECT_DIR",
    "TF_BUILD": "BUILD_SOURCESDIRECTORY",
    "JENKINS_URL": "WORKSPACE",
}
_NO = ("", "0", "false", "no")
_IGNORED = ".voiceops"


def check_place(project: Project, *, local: bool, environ: Mapping[str, str] = os.environ) -> None:
    """Before anything is written. `local` says that the folder is meant. Raises Refused."""
    if not local and is_lost(project, environ):
        raise Refused(
            f"the state of {project.environment} would be written into this pipeline's checkout ({project.state}), and "
            "go with it",
            hint="Point VOICEOPS_STATE, or `state:`, at a shared place (docs/state.md); or give --local-state, where "
            "the pipeline commits that folder afterwards.",
        )


def place_warnings(project: Project, environ: Mapping[str, str] = os.environ) -> list[Diagnostic]:
    """What a plan says of the state's place."""
    if is_lost(project, environ):
        return [
            Diagnostic(
                code="state-local",
                severity="warning",
                mark=project.mark,
                summary=f"the state of {project.environment} is in this pipeline's checkout ({project.state})",
                hint="apply refuses that without --local-state: what it writes there goes with the job.",
            )
        ]
    folder = _folder(project)
    if folder is None or not _is_real(project) or _IGNORED not in folder.relative_to(project.root).parts[:1]:
        return []
    return [
        Diagnostic(
            code="state-ignored",
            severity="warning",
            mark=project.mark,
            summary=f"the state of {project.environment} is in {project.state}, which git ignores: it is on this "
            "machine alone",
            hint=f"Keep it in git (state: state) or in a shared place (docs/state.md): "
            f"`voiceops -e {project.environment} state migrate {project.state} state` copies it.",
        )
    ]


def is_lost(project: Project, environ: Mapping[str, str]) -> bool:
    """Is this a pipeline, and the state of a live environment in its checkout?"""
    if project.providers.sandbox or all(environ.get(name, "").lower() in _NO for name in _PIPELINES):
        return False
    folder = (project.root / project.state).resolve()
    checkouts = [
        project.root,
        *(Path(environ[name]) for on, name in _CHECKOUTS.items() if environ.get(on) and environ.get(name)),
    ]
    return "://" not in project.state and any(folder.is_relative_to(place.resolve()) for place in checkouts)


def _folder(project: Project) -> Path | None:
    """The state's folder in the project, if that is where it is."""
    folder = (project.root / project.state).resolve()
    inside = "://" not in project.state and folder.is_relative_to(project.root.resolve())
    return project.root / folder.relative_to(project.root.resolve()) if inside else None


def _is_real(project: Project) -> bool:
    """The vendor itself, and no stand-in on this machine."""
    from voiceops.lints.servers import is_private

    return not project.providers.sandbox and not is_private(urlsplit(project.providers.vapi_url).hostname)
