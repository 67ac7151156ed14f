"""A project in one environment as a command works on it: what its files say, and the variables that count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voiceops.manifest.project import Project
from voiceops.use.process_context import ProcessContext


@dataclass(frozen=True, slots=True)
class Opened:
    """A project in one environment, without its manifests. `environ`: the process's variables over those of `.env`."""

    project: Project
    environ: Mapping[str, str]
    context: ProcessContext
