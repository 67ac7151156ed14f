"""Which line and which agent a message is about: by number, by live name, by live id.

A tool of one tenant must not answer another one's caller: where nothing tells, nothing is guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from voiceops.runtime.messages.vapi_api import VapiApi
from voiceops.runtime.spec import LineSpec, RuntimeSpec
from voiceops.runtime.vapi_messages import Message


class Directory:
    """Looks messages up in one spec; asks for ids only where numbers and names don't tell."""

    def __init__(self, spec: RuntimeSpec, api: VapiApi | None) -> None:
        self._api = api
        self._numbers = {line.number: line for line in spec.lines if line.number}
        self._lines = {line.address: line for line in spec.lines}
        self._line_names = _unique((line.name, line.address) for line in spec.lines)
        self._agent_names = _unique((agent.name, agent.address) for agent in spec.agents)

    async def line(self, message: Message) -> LineSpec | None:
        """The line that was called."""
        found = self._numbers.get(message.number)
        if found is None and (name := message.line_name) in self._line_names:
            found = self._lines[self._line_names[name]]
        if found is None and message.line_id:
            found = self._lines.get(await self._address(message.line_id, "Phone"))
        return found

    async def agent(self, message: Message) -> str:
        """The address of the agent that speaks; empty where nothing tells."""
        if message.agent in self._agent_names:
            return self._agent_names[message.agent]
        if message.agent_id and (address := await self._address(message.agent_id, "Agent")):
            return address
        line = await self.line(message)
        return line.target or "" if line is not None else ""

    async def _address(self, id_: str, kind: str) -> str:
        return await self._api.address_of(id_, kind) if self._api is not None else ""


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Name → address, where only one has the name."""
    known = [(name, address) for name, address in pairs if name]
    count = Counter(name for name, _ in known)
    return {name: address for name, address in known if count[name] == 1}
