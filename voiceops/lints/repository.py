"""The one place where lints look beyond the project's files: which of them git keeps."""

from __future__ import annotations

import subprocess
from pathlib import Path

_SECONDS = 5
_SAMPLES = (".example", ".sample", ".template", ".dist", ".defaults")


def tracked_env_files(root: Path) -> tuple[str, ...]:
    """`.env` files in the project's folder that git keeps; none where there is no git, or no repository."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--", ".env", ".env.*"]
    try:
        ran = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    if ran.returncode != 0:
        return ()
    names = ran.stdout.decode("utf-8", "replace").split("\0")
    return tuple(sorted(name for name in names if name and not name.endswith(_SAMPLES)))
