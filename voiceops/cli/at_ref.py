"""The manifests as a git ref has them, beside those of the working tree, which stays untouched."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from voiceops.cli.wiring import environment_variables
from voiceops.errors import VoiceopsError
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import Project, load_project
from voiceops.model.graph import Graph


@contextmanager
def graph_at(project: Project, ref: str) -> Iterator[tuple[Graph, str]]:
    """The graph of a commit, tag or branch, and the commit's id; files last as long. Raises VoiceopsError."""
    commit = _git(project.root, "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}").decode().strip()
    with TemporaryDirectory(prefix="voiceops-") as folder:
        root = Path(folder).resolve()
        # Of a project in a subfolder git archives just that.
        with tarfile.open(fileobj=io.BytesIO(_git(project.root, "archive", "--format=tar", commit))) as archive:
            archive.extractall(root, filter="data")
        if not (root / "voiceops.yaml").is_file():
            raise VoiceopsError(f"there is no voiceops.yaml in {ref}", hint="Name a commit that has this project.")
        variables = environment_variables(project.root)  # the secrets' names may have changed, the secrets are today's
        problems = Problems()
        old = load_project(root, project.environment, variables, problems)
        if old.name != project.name:
            raise VoiceopsError(f"in {ref} this is the project {old.name}, not {project.name}")
        yield load_graph(old, variables, problems), commit


def _git(root: Path, *arguments: str) -> bytes:
    try:
        ran = subprocess.run(["git", *arguments], cwd=root, capture_output=True, timeout=120)
    except FileNotFoundError:
        raise VoiceopsError("git is not installed", hint="Without it, roll back to a revision.") from None
    except subprocess.TimeoutExpired:
        raise VoiceopsError(f"git {arguments[0]} took too long") from None
    if ran.returncode:
        said = ran.stderr.decode(errors="replace").strip().partition("\n")[0]
        hint = "A shallow clone lacks older commits: git fetch --unshallow." if arguments[0] == "rev-parse" else ""
        raise VoiceopsError(f"git {arguments[0]} failed: {said}", hint=hint)
    return ran.stdout
