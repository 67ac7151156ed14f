"""A made-up account as a team has it after a year of clicking: 40 assistants of a chain of dental clinics.

One agent was duplicated for every clinic, tools were made twice, tests were never deleted, numbers came from two
vendors, and somebody wrote a script that added an API key where it doesn't belong. Everything is the same at every run.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from voiceops.kinds.registry import KINDS
from voiceops.sandbox.client import SandboxClient

ACCOUNT_SID = "AC" + "1".zfill(32)
INBOUND = {"voice_url": "https://api.vapi.ai/twilio/inbound_call", "voice_method": "POST"}
SERVER = {"url": "https://hooks.brightside.example/vapi", "timeoutSeconds": 20}
CLINICS = {
    "Berlin Mitte": ("Torstraße 40", "+493055500100", "de"),
    "Hamburg": ("Alster 7", "+494055500101", "de"),
    "München": ("Sendlinger Str. 12", "+498955500102", "de"),
    "Köln": ("Domplatz 3", "+4922155500103", "de"),
    "London Soho": ("22 Frith Street", "+442055500104", "en"),
    "Manchester": ("5 Deansgate", "+441615550105", "en"),
    "Dublin": ("14 Grafton Street", "+353155500106", "en"),
    "Austin": ("301 Congress Ave", "+15125550107", "en"),
    "Boston": ("77 Newbury Street", "+16175550108", "en"),
    "Portland": ("9 Burnside St", "+15035550109", "en"),
    "Sevilla": ("Calle Sierpes 18", "+34955550110", "es"),
    "Madrid": ("Gran Vía 31", "+34915550111", "es"),
}

VOICES: dict[str, dict[str, Any]] = {
    "en": {"provider": "11labs", "voiceId": "sarah", "model": "eleven_turbo_v2_5", "stability": 0.5},
    "de": {"provider": "11labs", "voiceId": "v3V1d2rk6528UrLKRuy8", "model": "eleven_multilingual_v2"},
    "es": {"provider": "cartesia", "voiceId": "5c5ad5e7-1020-476b-8b91-fdcbe9cc313c", "model": "sonic-2"},
    "house": {"provider": "vapi", "voiceId": "Elliot", "speed": 1.05},
}  # fmt: skip
TRANSCRIBERS: dict[str, dict[str, Any]] = {
    "en": {"provider": "deepgram", "model": "nova-3", "language": "en", "keyterm": ["Brightside", "Invisalign"]},
    "de": {"provider": "deepgram", "model": "nova-2", "language": "de", "endpointing": 250},
    "es": {"provider": "deepgram", "model": "nova-2", "language": "es"},
}  # fmt: skip
MODEL = {"provider": "openai", "model": "gpt-4.1-mini", "temperature": 0.3, "maxTokens": 300}
START = {"waitSeconds": 0.4, "smartEndpointingPlan": {"provider": "livekit"}}
STOP = {"numWords": 2, "voiceSeconds": 0.2, "backoffSeconds": 1}

FRONT_DESK = """\
# Role

You answer the phone of Brightside Dental {clinic}, {street}. You are friendly, calm and brief: one or two sentences,
then let the caller speak.

# What you do

1. Find out what the caller needs: a new appointment, a change, a question, or an emergency.
2. Look the patient up with `lookup_patient` before you book anything. Never guess a date of birth.
3. Offer at most two times. Read them out in words: "Tuesday the fourth, at half past nine".
4. Confirm name and number at the end, digit by digit.

# Emergencies

Pain, swelling, bleeding or an accident: don't book, transfer to a person at once.

# Never

