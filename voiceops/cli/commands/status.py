"""`voiceops status`: how the phone lines stand."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.options import formats
from voiceops.model.safe_text import one_line
from voiceops.render.fitting import padded


@click.command("status")
@click.argument("phone", required=False, metavar="[PHONE]")
@formats("text", "json")
@click.pass_obj
def status_command(console: Console, phone: str | None, format_: str) -> int:
    """One row a phone line: number, who answers now, on whose behalf, revision, drift, runtime, last call.

    Both vendors are asked what a caller gets now; where that is not what the manifest means, the row says who is
    meant, why, and what puts it right. Exit 2 when something is off. PHONE is a line's name or number.

    \b
    Examples:
      voiceops -e prod status
      voiceops -e prod status +14155550100
    """
    rows = completed(
        use.status(
            use.load(*console.place),
            phone,
            unread=lambda why: console.note(one_line(why)),
        )
    )
    if format_ == "json":
        console.data([row.to_data() for row in rows])
    else:
        cells = padded([(row.number or "(no number yet)", row.address, row.answers, row.target) for row in rows])
        for row, who in zip(rows, cells, strict=True):
            console.prose(_line(console, row, who))
            for text in _beside(console, row):
                console.prose(f"    {text}")
        if not rows:
            console.prose("There are no phone lines.")
    return 2 if any(row.off for row in rows) else 0


def _line(console: Console, row: use.Row, who: tuple[str, ...]) -> str:
    style = console.style()
    sign = style("✗", "red") if row.off else style("✓", "green")
    parts = [
        f"revision {row.revision}" if row.revision else "not applied",
        "drift" if row.drift else "",
        f"{row.pending} pending" if row.pending else "",
        f"runtime {row.runtime}" if row.runtime != "not asked" else "",
        _last_call(row.last),
    ]
    return f"{sign} " + one_line(" · ".join(["  ".join(who).rstrip(), *(part for part in parts if part)]))


def _last_call(last: use.LastCall) -> str:
    """When it was, and how it ended."""
    if not last.at:
        return "no call yet" if last.known else "last call unknown"
    ended = "" if last.ok is None else " ok" if last.ok else " not ok"
    return f"last call {last.at}{ended}{f' ({last.reason})' if last.reason else ''}"


def _beside(console: Console, row: use.Row) -> list[str]:
    """Below a row: who is meant where somebody else answers, what is wrong with what puts it right, and notes."""
    style = console.style()
    found = [one_line(f"meant: {row.meant}; answers: {row.target}")] if row.off and row.meant != row.target else []
    for reason in row.off:
        found.append(f"{style('✗', 'red')} {one_line(reason.text)}")
        if reason.fix:
            found.append(f"  {one_line(reason.fix)}")
    return found + [f"{style('·', 'dim')} {one_line(note)}" for note in row.notes]
