"""A project in a folder of its own against a sandbox over real sockets, driven by the real command line."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceops.cli.main import run
from voiceops.sandbox.client import SandboxClient
from voiceops.sandbox.server import SandboxServer
from voiceops.use.process_context import ProcessContext

REPOSITORY = Path(__file__).parent.parent.parent
SURROUNDED: dict[str, Any] = {}  # what commands in this process know of it beside its variables
PROJECT = "version: 1\nproject: shop\nenvironments: [live]\n"


@dataclass(frozen=True, slots=True)
class Ran:
    """One command: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The events of `apply --format json`."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(slots=True)
class Bench:
    """A project folder and the sandbox that its live environment points at."""

    folder: Path
    server: SandboxServer
    control: SandboxClient

    @property
    def environ(self) -> dict[str, str]:
        ours = ("VOICEOPS_", "VAPI_", "TWILIO_", "GITHUB_", "GITLAB_", "CI_")  # the tests may run in a pipeline
        kept = {k: v for k, v in os.environ.items() if not k.startswith(ours) and k != "CI"}
        return kept | {
            "VAPI_API_KEY": self.server.api_key,
            "VAPI_BASE_URL": self.server.vapi_url,
            "TWILIO_ACCOUNT_SID": self.server.account_sid,
            "TWILIO_AUTH_TOKEN": self.server.auth_token,
            "TWILIO_BASE_URL": self.server.twilio_url,
            "VAPI_WEBHOOK_SECRET": "a-webhook-secret-of-some-length",
            "SLACK_HOOK": "https://hooks.slack.example/T1/B2/s3cr3t",
        }

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def run(self, *arguments: str, code: int | None = 0, **environ: str | None) -> Ran:
        """A command, in this process; `code` None takes any exit code, a variable that is None is not set."""
        before = dict(os.environ)
        wanted = {name: value for name, value in (self.environ | environ).items() if value is not None}
        out, err = io.StringIO(), io.StringIO()
        try:
            os.environ.clear()
            os.environ.update(wanted)
            with redirect_stdout(out), redirect_stderr(err), _no_input():
                exit_code = run(["-C", str(self.folder), *arguments], ProcessContext(**SURROUNDED))
        finally:
            os.environ.clear()
            os.environ.update(before)
        return self._ran(exit_code, out.getvalue(), err.getvalue(), code)

    def process(self, *arguments: str, code: int | None = 0, **environ: str) -> Ran:
        """A command, as a process of its own."""
        ran = subprocess.run(
            [sys.executable, "-m", "voiceops", "-C", str(self.folder), *arguments],
            capture_output=True,
            text=True,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )
        return self._ran(ran.returncode, ran.stdout, ran.stderr, code)

    @staticmethod
    def _ran(code: int, out: str, err: str, wanted: int | None) -> Ran:
        assert "Traceback" not in err, err
        if wanted is not None:
            assert code == wanted, f"exit {code}\n{out}\n{err}"
        return Ran(code, out, err)

    def apply(self, *arguments: str, code: int | None = 0) -> Ran:
        return self.run("apply", "--auto-approve", *arguments, code=code)

    def plan(self, *arguments: str) -> dict[str, Any]:
        """A plan as data, also of one that can't be applied."""
        ran = self.run("plan", "--format", "json", *arguments, code=None)
        found: dict[str, Any] = ran.data
        assert ran.code in ((0, 5) if found["errored"] else (0,)), ran.err
        return found

    def changes(self, *arguments: str) -> dict[str, list[str]]:
        """The plan's changes, by address, without those that do nothing."""
        return {
            c["address"]: c["change"]["actions"]
            for c in self.plan(*arguments)["resource_changes"]
            if c["change"]["actions"] != ["no-op"] or c.get("state_only")
        }

    def writes(self) -> list[tuple[str, str]]:
        """The mutating requests since the last reset."""
        return [(r["method"], r["path"]) for r in self.control.requests() if r["method"] != "GET"]

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / ".voiceops/state/live/state.json").read_text())
        return found

    def id_of(self, address: str) -> str:
        return str(self.state()["resources"][address]["id"])

    def live(self, address: str) -> dict[str, Any]:
        return self.control.object(self.id_of(address))


@contextmanager
def _no_input() -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.StringIO()
    try:
        yield
    finally:
        sys.stdin = before


@contextmanager
def bench(
    folder: Path, numbers: tuple[str, ...] = ("+14155550100", "+14155550101"), **switches: Any
) -> Iterator[Bench]:
    """An empty project `shop` with one environment, `live`, whose APIs are a sandbox's."""
    with SandboxServer(numbers=numbers, **switches) as server, server.control() as control:
        made = Bench(folder, server, control)
        made.write("voiceops.yaml", PROJECT)
        (folder / "agents").mkdir(exist_ok=True)
        yield made


def shop(made: Bench) -> None:
    """The example's manifests, in the environment `live`."""
    for name in ("agents", "environments"):
        shutil.copytree(REPOSITORY / name, made.folder / name, dirs_exist_ok=True)
    shutil.rmtree(made.folder / "environments")
    text = (REPOSITORY / "voiceops.yaml").read_text()
    made.write(
        "voiceops.yaml", text.replace("defaultEnvironment: dev\nenvironments: [dev, prod]", "environments: [live]")
    )
