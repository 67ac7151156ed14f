"""Everything that answers, made once: what it is made from (`Setup`), and what it is while it runs (`Parts`).

The only place that knows how the parts go together; what goes over the wire is `http`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from voiceops.errors import VoiceopsError
from voiceops.kinds.schema import Facts
from voiceops.runtime.handlers.invoke import Invoker
from voiceops.runtime.handlers.loading import Handlers
from voiceops.runtime.handlers.sessions import Sessions
from voiceops.runtime.messages.call_naming import CallNaming, RevisionsInForce
from voiceops.runtime.messages.call_recorder import CallRecorder
from voiceops.runtime.messages.directory import Directory
from voiceops.runtime.messages.event_worker import RETRIES, EventWorker, Retries
from voiceops.runtime.messages.intake import Intake
from voiceops.runtime.messages.questions import Questions
from voiceops.runtime.messages.tool_calls import Tools
from voiceops.runtime.messages.twilio_webhooks import Lines
from voiceops.runtime.messages.vapi_api import Known, VapiApi
from voiceops.runtime.observe.log import flush, log
from voiceops.runtime.observe.log_observer import LogObserver
from voiceops.runtime.observe.metrics import Metrics
from voiceops.runtime.observe.metrics_observer import MetricsObserver
from voiceops.runtime.observe.observer import Observer, Observers
from voiceops.runtime.settings import Settings, private
from voiceops.runtime.spec import RuntimeSpec
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.health import Health
from voiceops.runtime.store.housekeeping import keep_house
from voiceops.runtime.store.inbox import Inbox
from voiceops.runtime.store.once import Once
from voiceops.runtime.store.records import Backend

_DAY = 86_400.0
_GRACE = 5.0  # seconds for handlers of events to end by themselves
_PUBLISH = 2.0  # seconds between two times that a worker leaves its counters


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a runtime is made from. `known` and `revisions` ask a state; `boot` is equal for all workers of a start."""

    spec: RuntimeSpec
    settings: Settings
    handlers: Handlers
    known: Known | None = None
    revisions: RevisionsInForce | None = None
    boot: str = ""
    backend: Backend | None = None  # else what `settings.database` names
    observers: tuple[Observer, ...] = ()  # beside metrics, log and spans
    retries: Retries = RETRIES
    facts: Facts | None = None  # about Vapi's API, of the project's own; None: voiceops's


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A runtime's parts, all of them at work. Made by `open`."""

    spec: RuntimeSpec
    settings: Settings
    boot: str
    revision: int | None  # that is in force, where a state tells it
    started: float  # epoch seconds
    metrics: Metrics
    observer: Observer
    inbox: Inbox
    health: Health
    intake: Intake
    tools: Tools
    questions: Questions
    lines: Lines
    events: EventWorker

    @staticmethod
    @asynccontextmanager
    async def open(setup: Setup) -> AsyncIterator[Parts]:
        """The parts, for as long as the block runs; then what is under way ends, and what is waiting is stored.

        Raises VoiceopsError where the store can't be opened.
        """
        async with AsyncExitStack() as stack:
            stack.callback(_say_goodbye)
            parts = await _made(setup, stack)
            _settle()
            lines, tools = parts.spec.lines, parts.spec.tools
            log("started", environment=parts.spec.environment, tools=len(tools), lines=len(lines))
            try:
                yield parts
            finally:
                parts.health.draining = True


