"""From a live body to what a manifest says of it: without what the server adds, with names for ids.

Walks the body along the schema, as the manifest layer does in the other direction (manifest/resolve.py): a name stands
only where that layer looks for one.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.adopt.found import Written
from voiceops.adopt.layout import in_order, tidied
from voiceops.adopt.leaves import Hidden, Name, PartHere, Prompt
from voiceops.adopt.links import Links
from voiceops.adopt.naming import host_of
from voiceops.adopt.writable import writable
from voiceops.kinds.base import SERVER_KEYS, Kind
from voiceops.kinds.nodes import ITEM_KEYS, secret_names, select
from voiceops.kinds.places import is_answered
from voiceops.kinds.registry import PART_KEYS
from voiceops.kinds.schema import Node, root, type_of
from voiceops.model.key_forms import keys_in
from voiceops.model.redactor import is_masked, is_telling, looks_secret
from voiceops.model.values import ABSENT, JSON, Path, format_path

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")
_STOCK = re.compile(r"a0000000-0000-4000-8000-[0-9a-f]{12}\Z")
_SENSITIVE_HEADER = re.compile(r"authorization|api[-_]?key|secret|token|password|cookie", re.IGNORECASE)
# A name under one of these keys stands for the id that the API wants beside it (manifest/resolve.py).
_ALIASES = {"agent": "assistantId", "assistant": "assistantId", "squad": "squadId"}
_IDENTITY = frozenset(keys[0] for keys in ITEM_KEYS if len(keys) == 1)  # what items of lists are told apart by
_LIQUID = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_HEADER_TEXTS = ("value", "default", "const")
_LARGEST = 2.0**53  # of the floats that are whole numbers
_STAMPS = frozenset({"id", "orgId", "createdAt", "updatedAt"})


@dataclass(slots=True)
class Cleaned:
    """A body in the API's own terms, less the server's part of it, and what a person should know of it."""

    body: dict[str, JSON]
    dangling: list[tuple[str, str]] = field(default_factory=list)  # (path, id): ids that no manifest stands for
    left_out: list[str] = field(default_factory=list)  # paths that can't be written
    unknown_names: list[str] = field(default_factory=list)  # agents' live names that no manifest has


def cleaned(kind: Kind, body: Mapping[str, JSON], links: Links, whole: Container[str] = ()) -> Cleaned:
    """What a manifest can say of the body. Under the keys `whole` stays what the server would fill in, too."""
    node = root(kind.name, "manifest")
    shown, lost = writable(dict(body))
    result = Cleaned({}, left_out=lost)
    walk = _Walk(links, result, whole)
    drop = {key for key in (*kind.attributes, kind.id_key) if key not in _fields(node, shown)}
    value = walk.typed(node, {key: item for key, item in shown.items() if key not in drop}, (), top=True)
    result.body = value if isinstance(value, dict) else {}
    return result


def _fields(node: Node, value: Any) -> Mapping[str, Node]:
    name = select(node, value)
    found: Mapping[str, Node] = type_of(name)["fields"] if name is not None else {}
    return found


@dataclass(slots=True)
class _Walk:
    links: Links
    result: Cleaned
    whole: Container[str] = ()
    keep_defaults: bool = False
    _members: frozenset[str] = frozenset()  # names of a squad's members that stand in the squad itself

    def value(self, node: Node, value: Any, path: Path) -> Any:
        """As the resolver rewrites it, backwards; ABSENT where it can't be written."""
        if isinstance(value, Written):
            return value
        match node["type"]:
            case "object" | "union" if isinstance(value, dict):
                return self.typed(node, value, path)
            case "array" if isinstance(value, list) and node.get("set"):
                # Compared as a whole, each item to its last field: a plan knows no nulls there, and sees no secrets.
                inside = [leaf for item in value if isinstance(item, dict) for leaf in item.values()]
                if None in inside or any(isinstance(leaf, str) and any(keys_in(leaf)) for leaf in inside):
                    self.result.left_out.append(format_path(path))
                    return ABSENT
                return self.free(value, path)
            case "array" if isinstance(value, list):
                of = _as_secret_as(node, node.get("items", {"type": "any"}))
                return self._items(value, path, lambda item, here: self.value(of, item, here))
            case "anyOf":
                option = next((option for option in node["options"] if _may_take(option, value)), None)
                if option is not None:
                    return self.value(_as_secret_as(node, option), value, path)
            case _ if isinstance(value, str) and value in node.get("renamed", ()):
                self.result.left_out.append(format_path(path))
                return ABSENT
            case _ if node.get("secret") and isinstance(value, str) and value:
                return _hidden(value, path)
        return tidied(self.free(value, path))

    def free(self, value: Any, path: Path, secret: Container[str] = ()) -> Any:
        """A value of which no schema knows more: what is called a secret, and looks like one, is one."""
        if isinstance(value, dict):
            return {
                key: _hidden(item, (*path, key))
                if isinstance(item, str) and item and (key in secret or _is_called_secret(key, item))
                else self.free(item, (*path, key), secret)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.free(item, (*path, index), secret) for index, item in enumerate(value)]
        return free(value)

    def _items(self, items: list[Any], path: Path, written: Any) -> Any:
        found = []
        for index, item in enumerate(items):
            one = written(item, (*path, index))
            one = {} if one is ABSENT and isinstance(item, dict) else one
            found.append(ABSENT if _lost_identity(item, one) else one)
        return ABSENT if any(item is ABSENT for item in found) else found  # a list is written whole or not at all

    def typed(self, node: Node, value: dict[str, Any], path: Path, *, top: bool = False) -> Any:
        """A map along its type's fields; of a type that nobody knows as it is, without the server's stamps."""
        name = select(node, value)
        if name is None:
            stamped = "createdAt" in value and "id" in value
            drop = SERVER_KEYS if top else _STAMPS if stamped else frozenset[str]()
            kept = {key: item for key, item in value.items() if key not in drop and item is not None}
            return tidied(self.free(kept, path, secret_names()))
        members, self._members = self._members, self._members | _inline_members(value)
        result = self._fields_of(name, node, value, path, top=top)
        if not result and not self.keep_defaults and any(item is not None for item in value.values()):
            self.keep_defaults = True  # a map of nothing but defaults says so, rather than nothing
            result = self._fields_of(name, node, value, path, top=top)
            self.keep_defaults = False
        self._members = members
        self._without_followers(name, value, result)
        self._with_secrets(name, value, result, path)
        return in_order(result, _read_as(name)) if result or not value or top else ABSENT

    def _fields_of(self, name: str, node: Node, value: dict[str, Any], path: Path, *, top: bool) -> dict[str, Any]:
        definition = type_of(name)
        fields, required = definition["fields"], definition["required"]
        result: dict[str, Any] = {}
        for key, item in value.items():
            field_ = fields.get(key)
            here = (*path, key)
            if item is None or self._is_servers(name, key, field_, top=top):
                continue
            if isinstance(item, str) and key in _ALIASES and _ALIASES[key] in fields:
                self.result.left_out.append(format_path(here))  # a word of the manifests' own
                continue
            if field_ is None:
                result[key] = tidied(self.free({key: item}, path)[key])
                continue
            is_needed = key in required or key == node.get("by") or key in _IDENTITY or (top and key in self.whole)
            if not is_needed and self._is_default(field_, item):
                continue
            kept, self.keep_defaults = self.keep_defaults, self.keep_defaults or (top and key in self.whole)
            found = self._field(key, field_, item, here)
            self.keep_defaults = kept
            if found is not ABSENT:
                result[key] = found
        return result

    def _is_servers(self, name: str, key: str, field_: Node | None, *, top: bool) -> bool:
        return field_ is None and (is_answered(name, key) or (top and key in SERVER_KEYS))

    def _is_default(self, field_: Node, item: Any) -> bool:
        if self.keep_defaults or "default" not in field_:
            return False
        default = field_["default"]
        return bool(default == item) and isinstance(default, bool) is isinstance(item, bool)

    def _field(self, key: str, node: Node, item: Any, path: Path) -> Any:
        if isinstance(item, Written):
            return item
        kind = node.get("reference") or node.get("items", {}).get("reference")
        if kind:
            by_name = (node.get("referenceBy") or node.get("items", {}).get("referenceBy")) == "name"
            if isinstance(item, list):
                return self._items(item, path, lambda one, here: self._reference(kind, one, here, by_name=by_name))
            return self._reference(kind, item, path, by_name=by_name)
        if maybe := node.get("mayReference"):
            name = self.links.holder(maybe, node["attribute"], item) if isinstance(item, str) else None
            return Name(name) if name is not None else free(item)
        part = PART_KEYS.get(key) if node["type"] == "union" or node.get("of") == "Server" else None
        if part:
            return self._part(part, node, item, path)
        if key == "headers" and isinstance(item, dict):
            return _headers(item, path)
        return self.value(node, item, path)

    def _part(self, kind: str, node: Node, item: Any, path: Path) -> Any:
        """Where a part's name may stand: there is no room for other texts, nor for the manifests' own words."""
        if isinstance(item, str):
            self.result.left_out.append(format_path(path))
            return ABSENT
        found = self.value(node, item, path)
        if not isinstance(found, dict):
            return found
        own = ["from"]
        if kind == "Model":
            own += ["systemPrompt"]
            tools = found.get("tools")
            own += ["tools"] if isinstance(tools, list) and any(isinstance(tool, str) for tool in tools) else []
        for key in own:
            if key in found:
                self.result.left_out.append(format_path((*path, key)))
        return PartHere(kind, {key: value for key, value in found.items() if key not in own})

    def _reference(self, kind: str, item: Any, path: Path, *, by_name: bool) -> Any:
        if isinstance(item, Written) or not isinstance(item, str):
            return item
        if by_name:
            return self._called(item, path)
        name = self.links.name_for(kind, item)
        if name is not None:
            return Name(name)
        if _UUID.match(item):
            if not _STOCK.match(item):
                self.result.dangling.append((format_path(path), item))
            return item
        self.result.left_out.append(format_path(path))
        return ABSENT

    def _called(self, live_name: str, path: Path) -> Any:
        """An agent by its live name: by its manifest's, where one has it."""
        if (name := self.links.agent_called(live_name)) is not None:
            # A name that is also somebody's live name, or a member's, would mean that one: then the live name stands.
            means = self.links.agent_called(name)
            return Name(name) if means in (None, name) and name not in self._members else live_name
        if live_name in self._members:
            return live_name
        if not _means_manifest(live_name, self.links.agent_names):
            self.result.unknown_names.append(live_name)
            return live_name
        self.result.left_out.append(format_path(path))
        return ABSENT

    def _without_followers(self, name: str, live: Mapping[str, Any], result: dict[str, Any]) -> None:
        """What the manifest layer takes from a dictionary is not written; what it would add wrongly is unset."""
        for key, node in type_of(name)["fields"].items():
            beside = node.get("follows")
            if not isinstance(beside, str) or not isinstance(target := result.get(beside), Name):
                continue
            followed = self.links.holder("Dictionary", node["attribute"], str(live.get(key)))
            if followed == target.text:
                result.pop(key, None)
            elif live.get(key) is None:
                result[key] = None

    def _with_secrets(self, name: str, live: Mapping[str, Any], result: dict[str, Any], path: Path) -> None:
        """A secret that the type requires and the API does not show is asked for; where it goes tells its name."""
        definition = type_of(name)
        for key in definition["required"]:
            if definition["fields"].get(key, {}).get("secret") and key not in result:
                result[key] = Hidden(None, (*path, key))
        host = host_of(live.get("url"))
        for key in ("headers", *(k for k, item in result.items() if isinstance(item, Hidden))) if host else ():
            if key in result:
                result[key] = _sent_to(host, result[key])


