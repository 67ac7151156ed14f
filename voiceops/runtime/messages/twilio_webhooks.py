"""Twilio's side: the webhook of a line that the runtime answers.

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
from voiceops.runtime.observe.observer import Observer
from voiceops.runtime.spec import LineSpec, RuntimeSpec
from voiceops.runtime.store.keys import request_key
from voiceops.runtime.store.once import Once, WhoseTurn

_CLAIM_SECONDS = 1.5  # for the store to tell a repetition, while somebody listens to the ringing
_SETTLE_SECONDS = 0.3
_NO_KEY = request_key("")  # of a request that nothing tells from others


class Lines:
    """Answers `/twilio/voice/…`."""

    def __init__(
        self, spec: RuntimeSpec, questions: Questions, api: VapiApi, once: Once, observer: Observer, seconds: float
    ) -> None:
        """`seconds` are for Vapi to answer, before a line falls back."""
        self._lines = {line.path: line for line in spec.lines if line.answer == "runtime"}
        self._questions = questions
        self._api = api
        self._once = once
        self._observer = observer
        self._seconds = seconds
        self._running: dict[str, asyncio.Task[str]] = {}

    def get(self, path: str) -> LineSpec | None:
        """The line of a webhook's path, as `NAME` or `NAME/KEY`, if the runtime answers it."""
        return self._lines.get(path)

    async def answer(self, line: LineSpec, fields: Mapping[str, str], token: str) -> str:
        """TwiML, always. `token` is the same when Twilio asks again for the same call.

        https://www.twilio.com/docs/usage/webhooks/webhooks-overview
        """
        started = time.monotonic()
        key = request_key(token or fields.get("CallSid", ""))
        with self._observer.line(line.address, fields.get("CallSid", "")):
            running = self._running.get(key)
            if running is None:
                running = asyncio.get_running_loop().create_task(self._connected_once(line, fields, key, started))
                if key != _NO_KEY:
                    self._running[key] = running
                    running.add_done_callback(lambda _: self._running.pop(key, None))
            try:
                # The call itself is not given up with the request: a repetition of it finds the answer.
                return await asyncio.wait_for(asyncio.shield(running), self._seconds + 1)
            except Exception as error:
                return self._fallback(line, fields, started, type(error).__name__)

    async def _connected_once(self, line: LineSpec, fields: Mapping[str, str], key: str, started: float) -> str:
        if key != _NO_KEY:
            try:
                sid = storable(fields.get("CallSid", ""))
                by, until = started + _CLAIM_SECONDS, started + self._seconds
                turn, found = await self._once.claim(key, line.address, sid, by=by, until=until, again=True)
                if turn is WhoseTurn.DONE:
                    self._ended(line, "repeated", fields, started)
                    return found
            except Exception as error:
                # Better two calls of which Vapi drops one than a caller who is not answered.
                log("store", logging.ERROR, error=type(error).__name__, line=line.address)
        twiml, outcome = await self._connected(line, fields, started)
        late = time.monotonic() + _SETTLE_SECONDS
        await self._once.keep(key, twiml, outcome, started, late, line.address)
        return twiml

    async def _connected(self, line: LineSpec, fields: Mapping[str, str], started: float) -> tuple[str, str]:
        """TwiML and its outcome."""
        until = started + self._seconds
        call = Call.of_line(line, fields, until)
        try:
            target = await self._questions.for_call(line, call, max(0.1, self._seconds * 0.5))
            if isinstance(target, Failure):
                raise VapiFailed(f"nobody was chosen: {target.reason} {target.whole}".strip())
            if isinstance(target.get("destination"), Mapping):
                twiml = dial(target["destination"], UNAVAILABLE)
                return twiml, self._ended(line, "forwarded", fields, started)
            if isinstance(target.get("error"), str):
                return say(target["error"]), self._ended(line, "refused", fields, started)
            left = max(0.1, until - time.monotonic())
            twiml = await asyncio.wait_for(self._api.twiml(line, call.customer, target), left)
        except TimeoutError:
            return self._fallback(line, fields, started, f"no answer within {self._seconds:g} s"), "fallback"
        except Exception as error:
            detail = str(error) if isinstance(error, VapiFailed) else type(error).__name__
            return self._fallback(line, fields, started, detail), "fallback"
        return twiml, self._ended(line, "connected", fields, started)

    def _fallback(self, line: LineSpec, fields: Mapping[str, str], started: float, why: str) -> str:
        self._ended(line, "fallback", fields, started, why)
        return marked(dial(line.fallback, UNAVAILABLE) if line.fallback else say(UNAVAILABLE))

    def _ended(self, line: LineSpec, outcome: str, fields: Mapping[str, str], started: float, why: str = "") -> str:
        seconds = time.monotonic() - started
        self._observer.line_ended(line.address, outcome, fields.get("CallSid", ""), seconds, why)
        return outcome