# one idea: the list of the parts, in the order in which they need each other
async def _made(setup: Setup, stack: AsyncExitStack) -> Parts:
    """Each part after those that it needs; they are closed in the reverse order."""
    spec, settings = setup.spec, private(setup.settings, setup.spec.privacy)
    metrics = Metrics()
    observer = await _observer(setup, metrics, stack)
    inbox = Inbox(setup.backend or backend_of(settings.database), power_safe=settings.power_safe)
    invoker = Invoker()
    stack.callback(invoker.close)
    once, sessions = Once(inbox), Sessions(inbox, settings.session_seconds)
    api = VapiApi(spec, settings.vapi_url, settings.vapi_key, setup.known)
    stack.push_async_callback(api.close)
    directory = Directory(spec, api)
    tools = Tools(spec, setup.handlers, invoker, observer, once=once, sessions=sessions, directory=directory)
    stack.callback(tools.close)
    questions = Questions(
        spec,
        setup.handlers,
        api,
        invoker,
        observer,
        directory=directory,
        assistant_seconds=settings.assistant_seconds,
        sessions=sessions,
        facts=setup.facts,
    )
    await inbox.start()
    stack.push_async_callback(inbox.close)
    events = EventWorker(
        setup.handlers.registry.events,
        inbox,
        invoker,
        observer,
        sessions=sessions,
        redact=settings.redact,
        retries=setup.retries,
    )
    stack.push_async_callback(events.close, _GRACE)
    health = Health(inbox)
    revision = await _revision(setup)
    events.start()
    keep, keep_claims = settings.keep_days * _DAY, settings.keep_claims_days * _DAY
    _beside(stack, keep_house(inbox, keep, keep_claims, events.wake))
    _beside(stack, health.watch())
    if setup.backend is None:
        recorder = CallRecorder(
            partial(backend_of, settings.database, worker=False),
            CallNaming(spec, setup.known, setup.revisions, api.address_of if api.can_look else None),
            privacy=replace(spec.privacy, transcripts="drop") if "transcripts" in settings.redact else spec.privacy,
        )
        stack.push_async_callback(recorder.close)
        recorder.start()
    if setup.boot:
        _beside(stack, _publish(inbox, metrics, setup.boot))
    if any(line.handler for line in spec.lines) and not api.can_look:
        log("ids", logging.WARNING, detail="no VAPI_API_KEY and no VOICEOPS_STATE: agents have no ids here")
    return Parts(
        spec=spec,
        settings=settings,
        boot=setup.boot,
        revision=revision,
        started=time.time(),
        metrics=metrics,
        observer=observer,
        inbox=inbox,
        health=health,
        intake=Intake(inbox, settings.redact),
        tools=tools,
        questions=questions,
        lines=Lines(spec, questions, api, once, observer, settings.answer_seconds),
        events=events,
    )


async def _observer(setup: Setup, metrics: Metrics, stack: AsyncExitStack) -> Observer:
    """Metrics, log and spans as one; spans only where the environment asks for them."""
    observers: list[Observer] = [MetricsObserver(metrics), LogObserver(), *setup.observers]
    if setup.settings.telemetry:
        from voiceops.runtime.observe.tracing import begin

        tracing = begin(setup.settings.telemetry, setup.spec.project, setup.spec.environment)
        if tracing is not None:
            stack.push_async_callback(tracing.close)
            observers.append(tracing)
    return Observers(*observers)


async def _revision(setup: Setup) -> int | None:
    if setup.revisions is None:
        return None
    try:
        return next((number for _, number in reversed(await setup.revisions())), None)
    except VoiceopsError as error:  # nothing but a number on a page depends on it
        log("state", logging.WARNING, error=error.summary)
        return None


def _beside(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run it beside everything else until the end."""
    task = asyncio.get_running_loop().create_task(work)
    stack.callback(task.cancel)


async def _publish(inbox: Inbox, metrics: Metrics, boot: str) -> None:
    """Leave the counters where the other workers find them."""
    while True:
        await asyncio.sleep(_PUBLISH)
        data = metrics.snapshot()
        with contextlib.suppress(Exception):
            await inbox.run(lambda backend, data=data: backend.publish(boot, data))  # type: ignore[misc]


def _settle() -> None:
    """What is there now stays: the collector need not look at it again with every thousand requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _say_goodbye() -> None:
    log("stopped")
    flush()