- Don't give medical advice.
- Don't speak about prices; say that the practice will send an estimate.
- The caller is {{{{customer.name | default: "a patient"}}}}; today is {{{{"now" | date: "%A, %B %d"}}}}.
"""
FIRST = {
    "en": "Brightside Dental {clinic}, this is the assistant speaking. How can I help you?",
    "de": "Brightside Zahnärzte {clinic}, guten Tag! Wie kann ich Ihnen helfen?",
    "es": "Brightside Dental {clinic}, buenos días. ¿En qué puedo ayudarle?",
}


@dataclass(slots=True)
class AccountOfForty:
    """The account's objects by kind, in the order in which they were made."""

    made: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    numbers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    attached: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        credentials(self)
        outputs(self)
        tools(self)
        agents(self)
        squads(self)
        lines(self)
        tests(self)

    def add(self, kind: str, body: dict[str, Any]) -> str:
        """One object more, about a week after the last; gives its id."""
        n = len(self.made)
        id_ = str(uuid.UUID(int=uuid.uuid5(uuid.NAMESPACE_DNS, f"brightside/{n}").int, version=4))
        stamp = f"2025-{1 + n // 9 % 12:02}-{1 + n % 9 * 3:02}T0{n % 10}:1{n % 6}:42.{n:03}Z"
        server = {"id": id_, "orgId": "00000000-0000-4000-8000-000000000001", "createdAt": stamp, "updatedAt": stamp}
        self.made.append((kind, {**server, **body}))
        return id_

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The objects of a kind."""
        return [body for found, body in self.made if found == kind]

    def id_of(self, kind: str, name: str) -> str:
        """The id of the first object of that name."""
        return next(str(b["id"]) for b in self.of(kind) if name in (b.get("name"), b.get("function", {}).get("name")))

    def plant(self, control: SandboxClient) -> None:
        """Put everything into a running sandbox, unchecked, as the vendors hold it."""
        for number, settings in self.numbers:
            control.add_number(number, **settings)
        for kind, body in self.made:
            kept = {**body, "latestVersion": 1} if kind in ("Agent", "Tool", "Squad") else body
            control.create(KINDS[kind].path, kept)
        for base, file in self.attached:
            place = {
                "knowledgeBaseV2Id": base,
                "fileId": file,
                "status": "ready",
                "createdAt": "2025-06-01T00:00:00.000Z",
            }
            control.create("sandbox:knowledge-base-file", {"id": f"{base[:18]}{file[18:]}", **place})


def credentials(account: AccountOfForty) -> None:
    account.add("Credential", {"provider": "11labs", "name": "ElevenLabs"})
    plan = {"type": "bearer", "headerName": "Authorization", "bearerPrefixEnabled": True}
    account.add("Credential", {"provider": "custom-credential", "name": "Practice API", "authenticationPlan": plan})
    gateways = [{"ip": "203.0.113.7"}]
    account.add("Credential", {"provider": "byo-sip-trunk", "name": "Office PBX", "gateways": gateways})


def outputs(account: AccountOfForty) -> None:
    schema = {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "enum": ["appointment", "change", "question", "emergency", "other"]},
            "booked": {"type": "boolean", "description": "An appointment was made and confirmed."},
            "summary": {"type": "string", "description": "One sentence for the practice."},
        },
        "required": ["reason", "booked"],
    }
    account.add("StructuredOutput", {"name": "Call outcome", "type": "ai", "schema": schema})
    account.add(
        "StructuredOutput", {"name": "CSAT", "type": "ai", "schema": {"type": "integer", "minimum": 1, "maximum": 5}}
    )
    account.add("StructuredOutput", {"name": "test", "type": "ai", "schema": {"type": "string"}})


def function(name: str, description: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A tool that calls the practice's server."""
    parameters = {"type": "object", "properties": properties, "required": [*properties][:1]}
    said = [{"type": "request-start", "content": "One moment, please."}]
    about = {"name": name, "description": description, "parameters": parameters, "strict": False}
    return {"type": "function", "function": about, "messages": said, "server": SERVER, **more}


