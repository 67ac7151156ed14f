"""`tool-calls`: every call claimed before its handler runs, run once, answered in time with one line of text.

Knows tools, claims and results; knows nothing of HTTP or signatures.
"""

from __future__ import annotations

import asyncio
import logging
import time
from itertools import count
from typing import Any

import msgspec

from voiceops.runtime.handlers.argument_checker import Checker
from voiceops.runtime.handlers.arguments import QUICK, Arguments
from voiceops.runtime.handlers.call import Call
from voiceops.runtime.handlers.failure_text import message_of_error, place_of_function
from voiceops.runtime.handlers.invoke import Failure, Invoker
from voiceops.runtime.handlers.loading import Handler, Handlers, handler_of
from voiceops.runtime.handlers.sessions import Sessions
from voiceops.runtime.handlers.threads import Threads
from voiceops.runtime.json_text import dumps, one_line, storable
from voiceops.runtime.messages.directory import Directory
from voiceops.runtime.observe.log import log
from voiceops.runtime.observe.observer import Observer
from voiceops.runtime.spec import TOOL_SECONDS, RuntimeSpec, ToolSpec, deadline_of
from voiceops.runtime.store.keys import claim_key
from voiceops.runtime.store.once import Once, WhoseTurn
from voiceops.runtime.vapi_messages import Message, ToolCall, arguments_of, name_of, raw_arguments

FAILED = "I am sorry, I could not do that just now. Please try again in a moment."
MISUNDERSTOOD = "I am sorry, I did not get that right. Could you say it once more?"

_SHORT = 16_000  # bytes of arguments that are read and checked on the loop, where that costs no more than QUICK
_CHECKS = 8  # threads that check arguments


