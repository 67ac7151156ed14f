"""`voiceops drift`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import Address, formats, local_state
from voiceops.errors import VoiceopsError
from voiceops.model.address import owner_of

if TYPE_CHECKING:
    from voiceops.cli.wiring import Loaded
    from voiceops.model.plan import Drift, Plan
    from voiceops.use.accept import Accepted


@click.command("drift")
@click.argument("addresses", type=Address(), nargs=-1, metavar="[ADDR]...")
@click.option("--accept", is_flag=True, help="Write the live edits back into the manifests; comments stay.")
@click.option("-m", "message", default="", metavar="TEXT", help="With --accept: why, kept in the history.")
@local_state
@formats("text", "json")
@click.pass_obj
def drift_command(
    console: Console, addresses: tuple[str, ...], accept: bool, message: str, local_state: bool, format_: str
) -> int:
    """Show what was edited live since the last apply, by field; exit 2 where something was.

    --accept takes edits over into the files: the manifest, a part, defaults, an environment's patch or a prompt's file,
    wherever the value stands. Nothing live is changed. What can't be written back is named, and why.

    \b
    Examples:
      voiceops -e prod drift                          in a nightly job
      voiceops -e prod drift --accept Agent/support   keep what was changed in the dashboard
    """
    from voiceops.cli.wiring import load
    from voiceops.use.state_place import check_place

    loaded = load(console)
    if accept:
        check_place(loaded.project, local=local_state)
    found = _plan(loaded, addresses)
    chosen = [d for d in found.drift if not addresses or _is_chosen(d, addresses)]
    if accept:
        return _accept(console, loaded, found, chosen, addresses, message, format_)
    from voiceops.render.text import render_drift

    if format_ == "json":
        console.data(_data(found, chosen))
    else:
        console.prose(
            render_drift(chosen, console.style(), plan=found) or "No drift: what is live is what was applied."
        )
    return 2 if chosen else 0


def _data(plan: Plan, chosen: list[Drift]) -> dict[str, Any]:
    return {
        "project": plan.project,
        "environment": plan.environment,
        "org": plan.org,
        "resource_drift": [drift.to_data() for drift in chosen],
    }


def _is_chosen(drift: Drift, addresses: tuple[str, ...]) -> bool:
    owner = owner_of(drift.address)
    return any(address in (drift.address, owner, owner.partition("[")[0]) for address in addresses)


def _check_known(loaded: Loaded, managed: Iterable[str], addresses: tuple[str, ...]) -> None:
    """An address that nothing has is a slip of the keyboard, and no good news. Raises VoiceopsError."""
    from difflib import get_close_matches

    known = {*loaded.graph.resources, *managed}
    known |= {owner_of(address) for address in known}
    known |= {address.partition("[")[0] for address in known}
    for address in addresses:
        if address not in known:
            near = get_close_matches(address, sorted(known), n=1)
            raise VoiceopsError(
                f"there is no {address} in {loaded.project.environment}",
                hint=f"Did you mean {near[0]}?" if near else "`voiceops state list` names what is managed.",
            )


def _plan(loaded: Loaded, addresses: tuple[str, ...]) -> Plan:
    from voiceops.apply.run import plan
    from voiceops.cli.wiring import open_job, options_of

    async def work() -> Plan:
        async with open_job(loaded, loaded.graph, options_of(loaded.project, refresh_only=True)) as job:
            if addresses:
                _check_known(loaded, job.ledger.state.entries, addresses)
            return await plan(job)

    return asyncio.run(work())


def _accept(
    console: Console,
    loaded: Loaded,
    found: Plan,
    chosen: list[Drift],
    addresses: tuple[str, ...],
    message: str,
    format_: str,
) -> int:
    from voiceops.cli.wiring import load, store_of
    from voiceops.render.text import render_diagnostic
    from voiceops.state.ledger import Ledger
    from voiceops.use.accept import accept

    if addresses and not chosen:
        raise VoiceopsError(f"nothing was edited live in {', '.join(addresses)}", hint="See `voiceops drift`.")
    project = loaded.project

    async def read() -> Ledger:
        async with store_of(project, loaded.environ) as store:
            return await Ledger.open(store, project.name, project.environment)

    state = asyncio.run(read()).state
    result = accept(project.root, loaded.graph, state, chosen, lambda: load(console).graph)
    recorded = _record(replace(loaded, graph=result.graph), result, message) if result.taken else True
    if format_ == "json":
        rest = [d.to_data() for d in result.refused]
        console.data(_data(found, chosen) | {"accepted": [t.to_data() for t in result.taken], "refused": rest})
    else:
        for taken in result.taken:
            console.out(f"{taken.file}:{taken.line}: {taken.address} is as it is live now")
        for diagnostic in result.refused:
            console.note(render_diagnostic(diagnostic, console.style()))
        if not chosen:
            console.out("No drift: what is live is what was applied.")
        if not recorded:
            console.note("More has changed in these manifests than was taken over: `voiceops apply` records it.")
    return 1 if result.refused else 0


def _record(loaded: Loaded, result: Accepted, message: str) -> bool:
    """Let the state know that the live values are the manifests' own now; False where more would be applied."""
    from voiceops.apply.revisions import Request
    from voiceops.apply.run import Outcome, apply
    from voiceops.cli.wiring import open_job, options_of
    from voiceops.use.origin import origin

    owners = tuple(dict.fromkeys(owner_of(taken.address) for taken in result.taken))

    async def nothing_live(plan: Plan) -> bool:
        return all(change.is_no_op for change in plan.active)

    async def work() -> Outcome:
        options = options_of(loaded.project, targets=owners)
        request = Request(operation="accept", message=message, origin=origin(loaded.project.root, loaded.environ))
        async with open_job(loaded, loaded.graph, options) as job:
            return await apply(job, request, lambda event: None, nothing_live)

    outcome = asyncio.run(work())
    return outcome.result is not None or not outcome.plan.active
