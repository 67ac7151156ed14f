"""Made-up accounts: objects of every kind out of the schema's facts, with all that live objects have beside a body.

A seed gives the same account again. Objects refer to each other; secrets are shown, masked or left out; names are
equal, empty, long, of other alphabets; keys are unknown, null, shuffled; whole numbers come as floats.
"""

from __future__ import annotations

import copy
import uuid
from typing import Any

from tests.truth.values import MISSING, Values
from voiceops.kinds.nodes import select
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import Node, root, type_of
from voiceops.model.values import get_path, leaves, set_path

NAMES = (
    "Support",
    "Support",
    "support",
    "Front Desk",
    "Größe 40",
    "Поддержка",
    "客服",
    "a" * 70,
    "---",
    "${x}",
    "📞 line",
)
TEXTS = (
    *(
        "plain",
        "off",
        "null",
        "1.5",
        "- a",
        "a: b",
        "#no",
        "",
        " lead",
        "trail ",
        "two\nlines",
        "end\n",
        "\n\n",
        "tab\there",
    ),
    *(
        "${env:HOME}",
        "$${x}",
        "{{name}}",
        "crlf\r\nline\r\n",
        "lone\rcr",
        "\u2028sep",
        "\u0085nel",
        "emoji 👩‍👩‍👧",
        "rtl \u202e x",
    ),
    *(
        "\ufeffbom",
        "nul \x00",
        "bell \x07",
        "'quotes\" \\ back",
        "---\nkind: Tool\n---\n",
        "long " * 60,
        "ünï çødé",
        "=",
        "~",
    ),
)
TOKEN = "own-token-123456"  # pragma: allowlist secret
KEY = "sk-proj-" + "Abcd1234" * 4  # pragma: allowlist secret


