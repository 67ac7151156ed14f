"""`python -m voiceops.sandbox`: the sandbox as a process, with any switch."""

from __future__ import annotations

from pathlib import Path

import click

from voiceops.sandbox.server import SandboxServer
from voiceops.sandbox.switches import Switches, parse_switches


@click.command()
@click.option("--port-vapi", type=click.IntRange(0, 65535), default=0, help="Vapi's port; 0: any.")
@click.option("--port-twilio", type=click.IntRange(0, 65535), default=0, help="Twilio's port; 0: any.")
@click.option("--data", type=click.Path(path_type=Path, dir_okay=False), help="The file that keeps the objects.")
@click.option("--number", "numbers", multiple=True, help="A number that the Twilio account owns; repeat.")
@click.option("--switch", "switches", multiple=True, metavar="NAME=VALUE", help="Another value of a switch; repeat.")
def main(
    port_vapi: int, port_twilio: int, data: Path | None, numbers: tuple[str, ...], switches: tuple[str, ...]
) -> None:
    """Run both vendors' APIs on this machine, and print the variables that point at them."""
    try:
        chosen = Switches().changed(parse_switches(switches))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    server = SandboxServer(data=data, numbers=numbers, port_vapi=port_vapi, port_twilio=port_twilio, switches=chosen)
    server.serve(_announce)


def _announce(server: SandboxServer) -> None:
    click.echo(
        f"VAPI_BASE_URL={server.vapi_url}\n"
        f"VAPI_API_KEY={server.api_key}\n"
        f"TWILIO_BASE_URL={server.twilio_url}\n"
        f"TWILIO_ACCOUNT_SID={server.account_sid}\n"
        f"TWILIO_AUTH_TOKEN={server.auth_token}"
    )


if __name__ == "__main__":
    main()