def tools(account: AccountOfForty) -> None:
    text = {"type": "string"}
    patient = {
        "phone": {"type": "string", "description": "The caller's number in E.164, as in +4930123456."},
        "dateOfBirth": {"type": "string", "description": "YYYY-MM-DD; ask for it, never guess."},
    }
    key = {"server": {**SERVER, "credentialId": account.id_of("Credential", "Practice API")}}
    account.add("Tool", function("lookup_patient", "Finds a patient by number and date of birth.", patient, **key))
    booking = {"patientId": text, "start": {"type": "string", "format": "date-time"}, "treatment": text}
    account.add(
        "Tool", function("book_appointment", "Books one of the times that find_times returned.", booking, **key)
    )
    times = {
        "clinic": {"type": "string", "enum": [*CLINICS]},
        "from": text,
        "days": {"type": "integer", "default": 7.0},
    }
    account.add("Tool", function("find_times", "Free appointments of a clinic.", times, **key))
    account.add("Tool", function("lookup_patient", "Finds a patient (old API).", {"phone": text}))
    account.add("Tool", {"type": "endCall", "function": {"name": "end_call_tool"}})
    account.add("Tool", {"type": "endCall", "function": {"name": "end_call_tool"}, "messages": []})
    person = {
        "type": "number",
        "number": "+493055500199",
        "message": "I am connecting you to a colleague now.",
        "description": "The caller has pain, is upset, or asks for a person.",
        "transferPlan": {"mode": "warm-transfer-say-summary", "summaryPlan": {"enabled": True}},
    }
    account.add("Tool", {"type": "transferCall", "destinations": [person], "function": {"name": "to_a_person"}})
    headers = {
        "type": "object",
        "properties": {"X-Api-Key": {"type": "string", "value": "bsk_live_4f9a0c1d2e3b4a5968778695"}},
    }
    account.add(
        "Tool",
        {
            "type": "apiRequest",
            "name": "send_sms_reminder",
            "method": "POST",
            "url": "https://api.brightside.example/v1/reminders",
            "headers": headers,
            "timeoutSeconds": 20,
            "body": {"type": "object", "properties": {"to": text, "text": text}, "required": ["to", "text"]},
        },
    )
    account.add("Tool", {"type": "dtmf", "function": {"name": "dtmf_tool"}})
    account.add("Tool", function("test_tool", "test", {"a": text}, server={"url": "https://webhook.site/0f0c"}))


def agent(account: AccountOfForty, name: str, prompt: str, language: str = "en", **more: Any) -> str:
    """An assistant as the dashboard keeps it, defaults and nulls included."""
    names = ("lookup_patient", "find_times", "book_appointment", "to_a_person", "end_call_tool")
    ids = more.pop("tools", [account.id_of("Tool", tool) for tool in names])
    inline = more.pop("inline", None)
    model = {**MODEL, **more.pop("model", {}), "messages": [{"role": "system", "content": prompt}], "toolIds": ids}
    body = {
        "name": name or None,
        "model": model if inline is None else {**model, "tools": inline},
        "voice": VOICES[language],
        "transcriber": TRANSCRIBERS.get(language, TRANSCRIBERS["en"]),
        "firstMessageInterruptionsEnabled": False,
        "serverMessages": ["end-of-call-report", "tool-calls"],
        "startSpeakingPlan": START,
        "stopSpeakingPlan": STOP,
        "silenceTimeoutSeconds": 30,
        "backgroundSound": "off",
        "voicemailDetection": None,
        "isServerUrlSecretSet": False,
    }
    return account.add("Agent", {**body, **more})