class Tool:
    """A tool with everything that its calls need, made once."""

    __slots__ = ("arguments", "failure", "handler", "name", "seconds", "settled", "short", "spec")

    def __init__(self, spec: ToolSpec, handler: Handler | None, default_seconds: float = TOOL_SECONDS) -> None:
        """`default_seconds`: what it has where its server has no timeoutSeconds."""
        self.spec = spec
        self.name = spec.name
        self.handler = handler
        self.arguments = Arguments(spec.parameters)
        self.short = min(_SHORT, QUICK // self.arguments.weight)  # bytes of arguments that are checked on the loop
        self.seconds = deadline_of(spec.timeout, default_seconds)
        # Until then a result's storing is waited for: half of what the way back may take.
        self.settled = self.seconds + ((spec.timeout or self.seconds + 1.0) - self.seconds) / 2
        self.failure = spec.failure or FAILED


class _Asked(msgspec.Struct, gc=False):
    """One call of a tool, on its way to its answer."""

    call: ToolCall
    id: str  # under which it is answered; its own, or one that we gave
    name: str  # the function, as the model wrote it
    tool: Tool
    message: Message
    call_id: str  # of the phone call, as it can be stored
    body: bytes
    started: float  # when its message came, by the monotonic clock

    @property
    def shown_id(self) -> str:
        return storable(self.id)


class Tools:
    """Answers `tool-calls` messages."""

    def __init__(
        self,
        spec: RuntimeSpec,
        handlers: Handlers,
        invoker: Invoker,
        observer: Observer,
        *,
        once: Once | None,
        sessions: Sessions | None = None,
        directory: Directory | None = None,
    ) -> None:
        """Without `once` nothing is stored, and nothing kept from running twice: for measurements only.

        `directory` tells which agent's tool is meant where several agents have one of the same function name.
        """
        self._once = once
        self._invoker = invoker
        self._observer = observer
        self._sessions = sessions
        self._directory = directory
        self._checks = Threads(_CHECKS, "voiceops-check")
        self._checker = Checker()
        self._running: dict[str, asyncio.Future[str] | None] = {}  # a future once somebody waits for the answer too
        self._unknown = Tool(ToolSpec(name="(unknown)", address=""), None, spec.tool_seconds)
        self._tools = _tools_of(spec, handlers)
        observer.serves([self._unknown.name, *self._tools])
        for tool in (tool for named in self._tools.values() for tool in named):
            for problem in tool.arguments.problems:
                log("schema", logging.WARNING, tool=tool.name, detail=problem)

    def named(self, name: str) -> list[Tool]:
        """The tools of this function name; several where agents have one each."""
        return self._tools.get(name, [])

    def close(self) -> None:
        """Forget the threads and processes of checks that take long."""
        self._checks.close()
        self._checker.close()

    async def answer(self, message: Message, body: bytes, started: float) -> bytes:
        """The response's body; never raises, never later than the tools' deadlines.

        https://docs.vapi.ai/tools/custom-tools
        """
        calls = message.tool_calls()
        call_id = storable(message.call_id)
        if len(calls) == 1 and calls[0].id:
            entries = [await self._entry(calls[0], calls[0].id, message, call_id, body, started)]
        else:
            entries = await asyncio.gather(
                *(
                    self._entry(call, id_, message, call_id, body, started)
                    for call, id_ in zip(calls, _ids(calls), strict=True)
                )
            )
        return f'{{"results":[{",".join(entries)}]}}'.encode()

    async def _entry(
        self, call: ToolCall, id_: str, message: Message, call_id: str, body: bytes, started: float
    ) -> str:
        """One call's entry of `results`, as JSON."""
        name = name_of(call)
        found = self._tools.get(name)
        tool = self._unknown if not found else found[0] if len(found) == 1 else await self._among(found, message)
        asked = _Asked(call, id_, name, tool, message, call_id, body, started)
        if not call.id or self._once is None:  # nothing to recognise a repetition by
            return (await self._run(asked))[0]
        key = claim_key(message.call_id, id_)
        if key in self._running:
            self._observer.tool_counted(tool.name, "repeated")
            running = self._running[key] or asyncio.get_running_loop().create_future()
            self._running[key] = running
            return await self._of_another(running, asked)
        self._running[key] = None
        entry = ""
        try:
            entry = await self._run_once(self._once, key, asked)
        finally:
            future = self._running.pop(key)
            if future is not None:
                future.set_result(entry or _failed(asked))
        return entry

    async def _of_another(self, running: asyncio.Future[str], asked: _Asked) -> str:
        """The same call is being answered here: the same answer, if it comes in time."""
        left = asked.started + asked.tool.seconds - time.monotonic()
        done, _ = await asyncio.wait([running], timeout=max(0.0, left))
        return running.result() if done else _failed(asked)

    async def _run_once(self, once: Once, key: str, asked: _Asked) -> str:
        """Claim, run, keep the answer; or give the answer that there is."""
        tool, until = asked.tool, asked.started + asked.tool.seconds
        try:
            turn, result = await once.claim(
                key, tool.name, asked.call_id, by=until, until=until, again=tool.spec.idempotent
            )
        except Exception as error:
            # Without the store a side effect could happen twice: the caller gets a sentence instead.
            log("store", logging.ERROR, error=type(error).__name__, tool=tool.name, tool_call=asked.shown_id)
            self._observer.tool_counted(tool.name, "lost")
            return _failed(asked)
        if turn is not WhoseTurn.MINE:
            self._observer.tool_counted(tool.name, "repeated")
            if turn is WhoseTurn.LOST:
                log("claim-lost", logging.WARNING, tool=tool.name)
                self._observer.tool_counted(tool.name, "lost")
            if turn is not WhoseTurn.AGAIN:
                return result or _failed(asked)
        entry, outcome = await self._run(asked)
        # Whoever waits on the phone does not wait for a slow store.
        late = asked.started + tool.settled
        await once.keep(key, entry, outcome, asked.started, late, tool.name)
        return entry

    async def _run(self, asked: _Asked) -> tuple[str, str]:
        """Run the handler: the entry for the answer, and how it ended."""
        tool = asked.tool
        with self._observer.tool(tool.name, asked.message, asked.id) as watch:
            outcome, said, detail = await self._outcome(asked)
            watch.ended(outcome)
        seconds = time.monotonic() - asked.started
        self._observer.tool_ended(tool.name, outcome, detail, seconds, asked.call_id, asked.shown_id)
        if outcome == "ok":
            return dumps({"toolCallId": asked.id, "name": asked.name, "result": said}).decode(), outcome
        if outcome == "misused":
            return _failed(asked, tool.spec.failure or MISUNDERSTOOD, said), outcome
        return _failed(asked), outcome

    async def _outcome(self, asked: _Asked) -> tuple[str, str, str]:
        """How it ended; what the model is told: the result, or which argument is wrong; a word for the log."""
        tool = asked.tool
        handler = tool.handler
        if handler is None:
            return "missing", "", "no handler"
        until = asked.started + tool.seconds
        raw = raw_arguments(asked.call)
        short = len(raw) <= tool.short
        arguments, wrong = _read(tool.arguments, raw) if short else await self._checked(tool, raw, until)
        if arguments is None:
            return ("misused" if wrong else "timeout"), wrong, wrong
        call = None
        if handler.takes_call:
            own = asked.call.id or ""
            call = Call.of(asked.message, asked.body, until, self._sessions, tool=tool.spec, tool_call_id=own)
        value = await self._invoker.invoke(handler, call, arguments, until - time.monotonic())
        if isinstance(value, Failure):
            return value.reason, "", value.whole
        try:
            return "ok", one_line(value), ""
        except Exception as error:
            return "failed", "", _unsent(handler, value, error)

    async def _checked(self, tool: Tool, raw: bytes, until: float) -> tuple[dict[str, Any] | None, str]:
        """The arguments that the handler gets; or None, and what is wrong with them, empty when time ran out.

        Whatever the schema and the arguments are: the loop goes on meanwhile, and the caller is answered in time.
        """

        def work() -> tuple[dict[str, Any] | None, str]:
            if tool.arguments.cost(len(raw)) <= QUICK:
                return _read(tool.arguments, raw)
            return self._checker.check(tool.arguments.source, raw, until)

        try:
            value, error = await self._checks.run(work, until - time.monotonic(), tool.name)
        except TimeoutError:
            return None, ""
        if isinstance(error, TimeoutError):
            return None, "the arguments take too long to check"
        return value if error is None else (None, f"they can't be checked: {type(error).__name__}")

    async def _among(self, found: list[Tool], message: Message) -> Tool:
        """Of several tools with one function name: this agent's, and never another one's."""
        agent = await self._directory.agent(message) if self._directory is not None else ""
        for tool in found:
            if agent and agent in tool.spec.agents:
                return tool
        first = found[0].spec
        if all(
            (tool.spec.handler, tool.spec.key, tool.spec.parameters) == (first.handler, first.key, first.parameters)
            for tool in found
        ):
            return found[0]
        log("tool", logging.ERROR, tool=first.name, call=message.call_id, detail="which agent's is not known")
        return self._unknown


def _tools_of(spec: RuntimeSpec, handlers: Handlers) -> dict[str, list[Tool]]:
    """Tools by function name: those of the manifests, and those that only a decorator names."""
    found: dict[str, list[Tool]] = {}
    for item in spec.tools:
        if item.type != "function":
            continue
        handler = handlers.get(item.handler)
        if handler is None and item.name in handlers.registry.tools:
            handler = handler_of(handlers.registry.tools[item.name])
        found.setdefault(item.name, []).append(Tool(item, handler, spec.tool_seconds))
    for name, function in handlers.registry.tools.items():
        if name not in found:
            found[name] = [Tool(ToolSpec(name=name, address=""), handler_of(function), spec.tool_seconds)]
    return found


def _read(check: Arguments, raw: bytes) -> tuple[dict[str, Any] | None, str]:
    """Arguments, read and checked; or None, and what is wrong."""
    try:
        arguments = arguments_of(raw)
        wrong = check.check(arguments)
    except RecursionError:
        return None, "the arguments are nested too deeply"
    except ValueError as error:
        return None, str(error)
    except Exception as error:  # a schema that its check does not understand
        return None, f"they can't be checked: {type(error).__name__}"
    return (None, wrong) if wrong else (arguments, "")


def _unsent(handler: Handler, value: Any, error: Exception) -> str:
    """For the log: which handler's value is no text, and why."""
    place = place_of_function(handler.function)
    why = message_of_error(error)
    return f"{handler.name}{f' at {place}' if place else ''} gave what is no text, {type(value).__name__}: {why}"


def _ids(calls: list[ToolCall]) -> list[str]:
    """The ids that the answers carry: each call's own, or one that no other call has."""
    given = {call.id for call in calls}
    fresh = (id_ for number in count(1) if (id_ := f"no-id-{number}") not in given)
    return [call.id or next(fresh) for call in calls]


def _failed(asked: _Asked, sentence: str = "", why: str = "") -> str:
    """The message makes Vapi say the sentence itself, whatever the model makes of the error, which tells it `why`."""
    sentence = one_line(sentence or asked.tool.failure)
    return dumps(
        {
            "toolCallId": asked.id,
            "name": asked.name,
            "error": f"{sentence} (Wrong arguments: {one_line(why)})" if why else sentence,
            "message": {"type": "request-failed", "content": sentence},
        }
    ).decode()
