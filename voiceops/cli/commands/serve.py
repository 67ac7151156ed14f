"""`voiceops serve`: the webhook runtime, from the manifests."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from voiceops import use
from voiceops.cli.terminal.console import Console
from voiceops.errors import VoiceopsError

if TYPE_CHECKING:
    from voiceops.runtime.http.app import RuntimeApp

FOR_WORKERS = "VOICEOPS_SERVE"  # what the processes that serve are told of the project
APPLICATION = "voiceops.cli.commands.serve:application"


@click.command("serve")
@click.option("--host", metavar="HOST", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0: any.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option("--reload", "reloading", is_flag=True, help="Start anew when a manifest or handler changes.")
@click.pass_obj
def serve_command(console: Console, host: str, port: int, workers: int, reloading: bool) -> int:
    """Run the webhook runtime that Vapi and Twilio call.

    It needs VAPI_WEBHOOK_SECRET, and for lines with `answer: runtime` TWILIO_AUTH_TOKEN and VAPI_API_KEY;
    VOICEOPS_RUNTIME_DB says where it keeps what it is told. It imports the project's handlers, which runs them: start
    it only on a folder that you trust.

    \b
    Examples:
      voiceops serve --port 8080
      voiceops -e prod serve --host 0.0.0.0 --workers 2
    """
    from voiceops.runtime.start.workers import address_of, bind, serve, serve_reloading, serve_workers

    loaded = use.load(*console.place)
    with use.stand_in(loaded) as sandbox:
        vapi_url = sandbox.vapi_url if sandbox is not None else ""
        app = use.application(loaded, vapi_url)
        with bind(host, port) as bound:
            console.out(f"Listening on {address_of(bound)}")
            sys.stdout.flush()
            if reloading and workers > 1:
                raise click.UsageError("--reload runs one process: leave out --workers, or --reload.")
            place = {"root": str(loaded.project.root), "environment": loaded.project.environment, "vapi": vapi_url}
            os.environ[FOR_WORKERS] = json.dumps(place)
            if reloading:
                serve_reloading(APPLICATION, bound, [loaded.project.root])
            elif workers > 1:
                serve_workers(APPLICATION, bound, workers)
            else:
                serve(app, bound)
    return 0


def application() -> RuntimeApp:
    """What worker processes call; a project that is broken by now ends the worker with its diagnostics."""
    place = json.loads(os.environ[FOR_WORKERS])
    console = Console(folder=Path(place["root"]), environment=place["environment"])
    try:
        loaded = use.load(*console.place)
        if url := place.get("url"):  # `dev`: reached elsewhere than the project says
            loaded = use.reached_at(loaded, url, place["state"])
        return use.application(loaded, place["vapi"])
    except VoiceopsError as error:
        console.failure(error)
        raise SystemExit(1) from None