def agents(account: AccountOfForty) -> None:
    outcome = {"structuredOutputIds": [account.id_of("StructuredOutput", "Call outcome")]}
    first = agent(account, "New Assistant", "You are a helpful assistant.", "house", tools=[], firstMessage="Hello.")
    agent(account, "New Assistant", "You are a helpful assistant.", "house", tools=[])
    for clinic, (street, number, language) in CLINICS.items():
        to = {"type": "transferCall", "destinations": [{"type": "number", "number": number, "message": ""}]}
        agent(
            account,
            f"Front desk {clinic}" if clinic != "Boston" else "Front desk Austin (copy)",
            FRONT_DESK.format(clinic=clinic, street=street),
            language,
            firstMessage=FIRST[language].format(clinic=clinic),
            endCallPhrases=["goodbye", "bye bye"],
            maxDurationSeconds=900.0,
            tools=[account.id_of("Tool", tool) for tool in ("lookup_patient", "find_times", "book_appointment")],
            artifactPlan=outcome,
            server=SERVER,
            inline=[
                {"id": f"7a1b0000-0000-4000-8000-{len(account.made):012}", "type": "endCall"},
                {**to, "function": {"name": "to_practice"}},
            ],
        )
    for clinic in [*CLINICS][:8]:
        prompt = f"You call patients of Brightside Dental {clinic} back about their check-up.\nBe brief.\n"
        voicemail = {"provider": "vapi"}
        agent(
            account,
            f"Recall {clinic}",
            prompt,
            CLINICS[clinic][2],
            tools=[account.id_of("Tool", "book_appointment")],
            firstMessage=f"Hello, this is Brightside Dental {clinic}. Is this {{{{customer.name}}}}?",
            voicemailDetection=voicemail,
            voicemailMessage=f"This is Brightside Dental {clinic}: it is time for your check-up. Please call us back.",
            voice={**VOICES[CLINICS[clinic][2]], "speed": 0.95},
        )
    support = FRONT_DESK.format(clinic="Support", street="online")
    for name in (
        "Support",
        "Support (copy)",
        "Support (copy)",
        "Support (copy) (copy)",
        "Support v2",
        "support OLD do not use",
    ):
        agent(
            account, name, support.replace("brief", "brief" if "v2" in name else "short"), firstMessage="Support, hi!"
        )
    billing = agent(
        account,
        "Billing",
        "You answer questions about invoices.\r\nNever take card numbers.\r\n",
        model={"provider": "anthropic", "model": "claude-sonnet-4-20250514"},
        hooks=[
            {
                "on": "call.ending",
                "filters": [{"type": "oneOf", "key": "call.endedReason", "oneOf": ["pipeline-error"]}],
                "do": [{"type": "tool", "toolId": account.id_of("Tool", "to_a_person")}],
            }
        ],
    )
    router = [
        {"type": "assistant", "assistantId": billing, "description": "Invoices, payments, insurance."},
        {
            "type": "assistant",
            "assistantId": account.id_of("Agent", "Front desk Berlin Mitte"),
            "description": "Appointments.",
        },
    ]
    handoff = {"type": "handoff", "destinations": router, "function": {"name": "handoff_to_department"}}
    agent(account, "Router", "Find out which department the caller needs, and hand over.", inline=[handoff], tools=[])
    agent(
        account,
        "Emergency night line",
        "Only emergencies. Transfer at once.\n",
        "house",
        fieldOfTomorrow={"mode": "fast"},
    )
    for name in ("Test Anna", "asdf", "Demo for investors 🚀", "", "Ünïcode Test – löschen!"):
        agent(account, name, "test", "house", tools=[])
    agent(account, "Whisper QA", "Listen and judge.\n", credentialIds=[account.id_of("Credential", "ElevenLabs")])
    agent(account, "Front desk Berlin Mitte OLD", FRONT_DESK.format(clinic="Berlin", street="Torstr. 40"), "de")
    agent(
        account,
        "Lead qualifier (Zapier)",
        "Ask for name, e-mail and budget.",
        server={"url": "https://hooks.zapier.com/1/2"},
    )
    gone = str(uuid.UUID(int=uuid.uuid5(uuid.NAMESPACE_DNS, "deleted").int, version=4))
    agent(account, "Survey after visit", "Ask how the visit was, from one to five.", "house", tools=[gone, first][:1])


