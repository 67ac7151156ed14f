"""The image's definition and the pre-commit hooks, as far as they can be checked without an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import REPOSITORY, Bench

BIN = Path(sys.executable).parent


def test_the_dockerfile_has_no_findings() -> None:
    ran = subprocess.run([BIN / "hadolint", REPOSITORY / "Dockerfile"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (REPOSITORY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def test_the_image_is_slim_and_runs_as_nobody_in_particular() -> None:
    found = instructions()
    images = [rest.split()[0] for word, rest in found if word == "FROM"]
    assert all(image.endswith("-slim") and ":" in image for image in images)
    last = max(i for i, (word, _) in enumerate(found) if word == "FROM")
    final = dict(found[last:])
    assert final["USER"].isdigit()
    assert int(final["USER"]) > 0
    assert final["ENTRYPOINT"] == '["voiceops"]'
    assert not any(word in ("ADD", "ARG", "ENV") for word, _ in found), "nothing secret can be baked in"


def test_what_the_image_copies_is_enough_for_the_wheel(tmp_path: Path) -> None:
    allowed = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            for source in sources:
                assert source in allowed, f".dockerignore keeps {source} out"
                origin = REPOSITORY / source
                if origin.is_dir():
                    shutil.copytree(origin, tmp_path / target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(origin, tmp_path)
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(tmp_path / "out"), str(tmp_path)], check=True)
    with zipfile.ZipFile(next((tmp_path / "out").glob("*.whl"))) as wheel:
        names = wheel.namelist()
    assert "voiceops/_data/schema/vapi.json" in names
    assert "voiceops/_data/templates/ci/shared/ci/forge.py.j2" in names
    extras = re.search(r"voiceops-iac\[([a-z0-9,]+)\]", (REPOSITORY / "Dockerfile").read_text())
    assert extras is not None
    declared = (REPOSITORY / "pyproject.toml").read_text()
    assert all(re.search(rf"^{extra} = \[", declared, re.MULTILINE) for extra in extras[1].split(","))


def hooks() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    return found


def test_the_hooks_are_what_pre_commit_reads() -> None:
    ran = subprocess.run(
        [BIN / "pre-commit", "validate-manifest", REPOSITORY / ".pre-commit-hooks.yaml"], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout
    for hook in hooks():
        for path in (
            "voiceops.yaml",
            "shop/voiceops.yaml",
            "agents/a/b.yaml",
            "agents/prompts/x.md",
            "environments/prod.yml",
        ):
            assert re.search(hook["files"], path)
        assert not re.search(hook["files"], "README.md")


@pytest.fixture
def desk(live: Bench) -> Bench:
    """An agent with a tool, on a line."""
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    return live


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
def test_a_hook_passes_what_is_valid_and_stops_what_is_not(desk: Bench, hook: dict[str, Any]) -> None:
    command, *arguments = hook["entry"].split()
    assert command == "voiceops"
    ran = subprocess.run([BIN / command, *arguments], cwd=desk.folder, capture_output=True, text=True, env=desk.environ)
    assert ran.returncode == 0, ran.stderr
    desk.edit("agents/agent.yaml", "tools: [lookup]", "tools: [lokup]")
    ran = subprocess.run([BIN / command, *arguments], cwd=desk.folder, capture_output=True, text=True, env=desk.environ)
    assert (ran.returncode, "lokup" in ran.stdout + ran.stderr) == (1, True)
