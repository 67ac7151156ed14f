"""Conversations in which tools may be asked for at their servers: those block, and the sandbox goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from voiceops.sandbox.account import World
from voiceops.sandbox.conversations import Ask, nobody
from voiceops.sandbox.stand_in import ToolAtHand
from voiceops.sandbox.store import Body
from voiceops.sandbox.tool_servers import NO_RESULT, asked

T = TypeVar("T")


def asks(world: World, kind: str, about: Body) -> Callable[[str], Ask]:
    """How the tools of a conversation are asked, by the conversation's id; `kind` is what it is: a call, or a chat."""
    if not world.switches.call_tools:
        return lambda _: nobody

    def of(id_: str) -> Ask:
        def ask(tool: ToolAtHand, arguments: Mapping[str, Any]) -> str:
            if tool.server is None or not tool.server.near:
                return NO_RESULT
            return asked(tool.server, tool.name, arguments, {kind: {"id": id_, **about}})

        return ask

    return of


async def talked(world: World, talk: Callable[[], T]) -> T:
    """What comes of a conversation; one that may ask servers is held in a thread, for they may ask the sandbox."""
    return await asyncio.to_thread(talk) if world.switches.call_tools else talk()
