"""The sandbox as a server: two ports of one process, in a thread of its own or in the foreground."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from voiceops.kinds.schema import Facts, using
from voiceops.sandbox import control, twilio, vapi
from voiceops.sandbox.account import Account, World
from voiceops.sandbox.middleware import Gate
from voiceops.sandbox.numbers import own
from voiceops.sandbox.sockets import bind, listen
from voiceops.sandbox.store import Store
from voiceops.sandbox.switches import Switches

if TYPE_CHECKING:
    from voiceops.sandbox.client import SandboxClient


class SandboxServer:
    """Both vendors on 127.0.0.1.

    As a context manager it runs in a thread; `serve` runs it in the foreground. `data` is a file that keeps the
    objects (None: memory); `numbers` are E.164 numbers that the Twilio account owns, added where they are missing;
    `facts` are a project's own, by which bodies are then checked.
    The keyword arguments that are left over are switches: `SandboxServer(lag=1.0)`.
    """

    def __init__(
        self,
        *,
        data: Path | None = None,
        numbers: Iterable[str] = (),
        port_vapi: int = 0,
        port_twilio: int = 0,
        api_key: str = "sandbox",
        account_sid: str = "AC" + "1".zfill(32),
        auth_token: str = "sandbox",
        org_id: str = "00000000-0000-4000-8000-000000000001",
        switches: Switches | None = None,
        facts: Facts | None = None,
        **changes: Any,
    ) -> None:
        self.account = Account(api_key=api_key, org_id=org_id, account_sid=account_sid, auth_token=auth_token)
        self.api_key = api_key
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.vapi_url = self.twilio_url = self.control_url = ""
        self._data = data
        self._numbers = tuple(numbers)
        self._facts = facts
        self._ports = (port_vapi, port_twilio)
        self._switches = (switches or Switches()).changed(changes)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._world: World | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._failure = None

        def run() -> None:
            try:
                asyncio.run(self._serve(lambda _: ready.set()))
            except BaseException as error:
                self._failure = error
            finally:
                ready.set()

        self._thread = threading.Thread(target=run, name="voiceops-sandbox", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it: connections are cut off, requests that wait do not go on."""
        if self._loop is not None and self._world is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._world.stopping.set)
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def serve(self, ready: Callable[[SandboxServer], None]) -> None:
        """Run in the foreground until SIGINT or SIGTERM; `ready` is called once both ports answer."""
        asyncio.run(self._serve(ready, signals=True))

    def control(self) -> SandboxClient:
        """A client of the control endpoint, to be closed by the caller."""
        from voiceops.sandbox.client import SandboxClient

        return SandboxClient(self.control_url)

    async def _serve(self, ready: Callable[[SandboxServer], None], *, signals: bool = False) -> None:
        with using(self._facts):  # what is started in here, the listeners included, asks the same facts
            await self._run(ready, signals=signals)

    async def _run(self, ready: Callable[[SandboxServer], None], *, signals: bool = False) -> None:
        bound: list[socket.socket] = []
        store = Store(self._data)
        try:
            bound = [bind(port) for port in self._ports]
            self._loop = asyncio.get_running_loop()
            self._world = world = World(store, self.account, self._switches)
            if signals:
                for name in (signal.SIGINT, signal.SIGTERM):
                    self._loop.add_signal_handler(name, world.stopping.set)
            self._plant()
            apps = (
                Gate(
                    "vapi",
                    world,
                    vapi.application(world),
                    vapi.throttled,
                    vapi.decorate,
                    control.application(world, self._plant),
                ),
                Gate("twilio", world, twilio.application(world), twilio.throttled, twilio.decorate),
            )
            listeners = [await listen(app, sock) for app, sock in zip(apps, bound, strict=True)]
            urls = [f"http://127.0.0.1:{sock.getsockname()[1]}" for sock in bound]
            self.vapi_url, self.twilio_url = urls
            self.control_url = f"{self.vapi_url}/_sandbox"
            try:
                ready(self)
                await world.stopping.wait()
            finally:
                world.stopping.set()
                await asyncio.gather(*(listener.stop() for listener in listeners))
        finally:
            for sock in bound:
                sock.close()
            store.close()

    def _plant(self) -> None:
        assert self._world is not None
        with self._world.store.transaction():
            vapi.plant(self._world)
            for number in self._numbers:
                own(self._world, number)
