"""`voiceops report`: how calls went."""

from __future__ import annotations

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.cli.terminal.no_calls import note_what_has_calls
from voiceops.cli.terminal.options import formats
from voiceops.cli.terminal.period import database, period
from voiceops.errors import VoiceopsError
from voiceops.render import call_report, report_page

_BY = ("agent", "phone", "revision", "version", "day", "hour", "reason", "tool")


@click.command("report")
@period
@click.option("--by", type=click.Choice(_BY), help="A row for each; without it one row for all. Days and hours: UTC.")
@click.option("--agent", default="", metavar="NAME", help="Only calls of this agent.")
@click.option("--phone", default="", metavar="NAME", help="Only calls of this line.")
@click.option("--compare", nargs=2, metavar="A B", help="Two revisions (7 8) or versions (v7 v8), figure by figure.")
@click.option("--simulated", is_flag=True, help="Also calls that `simulate` played.")
@formats("text", "json", "csv", "markdown", "html")
@database
@click.pass_obj
def report_command(
    console: Console,
    by: str | None,
    compare: tuple[str, str] | None,
    format_: str,
    db: str,
    since: float | None,
    until: float | None,
    agent: str,
    phone: str,
    simulated: bool,
) -> int:
    """How calls went: how many, how they ended, how long, how good, what tools did, what it cost.

    Times are the median and the 95th percentile. `good` is the share of the calls that Vapi's success evaluation
    judged. With --compare a figure is better or worse only beyond chance: docs/calls.md says by which rule.

    \b
    Examples:
      voiceops -e prod report --since 7d --by agent
      voiceops -e prod report --by tool --format csv
      voiceops -e prod report --since 7d --by agent --format html > calls.html
      voiceops -e prod report --since 30d --compare 41 42 --format markdown
    """
    if compare and by:
        raise VoiceopsError("--compare has its own rows", hint="Leave --by out.")
    if compare and format_ == "csv":
        raise VoiceopsError("--compare has no CSV", hint="Take json, markdown, html or text.")
    opened = use.open_project(*console.place)
    wanted = use.CallFilter(since=since, until=until, agent=agent, phone=phone, simulated=simulated)
    about = call_report.about_calls(opened.project.name, opened.project.environment, since, until)
    if compare:
        found = completed(use.compare_calls(opened, wanted, *compare, database=db))
        if format_ == "json":
            console.data(call_report.comparison_data(found.figures, found.a, found.b, since, until))
        elif format_ == "markdown":
            console.out(call_report.comparison_markdown(found.figures, found.a, found.b, found.calls))
        elif format_ == "html":
            console.out(report_page.comparison_html(found.figures, found.a, found.b, found.calls, about))
        else:
            console.prose(call_report.render_comparison(found.figures, found.a, found.b, found.calls, console.style()))
        return 0
    rows = [row.to_data() for row in completed(use.report(opened, wanted, by or "", database=db))]
    if not rows:
        note_what_has_calls(console, agent, phone)
    if format_ == "json":
        console.data(call_report.report_data(rows, since, until, by or ""))
    elif format_ == "csv":
        console.out(call_report.report_csv(rows))
    elif format_ == "markdown":
        console.out(call_report.report_markdown(rows, by or ""))
    elif format_ == "html":
        console.out(report_page.report_html(rows, by or "", about))
    else:
        console.out(call_report.render_report(rows, by or "", console.style(), console.width))
    return 0
