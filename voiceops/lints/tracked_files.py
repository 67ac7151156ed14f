"""The one place where lints look beyond the project's files: which of them git keeps."""

from __future__ import annotations

from pathlib import Path

from voiceops.manifest.git import GitProblem, repository

_SECONDS = 5.0
_MOST = 1 << 20
_SAMPLES = (".example", ".sample", ".template", ".dist", ".defaults")


def tracked_env_files(root: Path) -> tuple[str, ...]:
    """`.env` files in the project's folder that git keeps; none where there is no git, or no repository."""
    try:
        with repository(root) as found:
            if found is None:
                return ()
            said = found.ask("ls-files", "-z", "--", ".env", ".env.*", seconds=_SECONDS, most=_MOST)
    except GitProblem:
        return ()
    names = said.decode("utf-8", "replace").split("\0")
    return tuple(sorted(name for name in names if name and not name.endswith(_SAMPLES)))
