"""Chats at Vapi: one request an answer, with the whole conversation in it, and none of them left behind.

https://docs.vapi.ai/api-reference/chats/create. A chat of an agent without effects does nothing but answer: one that
got lost on its way back is asked for again. What was made is deleted at the end, by its id, and what got lost by the
name that this run gave it: a chat holds what a caller said.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voiceops.errors import Ambiguous, NotFound, ProviderError
from voiceops.model.instants import to_millisecond
from voiceops.model.json_in import as_map, as_number, maps_in
from voiceops.model.values import JSON
from voiceops.net.together import together
from voiceops.net.until import until
from voiceops.providers.http import Api

_TRIES = 4  # of a chat whose answer did not come
_LIMIT = 1000
_LONGEST = 10_000  # characters of a message that Vapi takes
SETTLES = 10.0
_LOOK_AGAIN = 0.5  # seconds
_CLOCKS = 60.0  # seconds by which two clocks may differ


@dataclass(frozen=True, slots=True)
class WantedTool:
    """A tool that the model wants to be called."""

    id: str
    name: str
    arguments: Mapping[str, JSON]
    raw: str  # the arguments as they came


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one chat, up to the first tools that the model wants: what Vapi made of them is left aside."""

    said: str
    tools: tuple[WantedTool, ...] = ()
    cost: float | None = None


@dataclass(slots=True)
class Chats:
    """The chats of one run. Their names at Vapi begin with `name`, at most 30 characters, and each has its own."""

    api: Api
    name: str
    settle: float = SETTLES  # seconds for which a chat that nobody waits for any more is looked for
    asked: int = 0
    spent: float = 0.0
    _made: list[str] = field(default_factory=list)
    _lost: int = 0
    _began: float = 0.0  # Vapi's clock, before the first chat

    async def ask(
        self, agent: Mapping[str, Any], messages: Sequence[Mapping[str, JSON]], variables: Mapping[str, JSON]
    ) -> Reply:
        """The agent's next answer. Raises ProviderError."""
        self._began = self._began or self.api.now()
        body: dict[str, Any] = {"assistant": dict(agent), "input": list(messages)}
        if variables:
            body["assistantOverrides"] = {"variableValues": dict(variables)}
        for attempt in range(_TRIES):
            self.asked += 1
            try:
                answer = await self._asked(body | {"name": f"{self.name} {self.asked}"})
                break
            except Ambiguous:
                if attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(self.api.pace * 2**attempt)
        reply = reply_of(answer)
        self.spent += reply.cost or 0.0
        return reply

    async def _asked(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """One chat. Raises ProviderError; Ambiguous also where the answer is another chat's, or can't be read."""
        try:
            answer = (await self.api.call("POST", "/chat", body=body, creates=True)).data
            known = isinstance(answer, dict) and answer.get("name", body["name"]) == body["name"]
            if not known or not isinstance(answer.get("output"), list):
                raise Ambiguous("Vapi's answer is none to this chat", endpoint=f"POST {self.api.base_url}/chat")
        except (Ambiguous, asyncio.CancelledError):
            self._lost += 1
            raise
        if isinstance(answer.get("id"), str):
            self._made.append(answer["id"])
        found: Mapping[str, Any] = answer
        return found

    async def clear(self) -> int:
        """Delete all chats that this run made; how many may be left."""
        ids, self._made = self._made, []
        left = 0
        if self._lost:
            try:
                ids += await self._late(set(ids))
                self._lost = 0
            except ProviderError:
                left = self._lost
        gone = await together(self._delete(id_) for id_ in ids)
        return left + gone.count(False)

    async def _late(self, known: set[str]) -> list[str]:
        """The chats whose answers were lost, as far as they turn up in time: a request may be worked on for a while
        after nobody waits for it. Raises ProviderError."""
        found: list[str] = []

        async def all_of_them() -> bool | None:
            nonlocal found
            found = [id_ for id_ in await self._named() if id_ not in known]
            return len(found) >= self._lost or None

        await until(all_of_them, limit=self.settle, every=(_LOOK_AGAIN,))
        return found

    async def _named(self) -> list[str]:
        """The chats of this run that Vapi lists."""
        since = to_millisecond(max(0.0, self._began - _CLOCKS))
        found: list[str] = []
        for page in range(1, 1000):
            params = {"createdAtGe": since, "limit": _LIMIT, "page": page}
            data = (await self.api.call("GET", "/chat", params=params)).data
            items = data.get("results") if isinstance(data, dict) else data
            listed = maps_in(items)
            found += [str(item["id"]) for item in listed if _is_of(item, self.name)]
            if len(listed) < _LIMIT:
                break
        return found

    async def _delete(self, id_: str) -> bool:
        try:
            await self.api.call("DELETE", f"/chat/{id_}")
        except NotFound:
            return True
        except ProviderError:
            return False
        return True


def _is_of(chat: Mapping[str, Any], run: str) -> bool:
    return bool(chat.get("id")) and str(chat.get("name") or "").rpartition(" ")[0] == run


def reply_of(chat: Mapping[str, Any]) -> Reply:
    """What a chat's output says up to its first tool calls, and what it cost. Pure."""
    said: list[str] = []
    tools: tuple[WantedTool, ...] = ()
    for message in chat.get("output", ()):
        if not isinstance(message, dict) or message.get("role") != "assistant":
            continue
        if isinstance(message.get("content"), str) and message["content"].strip():
            said.append(message["content"].strip())
        wanted = message.get("tool_calls") or message.get("toolCalls")
        if isinstance(wanted, list) and (tools := tuple(_wanted(item, n) for n, item in enumerate(wanted))):
            break
    cost = as_number(chat.get("cost"))
    if cost is None:
        parts = [as_number(part.get("cost")) for part in maps_in(chat.get("costs"))]
        known = [part for part in parts if part is not None]
        cost = sum(known) if known else None
    return Reply(" ".join(said), tools, cost)


def _wanted(item: Any, place: int) -> WantedTool:
    call = as_map(item)
    function = as_map(call.get("function"))
    raw = function.get("arguments")
    text = raw if isinstance(raw, str) else json.dumps(raw or {})
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError):
        arguments = {}
    return WantedTool(
        id=str(call.get("id") or f"call_{place}"),
        name=str(function.get("name") or ""),
        arguments=as_map(arguments),
        raw=text,
    )


def user(text: str) -> dict[str, JSON]:
    """A turn of the caller."""
    return {"role": "user", "content": text[:_LONGEST]}


def assistant(text: str, tools: Sequence[WantedTool] = ()) -> dict[str, JSON]:
    """What the agent said, and the tools that it called."""
    message: dict[str, JSON] = {"role": "assistant"}
    if text or not tools:
        message["content"] = text[:_LONGEST]
    if tools:
        message["tool_calls"] = [
            {"id": tool.id, "type": "function", "function": {"name": tool.name, "arguments": tool.raw}}
            for tool in tools
        ]
    return message


def tool_answer(id_: str, text: str) -> dict[str, JSON]:
    """What a tool answered."""
    return {"role": "tool", "tool_call_id": id_, "content": text[:_LONGEST]}
