"""`voiceops sandbox`: local Vapi and Twilio."""

from __future__ import annotations

from pathlib import Path

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.options import BoundedNumber


@click.group("sandbox", invoke_without_command=True)
@click.option(
    "--port-vapi", type=click.IntRange(0, 65535), default=8401, show_default=True, help="Vapi's port; 0: any."
)
@click.option(
    "--port-twilio",
    type=click.IntRange(0, 65535),
    default=8402,
    show_default=True,
    help="Twilio's port; 0: any.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the data there [default: in memory].",
)
@click.option(
    "--number",
    "numbers",
    multiple=True,
    metavar="E164",
    help="A number that the Twilio account owns; repeat.",
)
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another value of a switch (docs/sandbox.md lists them); repeat.",
)
@click.pass_context
def sandbox_command(
    ctx: click.Context,
    /,
    port_vapi: int,
    port_twilio: int,
    data: Path | None,
    numbers: tuple[str, ...],
    switches: tuple[str, ...],
) -> int:
    """Run both vendors' APIs on this machine, and print the variables that point at them.

    \b
    Example, in two terminals:
      voiceops sandbox --number +14155550100 > sandbox.env
      set -a; . ./sandbox.env; voiceops -e prod plan
    Like an API that lags and fills in whatever it may:
      voiceops sandbox --switch lag=1 --switch adversarial=true
    Calls to look at, in a project's own sandbox:
      voiceops -e dev sandbox calls --n 1000 --scenario regression
    """
    if ctx.invoked_subcommand is not None:
        return 0
    console: Console = ctx.obj
    server = use.sandbox_server(
        data, numbers, switches, port_vapi=port_vapi, port_twilio=port_twilio, folder=console.folder
    )

    def ready(running: use.SandboxServer) -> None:
        console.out(
            f"VAPI_BASE_URL={running.vapi_url}\nVAPI_API_KEY={running.api_key}\nTWILIO_BASE_URL={running.twilio_url}\n"
            f"TWILIO_ACCOUNT_SID={running.account_sid}\nTWILIO_AUTH_TOKEN={running.auth_token}"
        )
        console.note("The sandbox is running; stop it with Ctrl-C.")

    server.serve(ready)
    return 0


@sandbox_command.command("calls")
@click.option("--n", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="How many.")
@click.option(
    "--scenario",
    type=click.Choice(("steady", "regression", "slow-tool", "outage")),
    default="steady",
    show_default=True,
    help="What goes wrong in the newest fifth of the time.",
)
@click.option("--days", type=BoundedNumber(0.01, 3650), default=14, show_default=True, help="Spread over so many.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same calls for the same number.")
@click.pass_obj
def calls_command(console: Console, n: int, scenario: str, days: float, seed: int) -> int:
    """Add made-up calls to the environment's sandbox: something to report on before there is a caller.

    They are calls of the agents, lines and tools that were applied there; `calls sync` then fetches them.
    """
    made = use.make_sandbox_calls(use.load(*console.place), n, scenario, days=days, seed=seed)
    console.out(f"{made} calls were added to the sandbox ({scenario}). Fetch them: voiceops calls sync")
    return 0
