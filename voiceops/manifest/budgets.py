"""How much a project may make out of little: a few lines can ask for more than any machine has.

The figures are far above what projects need: ten thousand objects with long prompts stay below each of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

MOST_INSTANCES = 50_000  # of all forEach together
MOST_TEXT = 4 * 1024 * 1024  # characters of one text
MOST_MADE = 256 * 1024 * 1024  # characters that all substitutions together bring
_MOST_PATTERN = 300  # characters of a glob
_MOST_DEEP = 2  # `**` in a glob: each one more walks the tree once for every folder in it


@dataclass(slots=True)
class Budget:
    """What substitutions brought so far, in one load of a project."""

    made: int = 0
    instances: int = 0
    told: bool = False

    def take_instance(self) -> bool:
        """One more instance of a `forEach`: is it within the budget?"""
        self.instances += 1
        return self.instances <= MOST_INSTANCES


def is_path(path: Path) -> bool:
    """Can the system look for it at all?"""
    try:
        path.exists()
    except (OSError, ValueError):
        return False
    return True


def tamed(pattern: str) -> str:
    """A glob without what only repeats itself. Raises ValueError, in words, for one that would walk for ever."""
    if len(pattern) > _MOST_PATTERN:
        raise ValueError(f"the pattern is longer than {_MOST_PATTERN} characters")
    plain = re.sub(r"(?:\*\*/)+", "**/", pattern)
    if plain.count("**") > _MOST_DEEP:
        raise ValueError(f"the pattern has more than {_MOST_DEEP} `**`: one finds every depth")
    if any("**" in part and part != "**" for part in plain.split("/")):
        raise ValueError("`**` stands for whole folders: write it between slashes")
    return plain
