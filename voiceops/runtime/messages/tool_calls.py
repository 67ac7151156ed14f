"""`tool-calls`: every call claimed before its handler runs, run once, answered in time with one line of text.

Knows tools, claims and results; knows nothing of HTTP or signatures.
"""

from __future__ import annotations

import asyncio
import logging
import time
from itertools import count
from typing import TYPE_CHECKING, Any

from voiceops.model.address import ADDRESS
from voiceops.runtime.handlers.argument_checker import Checker
from voiceops.runtime.handlers.arguments import QUICK, Arguments
from voiceops.runtime.handlers.call import Call
from voiceops.runtime.handlers.failure_text import message_of_error, place_of_function
from voiceops.runtime.handlers.invoke import Failure, Invoker
from voiceops.runtime.handlers.loading import Handler, Handlers, handler_of
from voiceops.runtime.handlers.threads import Threads
from voiceops.runtime.json_text import dumps, one_line, storable
from voiceops.runtime.observe.log import log, log_tool
from voiceops.runtime.observe.metrics import Counter, Histogram, Metrics
from voiceops.runtime.spec import TOOL_SECONDS, RuntimeSpec, ToolSpec, deadline_of
from voiceops.runtime.store.inbox import Inbox, in_time
from voiceops.runtime.store.keys import claim_key
from voiceops.runtime.store.records import Claim
from voiceops.runtime.vapi_messages import Message, ToolCall, arguments_of, name_of, raw_arguments

if TYPE_CHECKING:
    from voiceops.runtime.handlers.sessions import Sessions
    from voiceops.runtime.messages.directory import Directory
    from voiceops.runtime.observe.tracing import Tracing

FAILED = "I am sorry, I could not do that just now. Please try again in a moment."
MISUNDERSTOOD = "I am sorry, I did not get that right. Could you say it once more?"

_SHORT = 16_000  # bytes of arguments that are read and checked on the loop, where that costs no more than QUICK
_CHECKS = 8  # threads that check arguments
_POLL = 0.05  # seconds between looks at a claim that another worker holds


