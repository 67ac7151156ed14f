"""Lock files, bounds and make targets: what is installed is what was locked, with hashes."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.bench import REPOSITORY

BIN = Path(sys.executable).parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
DEPENDENCIES = PROJECT["project"]["dependencies"]
LOCKS = {
    "templates/lock/runtime.txt": [*DEPENDENCIES, *EXTRAS["otel"], *EXTRAS["postgres"]],
    "templates/lock/ci.txt": [
        *DEPENDENCIES,
        *(text for extra in ("age", "policy", "postgres", "s3", "sign") for text in EXTRAS[extra]),
    ],
    "requirements-dev.txt": [
        *DEPENDENCIES,
        *(text for texts in EXTRAS.values() for text in texts),
        *PROJECT["dependency-groups"]["dev"],
        *PROJECT["build-system"]["requires"],
    ],
}


def pins(name: str) -> dict[str, tuple[str, int]]:
    """Package → its version and how many hashes it has. Every line of the file has to be one of the known forms."""
    found: dict[str, tuple[str, int]] = {}
    last = ""
    for line in (REPOSITORY / name).read_text(encoding="utf-8").splitlines():
        text = line.removesuffix("\\").strip()
        if text.startswith("#"):
            continue
        if re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", text):
            version, count = found[last]
            found[last] = version, count + 1
            continue
        requirement = Requirement(text)
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        assert requirement.url is None
        last = canonicalize_name(requirement.name)
        assert last not in found
        found[last] = specifier.version, 0
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_every_requirement_in_a_version_that_is_allowed(name: str) -> None:
    locked = pins(name)
    for text in LOCKS[name]:
        requirement = Requirement(text)
        version = locked[canonicalize_name(requirement.name)][0]
        assert requirement.specifier.contains(version, prereleases=True), f"{text}: {version} is locked; run make lock"
    assert all(count for _, count in locked.values()), "every package has a hash"
    assert not {"voiceops", "voiceops-iac"} & locked.keys()


@pytest.mark.parametrize("name", [*LOCKS, "benchmarks/express/package-lock.json"])
def test_a_lock_names_no_index_and_no_place_of_this_machine(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    hosts = set(re.findall(r"https?://([^/\"'\s]+)", text))
    assert hosts <= {"registry.npmjs.org", "github.com", "opencollective.com", "www.patreon.com", "feross.org"}
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|file:", text)


def test_the_server_of_the_benchmark_is_locked_by_hash() -> None:
    folder = REPOSITORY / "benchmarks/express"
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    declared = json.loads((folder / "package.json").read_text())["dependencies"]
    assert packages[""]["dependencies"] == declared
    assert all(packages[name]["integrity"].startswith("sha512-") for name in packages if name)
    ignored = subprocess.run(["git", "check-ignore", "benchmarks/express/package-lock.json"], cwd=REPOSITORY)
    assert ignored.returncode == 1


# Modules of other packages that are no part of what these promise to keep.
UNPROMISED = {"uvicorn": {"uvicorn.protocols", "uvicorn.server", "uvicorn.supervisors"}}


def imported() -> Iterator[tuple[str, str]]:
    """Every name that voiceops takes from a package, as (distribution's module, dotted name)."""
    for path in (REPOSITORY / "voiceops").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    yield node.module.partition(".")[0], f"{node.module}.{alias.name}"
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name.partition(".")[0], alias.name


def test_what_private_names_are_used_of_has_an_upper_bound() -> None:
    private = set()
    for package, name in imported():
        hidden = any(part.startswith("_") for part in name.split(".")[1:])
        if package in sys.stdlib_module_names or package in ("voiceops", "__future__"):
            continue
        if hidden or any(name.startswith(f"{module}.") for module in UNPROMISED.get(package, ())):
            private.add(package)
    assert "uvicorn" in private, "the check looks at the right thing"
    bounds = {canonicalize_name(r.name): r.specifier for r in map(Requirement, DEPENDENCIES)}
    for package in private:
        operators = {specifier.operator for specifier in bounds[canonicalize_name(package)]}
        assert "<" in operators, f"{package} needs an upper bound"


def test_the_bound_of_uvicorn_is_the_next_release_that_nobody_tested() -> None:
    (uvicorn,) = (r for r in map(Requirement, DEPENDENCIES) if r.name == "uvicorn")
    bound = {s.operator: s.version for s in uvicorn.specifier}
    low, high = ([int(part) for part in bound[operator].split(".")[:2]] for operator in (">=", "<"))
    assert high == [low[0], low[1] + 1]


# make


def make(*arguments: str) -> str:
    return subprocess.run(["make", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def test_help_lists_every_target() -> None:
    text = (REPOSITORY / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    said = make("help")
    for target in phony[1].split():
        assert f"make {target} " in said or target in ("help", "clean")


def test_the_demo_installs_what_users_get_and_the_tests_what_is_locked(tmp_path: Path) -> None:
    user = make("-n", "demo", f"USER_VENV={tmp_path / 'u'}", f"VENV={tmp_path / 'v'}")
    assert "dev" not in user
    assert str(tmp_path / "v") not in user
    tests = make("-n", "test", f"VENV={tmp_path / 'v'}")
    assert "--require-hashes -r requirements-dev.txt" in tests
    assert "--no-build-isolation" in tests


def test_the_check_before_a_change_lands_runs_what_people_run() -> None:
    text = (REPOSITORY / ".ci/run").read_text()
    assert [line for line in text.splitlines() if line.startswith("make ")] == [
        "make lint",
        "make types",
        "make test",
        "make demo",
    ]
    assert os.access(REPOSITORY / ".ci/run", os.X_OK)


def test_the_list_of_what_is_shipped_has_every_locked_package(tmp_path: Path) -> None:
    out = tmp_path / "sbom.json"
    arguments = ["requirements", "--pyproject", "pyproject.toml", "--output-reproducible", "-o", str(out)]
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", *arguments, "templates/lock/runtime.txt"]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    listed = json.loads(out.read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert listed["metadata"]["component"]["name"] == "voiceops-iac"
    versions = {canonicalize_name(c["name"]): c["version"] for c in listed["components"]}
    assert versions == {name: version for name, (version, _) in pins("templates/lock/runtime.txt").items()}


@pytest.fixture
def pip_audit(tmp_path: Path) -> Path:
    """A place for a pip-audit that says what a test wants, beside a Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    return folder / "pip-audit"


def audited(tool: Path, said: Any, *, code: int = 0) -> tuple[int, str]:
    text = said if isinstance(said, str) else json.dumps({"dependencies": said})
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\necho 'ERROR: no route' >&2\nexit {code}\n")
    tool.chmod(0o755)
    script = f"import sys; sys.executable = {str(tool.parent / 'python')!r}; sys.argv = ['audit.py', 'a.txt']\n"
    script += f"import runpy; runpy.run_path({str(REPOSITORY / 'scripts/audit.py')!r}, run_name='__main__')"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return ran.returncode, ran.stdout


def test_the_audit_says_plainly_what_it_knows(pip_audit: Path) -> None:
    good = {"name": "click", "version": "8.5.1", "vulns": []}
    bad = {"name": "httpx", "version": "0.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"]}]}
    gone = {"name": "rich", "skip_reason": "Dependency not found on PyPI"}
    assert audited(pip_audit, [good]) == (0, "Nothing is known against 1 packages of a.txt.\n")
    code, said = audited(pip_audit, [good, bad], code=1)
    assert (code, said) == (1, "a.txt: httpx 0.1: PYSEC-1, mended in 0.2\n")
    code, said = audited(pip_audit, [good, gone])
    assert code == 2
    assert "1 of 2 packages could not be looked up: rich." in said
    assert "Nothing is known of them, good or bad" in said
    code, said = audited(pip_audit, "", code=1)
    assert code == 2
    assert "a.txt could not be audited: ERROR: no route" in said


def test_a_secret_in_the_tree_would_be_found(tmp_path: Path) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    (tmp_path / "settings.py").write_text(f'TOKEN = "{token}"\n')
    shutil.copy(REPOSITORY / ".secrets.baseline", tmp_path)
    subprocess.run("git init -q && git add .", shell=True, cwd=tmp_path, check=True)  # it asks git for the baseline
    hook = [BIN / "detect-secrets-hook", "--baseline", ".secrets.baseline", "settings.py"]
    ran = subprocess.run(hook, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 1
    assert "settings.py" in ran.stdout
    assert token not in ran.stdout


def test_how_to_report_a_hole_is_said_at_the_top() -> None:
    text = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
    for part in ("## Report a hole", "## Supported versions", "## What the supply chain promises", "voiceops-iac"):
        assert part in text
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (REPOSITORY / link).exists()
