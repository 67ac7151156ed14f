"""The wheel of the running voiceops: whole, the same bytes each time and from everywhere, and one that pip takes."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import shutil
import subprocess
import sys
import time
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from tests.support.bench import REPOSITORY
from voiceops.errors import VoiceopsError
from voiceops.packaging.metadata import _written
from voiceops.packaging.wheel import Wheel, build_wheel, package_files

PIP = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
INFO = "voiceops_iac-0.1.0.dist-info"


@pytest.fixture(scope="module")
def wheel() -> Wheel:
    return build_wheel()


@pytest.fixture(scope="module")
def site(wheel: Wheel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel is installed, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / wheel.name).write_bytes(wheel.content)
    arguments = ["install", "--no-index", "--no-deps", "--target", str(folder / "site"), str(folder / wheel.name)]
    subprocess.run([*PIP, *arguments], check=True, capture_output=True)
    return folder / "site"


def in_site(site: Path, code: str, **environ: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site), **environ},
        cwd=site,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


HASH = "from voiceops.packaging.wheel import build_wheel; w = build_wheel(); print(w.name, w.sha256)"


def copied(folder: Path) -> Path:
    """A checkout of its own; its package."""
    for name in ("voiceops", "schema", "templates"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(REPOSITORY / name, folder)
    return folder / "voiceops"


def test_built_twice_it_is_the_same_to_the_bit(wheel: Wheel, tmp_path: Path) -> None:
    package = copied(tmp_path / "elsewhere")
    for path in package.rglob("*.py"):
        os.utime(path, (time.time() - 1e8, time.time() - 1e8))
        path.chmod(0o600)
    (package / "left.pyc").write_bytes(b"x")
    (package / "cli/.left.swp").write_bytes(b"x")
    (package / "cli/left.py~").write_bytes(b"x")
    (package / "__pycache__").mkdir()
    (package / "__pycache__/left.cpython-311.pyc").write_bytes(b"x")
    assert build_wheel(package) == build_wheel(package) == wheel
    assert (package / "py.typed").stat().st_mode & 0o777 == 0o644, "what is built from is left alone"


def test_an_installed_wheel_builds_itself_again(wheel: Wheel, site: Path) -> None:
    assert in_site(site, "import voiceops; print(voiceops.__file__)").startswith(str(site))
    for zone, hash_seed in (("Asia/Tokyo", "1"), ("UTC", "2")):
        assert in_site(site, HASH, TZ=zone, PYTHONHASHSEED=hash_seed) == f"{wheel.name} {wheel.sha256}"


def test_an_installation_by_the_build_tool_gives_the_same_wheel(wheel: Wheel, tmp_path: Path) -> None:
    """From what hatchling wrote, whose metadata is spelt in its own way."""
    subprocess.run([*PIP, "wheel", "--no-deps", "-w", str(tmp_path), str(REPOSITORY)], check=True, capture_output=True)
    built = next(tmp_path.glob("*.whl"))
    assert built.name == wheel.name
    target = ["install", "--no-index", "--no-deps", "--target", str(tmp_path / "site"), str(built)]
    subprocess.run([*PIP, *target], check=True, capture_output=True)
    assert in_site(tmp_path / "site", HASH) == f"{wheel.name} {wheel.sha256}"
    with zipfile.ZipFile(built) as theirs, zipfile.ZipFile(io.BytesIO(wheel.content)) as ours:
        inside = {n for n in theirs.namelist() if not n.endswith(("/.keep", ".pyc"))}
        assert set(ours.namelist()) == inside
        for name in inside:
            if ".dist-info/" not in name:
                assert ours.read(name) == theirs.read(name)
        said = [message_from_string(w.read(f"{INFO}/METADATA").decode()) for w in (theirs, ours)]
    for key in ("Name", "Version", "Summary", "License-Expression", "Requires-Python"):
        assert said[0][key] == said[1][key]
    assert sorted(said[0].get_all("Provides-Extra", [])) == said[1].get_all("Provides-Extra")
    assert len(said[0].get_all("Requires-Dist", [])) == len(said[1].get_all("Requires-Dist", []))


def test_the_record_names_every_file_with_its_hash_and_size(wheel: Wheel) -> None:
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        names = archive.namelist()
        rows = list(csv.reader(io.StringIO(archive.read(f"{INFO}/RECORD").decode())))
        assert [row[0] for row in rows] == names
        assert len(set(names)) == len(names)
        assert names[-1] == f"{INFO}/RECORD"
        assert rows[-1][1:] == ["", ""]
        for name, digest, size in rows[:-1]:
            content = archive.read(name)
            wanted = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={wanted}", str(len(content)))
        for entry in archive.infolist():
            assert entry.date_time == (2020, 2, 2, 0, 0, 0)
            assert entry.external_attr >> 16 == 0o100644
            assert entry.compress_type == zipfile.ZIP_STORED


def test_schema_templates_and_locks_are_in_it(wheel: Wheel) -> None:
    names = set(zipfile.ZipFile(io.BytesIO(wheel.content)).namelist())
    for name in ("schema/vapi.json", "templates/ci/shared/ci/forge.py.j2", "templates/lock/runtime.txt"):
        assert f"voiceops/_data/{name}" in names
    assets = {f"voiceops/{name}" for name in ("render/assets/plan.html.j2", "runtime/dashboard/assets/dashboard.css")}
    assert {"voiceops/py.typed", *assets, f"{INFO}/licenses/LICENSE"} <= names
    assert not [n for n in names if "__pycache__" in n or "/." in n]


def test_what_is_installed_from_it_works(site: Path, tmp_path: Path) -> None:
    run = "import sys; from voiceops.__main__ import main; sys.argv[1:] = {!r}; main()"
    try:
        in_site(site, run.format(["init", str(tmp_path / "shop")]))
    except AssertionError as error:  # main ends the process with 0, which is no error
        pytest.fail(str(error))
    assert "Valid" in in_site(site, run.format(["-C", str(tmp_path / "shop"), "validate", "-e", "all"]))
    assert (site / "bin/voiceops").exists()


def test_without_metadata_it_says_what_to_do(tmp_path: Path) -> None:
    package = copied(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "somebody-elses"\n')
    with pytest.raises(VoiceopsError) as caught:
        build_wheel(package)
    assert "--from https://" in caught.value.hint


def test_metadata_of_another_installation_is_not_taken(tmp_path: Path, site: Path) -> None:
    """A copy of the package without its own dist-info, while one is installed elsewhere on the path."""
    shutil.copytree(site / "voiceops", tmp_path / "voiceops")
    code = (
        f"import sys; sys.path.append({str(site)!r})\n"
        "from voiceops.packaging.wheel import build_wheel\n"
        "from voiceops.errors import VoiceopsError\n"
        "try:\n    build_wheel()\nexcept VoiceopsError as error:\n    print(error.summary)"
    )
    assert "has no metadata" in in_site(tmp_path, code)


@pytest.mark.parametrize("missing", ["schema", "voiceops/__init__.py"])
def test_half_a_package_is_refused(tmp_path: Path, missing: str) -> None:
    package = copied(tmp_path)
    gone = tmp_path / missing
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    with pytest.raises(VoiceopsError, match="not whole"):
        package_files(package)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text((REPOSITORY / "pyproject.toml").read_text())
    with pytest.raises(VoiceopsError, match="can't be read"):
        build_wheel(tmp_path / "voiceops")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("click>=8.5", "click>=8.5"),
        ("httpx >= 0.28.1 , < 0.29", "httpx<0.29,>=0.28.1"),
        ("httpx (<0.29,>=0.28.1)", "httpx<0.29,>=0.28.1"),
        ('uvloop>=0.21; sys_platform != "win32"', "uvloop>=0.21; sys_platform != 'win32'"),
        ("psycopg[binary]>=3.2 ; extra == 'postgres'", "psycopg[binary]>=3.2; extra == 'postgres'"),
        ("rich", "rich"),
    ],
)
def test_requirements_are_spelt_in_one_way(given: str, wanted: str) -> None:
    assert _written(given) == wanted
