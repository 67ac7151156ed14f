"""Twilio's side: the webhook of a line that the runtime answers, and the status callbacks.

Creates the call at Vapi with the provider bypass and hands Vapi's TwiML through as it is. Whatever happens, the
caller hears something well before Twilio's patience ends. Knows nothing of HTTP or signatures.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping

from voiceops.runtime.handlers.call import Call
from voiceops.runtime.handlers.invoke import Failure
from voiceops.runtime.json_text import storable
from voiceops.runtime.messages.questions import UNAVAILABLE, Questions
from voiceops.runtime.messages.twiml import dial, marked, say
from voiceops.runtime.messages.vapi_api import VapiApi, VapiFailed
from voiceops.runtime.observe.log import log
from voiceops.runtime.observe.metrics import Metrics
from voiceops.runtime.spec import LineSpec, RuntimeSpec
from voiceops.runtime.store.inbox import Inbox, in_time
from voiceops.runtime.store.keys import request_key
from voiceops.runtime.store.records import Claim

_CLAIM_SECONDS = 1.5  # for the store to tell a repetition, while somebody listens to the ringing
_SETTLE_SECONDS = 0.3


class Lines:
    """Answers `/twilio/voice/…`."""

    def __init__(
        self, spec: RuntimeSpec, questions: Questions, api: VapiApi, inbox: Inbox, metrics: Metrics, seconds: float
    ) -> None:
        self._lines = {line.path: line for line in spec.lines if line.answer == "runtime"}
        self._questions = questions
        self._api = api
        self._inbox = inbox
        self._metrics = metrics
        self._seconds = seconds
        self._running: dict[str, asyncio.Task[str]] = {}

    def get(self, path: str) -> LineSpec | None:
        return self._lines.get(path)

    async def answer(self, line: LineSpec, fields: Mapping[str, str], token: str) -> str:
        """TwiML, always. `token` is the same when Twilio asks again for the same call."""
        started = time.monotonic()
        key = request_key(token or fields.get("CallSid", ""))
        running = self._running.get(key)
        if running is None:
            running = asyncio.get_running_loop().create_task(self._once(line, fields, key, started))
            if key != "twilio/":
                self._running[key] = running
                running.add_done_callback(lambda _: self._running.pop(key, None))
        try:
            # The call itself is not given up with the request: a repetition of it finds the answer.
            return await asyncio.wait_for(asyncio.shield(running), self._seconds + 1)
        except Exception as error:
            return self._fallback(line, type(error).__name__)

    async def _once(self, line: LineSpec, fields: Mapping[str, str], key: str, started: float) -> str:
        if key != "twilio/":
            try:
                asked = self._inbox.claim(key, line.address, storable(fields.get("CallSid", "")))
                claim = await in_time(asked, started + _CLAIM_SECONDS)
                if not claim.mine and (found := await self._existing(key, claim, started)):
                    self._count(line, "repeated")
                    return found
            except Exception as error:
                # Better two calls of which Vapi drops one than a caller who is not answered.
                log("store", logging.ERROR, error=type(error).__name__, line=line.address)
        twiml, outcome = await self._connect(line, fields, started)
        try:
            kept = self._inbox.settle(key, twiml, outcome, (time.monotonic() - started) * 1000)
            await in_time(kept, time.monotonic() + _SETTLE_SECONDS)
        except Exception as error:
            log("store", logging.ERROR, error=type(error).__name__, line=line.address)
        return twiml

    async def _existing(self, key: str, claim: Claim, started: float) -> str:
        """What another delivery was answered; empty where its worker is gone, so that this one connects the call."""
        current: Claim | None = claim
        while current is not None and not current.result and time.monotonic() < started + self._seconds:
            owner = current.owner
            until = started + self._seconds
            asked = self._inbox.run(lambda backend, owner=owner: backend.alive(owner))  # type: ignore[misc]
            if not await in_time(asked, until):
                return ""
            await asyncio.sleep(0.05)
            current = await in_time(self._inbox.run(lambda backend: backend.lookup(key)), until)
        return current.result if current is not None else ""

    async def _connect(self, line: LineSpec, fields: Mapping[str, str], started: float) -> tuple[str, str]:
        until = started + self._seconds
        caller = fields.get("From") or fields.get("Caller") or ""
        try:
            call = Call(
                b"",
                type="twilio.voice",
                id=fields.get("CallSid", ""),
                number=fields.get("To", ""),
                customer=caller,
                line=line.address,
                key=line.path.partition("/")[2],
                deadline=until,
                message=fields,
            )
            target = await self._questions.for_call(line, call, max(0.1, self._seconds * 0.5))
            if isinstance(target, Failure):
                raise VapiFailed(f"nobody was chosen: {target.reason} {target.whole}".strip())
            if isinstance(target.get("destination"), Mapping):
                return dial(target["destination"], UNAVAILABLE), self._count(line, "forwarded")
            if isinstance(target.get("error"), str):
                return say(target["error"]), self._count(line, "refused")
            left = max(0.1, until - time.monotonic())
            twiml = await asyncio.wait_for(self._api.twiml(line, caller, target), left)
        except TimeoutError:
            return self._fallback(line, f"no answer within {self._seconds:g} s"), "fallback"
        except Exception as error:
            detail = str(error) if isinstance(error, VapiFailed) else type(error).__name__
            return self._fallback(line, detail), "fallback"
        log("call", line=line.address, call_sid=fields.get("CallSid", ""), ms=round((time.monotonic() - started) * 1e3))
        return twiml, self._count(line, "connected")

    def _fallback(self, line: LineSpec, why: str) -> str:
        log("fallback", logging.ERROR, line=line.address, detail=why)
        self._count(line, "fallback")
        return marked(dial(line.fallback, UNAVAILABLE) if line.fallback else say(UNAVAILABLE))

    def _count(self, line: LineSpec, outcome: str) -> str:
        self._metrics.counter("voiceops_calls_total", line=line.address, outcome=outcome).add()
        return outcome
