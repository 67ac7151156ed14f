"""Who applies, from where, and from which commit: what the history keeps of an apply's origin."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voiceops.manifest.git import NoGit, repository

# (who is behind the run, the pipeline's system)
_PIPELINES = (("GITHUB_ACTOR", "github"), ("GITLAB_USER_LOGIN", "gitlab"))


def origin(root: Path, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """`who` and where that is known from, git's `commit`, whether files differ from it and it is a merge, the
    pipeline's `link`."""
    who, source = _who(environ)
    return {"who": who, "source": source, **_git(root), "link": _link(environ)}


def _who(environ: Mapping[str, str]) -> tuple[str, str]:
    for name, source in _PIPELINES:
        if environ.get(name):
            return environ[name], source
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}", "local"


def _link(environ: Mapping[str, str]) -> str:
    if environ.get("GITHUB_RUN_ID"):
        server, repository = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
        return f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return environ.get("CI_JOB_URL", "")


def _git(root: Path) -> dict[str, Any]:
    """The commit of the project's folder; nothing outside a repository, or without git."""
    nothing = {"commit": "", "dirty": False}
    try:
        with repository(root) as found:
            if found is None or (commit := found.text("rev-parse", "--verify", "HEAD")) is None:
                return nothing
            # A shallow clone knows its commit's parents, though it doesn't have them.
            head = (found.text("cat-file", "commit", commit) or "").partition("\n\n")[0]
            asked = ("status", "--porcelain", "--no-renames", "--ignore-submodules=all", "--", ".")
            return {
                "commit": commit,
                "dirty": bool(found.text(*asked)),
                "merge": sum(line.startswith("parent ") for line in head.splitlines()) > 1,
            }
    except NoGit:
        return nothing