class Tool:
    """A tool with everything that its calls need, made once."""

    __slots__ = ("arguments", "failure", "handler", "key", "latency", "outcomes", "seconds", "settled", "short", "spec")

    def __init__(
        self, spec: ToolSpec, handler: Handler | None, metrics: Metrics, default_seconds: float = TOOL_SECONDS
    ) -> None:
        self.spec = spec
        self.handler = handler
        self.arguments = Arguments(spec.parameters)
        self.short = min(_SHORT, QUICK // self.arguments.weight)  # bytes of arguments that are checked on the loop
        self.seconds = deadline_of(spec.timeout, default_seconds)
        # Until then a result's storing is waited for: half of what the way back may take.
        self.settled = self.seconds + ((spec.timeout or self.seconds + 1.0) - self.seconds) / 2
        self.failure = spec.failure or FAILED
        match = ADDRESS.match(spec.address)
        self.key = (match["key"] if match else None) or ""
        self.latency: Histogram = metrics.histogram("voiceops_tool_seconds", tool=spec.name)
        self.outcomes: dict[str, Counter] = {
            outcome: metrics.counter("voiceops_tool_calls_total", tool=spec.name, outcome=outcome)
            for outcome in ("ok", "failed", "timeout", "busy", "misused", "missing", "lost", "repeated")
        }


class Tools:
    """Answers `tool-calls` messages."""

    def __init__(
        self,
        spec: RuntimeSpec,
        loaded: Handlers,
        inbox: Inbox | None,
        invoker: Invoker,
        metrics: Metrics,
        sessions: Sessions | None = None,
    ) -> None:
        """Without an inbox nothing is stored, and nothing kept from running twice: for measurements only."""
        self._inbox = inbox
        self._invoker = invoker
        self._sessions = sessions
        self.tracing: Tracing | None = None
        self.whose: Directory | None = None
        self._checks = Threads(_CHECKS, "voiceops-check")
        self._checker = Checker()
        self._tools: dict[str, list[Tool]] = {}
        self._running: dict[str, asyncio.Future[str] | None] = {}  # a future once somebody waits for the answer too
        self._unknown = Tool(ToolSpec(name="(unknown)", address=""), None, metrics, spec.tool_seconds)
        for item in spec.tools:
            if item.type != "function":
                continue
            handler = loaded.get(item.handler)
            if handler is None and item.name in loaded.registry.tools:
                handler = handler_of(loaded.registry.tools[item.name])
            self._tools.setdefault(item.name, []).append(Tool(item, handler, metrics, spec.tool_seconds))
        for name, function in loaded.registry.tools.items():
            if name not in self._tools:
                own = ToolSpec(name=name, address="")
                self._tools[name] = [Tool(own, handler_of(function), metrics, spec.tool_seconds)]
        for tool in (tool for named in self._tools.values() for tool in named):
            for problem in tool.arguments.problems:
                log("schema", logging.WARNING, tool=tool.spec.name, detail=problem)

    def close(self) -> None:
        """Forget the threads and processes of checks that take long."""
        self._checks.close()
        self._checker.close()

    async def answer(self, message: Message, body: bytes, started: float) -> bytes:
        """The response's body; never raises, never later than the tools' deadlines."""
        calls = message.tool_calls()
        if len(calls) == 1 and calls[0].id:
            entries = [await self._entry(calls[0], calls[0].id, message, body, started)]
        else:
            ids = _ids(calls)
            entries = await asyncio.gather(
                *(self._entry(call, id_, message, body, started) for call, id_ in zip(calls, ids, strict=True))
            )
        return f'{{"results":[{",".join(entries)}]}}'.encode()

    async def _entry(self, call: ToolCall, id_: str, message: Message, body: bytes, started: float) -> str:
        """One call's entry of `results`, as JSON."""
        name = name_of(call)
        found = self._tools.get(name)
        tool = self._unknown if not found else found[0] if len(found) == 1 else await self._among(found, message)
        if not call.id or self._inbox is None:  # nothing to recognise a repetition by
            return await self._run(tool, call, id_, name, message, body, started)
        key = claim_key(message.call_id, id_)
        if key in self._running:
            tool.outcomes["repeated"].add()
            running = self._running[key] or asyncio.get_running_loop().create_future()
            self._running[key] = running
            return await self._patient(running, tool, id_, name, started)
        self._running[key] = None
        entry = ""
        try:
            entry = await self._once(key, tool, call, name, message, body, started)
        finally:
            future = self._running.pop(key)
            if future is not None:
                future.set_result(entry or _failed(id_, name, tool.failure))
        return entry

    async def _patient(self, running: asyncio.Future[str], tool: Tool, id_: str, name: str, started: float) -> str:
        """The same call is being answered here: the same answer, if it comes in time."""
        left = started + tool.seconds - time.monotonic()
        done, _ = await asyncio.wait([running], timeout=max(0.0, left))
        return running.result() if done else _failed(id_, name, tool.failure)

    async def _once(
        self, key: str, tool: Tool, call: ToolCall, name: str, message: Message, body: bytes, started: float
    ) -> str:
        """Claim, run, keep the answer; or give the answer that there is."""
        assert self._inbox is not None
        id_ = call.id or ""
        try:
            asked = self._inbox.claim(key, tool.spec.name, storable(message.call_id))
            claim: Claim | None = await in_time(asked, started + tool.seconds)
            if claim is not None and not claim.mine:
                tool.outcomes["repeated"].add()
                found = await self._existing(key, claim, tool, started)
                if found != "":
                    return found if found is not None else _failed(id_, name, tool.failure)
        except Exception as error:
            # Without the store a side effect could happen twice: the caller gets a sentence instead.
            log("store", logging.ERROR, error=type(error).__name__, tool=tool.spec.name, tool_call=storable(id_))
            tool.outcomes["lost"].add()
            return _failed(id_, name, tool.failure)
        entry = await self._run(tool, call, id_, name, message, body, started)
        try:
            # A slow store gets it all the same, and whoever waits on the phone does not wait for it.
            kept = self._inbox.settle(key, entry, "", (time.monotonic() - started) * 1000)
            await in_time(kept, started + tool.settled)
        except Exception as error:
            log("store", logging.ERROR, error=type(error).__name__, tool=tool.spec.name, tool_call=storable(id_))
        return entry

    async def _existing(self, key: str, claim: Claim, tool: Tool, started: float) -> str | None:
        """The answer of whoever had the claim; None when there will be none, empty when it is ours to run now."""
        assert self._inbox is not None
        inbox = self._inbox
        until = started + tool.seconds
        current: Claim | None = claim
        while current is not None and not current.result:
            owner = current.owner
            # Ours, and not running here: its result could not be stored.
            gone = owner == inbox.owner or not await in_time(
                inbox.run(lambda backend, owner=owner: backend.alive(owner)),  # type: ignore[misc]
                until,
            )
            if gone:
                current = await in_time(inbox.run(lambda backend: backend.lookup(key)), until)
                if current is None or current.result:
                    break
                if not tool.spec.idempotent:
                    log("claim-lost", logging.WARNING, tool=tool.spec.name)
                    tool.outcomes["lost"].add()
                    return None
                if await in_time(
                    inbox.run(lambda backend, owner=owner: backend.take_over(key, owner)),  # type: ignore[misc]
                    until,
                ):
                    return ""
            elif time.monotonic() >= until:
                return None
            else:
                await asyncio.sleep(_POLL)
            current = await in_time(inbox.run(lambda backend: backend.lookup(key)), until)
        return current.result if current is not None else None

    async def _run(
        self, tool: Tool, call: ToolCall, id_: str, name: str, message: Message, body: bytes, started: float
    ) -> str:
        """Run the handler, and put what came of it into an entry."""
        span = self.tracing.tool(tool.spec.name, message.call_id, id_) if self.tracing is not None else None
        outcome, detail, text, wrong = "ok", "", "", ""
        handler = tool.handler
        if handler is None:
            outcome, detail = "missing", "no handler"
        else:
            until = started + tool.seconds
            raw = raw_arguments(call)
            short = len(raw) <= tool.short
            arguments, wrong = _read(tool.arguments, raw) if short else await self._checked(tool, raw, until)
            detail = wrong
            if arguments is None:
                outcome = "misused" if detail else "timeout"
            else:
                context = self._context(tool, call.id or "", message, body, until) if handler.takes_call else None
                value = await self._invoker.invoke(handler, context, arguments, until - time.monotonic())
                if isinstance(value, Failure):
                    outcome, detail = value.reason, value.whole
                else:
                    try:
                        text = one_line(value)
                    except Exception as error:
                        outcome, detail = "failed", _unsent(handler, value, error)
        if span is not None:
            span.done(outcome)
        seconds = time.monotonic() - started
        tool.outcomes[outcome].add()
        tool.latency.observe(seconds)
        level = logging.INFO if outcome == "ok" else logging.WARNING
        call_id = storable(message.call_id)
        log_tool(level, tool.spec.name, outcome, detail, round(seconds * 1000, 1), call_id, storable(id_))
        if outcome == "ok":
            return _entry({"toolCallId": id_, "name": name, "result": text})
        if outcome == "misused":
            return _failed(id_, name, tool.spec.failure or MISUNDERSTOOD, wrong)
        return _failed(id_, name, tool.failure)

    async def _checked(self, tool: Tool, raw: bytes, until: float) -> tuple[dict[str, Any] | None, str]:
        """The arguments that the handler gets; or None, and what is wrong with them, empty when time ran out.

        Whatever the schema and the arguments are: the loop goes on meanwhile, and the caller is answered in time.
        """

        def work() -> tuple[dict[str, Any] | None, str]:
            if tool.arguments.cost(len(raw)) <= QUICK:
                return _read(tool.arguments, raw)
            return self._checker.check(tool.arguments.source, raw, until)

        try:
            value, error = await self._checks.run(work, until - time.monotonic(), tool.spec.name)
        except TimeoutError:
            return None, ""
        if isinstance(error, TimeoutError):
            return None, "the arguments take too long to check"
        return value if error is None else (None, f"they can't be checked: {type(error).__name__}")

    async def _among(self, found: list[Tool], message: Message) -> Tool:
        """Of several tools with one function name: this agent's, and never another one's."""
        agent = await self.whose.agent(message) if self.whose is not None else ""
        for tool in found:
            if agent and agent in tool.spec.agents:
                return tool
        first = found[0].spec
        if all(
            (tool.spec.handler, tool.key, tool.spec.parameters) == (first.handler, found[0].key, first.parameters)
            for tool in found
        ):
            return found[0]
        log("tool", logging.ERROR, tool=first.name, call=message.call_id, detail="which agent's is not known")
        return self._unknown

    def _context(self, tool: Tool, id_: str, message: Message, body: bytes, until: float) -> Call:
        return Call(
            body,
            type="tool-calls",
            id=message.call_id,
            number=message.number,
            customer=message.caller,
            agent=message.agent,
            tool=tool.spec.address,
            tool_call_id=id_,
            key=tool.key,
            deadline=until,
            sessions=self._sessions,
        )


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


def _entry(data: dict[str, Any]) -> str:
    return dumps(data).decode()


def _failed(id_: str, name: str, sentence: str, why: str = "") -> str:
    """The message makes Vapi say the sentence itself, whatever the model makes of the error, which tells it `why`."""
    sentence = one_line(sentence)
    return _entry(
        {
            "toolCallId": id_,
            "name": name,
            "error": f"{sentence} (Wrong arguments: {one_line(why)})" if why else sentence,
            "message": {"type": "request-failed", "content": sentence},
        }
    )
