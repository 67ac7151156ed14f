"""Who applies, from where, and from which commit: what the history keeps of an apply's origin."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    commit = _ask(root, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": "", "dirty": False}
    # A shallow clone knows its commit's parents, though it doesn't have them.
    head = (_ask(root, "cat-file", "-p", "HEAD") or "").partition("\n\n")[0]
    return {
        "commit": commit,
        "dirty": bool(_ask(root, "status", "--porcelain", "--", ".")),
        "merge": sum(line.startswith("parent ") for line in head.splitlines()) > 1,
    }


def _ask(root: Path, *arguments: str) -> str | None:
    try:
        ran = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout.strip() if ran.returncode == 0 else None
