"""Where output goes and how it looks: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voiceops.errors import ProviderError, VoiceopsError
from voiceops.render.style import Style


@dataclass(slots=True)
class Console:
    """One command's surroundings. `colour` None: as the terminal and NO_COLOR say."""

    folder: Path = field(default_factory=Path)
    environment: str | None = None
    colour: bool | None = None
    quiet: bool = False
    verbose: bool = False

    def style(self, stream: Any = None) -> Style:
        if self.colour is not None:
            return Style(self.colour)
        return Style(
            (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )

    def out(self, text: str) -> None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")

    def data(self, value: Any) -> None:
        self.out(json.dumps(value, indent=2, ensure_ascii=False))

    def line(self, value: Any) -> None:
        """One JSON object in one line, at once."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        if not self.quiet:
            sys.stderr.write(text + "\n")

    def error(self, text: str, hint: str = "") -> None:
        style = self.style(sys.stderr)
        sys.stderr.write(f"{style('error', 'red', 'bold')}: {text}\n" + (f"    {hint}\n" if hint else ""))

    def failure(self, error: VoiceopsError) -> None:
        """An error with everything that it knows."""
        from voiceops.render.text import render_diagnostic

        style = self.style(sys.stderr)
        for diagnostic in error.diagnostics:
            sys.stderr.write(render_diagnostic(diagnostic, style) + "\n")
        if not error.diagnostics or error.code != "invalid-project":
            self.error(str(error) if isinstance(error, ProviderError) else error.summary, error.hint)
        else:
            sys.stderr.write(f"{error.summary}\n")
