"""`voiceops plan`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from voiceops._version import __version__
from voiceops.cli.saved_plan import sign_flag, write_plan
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import exclusion, formats, selection
from voiceops.errors import Refused, VoiceopsError
from voiceops.model.address import owner_of

if TYPE_CHECKING:
    from voiceops.cli.wiring import Loaded
    from voiceops.errors import Diagnostic
    from voiceops.model.graph import Graph
    from voiceops.model.plan import Plan
    from voiceops.use.runtime_check import Asked


@click.command("plan")
@formats("text", "json", "markdown", "html")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the plan for `apply FILE`.",
)
@sign_flag
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there is something to do.")
@click.option("--destroy", is_flag=True, help="Plan the deletion of everything that is managed.")
@click.option("--refresh-only", is_flag=True, help="Only what was edited live since the last apply.")
@click.option("--adopt", is_flag=True, help="Plan to take over unmanaged objects of the same name.")
@click.option("--release-hold", is_flag=True, help="Plan to bring back what was rolled back, after all.")
@exclusion
@selection
@click.pass_obj
def plan_command(
    console: Console,
    format_: str,
    out: Path | None,
    sign: Path | None,
    detailed_exitcode: bool,
    destroy: bool,
    refresh_only: bool,
    adopt: bool,
    release_hold: bool,
    targets: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    excluded: tuple[str, ...],
) -> int:
    """Show what apply would change on live Vapi and Twilio, and which phone lines would notice.

    Writes nothing, takes no lock, and needs no secret but the API keys. Exit 5 where the plan can't be applied, --force
    aside. With VOICEOPS_DASHBOARD_TOKEN it also says where the runtime that answers at runtime.url serves other tools
    than the manifests.

    \b
    Examples:
      voiceops plan
      voiceops -e prod plan --detailed-exitcode --out plan.json
      voiceops -e prod plan --format markdown > comment.md     for a pull request
      voiceops -e prod plan --format html > plan.html          to read side by side
      voiceops plan --target Agent/support
    """
    from voiceops.apply.run import plan
    from voiceops.cli.wiring import check_lints, labels_of, load, open_job, options_of, uses_of, without_resources
    from voiceops.render.grouped import render_diagnostics
    from voiceops.use.state_place import place_warnings

    if sign is not None and out is None:
        raise VoiceopsError("--sign signs a kept plan", hint="Give --out FILE, too.")
    loaded = load(console)
    if not destroy and not refresh_only:
        check_lints(loaded)
    graph = without_resources(loaded.graph) if destroy else loaded.graph
    options = options_of(
        loaded.project,
        targets=targets,
        labels=dict(labels),
        excluded=excluded,
        carried=labels_of(loaded.graph) if destroy else {},
        uses=uses_of(loaded.graph) if destroy else {},
        destroy=destroy,
        refresh_only=refresh_only,
        adopt=adopt,
        release_hold=release_hold,
    )

    async def work() -> Plan:
        async with open_job(loaded, graph, options) as job:
            return await plan(job)

    asked = None if destroy or refresh_only else _ask(loaded)
    found = asyncio.run(work())
    if asked is not None:
        only = {owner_of(c.address) for c in found.changes} if targets or labels or excluded else None
        said = [d for d in _said(asked, loaded, console) if only is None or not d.address or d.address in only]
        found = replace(found, diagnostics=(*found.diagnostics, *said))
    if not refresh_only:
        found = replace(found, diagnostics=(*found.diagnostics, *place_warnings(loaded.project)))
    data = plan_data(found, adopt=adopt)
    data["diagnostics"] += [d.to_data() for d in loaded.warnings]
    if out is not None:
        write_plan(out, data, sign)
        console.note(f"Plan kept in {out}{', signed' if sign else ''}.")
    if format_ == "json":
        console.data(data)
    else:
        if not console.quiet:
            for entry in render_diagnostics(loaded.warnings, console.style()):
                console.note(entry)
        show = {"html": console.document, "text": console.prose}.get(format_, console.out)
        show(rendered(found, loaded.graph, format_, console))
    if found.refused and not found.needs_force and not refresh_only:
        return Refused.exit_code
    return 2 if detailed_exitcode and (found.active or (found.drift and refresh_only)) else 0


def _ask(loaded: Loaded) -> Asked | None:
    """Begin to ask the runtime what it serves, where there is one and we may know."""
    from voiceops.cli.allowed_hosts import may_have_token
    from voiceops.use.runtime_check import TOKEN, ask

    token, url = loaded.environ.get(TOKEN), loaded.project.runtime_url
    return ask(url, token, allowed=may_have_token(url)) if token and url else None


def _said(asked: Asked, loaded: Loaded, console: Console) -> list[Diagnostic]:
    from voiceops.runtime.spec import spec_of
    from voiceops.use.runtime_check import judged

    answer = asked.answer()
    if answer.silent and console.verbose:
        console.note(f"The runtime at {asked.url} does not answer ({answer.silent}): its tools were not compared.")
    project = loaded.project
    return judged(answer, asked.url, spec_of(loaded.graph, asked.url, project.runtime_auth, project.tool_seconds))


def rendered(plan: Plan, graph: Graph, format_: str, console: Console) -> str:
    """A plan as text, markdown or HTML; the graph is for the picture of what it touches."""
    if format_ == "markdown":
        from voiceops.render.markdown import render_markdown

        return render_markdown(plan, graph)
    if format_ == "html":
        from voiceops.render.html import render_html

        return render_html(plan, graph, version=__version__)
    from voiceops.render.text import render_plan

    return render_plan(plan, console.style(), verbose=console.verbose)


def plan_data(
    plan: Plan, *, adopt: bool, rollback_to: int | None = None, rollback_git: str | None = None
) -> dict[str, Any]:
    """A plan as JSON, with what `apply FILE` needs to make it again."""
    from voiceops.engine.review.review_flags import review_data, review_flags

    timestamp = datetime.now(UTC).isoformat(timespec="seconds")
    data = plan.to_data(version=__version__, timestamp=timestamp)
    data["review"] = review_data(review_flags(plan))
    asked = {"adopt": adopt, "rollback_to": rollback_to} | ({"rollback_git": rollback_git} if rollback_git else {})
    return data | {"plan_id": uuid4().hex, "planned_with": asked}
