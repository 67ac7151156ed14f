"""Where a pull writes down what it has set out to do, so that the next one finishes it."""

from __future__ import annotations

from pathlib import Path

_FOLDER = ".voiceops"


def marker(root: Path, environment: str) -> Path:
    """The file, which is there only while a pull writes, and after one that was cut off."""
    return root / _FOLDER / f"pull.{environment}.json"