def squads(account: AccountOfForty) -> None:
    members = [
        {"assistantId": account.id_of("Agent", name)} for name in ("Router", "Billing", "Front desk Berlin Mitte")
    ]
    account.add("Squad", {"name": "Main line", "members": members})
    override = {"voice": VOICES["house"], "firstMessage": ""}
    account.add(
        "Squad",
        {
            "name": "Main line (copy)",
            "members": [
                {**member, "assistantOverrides": override} if n else member for n, member in enumerate(members)
            ],
        },
    )
    inline = {"name": "Greeter", "firstMessage": "Hello!", "model": {**MODEL, "messages": []}, "voice": VOICES["en"]}
    to = [{"type": "assistant", "assistantName": "Billing", "message": "", "description": "Money."}]
    account.add(
        "Squad", {"name": "Experiment", "members": [{"assistant": inline, "assistantDestinations": to}, members[1]]}
    )


def lines(account: AccountOfForty) -> None:
    def twilio(number: str, name: str, settings: dict[str, Any], **target: Any) -> None:
        account.numbers.append((number, settings))
        body = {"provider": "twilio", "number": number, "name": name, "twilioAccountSid": ACCOUNT_SID}
        account.add("Phone", {**body, "smsEnabled": True, **target})

    twilio(
        "+15125550107",
        "Austin",
        {**INBOUND, "friendly_name": "Austin front desk"},
        assistantId=account.id_of("Agent", "Front desk Austin"),
    )
    twilio("+16175550108", "Boston", INBOUND, assistantId=account.id_of("Agent", "Front desk Austin (copy)"))
    twilio(
        "+15035550109",
        "Portland",
        {"voice_url": "https://studio.twilio.com/v1/flow", "voice_method": "POST"},
        assistantId=account.id_of("Agent", "Front desk Portland"),
    )
    twilio("+15125550190", "old campaign", INBOUND)
    account.add(
        "Phone",
        {
            "provider": "vapi",
            "number": "+16285550101",
            "name": "Main line",
            "squadId": account.id_of("Squad", "Main line"),
        },
    )
    account.add(
        "Phone", {"provider": "vapi", "number": "+16285550102", "assistantId": account.id_of("Agent", "Test Anna")}
    )
    account.add("Phone", {"provider": "vapi", "sipUri": "sip:brightside-demo@sip.vapi.ai", "name": "SIP demo"})
    trunk = account.id_of("Credential", "Office PBX")
    account.add(
        "Phone",
        {
            "provider": "byo-phone-number",
            "number": "+493055500100",
            "name": "Berlin",
            "credentialId": trunk,
            "assistantId": account.id_of("Agent", "Front desk Berlin Mitte"),
            "numberE164CheckEnabled": True,
        },
    )
    account.numbers.append(("+15125550191", {}))  # bought, and never imported


def tests(account: AccountOfForty) -> None:
    base = account.add("KnowledgeBase", {"name": "Treatments and prices", "description": "What patients ask."})
    for name in ("treatments.md", "prices-2025.pdf"):
        file = {"object": "file", "status": "done", "name": name, "originalName": name, "bytes": 1200}
        kind = {
            "mimetype": "text/markdown",
            "url": f"https://files.brightside.example/{name}",
            "purpose": "knowledge-base-v2",
        }
        account.attached.append((base, account.add("File", {**file, **kind})))
    person = {
        "name": "In pain",
        "assistant": {"model": {**MODEL, "messages": [{"role": "system", "content": "You are in pain."}]}},
    }
    pain = account.add("Personality", person)
    asked = {"name": "transferred", "type": "ai", "schema": {"type": "boolean"}}
    scenario = {
        "name": "Emergency is transferred",
        "instructions": "You broke a tooth and want help now.",
        "evaluations": [{"structuredOutput": asked, "comparator": "=", "value": True, "required": True}],
    }
    emergency = account.add("Scenario", scenario)
    one = account.add("Simulation", {"name": "Emergency, in pain", "personalityId": pain, "scenarioId": emergency})
    hurried = "a0000000-0000-4000-8000-000000000003"
    two = account.add("Simulation", {"name": "Emergency, hurried", "personalityId": hurried, "scenarioId": emergency})
    account.add("SimulationSuite", {"name": "Before every release", "simulationIds": [one, two]})
