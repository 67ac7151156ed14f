"""Where output goes and how it looks: results to stdout, everything else to stderr.

The one door to both: whatever text is printed is made safe here (render/style.py), and a reader that went away stops
no work. JSON stays exact JSON.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from voiceops import use
from voiceops.errors import ProviderError, VoiceopsError
from voiceops.model.safe_text import indented, json_text
from voiceops.preview.preview_names import name_in
from voiceops.render.style import Style, finished
from voiceops.use.process_context import ProcessContext


@dataclass(slots=True)
class Console:
    """One command's context. `colour` None: as the terminal and NO_COLOR say."""

    folder: Path = field(default_factory=Path)
    environment: str | None = None
    colour: bool | None = None
    quiet: bool = False
    verbose: bool = False
    context: ProcessContext = field(default_factory=ProcessContext)  # no secret that they know is ever written
    unwritten: OSError | None = None  # the first output that could not be written: nothing follows it

    @property
    def place(self) -> tuple[Path, str | None, ProcessContext]:
        """What a project is opened with: folder, environment, and what is known of the process."""
        return self.at(self.environment)

    def at(self, environment: str | None) -> tuple[Path, str | None, ProcessContext]:
        """The same in another environment; what a preview is made of is looked up, once."""
        name = environment or self.context.environ.get("VOICEOPS_ENV")
        if name_in(name) is not None and name not in self.context.previews:
            from voiceops.cli.terminal.loop import completed

            self.context = completed(use.with_preview(self.folder, name, self.context))
        return self.folder, environment, self.context

    def style(self, stream: Any = None) -> Style:
        """How text looks on a stream (stdout by default): in colour on a terminal, unless somebody asked for none."""
        if self.colour is not None:
            return Style(self.colour)
        return Style(
            (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )

    @property
    def width(self) -> int | None:
        """The columns of the terminal that results go to; None where they go elsewhere."""
        if not sys.stdout.isatty():
            return None
        from shutil import get_terminal_size

        return get_terminal_size().columns

    def out(self, text: str) -> None:
        """A result, made safe to print."""
        self.document(finished(text))

    def prose(self, text: str) -> None:
        """A result for people: on a terminal no word of it is cut by the edge."""
        self.document(_fitted(finished(text), sys.stdout))

    def document(self, text: str) -> None:
        """A result that is safe already: a page of HTML, commands to GitHub."""
        self._write(sys.stdout, text if text.endswith("\n") else text + "\n")

    def data(self, value: Any) -> None:
        """A result as readable JSON, without any secret that is known."""
        self._write(sys.stdout, _json(self.context.redactor.data(value), 2) + "\n", masked=True)

    def line(self, value: Any) -> None:
        """One JSON object in one line, at once."""
        self._write(sys.stdout, _json(self.context.redactor.data(value)) + "\n", at_once=True, masked=True)

    def say(self, text: str, end: str = "\n") -> None:
        """One line of what is under way, at once."""
        self._write(sys.stdout, finished(text) + end, at_once=True)

    def note(self, text: str) -> None:
        """A remark beside the result, on stderr; none where `--quiet` was asked for."""
        if not self.quiet:
            self._write(sys.stderr, _fitted(finished(text), sys.stderr) + "\n")

    def error(self, text: str, hint: str = "") -> None:
        """What went wrong, and what to do about it, on stderr."""
        style = self.style(sys.stderr)
        lines = [f"{style('error', 'red', 'bold')}: {indented(text)}"]
        if hint:
            lines.append(f"    {indented(hint)}")
        self._write(sys.stderr, _fitted(finished("\n".join(lines)), sys.stderr) + "\n")

    def failure(self, error: VoiceopsError) -> None:
        """An error with everything that it knows."""
        from voiceops.render.text import render_diagnostic

        style = self.style(sys.stderr)
        for diagnostic in error.diagnostics:
            self._write(sys.stderr, _fitted(finished(render_diagnostic(diagnostic, style)), sys.stderr) + "\n")
        if not error.diagnostics or error.code != "invalid-project":
            self.error(str(error) if isinstance(error, ProviderError) else error.summary, error.hint)
        else:
            self._write(sys.stderr, finished(error.summary) + "\n")

    def flush(self) -> None:
        """Everything that was printed is on its way; what can't be is noted in `unwritten`."""
        for stream in (sys.stdout, sys.stderr):
            self._write(stream, "", at_once=True)

    def _write(self, stream: TextIO, text: str, *, at_once: bool = False, masked: bool = False) -> None:
        """A reader that went away, or a full disk under a log, must not stop an apply half-way."""
        if not masked:
            text = self.context.redactor.text(text)
        if self.unwritten is not None and stream is sys.stdout:
            return
        try:
            stream.write(text)
            if at_once:
                stream.flush()
        except ValueError:  # closed
            return
        except OSError as error:
            if stream is sys.stdout:
                self.unwritten = error
            _discard(stream)


def _fitted(text: str, stream: TextIO) -> str:
    """Broken between words where the terminal's line ends; a pipe gets whole lines."""
    if not stream.isatty():
        return text
    from shutil import get_terminal_size

    from voiceops.render.fitting import fitted

    return fitted(text, get_terminal_size().columns)


def _discard(stream: TextIO) -> None:
    """What is still in the stream's buffer goes nowhere, so that the interpreter's end does not try again."""
    try:
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
    except (OSError, ValueError):
        return


def _json(value: Any, indent: int | None = None) -> str:
    """Readable letters where the stream has them, else escapes: the same JSON either way."""
    text = json_text(value, indent)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return json.dumps(value, indent=indent)
    return text