def _sent_to(host: str, value: Any) -> Any:
    """Secrets with the host that they are sent to: it tells their names."""
    if isinstance(value, Hidden):
        return Hidden(value.value, value.path, host)
    return {key: _sent_to(host, item) for key, item in value.items()} if isinstance(value, dict) else value


def _read_as(type_name: str) -> str:
    """In which order a type's keys are read: that of a kind whose body it is, or any map's."""
    return "Agent" if type_name in ("AssistantOverrides", "CreateAssistantDTO") else ""


def free(value: Any) -> Any:
    """A value of which no schema knows more; whole numbers without a fraction."""
    if isinstance(value, dict):
        return {key: free(item) for key, item in value.items()}
    if isinstance(value, list):
        return [free(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return int(value)
    return value


def _lost_identity(item: Any, written: Any) -> bool:
    """Is what tells an item from the others left out of it?"""
    if not (isinstance(item, dict) and isinstance(written, dict)):
        return False
    return any(item.get(key) is not None and key not in written for key in _IDENTITY)


def _is_called_secret(name: str, value: str) -> bool:
    return name.lower() not in ("key", "keys") and looks_secret(name) and is_telling(value)


def _headers(headers: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Headers with their secrets hidden: by name, each a text or (of an API request's) a schema with the text in it."""
    found: dict[str, Any] = {}
    for name, item in headers.items():
        here = (*path, name)
        if _SENSITIVE_HEADER.search(name) and isinstance(item, str) and item:
            found[name] = _hidden(item, here)
        elif _SENSITIVE_HEADER.search(name) and isinstance(item, dict):
            found[name] = {
                key: _hidden(text, here) if key in _HEADER_TEXTS and isinstance(text, str) and text else free(text)
                for key, text in item.items()
            }
        else:
            found[name] = _headers(item, here) if isinstance(item, dict) else free(item)
    return found


def _hidden(value: str, path: Path) -> Any:
    """A secret, unless all that it says comes from the call: `Bearer {{token}}`."""
    said = _LIQUID.sub("", value).strip()
    if said != value.strip() and said.lower() in ("", "bearer", "basic", "token"):
        return value
    return Hidden(None if is_masked(value) else value, path)


def _inline_members(value: Mapping[str, Any]) -> frozenset[str]:
    members = value.get("members")
    assistants = [m.get("assistant") for m in members if isinstance(m, dict)] if isinstance(members, list) else []
    names = [one.get("name") for one in assistants if isinstance(one, dict)]
    return frozenset(name for name in names if isinstance(name, str))


def _means_manifest(text: str, names: Iterable[str]) -> bool:
    """Would the manifest layer take this live name for a manifest's?"""
    return text.removeprefix("Agent/") in names


def _as_secret_as(outer: Node, inner: Node) -> Node:
    return {**inner, "secret": True} if outer.get("secret") else inner


def _may_take(option: Node, value: Any) -> bool:
    match option["type"]:
        case "object" | "union":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
    return option["type"] == "string" and isinstance(value, str)


__all__ = ["Cleaned", "Prompt", "cleaned", "free"]
