"""An apply as it runs: a bar on a terminal, plain lines in a pipe, JSON lines where asked."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.model.safe_text import flowed, indented, one_line
from voiceops.model.wording import as_they_should_be
from voiceops.render.style import finished

_DONE = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "give back": "given back",
    "buy": "bought",
    "release": "released",
    "unbind": "unbound",
    "no-op": "recorded",
}


class Reporter:
    """Plain lines, one an event: for pipes and logs."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.style = console.style()
        self.started = 0.0  # with the first change: what a person took to answer is not the apply's time

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def _elapsed(self) -> float:
        return time.monotonic() - self.started if self.started else 0.0

    def _note_start(self, event: use.Event) -> None:
        if event.type == "apply_start" and not self.started:
            self.started = time.monotonic()

    def event(self, event: use.Event) -> None:
        """Show one event of the apply. Quiet: nothing of it."""
        self._note_start(event)
        text = self.text(event)
        if text and not self.console.quiet:
            self.say(text)

    def say(self, text: str) -> None:
        """Print one piece of text at once."""
        self.console.say(text)

    def text(self, event: use.Event) -> str:
        """One event in words; nothing for those that only matter to a bar."""
        if event.type == "apply_complete":
            done = _DONE.get(event.action, event.action)
            return f"{self.style('✓', 'green')} {event.address} {done} ({event.elapsed_seconds:.1f} s)"
        if event.type == "apply_errored":
            return self._error(event)
        if event.type == "apply_skipped":
            return f"{self.style('-', 'yellow')} {event.address} {indented(event.message)}"
        if event.type == "warning":
            return (
                f"{self.style('!', 'yellow')} {event.address + ': ' if event.address else ''}{indented(event.message)}"
            )
        return indented(event.message) if event.type == "apply_progress" else ""

    def _error(self, event: use.Event) -> str:
        error = event.error or {}
        done = _DONE.get(event.action, event.action)
        lines = [f"{self.style('✗', 'red')} {event.address} not {done}: {indented(str(error.get('summary', '')))}"]
        asked = " ".join(str(error[k]) for k in ("endpoint", "request_id") if error.get(k))
        if asked:
            lines.append(f"    {flowed(asked)}")
        for place in error.get("where", ()):
            told = f"{place['at']}: {place['message']}" if place["message"] else str(place["at"])
            lines.append(f"    {flowed(told)}")
        if error.get("hint"):
            lines.append(f"    {indented(error['hint'])}")
        return "\n".join(lines)

    def nothing(self, plan: use.Plan) -> None:
        """Say that the plan has no changes."""
        self.console.out(f"Nothing to do: {as_they_should_be(len(plan.changes))}.")

    def summary(self, outcome: use.Outcome) -> None:
        """Say how the apply ended; its outcome has a result."""
        result = outcome.result
        assert result is not None
        counts: dict[str, int] = {}
        for change in {operation.change.address: operation.change for operation in result.done}.values():
            word = "replaced" if change.is_replacement else _DONE.get(change.actions[0], change.actions[0])
            counts[word] = counts.get(word, 0) + 1
        done = ", ".join(f"{count} {word}" for word, count in counts.items()) or "nothing"
        rest = "".join(
            f"; {len(found)} {word}"
            for found, word in ((result.failed, "failed"), (result.skipped, "skipped"))
            if found
        )
        colour = "green" if result.complete else "red"
        revision = f" (revision {outcome.revision})" if outcome.revision else ""
        self.say(
            self.style(_heading(outcome), "yellow" if outcome.served and result.complete else colour, "bold")
            + f": {done}{rest} in {self._elapsed():.1f} s{revision}."
        )
        for item in outcome.served:
            self.say(f"{self.style('!', 'yellow')} {one_line(item.words())}\n    {item.hint}")
        if not result.complete:
            self.say("Run apply again: it finishes what is left.")


def _heading(outcome: use.Outcome) -> str:
    """How it ended, in a word or two: what callers don't get is not applied."""
    if outcome.result is None or not outcome.result.complete:
        return "Not all was applied"
    return "Written, but not all callers get it" if outcome.served else "Applied"


class Lines(Reporter):
    """JSON, one object a line."""

    def event(self, event: use.Event) -> None:
        """Print one event as a line of JSON, quiet or not."""
        self._note_start(event)
        self.console.line(event.to_data())

    def nothing(self, plan: use.Plan) -> None:
        """Print a summary that has no changes, as a line of JSON."""
        self.console.line({"type": "summary", "done": 0, "failed": 0, "skipped": 0, **plan.summary})

    def summary(self, outcome: use.Outcome) -> None:
        """Print what was done, what failed and what was left out, as a line of JSON."""
        result = outcome.result
        assert result is not None
        self.console.line(
            {
                "type": "summary",
                "elapsed_seconds": round(self._elapsed(), 3),
                "done": len(result.done),
                "failed": len(result.failed),
                "skipped": len(result.skipped),
                "revision": outcome.revision,
                "traffic": [item.to_data() for item in outcome.served],
                **outcome.plan.summary,
            }
        )


class Bar(Reporter):
    """A progress bar under the lines."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        from rich.console import Console as Rich
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Rich(highlight=False, no_color=not console.style().colour),
            transient=True,
        )
        self._task: Any = None

    def event(self, event: use.Event) -> None:
        """Show one event above the bar, and move the bar when an operation ended."""
        if event.type == "apply_start" and self._task is None:
            self._progress.start()
            self._task = self._progress.add_task("applying", total=(event.data or {}).get("of"))
        super().event(event)
        if event.type in ("apply_complete", "apply_errored", "apply_skipped") and self._task is not None:
            self._progress.advance(self._task)

    def say(self, text: str) -> None:
        """Print text above the bar where there is one."""
        from rich.text import Text

        if self._task is not None:
            self._progress.console.print(Text.from_ansi(finished(text)))
        else:
            super().say(text)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._progress.stop()
            self._task = None


def reporter(console: Console, format_: str) -> Reporter:
    """The reporter that fits where the output goes."""
    if format_ == "json":
        return Lines(console)
    return Bar(console) if sys.stdout.isatty() and not console.quiet else Reporter(console)
