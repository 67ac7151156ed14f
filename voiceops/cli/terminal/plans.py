"""A plan as it is shown and kept: for a terminal, for a pull request, for a browser, and as data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voiceops import use
from voiceops._version import __version__
from voiceops.cli.terminal.console import Console
from voiceops.errors import Diagnostic
from voiceops.model.graph import Graph
from voiceops.model.plan import Plan
from voiceops.render.grouped import render_diagnostics
from voiceops.render.text import render_plan


def keep(console: Console, data: Mapping[str, Any], out: Path | None, key: Path | None) -> None:
    """Into a file, where one is named, and signed with a key. Raises VoiceopsError."""
    if out is not None:
        use.write_plan(out, data, console.context.redactor, key)
        console.note(f"Plan kept in {out}{', signed' if key else ''}.")


def note_warnings(console: Console, warnings: tuple[Diagnostic, ...]) -> None:
    """What the manifests are warned of, beside the plan."""
    if not console.quiet:
        for entry in render_diagnostics(warnings, console.style()):
            console.note(entry)


def rendered(plan: Plan, graph: Graph, format_: str, console: Console) -> str:
    """A plan as text, markdown or HTML; the graph is for the picture of what it touches."""
    if format_ == "markdown":
        from voiceops.render.markdown import render_markdown

        return render_markdown(plan, graph)
    if format_ == "html":
        from voiceops.render.html import render_html

        return render_html(plan, graph, version=__version__)
    return render_plan(plan, console.style(), verbose=console.verbose)