class Made(Values):
    """Bodies of objects that refer to each other's ids."""

    def __init__(self, seed: int, each: int = 3, *, odd: float = 0.0) -> None:
        super().__init__(seed)
        self.ids = {kind: [self.id() for _ in range(each)] for kind in KINDS}
        self.stray = [self.id() for _ in range(2)]
        self.odd = odd
        self.secrets: set[str] = set()

    def id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def value(self, node: Node, depth: int = 0) -> Any:
        kind = node.get("reference")
        if kind and node["type"] == "string":
            if node.get("referenceBy") == "name":
                return self.random.choice((*NAMES, "Nobody's name"))
            return self.random.choice((*self.ids.get(kind, ()), *self.stray[:1]))
        if kind:
            return self.random.sample(self.ids.get(kind, self.stray), 2)
        if node["type"] == "array" and node.get("items", {}).get("reference"):
            inner = node["items"]
            return list({self.value(inner) for _ in range(2)})
        if node.get("secret") and node["type"] == "string":
            return self.random.choice(("**********", self.secret(), self.secret()))
        return super().value({k: v for k, v in node.items() if k not in ("mayReference", "follows")}, depth)

    def secret(self) -> str:
        value = f"{self.random.choice(('key', 'tok', 'Bearer '))}{self.random.getrandbits(80):020x}"
        self.secrets.add(value.removeprefix("Bearer "))
        return value

    def _text(self, node: Node) -> Any:
        free = not ({"enum", "format", "pattern", "maxLength", "minLength"} & node.keys())
        if free and self.random.random() < 0.6:
            return self.random.choice((*TEXTS, f"with {KEY} in it") if self.random.random() < 0.05 else TEXTS)
        return super()._text(node)

    def body(self, kind: str, id_: str) -> dict[str, Any]:
        """An object as the API would show it."""
        node = root(kind, "create")
        given: dict[str, Any] = {}
        if node["type"] == "union":
            given = {node["by"]: self.random.choice(sorted(node["variants"]))}
        name = select(node, given)
        assert name is not None
        share = 0.15 if kind == "Agent" else 0.35
        for _ in range(20):
            made = self.typed(name, 0, given, share)
            if made is not MISSING:
                break
        else:
            made = dict(given)
        body: dict[str, Any] = made
        if KINDS[kind].named:
            body["name"] = self.random.choice((*NAMES, f"{kind} {self.random.randrange(40)}"))
            if self.random.random() < 0.1:
                del body["name"]
        self._of_kind(kind, body)
        if self.random.random() < self.odd:
            for _ in range(self.random.randint(1, 3)):
                self._spoil(kind, body)
        return self.shown(kind, id_, body)

    def _spoil(self, kind: str, body: dict[str, Any]) -> None:
        """Something that no schema has, somewhere in a body: live objects are older and newer than any schema."""
        paths = [path for path, _ in leaves(body)] or [("name",)]
        path = self.random.choice(paths)
        if not path:
            return
        path = path[: self.random.randint(1, len(path))]
        if path[0] in ("number", "provider", "sipUri") and kind in ("Phone", "Dictionary"):
            return
        roll = self.random.random()
        odd = (
            *TEXTS,
            1,
            1.5,
            True,
            [],
            {},
            ["a", None],
            {"a": None},
            {"x y: z": "off", "": 1, "on": []},
            [[1], [2]],
            10**20,
        )
        parent = get_path(body, path[:-1])
        if roll < 0.5:
            set_path(body, path, copy.deepcopy(self.random.choice(odd)))
        elif roll < 0.65 and isinstance(parent, dict):
            del parent[path[-1]]
        elif isinstance(parent, dict):
            parent[
                self.random.choice(("newKey", "id2", "a b", "from", "agent", "server", "tools", "systemPrompt", "no"))
            ] = copy.deepcopy(self.random.choice(odd))

    def _of_kind(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "Phone":
            body["number"] = f"+1415555{self.random.choice((self.random.randrange(10_000), 7)):04}"
            body.pop("numberDesiredAreaCode", None)
            if "sipUri" in body:
                body["sipUri"] = f"sip:{self.id()[:8]}@sip.vapi.ai"
            if self.random.random() < 0.8:
                body.pop(self.random.choice(("assistantId", "squadId")), None)
            if body["provider"] == "twilio":
                body["twilioAccountSid"] = self.random.choice(("AC1", "AC1", "AC2"))
                if "twilioAuthToken" in body and self.random.random() < 0.5:
                    body["twilioAuthToken"] = TOKEN
                if "twilioApiKey" not in body or "twilioAuthToken" in body:
                    body.pop("twilioApiSecret", None)
                    body.pop("twilioApiKey", None)
        if kind == "Agent" and self.random.random() < 0.8:
            body["model"] = {
                "provider": "openai",
                "model": self.random.choice(("gpt-4o", "gpt-4.1-mini")),
                "messages": self.messages(),
                **({"toolIds": self.random.sample(self.ids["Tool"], 2)} if self.random.random() < 0.5 else {}),
                **({"tools": [{"type": "endCall"}]} if self.random.random() < 0.5 else {}),
            }
        if kind == "Agent" and self.random.random() < 0.5:
            body["voice"] = {"provider": "vapi", "voiceId": "Elliot", "speed": self.random.choice((1, 1.1, 0.9))}
        if kind == "Agent" and self.random.random() < 0.4:
            body["server"] = {
                "url": "https://hooks.crm.example/v",
                "headers": {"Authorization": "Bearer abcdef1234567890"},
            }

    def messages(self) -> list[dict[str, Any]]:
        pick = self.random.choice
        system = {"role": "system", "content": pick(TEXTS)}
        user = {"role": "user", "content": pick(TEXTS)}
        return pick(([system], [system], [system, user], [user, system], [system, system], [user], []))

    def shown(self, kind: str, id_: str, body: dict[str, Any]) -> dict[str, Any]:
        """With everything that an API adds to an object."""
        live = self._noisy(root(kind, "create"), body)
        live |= {"id": id_, "orgId": "9e6d2d1e-8a4f-4d55-9d0c-2a4b3c1f7e90"}
        live |= {
            "createdAt": f"2026-01-{self.random.randrange(1, 29):02}T00:00:00.000Z",
            "updatedAt": "2026-02-01T00:00:00Z",
        }
        if self.random.random() < 0.3:
            live["brandNew"] = {"shard": 7, "on": True, "text": self.random.choice(TEXTS)}
        if kind == "Agent":
            live["isServerUrlSecretSet"] = False
        if kind == "Dictionary":
            inner = {k: v for k, v in live.items() if k in ("name", "description", "rules", "items")}
            remote = self.id().replace("-", "")[:20]
            live = {k: v for k, v in live.items() if k not in inner} | {"resourceName": "pronunciation-dictionary"}
            live |= {"resourceId": remote, "resource": {"id": remote, "version_id": "v1", **inner}}
        if kind == "KnowledgeBase":
            live |= {"toolId": self.id(), "files": self.random.sample(self.ids["File"], 2)}
        if kind == "File":
            live |= {"status": "done", "bytes": 5, "url": "https://files.example/x"}
        items = list(live.items())
        self.random.shuffle(items)
        return dict(items)

    def _noisy(self, node: Node, value: Any) -> Any:
        """Defaults filled in, nulls for what is not there, floats for whole numbers."""
        if isinstance(value, list):
            inner = node.get("items", {"type": "any"})
            return [self._noisy(inner, item) for item in value]
        if not isinstance(value, dict):
            whole = type(value) is int and abs(value) < 10**6 and self.random.random() < 0.2
            return float(value) if whole and node["type"] in ("number", "integer") else value
        chosen = next((o for o in node.get("options", ()) if o["type"] in ("object", "union")), node)
        name = select(chosen, value) if chosen["type"] in ("object", "union") else None
        if name is None:
            return value
        result = {
            key: self._noisy(type_of(name)["fields"].get(key, {"type": "any"}), item) for key, item in value.items()
        }
        for key, field in type_of(name)["fields"].items():
            if key in result or field.get("secret"):
                continue
            roll = self.random.random()
            if roll < 0.3 and "default" in field:
                result[key] = field["default"]
            elif roll < 0.1:
                result[key] = None
        return result
