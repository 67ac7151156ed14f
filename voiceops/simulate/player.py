"""Playing a call script against a runtime, with the requests that Vapi and Twilio would send, signed as theirs.

Knows the script, the wire and the secrets; prints nothing.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from voiceops.calls.from_vapi import SIMULATED
from voiceops.runtime.auth import twilio_auth, vapi_auth
from voiceops.runtime.spec import RuntimeSpec
from voiceops.simulate.answer_verdict import (
    Verdict,
    patience,
    verdict_on_message,
    verdict_on_status,
    verdict_on_twiml,
)
from voiceops.simulate.script import Script, Step, unmet
from voiceops.simulate.sender import Answer, Sender

_LONGER = 10.0  # seconds that an answer which is late already is waited for: it is good to know how late


@dataclass(frozen=True, slots=True)
class Moment:
    """One step as it went. `at` is since the call began, `seconds` what the runtime took."""

    at: float
    verb: str
    said: str
    answer: str
    seconds: float
    status: int
    failed: bool = False  # an error's sentence, a fallback, too late, or nothing that Vapi takes
    wrong: tuple[str, ...] = ()
    place: str = ""  # FILE:LINE:COLUMN of the script's step


@dataclass(slots=True)
class Played:
    """One call."""

    moments: list[Moment] = field(default_factory=list)

    @property
    def wrong(self) -> list[Moment]:
        """The steps that did not go as they should."""
        return [moment for moment in self.moments if moment.wrong]


class Signer:
    """Makes requests that the runtime takes for Vapi's and Twilio's."""

    def __init__(self, spec: RuntimeSpec, webhook_secret: str, twilio_token: str) -> None:
        self._spec = spec
        self._secret = webhook_secret
        self._token = twilio_token

    def vapi(self, body: bytes) -> dict[str, str]:
        """The headers of a message, signed as `runtime.auth` says."""
        headers = {"content-type": "application/json"}
        if self._spec.auth == "hmac":
            timestamp = str(int(time.time() * 1000))
            signature = vapi_auth.sign(self._secret.encode(), body, timestamp)
            return {**headers, "x-vapi-signature": signature, "x-vapi-timestamp": timestamp}
        if self._spec.auth == "bearer":
            return {**headers, "authorization": f"Bearer {self._secret}"}
        return {**headers, "x-vapi-secret": self._secret}

    def twilio(self, path: str, fields: Mapping[str, str]) -> dict[str, str]:
        """The headers of a webhook with these parameters, signed as Twilio signs it."""
        url = self._spec.url + path
        # Voice over https is signed without a port, over http with the one that the URL has.
        signed = twilio_auth.candidates(url)[0] if url.startswith("https:") else url
        return {
            "content-type": "application/x-www-form-urlencoded",
            "x-twilio-signature": twilio_auth.signature(self._token, signed, fields.items()),
            "i-twilio-idempotency-token": str(uuid.uuid4()),
        }


class Player:
    """Plays one call; `pace` is the seconds over which it is spread, 0: as fast as the answers come."""

    def __init__(self, spec: RuntimeSpec, script: Script, sender: Sender, signer: Signer, pace: float = 0.0) -> None:
        self._spec = spec
        self._script = script
        self._sender = sender
        self._signer = signer
        self._pace = pace
        self._id = str(uuid.uuid4())
        self._sid = "CA" + secrets.token_hex(16)
        self._started = time.monotonic()
        self._said: list[dict[str, Any]] = []
        line = script.line
        wanted = script.agent or (line.target if line is not None else None)
        self._agent = next((agent.name for agent in spec.agents if agent.address == wanted), "")

    async def play(self) -> Played:
        """Play the whole call; raises nothing that the runtime does."""
        played = Played()
        self._started = time.monotonic()
        steps = self._script.steps
        for number, step in enumerate(steps):
            if self._pace:
                due = self._started + self._pace * number / len(steps)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            played.moments += await self._step(step)
        return played

    async def _step(self, step: Step) -> list[Moment]:
        match step.verb:
            case "wait":
                await asyncio.sleep(float(step.value or 0))
                return []
            case "ring":
                return await self._ring(step)
            case "assistant" | "caller":
                return [await self._said_by(step)]
            case "interruption":
                late = float(step.value or 0)
                message = {"type": "user-interrupted", "timestamp": (time.time() - late) * 1000}
                return [await self._message(step, message, "(interrupts)")]
            case "tool":
                return [await self._tool(step)]
            case "transfer":
                return [await self._message(step, {"type": "transfer-destination-request"}, "(asks where to)")]
            case "message":
                return [await self._message(step, dict(step.value), str(dict(step.value).get("type", "")))]
        return await self._hangup(step)

    async def _ring(self, step: Step) -> list[Moment]:
        line = self._script.line
        shown = f"{self._script.caller} → {line.path if line else '(no line)'}"
        if line is not None and line.answer == "runtime":
            path = f"/twilio/voice/{line.path}"
            moments = [await self._form(step, path, self._fields("ringing"), shown)]
        elif (line is None and not self._script.agent) or (line is not None and line.target is None):
            moments = [await self._message(step, {"type": "assistant-request"}, shown)]
        else:
            moments = []  # Vapi knows who answers
        status = {"type": "status-update", "status": "in-progress"}
        return [
            *moments,
            await self._message(Step("status"), status, "in-progress" if moments else f"{shown}, in-progress"),
        ]

    async def _said_by(self, step: Step) -> Moment:
        role = "user" if step.verb == "caller" else "assistant"
        text = str(step.value)
        self._said.append({"role": role, "message": text, "time": time.time() * 1000})
        message = {"type": "transcript", "role": role, "transcriptType": "final", "transcript": text}
        return await self._message(step, message, text)

    async def _tool(self, step: Step) -> Moment:
        arguments = step.options.get("arguments") or {}
        id_ = str(step.options.get("id") or f"call_{secrets.token_hex(12)}")
        name = str(step.value)
        call = {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        message = {
            "type": "tool-calls",
            "toolCallList": [call],
            "toolWithToolCallList": [{"type": "function", "function": {"name": name}, "toolCall": call}],
        }
        shown = ", ".join(f"{key}: {value}" for key, value in arguments.items())
        return await self._message(step, message, f"{name}({shown})", {"id": id_, "name": name})

    async def _hangup(self, step: Step) -> list[Moment]:
        ended = {"type": "status-update", "status": "ended", "endedReason": "customer-ended-call"}
        moments = [await self._message(Step("status"), ended, "ended")]
        report = {
            "type": "end-of-call-report",
            "endedReason": "customer-ended-call",
            "startedAt": _iso(-(time.monotonic() - self._started)),
            "endedAt": _iso(0),
            "artifact": {"messages": self._said, "transcript": "\n".join(m["message"] for m in self._said)},
            "analysis": {},
            **(step.options.get("report") or {}),
        }
        moments.append(await self._message(Step("report", expect=step.expect), report, "end-of-call-report"))
        line = self._script.line
        if line is not None and line.answer == "runtime":
            path = f"/twilio/status/{line.path}"
            moments.append(await self._form(Step("status"), path, self._fields("completed"), "completed (Twilio)"))
        return moments

    async def _message(
        self, step: Step, message: dict[str, Any], shown: str, call: Mapping[str, str] | None = None
    ) -> Moment:
        line = self._script.line
        whole = {
            "timestamp": time.time() * 1000,
            **message,
            "call": {
                "id": self._id,
                "type": "inboundPhoneCall",
                "customer": {"number": self._script.caller},
                "metadata": {SIMULATED: True},  # so that it is not counted as a caller's
            },
            "customer": {"number": self._script.caller},
            **({"phoneNumber": {"number": line.number, "name": line.name}} if line is not None else {}),
            **({"assistant": {"name": self._agent}} if self._agent else {}),
        }
        body = json.dumps({"message": whole}, ensure_ascii=False).encode()
        began = time.monotonic()
        kind = str(message["type"])
        longest = patience(kind, self._spec, (call or {}).get("name", "")) + _LONGER
        answer = await self._sender.post("/vapi/events", self._signer.vapi(body), body, longest)
        verdict = verdict_on_message(kind, answer, time.monotonic() - began, self._spec, call)
        return self._moment(step, shown, answer, began, verdict)

    async def _form(self, step: Step, path: str, fields: dict[str, str], shown: str) -> Moment:
        began = time.monotonic()
        body = urlencode(fields).encode()
        answer = await self._sender.post(path, self._signer.twilio(path, fields), body)
        seconds = time.monotonic() - began
        verdict = verdict_on_twiml(answer, seconds) if step.verb == "ring" else verdict_on_status(answer, seconds)
        return self._moment(step, shown, answer, began, verdict)

    def _moment(self, step: Step, shown: str, answer: Answer, began: float, verdict: Verdict) -> Moment:
        seconds = time.monotonic() - began
        wrong = unmet(step.expect, verdict, seconds, answer.status)
        return Moment(
            at=began - self._started,
            verb=step.verb,
            said=shown,
            answer=verdict.text,
            seconds=seconds,
            status=answer.status,
            failed=verdict.failed,
            wrong=tuple(wrong),
            place=str(step.mark) if step.mark.line else "",
        )

    def _fields(self, status: str) -> dict[str, str]:
        line = self._script.line
        number = line.number if line is not None else ""
        return {
            "AccountSid": "AC" + "0" * 32,
            "ApiVersion": "2010-04-01",
            "CallSid": self._sid,
            "CallStatus": status,
            "Called": number,
            "Caller": self._script.caller,
            "CallerCity": "",
            "Direction": "inbound",
            "From": self._script.caller,
            "FromCity": "",
            "To": number,
            "ToCity": "",
        }


def _iso(offset: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + offset))
