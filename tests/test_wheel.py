"""The built wheel is whole: schema and templates are in it, and the first plan works from it alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which `voiceops` is the wheel's, not the checkout's."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(folder), str(REPOSITORY)], check=True, capture_output=True)
    wheel = next(folder.glob("*.whl"))
    target = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True, capture_output=True)
    return os.environ | {"PYTHONPATH": str(target)}


def run(installed: dict[str, str], folder: Path, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "voiceops", *arguments],
        cwd=folder,
        env=installed,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_wheel_is_what_runs(installed: dict[str, str], tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import voiceops; print(voiceops.__file__)"],
        cwd=tmp_path,
        env=installed,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert found.startswith(installed["PYTHONPATH"])


@pytest.mark.parametrize("form", [(), ("--with-runtime",)], ids=["shortest", "with a runtime"])
def test_from_init_to_nothing_to_do(installed: dict[str, str], tmp_path: Path, form: tuple[str, ...]) -> None:
    run(installed, tmp_path, "init", "shop", *form)
    shop = tmp_path / "shop"
    assert "Valid" in run(installed, shop, "validate")
    # A live environment needs to know where its runtime really is: the address that init writes is an example's.
    assert "Valid" in run(installed | {"RUNTIME_URL": "https://voice.shop.example"}, shop, "validate", "-e", "all")
    assert "1 passed" in run(installed, shop, "test"), "before anything is applied, without an account"
    assert "to create" in run(installed, shop, "plan")
    assert "</html>" in run(installed, shop, "plan", "--format", "html")
    run(installed, shop, "apply", "--auto-approve")
    assert "Nothing to do" in run(installed, shop, "plan", "--detailed-exitcode")
