"""What this installation says of itself: from pyproject.toml in a checkout, from its metadata where it was installed.

Both give the same, written in one way, so that a wheel's bytes don't tell where it was built.
"""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder
from pathlib import Path
from typing import Any

from voiceops._version import __version__
from voiceops.errors import VoiceopsError

DISTRIBUTION = "voiceops-iac"
LICENSE = "LICENSE"
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(\[[^\]]*\])?\s*([^;]*?)\s*(?:;\s*(.*?)\s*)?")


@dataclass(frozen=True, slots=True)
class Metadata:
    """A distribution's core metadata, as far as installing it needs them."""

    version: str
    summary: str
    license: str  # an SPDX expression
    license_text: bytes
    requires_python: str
    requires: tuple[str, ...]  # sorted, with the extra that each belongs to as its marker
    extras: tuple[str, ...]
    scripts: tuple[tuple[str, str], ...]

    def to_text(self) -> str:
        """The wheel's METADATA."""
        lines = [
            "Metadata-Version: 2.4",
            f"Name: {DISTRIBUTION}",
            f"Version: {self.version}",
            f"Summary: {self.summary}",
            f"License-Expression: {self.license}",
            f"License-File: {LICENSE}",
            f"Requires-Python: {self.requires_python}",
            *(f"Requires-Dist: {requirement}" for requirement in self.requires),
            *(f"Provides-Extra: {extra}" for extra in self.extras),
        ]
        return "".join(f"{line}\n" for line in lines)

    def entry_points(self) -> str:
        """The wheel's entry_points.txt."""
        return "[console_scripts]\n" + "".join(f"{name} = {target}\n" for name, target in self.scripts)


def read_metadata(package: Path) -> Metadata:
    """Of the package in that folder. Raises VoiceopsError where neither a checkout nor an installation tells."""
    if (found := _checkout(package.parent)) is not None:
        return found
    if (installed := _installed(package.parent)) is not None:
        return installed
    raise VoiceopsError(
        f"this voiceops, in {package}, has no metadata beside it, so that no wheel can be made of it",
        hint="Install it as a package, or name a wheel: --from https://HOST/FILE.whl#sha256=HASH",
    )


def is_checkout(folder: Path) -> bool:
    """Is it the folder of voiceops' own pyproject.toml?"""
    return _project(folder) is not None


def _project(folder: Path) -> dict[str, Any] | None:
    try:
        data = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    project = data.get("project")
    return project if isinstance(project, dict) and project.get("name") == DISTRIBUTION else None


def _checkout(folder: Path) -> Metadata | None:
    project = _project(folder)
    if project is None:
        return None
    extras: Mapping[str, list[str]] = project["optional-dependencies"]
    return Metadata(
        version=__version__,
        summary=project["description"],
        license=project["license"],
        license_text=(folder / LICENSE).read_bytes(),
        requires_python=_sorted_versions(project["requires-python"]),
        requires=_sorted(
            [*project["dependencies"], *(_of_extra(text, extra) for extra, texts in extras.items() for text in texts)]
        ),
        extras=tuple(sorted(extras)),
        scripts=tuple(sorted(project["scripts"].items())),
    )


def _installed(folder: Path) -> Metadata | None:
    """From the metadata in that folder and no other: a second installation elsewhere is not this one."""
    context = DistributionFinder.Context(name=DISTRIBUTION, path=[str(folder)])
    found: Distribution | None = next(iter(MetadataPathFinder.find_distributions(context)), None)
    if found is None:
        return None
    said = found.metadata
    scripts = configparser.ConfigParser(delimiters=("=",))
    scripts.read_string(found.read_text("entry_points.txt") or "")
    license_text = found.read_text(f"licenses/{LICENSE}") or found.read_text(LICENSE) or ""
    return Metadata(
        version=__version__,
        summary=said["Summary"],
        license=said["License-Expression"],
        license_text=license_text.encode(),
        requires_python=_sorted_versions(said["Requires-Python"]),
        requires=_sorted(found.requires or []),
        extras=tuple(sorted(said.get_all("Provides-Extra") or [])),
        scripts=tuple(sorted(scripts.items("console_scripts"))),
    )


def _of_extra(requirement: str, extra: str) -> str:
    text, _, marker = requirement.partition(";")
    condition = f"({marker.strip()}) and " if marker.strip() else ""
    return f"{text}; {condition}extra == '{extra}'"


def _sorted(requirements: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(_written(text) for text in requirements))


def _written(requirement: str) -> str:
    """A requirement in the one way in which it is written here."""
    match = _REQUIREMENT.fullmatch(requirement)
    if match is None:
        raise VoiceopsError(
            f"the requirement {requirement!r} of {DISTRIBUTION} can't be read", hint="Install voiceops again."
        )
    name, extras, versions, marker = match.groups()
    text = name + (extras or "").replace(" ", "") + _sorted_versions(versions)
    return f"{text}; {marker.replace(chr(34), chr(39))}" if marker else text


def _sorted_versions(text: str) -> str:
    return ",".join(sorted(part.replace(" ", "") for part in text.strip("() ").split(",")))
