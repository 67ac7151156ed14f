"""Live accounts out of the schema's facts: objects of every kind as a year of dashboard, scripts and API changes left
them.

An account is made by its seed and holds so many objects a kind. They refer to each other (and sometimes to what is
gone), have equal, empty, missing and odd names, hold texts of every sort, old fields, unknown ones, nulls, and numbers
written as floats; secrets are shown or not. `planted` puts them into a sandbox's file as Vapi and Twilio would hold
them, unchecked.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.truth.values import MISSING, Values
from voiceops.kinds.nodes import select
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import Node, root, type_of
from voiceops.sandbox.account import Account as Owner
from voiceops.sandbox.account import World
from voiceops.sandbox.catalog import STOCK
from voiceops.sandbox.numbers import NUMBERS, edited, new
from voiceops.sandbox.store import Row, Store

ORG = "00000000-0000-4000-8000-000000000001"
ACCOUNT_SID = "AC" + "1".zfill(32)
ATTACHED = "sandbox:knowledge-base-file"
DICTIONARIES = "/provider/{}/pronunciation-dictionary"
PROVIDERS = ("twilio", "vapi", "vonage", "telnyx", "byo-phone-number")

TEXTS = (
    *("", " ", "off", "yes", "null", "1", "1.0", "9:30", "+14155550100", "2024-01-31", "a: b", "- a", "# a", "~", "="),
    *("Hello, {{customer.name}}!", "{{ name | default: 'you' }}", "It costs ${price}", "$${x}", "${file:/etc/passwd}"),
    *("${secret:VAPI_API_KEY}", "${var:shop}", "100 % @ 3 > 2 & more", "it's \"quoted\"", "C:\\new\\table", "\\ud83d"),
    *("two\nlines", "ends with one\n", "ends with two\n\n", "\nbegins with one", "  indented\nthen not"),
    *("trailing \nblank ", "<<", "nul\x00"),
    *("windows\r\nlines\r\n", "old\rmac", "tab\tin it", "\ttab first\nline", "a\x85b", "a\u2028b", "\ufeffmark"),
    *("😀 👩🏽‍🚀 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "שלום, מה שלומך?", "ünïcode ☎ ½", "日本語", "\u202eturned", "zero\u200bwidth", "\xa0hard\xa0"),
    "---\ntitle: looks like front matter\n---\nBut is a prompt.\n",
    "You are a helpful assistant. Answer briefly, and never make anything up. " * 5 + "Ask when unsure.",
    "# Role\n\nYou answer the phone.\n\n## Rules\n\n- Be brief.\n- Say `{{company}}`, not ${company}.\n\n| a |\n|--|\n",
)  # fmt: skip
# Names as people give them, more than once.
NAMES = (
    *(
        "Support",
        "Support",
        "Support (copy)",
        "support",
        "SUPPORT!",
        "Sales – EMEA",
        "Ünïcode Ä",
        "日本語",
        "😀",
        "שלום",
    ),
    *("", " ", "New Assistant", "New Assistant", "off", "null", "con", "a/b\\c", "../../etc/passwd", "x" * 300, "-"),
    *("${secret:X}", "{{name}}", "two\nlines", "tab\there", "1", "# comment", "Agent/support", "parts", "voiceops"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddities:
    """What may be odd about an account; each can be left out, to see which of them matters."""

    dangling: float = 0.02  # references to nothing
    circles: bool = True  # objects refer to each other in both directions
    unknown: float = 0.02  # maps with a key that no schema has
    floats: float = 0.2  # whole numbers as floats
    nulls: float = 0.3  # maps with a null for a field that is not set
    defaults: float = 0.3  # maps with a default filled in
    old: float = 0.1  # deprecated fields
    values: float = 0.01  # values that the schema does not list
    shuffled: bool = True
    secrets: float = 0.6  # secrets that are there at all
    prompts: int = 200_000  # the longest text
    texts: tuple[str, ...] = TEXTS
    names: tuple[str, ...] = NAMES


class LiveValues(Values):
    """Random values out of the schema, references and secrets included."""

    def __init__(self, seed: int, account: Account) -> None:
        super().__init__(seed)
        self._account = account
        self._odd = account.oddities
        self.at = 0.0  # how far the account is: without circles, only what is older can be referred to

    def value(self, node: Node, depth: int = 0) -> Any:
        kind = node.get("reference")
        if kind:
            if node["type"] == "array":
                found = {self._reference(kind, node) for _ in range(self.random.randint(1, 3))}
                return sorted(id_ for id_ in found if id_) or MISSING
            return self._reference(kind, node) or MISSING
        if node.get("mayReference") or node.get("follows"):
            return self._dictionary(node)
        if node.get("secret"):
            return self._secret(node)
        return super().value(node, depth)

    def _reference(self, kind: str, node: Node) -> str:
        if node.get("referenceBy") == "name":
            named = [name for _, name in self._account.named(kind, self.at) if name]
            return self.random.choice(named) if named and self.random.random() < 0.7 else "Somebody else"
        if self.random.random() < self._odd.dangling:
            return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        if kind == "Personality" and self.random.random() < 0.3:
            return self.random.choice(STOCK)[0]
        ids = [id_ for id_, _ in self._account.named(kind, self.at)]
        return self.random.choice(ids) if ids else ""

    def _dictionary(self, node: Node) -> Any:
        if node.get("follows") or self.random.random() < 0.4:
            return "v" + str(self.random.randrange(10**6))
        remotes = self._account.remotes(self.at)
        return self.random.choice(remotes) if remotes else MISSING

    def _secret(self, node: Node) -> Any:
        if node["type"] != "string" or self.random.random() > self._odd.secrets:
            return MISSING
        return "sk_" + "".join(self.random.choices("abcdefghijkmnpqrstuvwxyz23456789", k=28))

    def _text(self, node: Node) -> Any:
        if "enum" in node:
            if node.get("open") and self.random.random() < self._odd.values:
                return "value-of-tomorrow"
            return self.random.choice(node["enum"])
        if node.get("format") == "uri":
            return f"https://voice.example.net/{self.random.randrange(9)}?a=b&c=%20#{self.random.randrange(9)}"
        if (pattern := node.get("pattern")) is not None:
            return self._matching(pattern)
        if node.get("format"):
            return MISSING
        least, most = node.get("minLength", 0), min(node.get("maxLength", 10**9), self._odd.prompts)
        text = self.random.choice(self._odd.texts)
        if self.random.random() < 0.002 and most > 1000:
            text = (text or "long ") * (most // len(text or "long "))
        text = (text * (least // max(1, len(text)) + 1))[:most]
        return text if len(text) >= least else "x" * least

    def _matching(self, pattern: str) -> Any:
        word = self.random.choice(("alpha", "look_up", "Tool1")) + str(self.random.randrange(1000))
        for text in (word, word.upper().replace("-", "_"), f"team/{word}"):
            if pattern.startswith("^[A-Z]") and text != word.upper():
                continue
            return text
        return MISSING

    def _number(self, node: Node) -> Any:
        found = super()._number(node)
        return float(found) if isinstance(found, int) and self.random.random() < self._odd.floats else found

    def typed(self, name: str, depth: int, given: dict[str, Any] | None = None, share: float = 0.18) -> Any:
        found = super().typed(name, depth, given, share)
        return found if found is MISSING else self._noisy(name, found)

    def _noisy(self, name: str, found: dict[str, Any]) -> dict[str, Any]:
        fields, chance = type_of(name)["fields"], self.random.random
        absent = [key for key in fields if key not in found]
        if absent and chance() < self._odd.nulls:
            found[self.random.choice(absent)] = None
        if chance() < self._odd.defaults:
            found |= {key: node["default"] for key, node in fields.items() if "default" in node and key not in found}
        old = [key for key, node in fields.items() if node.get("deprecated") and key not in found]
        if old and chance() < self._odd.old:
            key = self.random.choice(old)
            if (value := self.value(fields[key], 6)) is not MISSING:
                found[key] = value
        if chance() < self._odd.unknown:
            found["fieldOfTomorrow"] = self.random.choice((True, 3.0, "text", {"deep": [1, {"er": None}]}, []))
        if self._odd.shuffled:
            items = list(found.items())
            self.random.shuffle(items)
            found = dict(items)
        return found


@dataclass(slots=True)
class Account:
    """One account: live bodies by kind, and what Twilio holds."""

    seed: int
    count: int  # objects of each kind
    oddities: Oddities = field(default_factory=Oddities)
    bodies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    numbers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # of Twilio: with what it is set to
    attached: list[tuple[str, str]] = field(default_factory=list)  # knowledge base and file
    _names: dict[str, list[tuple[float, str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        for kind in KINDS:
            if KINDS[kind].vendor == "vapi":
                self._names[kind] = [
                    (chance.random(), self.id_of(kind, n), chance.choice(self.oddities.names))
                    for n in range(self.count)
                ]
        values = LiveValues(self.seed, self)
        for kind, names in self._names.items():
            self.bodies[kind] = [self._body(values, kind, n, *names[n]) for n in range(self.count)]
        for kind, key in (("StructuredOutput", "structuredOutputIds"), ("Scorecard", "scorecardIds")):
            self._link_back(kind, key, chance)

    def id_of(self, kind: str, n: int) -> str:
        """The id of an object, the same in every account of the seed."""
        made = uuid.uuid5(uuid.NAMESPACE_OID, f"{self.seed}/{kind}/{n}")
        return str(uuid.UUID(int=made.int, version=4))

    def named(self, kind: str, at: float) -> list[tuple[str, str]]:
        """Ids and live names of a kind's objects that may be referred to."""
        return [(id_, name) for when, id_, name in self._names.get(kind, ()) if self.oddities.circles or when < at]

    def remotes(self, at: float) -> list[str]:
        """What providers call their dictionaries."""
        return [f"dict{id_[:8]}" for id_, _ in self.named("Dictionary", at)]

    def _body(self, values: LiveValues, kind: str, n: int, at: float, id_: str, name: str) -> dict[str, Any]:
        values.at = at
        special = {"File": self._file, "Dictionary": self._dictionary, "Squad": self._squad, "Phone": self._phone}
        make = special.get(kind)
        body = make(values, n, id_) if make is not None else self._plain(values, kind, n)
        if KINDS[kind].named and kind not in ("File", "Dictionary"):
            name = name[: 40 if kind in ("Phone", "Agent") and n % 3 else 300]
            body |= {"name": name} if name or n % 2 else {}
            if not name and n % 4 == 1:
                body.pop("name", None)
        if kind == "KnowledgeBase":
            body["name"] = body.get("name") or "Base"
            files = [file for file, _ in self.named("File", at)][:2]
            self.attached += [(id_, file) for file in files if n % 2]
        stamp = f"2025-0{1 + n % 9}-{1 + n % 28:02}T10:00:{n % 60:02}.{n % 1000:03}Z"
        stamps = {"id": id_, "orgId": ORG, "createdAt": stamp, "updatedAt": stamp}
        return {**body, **stamps} if n % 2 else {**stamps, **body}

    def _link_back(self, kind: str, key: str, chance: random.Random) -> None:
        """The other side of what agents say they have; now and then it says something else."""
        for body in self.bodies[kind]:
            plans = [(agent["id"], agent.get("artifactPlan")) for agent in self.bodies["Agent"]]
            ids = [id_ for id_, plan in plans if isinstance(plan, dict) and body["id"] in (plan.get(key) or ())]
            if chance.random() >= 3 * self.oddities.dangling:
                body["assistantIds"] = ids

    def _plain(self, values: LiveValues, kind: str, n: int) -> dict[str, Any]:
        node = root(kind)
        spec: dict[str, Any] = {}
        if node["type"] == "union":
            spec = {node["by"]: sorted(node["variants"])[n % len(node["variants"])]}
        type_ = select(node, spec)
        assert type_ is not None
        found = values.typed(type_, 0, spec, 0.25 if kind == "Agent" else 0.5)
        return spec if found is MISSING else dict(found)

    def _squad(self, values: LiveValues, n: int, id_: str) -> dict[str, Any]:
        agents = self.named("Agent", values.at)
        members: list[dict[str, Any]] = []
        for index in range(1 + n % 3):
            member = values.typed("SquadMemberDTO", 2)
            member = {key: value for key, value in member.items() if key not in ("assistant", "assistantId")}
            inline = values.typed("CreateAssistantDTO", 2) if n % 4 == 3 or not agents else MISSING
            if inline is not MISSING:
                members.append({**member, "assistant": {**inline, "name": f"member {index}"}})
            elif agents:
                members.append({**member, "assistantId": agents[(n + index) % len(agents)][0]})
        return {**self._plain(values, "Squad", n), "members": members}

    def _file(self, values: LiveValues, n: int, id_: str) -> dict[str, Any]:
        name = values.random.choice(("prices.pdf", "FAQ – 2025.txt", "prices.pdf", "ohne Endung", "x" * 38 + ".md"))
        purpose = {"purpose": values.random.choice(("assistant", "knowledge-base-v2"))} if n % 2 else {}
        metadata = {"metadata": {"team": "support", "n": float(n)}} if n % 3 == 0 else {}
        return {
            "object": "file",
            "status": "done",
            "name": name[:40],
            "originalName": name,
            "bytes": 100 + n,
            "mimetype": "text/plain",
            "url": f"https://sandbox.invalid/files/{id_}",
            **purpose,
            **metadata,
        }

    def _dictionary(self, values: LiveValues, n: int, id_: str) -> dict[str, Any]:
        body = self._plain(values, "Dictionary", n)
        remote, name = f"dict{id_[:8]}", self._names["Dictionary"][n][2]
        inner = {key: value for key, value in body.items() if key != "provider"}
        return {
            "provider": body["provider"],
            "resourceName": "pronunciation-dictionary",
            "resourceId": remote,
            "resource": {**inner, "id": remote, "version_id": f"ver{n}", "name": name},
        }

    def _phone(self, values: LiveValues, n: int, id_: str) -> dict[str, Any]:
        provider = PROVIDERS[n % len(PROVIDERS)]
        type_ = select(root("Phone"), {"provider": provider})
        assert type_ is not None
        body = values.typed(type_, 0, {"provider": provider}, 0.4)
        body = {} if body is MISSING else dict(body)
        body["provider"] = provider
        for key in ("numberDesiredAreaCode", "sipUri", "number", "twilioApiKey", "twilioApiSecret", "twilioAuthToken"):
            body.pop(key, None)
        number = f"+1415{self.seed % 1000:03}{n:05}"
        if provider in ("vapi", "byo-phone-number") and n % 2:
            body |= {"sipUri": f"sip:line-{self.seed}-{n}@sip.vapi.ai"} if provider == "vapi" else {"number": f"10{n}"}
        else:
            body["number"] = number
        if provider in ("vonage", "telnyx", "byo-phone-number") and not body.get("credentialId"):
            body["credentialId"] = values.value({"type": "string", "reference": "Credential"}) or self.id_of("None", n)
            body["credentialId"] = (
                body["credentialId"] if body["credentialId"] is not MISSING else self.id_of("None", n)
            )
        if provider == "twilio":
            body |= self._twilio(values, n, number)
        if body.get("squadId") and body.get("assistantId"):
            body.pop("squadId")
        return body

    def _twilio(self, values: LiveValues, n: int, number: str) -> dict[str, Any]:
        """A number of ours that Vapi answers, or somebody else; one of another account; one that is gone."""
        inbound = {"voice_url": "https://api.vapi.ai/twilio/inbound_call", "voice_method": "POST"}
        routes: tuple[dict[str, Any], ...] = (
            inbound,
            inbound | {"friendly_name": "Support", "voice_fallback_url": "https://a.example/f", "status_callback": "https://a.example/s"},
            {"voice_url": "https://other.example/voice", "voice_method": "GET"},
            {"voice_application_sid": "AP" + "2".zfill(32)},
            {"trunk_sid": "TK" + "3".zfill(32)},
            {},  # Twilio's demo
        )  # fmt: skip
        turn = n // len(PROVIDERS)
        if turn % 8 == 6:
            return {"twilioAccountSid": "AC" + "9".zfill(32), "twilioAuthToken": "0" * 32}
        if turn % 8 != 7:
            self.numbers.append((number, routes[turn % 8 % len(routes)]))
        return {"twilioAccountSid": ACCOUNT_SID, **({"twilioAuthToken": "sandbox"} if turn % 2 else {})}

    def rows(self) -> Iterator[Row]:
        """Everything, as a sandbox keeps it."""
        world = World(Store(), Owner(api_key="", org_id=ORG, account_sid=ACCOUNT_SID, auth_token=""))
        for kind, bodies in self.bodies.items():
            for body in bodies:
                collection = KINDS[kind].path.format(body.get("provider"))
                kept = {**body, "latestVersion": 1} if kind in ("Agent", "Tool", "Squad") else body
                yield Row(collection, body["id"], kept)
        for number, settings in self.numbers:
            number_body = edited(world, new(world, number), settings)
            yield Row(NUMBERS, number_body["sid"], number_body)
        for base, file in self.attached:
            id_ = str(uuid.uuid5(uuid.NAMESPACE_OID, base + file))
            place = {"id": id_, "knowledgeBaseV2Id": base, "fileId": file, "status": "ready", "createdAt": "2025-01-01"}
            yield Row(ATTACHED, id_, {**place, "createdAt": "2025-01-01T00:00:00.000Z"})


def planted(account: Account, file: Path) -> Path:
    """The account in a file that a sandbox starts from."""
    return stored(account.rows(), file)


def stored(rows: Iterable[Row], file: Path) -> Path:
    """These rows in a file that a sandbox starts from."""
    store = Store(file)
    with store.transaction():
        for row in rows:
            store.put(row)
    store.close()
    return file
