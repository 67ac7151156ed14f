"""Names become references, parts become values, conveniences become Vapi's own body.

Walks a spec along the schema, so that a name is only ever replaced where the schema says that an id stands.
Knows nothing of live objects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.errors import Mark
from voiceops.kinds.nodes import select
from voiceops.kinds.registry import KINDS, PART_KEYS
from voiceops.kinds.schema import Node, per_facts, type_of
from voiceops.manifest.documents import Document
from voiceops.manifest.problems import Problems, did_you_mean
from voiceops.model.address import LOCAL, address, kind_of
from voiceops.model.located import Map, Seq, merged
from voiceops.model.values import Ref, Secret

UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")
RUNTIME_CREDENTIAL = "Credential/runtime"

# A name under one of these keys stands for the id that the API wants beside it.
_ALIASES = {"agent": "assistantId", "assistant": "assistantId", "squad": "squadId"}
_OWN_RULES = frozenset({"headers", *PART_KEYS})
_MARKED = frozenset({"reference", "mayReference", "renamed", "secret"})
_SENSITIVE_HEADER = re.compile(r"authorization|api[-_]?key|secret|token|password|cookie", re.IGNORECASE)


@dataclass(slots=True)
class Index:
    """Every instance of every manifest that this environment holds, and which ones it leaves out."""

    documents: Mapping[str, Document]  # by address
    families: Mapping[str, list[Document]]  # by Kind/name
    excluded: Mapping[str, Document]
    live_names: Mapping[str, str] = field(default_factory=dict)  # agents' live names → address
    circles: set[frozenset[str]] = field(default_factory=set)  # of parts: each is reported once
    parts: dict[str, Map] = field(default_factory=dict)  # values of parts by address, which every user of one shares

    def find(self, kind: str, text: str, user: Document) -> str:
        """The address that a name means for `user`. Raises LookupError with the message and a hint."""
        match = LOCAL.match(text.removeprefix(f"{kind}/"))
        if match is None:
            raise LookupError(f"{text!r} is neither a {kind}'s name nor a UUID", "")
        name, key = match["name"], match["key"]
        found = address(kind, name, key)
        family = self.families.get(address(kind, name), [])
        if key is None and family and family[0].key is not None:
            if user.each_source is None or family[0].each_source != user.each_source:
                raise LookupError(f"{found} is a forEach: say which", f"Write {name}[{family[0].key}].")
            found = address(kind, name, user.key)
        if found in self.documents:
            return found
        if address(kind, name) in self.excluded:
            raise LookupError(
                f"{found} does not exist in this environment",
                f"Its environments: {list(self.excluded[address(kind, name)].environments or ())}.",
            )
        known = [document.address.partition("/")[2] for document in self.documents.values() if document.kind == kind]
        raise LookupError(
            f"there is no {kind} {text!r}",
            did_you_mean(text, known) or (f"Known: {', '.join(sorted(known)[:12])}." if known else ""),
        )

    def knows(self, kind: str, text: str) -> bool:
        """Does a manifest of this name stand anywhere, in another environment too?"""
        match = LOCAL.match(text.removeprefix(f"{kind}/"))
        if match is None:
            return False
        family = address(kind, match["name"])
        return family in self.families or family in self.excluded


@dataclass(slots=True)
class Resolver:
    """Rewrites one document's spec; `uses_runtime` tells afterwards whether it named the runtime's server."""

    document: Document
    index: Index
    problems: Problems
    runtime_url: str | None
    uses_runtime: bool = False
    inline_names: frozenset[str] = frozenset()  # of a squad's members that are no manifests
    allow_unknown: bool = False  # of the document, or of its project
    lenient: frozenset[str] = frozenset()  # the parts that say so themselves
    taken: set[str] = field(default_factory=set)  # the parts by name that this document uses
    _parts: list[str] = field(default_factory=list)

    def rewrite(self, node: Node, value: Any, mark: Mark) -> Any:
        """The value with names, parts and conveniences resolved; what doesn't fit the schema passes as it is."""
        match node["type"]:
            case "object" | "union" if isinstance(value, Map):
                name = select(node, value)
                if name is None:
                    return value
                return self._object(name, value)
            case "array" if isinstance(value, Seq):
                of = _as_secret_as(node, node.get("items", {"type": "any"}))
                items = Seq()
                for item, here in zip(value, value.marks, strict=True):
                    items.put(self.rewrite(of, item, here), here)
                return items
            case "anyOf":
                option = next((option for option in node["options"] if _may_take(option, value)), None)
                if option is not None:
                    return self.rewrite(_as_secret_as(node, option), value, mark)
            case _ if isinstance(value, str) and value in node.get("renamed", ()):
                return self._renamed(node["renamed"][value], value, mark)
            case _ if node.get("secret") and isinstance(value, str) and value:
                return Secret((), (value,))
        return value

    def _renamed(self, now: str, value: str, mark: Mark) -> str:
        """A value in its old spelling, which Vapi takes and keeps in the new one: only that compares as equal."""
        self.problems.warning(
            "schema-renamed",
            f"{value} is the old name of {now}",
            mark,
            f"Vapi keeps it as {now}, which is what voiceops sends: write that.",
            self.document.address,
        )
        return now

    def _object(self, name: str, value: Map) -> Map:
        fields = type_of(name)["fields"]
        resolved = _resolved_fields(name)
        if _ALIASES.keys().isdisjoint(value):
            result = value.clone()
            for key, item in value.items():
                if key in resolved:
                    result[key] = self._field(key, resolved[key], item, value.marks[key])
        else:
            result = Map()
            meant: dict[str, str] = {}  # the key of the body → the word that set it
            for key, item in value.items():
                mark = value.marks[key]
                alias = _ALIASES.get(key)
                name_here = alias if alias is not None and alias in fields and isinstance(item, str) else key
                node = resolved.get(name_here)
                if (other := meant.setdefault(name_here, key)) != key and value.get(other) != item:
                    self.problems.error(
                        "name-twice",
                        f"{key} and {other} stand for the same, and differ",
                        mark,
                        "Write one of them.",
                        self.document.address,
                    )
                result.put(name_here, item if node is None else self._field(name_here, node, item, mark), mark)
        self._add_followers(name, result)
        return result

    def _add_followers(self, name: str, value: Map) -> None:
        """What belongs to a reference is taken from its object: a dictionary's newest version."""
        for key, node in _following_fields(name):
            beside = node["follows"]
            target = value.get(beside)
            if key in value or not isinstance(target, Ref):
                continue
            document = self.index.documents.get(target.address)
            if document is None:
                continue
            # Of somebody else's object nothing is known before it is read.
            if document.external is not None or KINDS[document.kind].has(node["attribute"], document.spec):
                value.put(key, Ref(target.address, node["attribute"]), value.marks[beside])

    def _field(self, key: str, node: Node, item: Any, mark: Mark) -> Any:
        kind = node.get("reference") or node.get("items", {}).get("reference")
        if kind:
            by_name = (node.get("referenceBy") or node.get("items", {}).get("referenceBy")) == "name"
            if isinstance(item, Seq):
                items = Seq()
                for name, here in zip(item, item.marks, strict=True):
                    items.put(self.reference(kind, name, here, by_name=by_name), here)
                return items
            return self.reference(kind, item, mark, by_name=by_name)
        if maybe := node.get("mayReference"):
            return self._perhaps(maybe, node["attribute"], item, mark)
        part = PART_KEYS.get(key)
        if part and (node["type"] == "union" or node.get("of") == "Server"):
            item = self.part(part, item, mark)
        if key == "model" and node["type"] == "union" and isinstance(item, Map):
            item = self._model(item)
        if key == "headers" and isinstance(item, Map):
            item = _hide_headers(item)
        return self.rewrite(node, item, mark)

    def reference(self, kind: str, item: Any, mark: Mark, *, by_name: bool = False) -> Any:
        """A name as a reference; ids and markers as they are."""
        if isinstance(item, Ref):
            if kind_of(item.address) != kind and not _stands_for(kind_of(item.address), kind, item.attribute):
                self.problems.error(
                    "reference-kind", f"{item.address} is no {kind}", mark, address=self.document.address
                )
            return item
        if not isinstance(item, str) or UUID.match(item):
            return item
        if by_name and item in self.index.live_names:
            return Ref(self.index.live_names[item], "name")
        if by_name and item in self.inline_names:
            return item
        other = kind_of(item) if "/" in item else kind
        attribute = KINDS[other].stands_for.get(kind, "id") if other in KINDS else "id"
        try:
            found = self.index.find(other if attribute != "id" else kind, item, self.document)
        except LookupError as error:
            summary, hint = error.args
            if by_name and not self.index.knows(kind, item):
                summary, hint = f"no {kind} is called {item!r}", self._called(kind, item)
                if self.allow_unknown or mark.path.partition(":")[0] in self.lenient:
                    self.problems.warning("reference", summary, mark, hint, self.document.address)
                    return item
            self.problems.error("reference", summary, mark, hint, self.document.address)
            return item
        return Ref(found, "name" if by_name else attribute)

    def _called(self, kind: str, name: str) -> str:
        """A hint for a live name that no manifest has."""
        known = [d.address.partition("/")[2] for d in self.index.documents.values() if d.kind == kind]
        meant = did_you_mean(name, [*self.index.live_names, *self.inline_names, *known])
        quoted = name.replace("'", "''")
        outside = f"If somebody else manages it, write a manifest with external: {{name: '{quoted}'}}."
        return f"{meant} {outside}".strip()

    def _perhaps(self, kind: str, attribute: str, item: Any, mark: Mark) -> Any:
        """A manifest's name as a reference to what its object holds; any other text is an id of the provider's own."""
        if isinstance(item, Ref):
            return replace(item, attribute=attribute) if kind_of(item.address) == kind else item
        if not isinstance(item, str) or not self.index.knows(kind, item):
            return item
        found = self.reference(kind, item, mark)
        return replace(found, attribute=attribute) if isinstance(found, Ref) else found

    def part(self, kind: str, item: Any, mark: Mark) -> Any:
        """A part named alone or as `{from: NAME, …}`; an inline part as it is; None where it can't be found."""
        if isinstance(item, str):
            return self._named_part(kind, item, mark)
        if isinstance(item, Map) and "from" in item:
            rest = item.clone()
            name, here = rest.take("from")
            if not isinstance(name, str):
                self.problems.error("schema-type", "from takes a part's name", here, address=self.document.address)
                return None
            base = self._named_part(kind, name, here)
            return merged(base, rest) if isinstance(base, Map) else None
        return item

    def _named_part(self, kind: str, name: str, mark: Mark) -> Any:
        if kind == "Server" and name == "runtime":
            return self._runtime_server(mark)
        try:
            found = self.index.find(kind, name, self.document)
        except LookupError as error:
            self.problems.error("reference", error.args[0], mark, error.args[1], self.document.address)
            return None
        if found in self._parts:
            circle = [*self._parts[self._parts.index(found) :], found]
            if frozenset(circle) not in self.index.circles:
                self.index.circles.add(frozenset(circle))
                self.problems.error(
                    "part-circle",
                    f"parts refer to each other in a circle: {' → '.join(circle)}",
                    mark,
                    address=self.document.address,
                )
            return None
        self._parts.append(found)
        self.taken.add(found)
        if found not in self.index.parts:
            self.index.parts[found] = _prefixed(self.index.documents[found].spec, found)
        value = self.part(kind, self.index.parts[found], mark)
        self._parts.pop()
        return value

    def _runtime_server(self, mark: Mark) -> Map:
        self.uses_runtime = True
        if self.runtime_url is None:
            self.problems.error(
                "runtime-missing",
                "server: runtime needs runtime.url",
                mark,
                "Set runtime.url in voiceops.yaml.",
                self.document.address,
            )
        server = Map()
        server.put("url", f"{self.runtime_url}/vapi/events", mark)
        server.put("credentialId", Ref(RUNTIME_CREDENTIAL), mark)
        return server

    def _model(self, model: Map) -> Map:
        """`systemPrompt` becomes the leading system message, tools by name become toolIds."""
        result = model.clone()
        if "systemPrompt" in result:
            prompt, mark = result.take("systemPrompt")
            given = result.take("messages") if "messages" in result else (Seq(), mark)
            others = given[0] if prompt is not None and isinstance(given[0], Seq) else ()
            if any(isinstance(m, Map) and m.get("role") == "system" for m in others):
                self.problems.error(
                    "prompt-twice",
                    "systemPrompt and a system message in messages",
                    mark,
                    "Keep one of them.",
                    self.document.address,
                )
            messages = Seq()
            if prompt is not None:
                message = Map()
                message.put("role", "system", mark)
                message.put("content", prompt, mark)
                messages.put(message, mark)
            for item, here in zip(given[0], given[0].marks, strict=True) if isinstance(given[0], Seq) else ():
                messages.put(item, here)
            if messages or "messages" in model:  # a prompt of null is none
                result.put("messages", messages, given[1] if given[0] else mark)
        if isinstance(result.get("tools"), Seq):
            tools, mark = result.take("tools")
            inline, ids = Seq(), Seq()
            for item, here in zip(tools, tools.marks, strict=True):
                (ids if isinstance(item, (str, Ref)) else inline).put(item, here)
            if inline or not tools:
                result.put("tools", inline, mark)
            if ids:
                known, at = result.take("toolIds") if result.get("toolIds") is not None else (Seq(), mark)
                result.put("toolIds", _joined(known, ids) if isinstance(known, Seq) else known, at)
        return result


def _joined(*lists: Seq) -> Seq:
    """A new list of all their items: what was given may be a part that others use, too."""
    result = Seq()
    for one in lists:
        result.extend(one)
        result.marks.extend(one.marks)
    return result


@per_facts
def _resolved_fields(name: str) -> dict[str, Node]:
    """The fields of a type in which something may have to be resolved; all others pass as they are."""
    fields: dict[str, Node] = type_of(name)["fields"]
    return {key: node for key, node in fields.items() if key in _OWN_RULES or _may_change(node)}


def _may_change(node: Node) -> bool:
    if not _MARKED.isdisjoint(node) or not _MARKED.isdisjoint(node.get("items", ())):
        return True
    match node["type"]:
        case "object":
            return "of" in node
        case "array":
            return _may_change(node.get("items", {"type": "any"}))
        case "union" | "anyOf":
            return True
    return False


@per_facts
def _following_fields(name: str) -> tuple[tuple[str, Node], ...]:
    """The fields of a type whose values come with a reference beside them."""
    return tuple((key, node) for key, node in type_of(name)["fields"].items() if isinstance(node.get("follows"), str))


def inline_names(spec: Map) -> frozenset[str]:
    """The names of a squad's members that stand in the squad itself."""
    members = spec.get("members")
    assistants = [m.get("assistant") for m in members if isinstance(m, Map)] if isinstance(members, Seq) else []
    return frozenset(
        name for one in assistants if isinstance(one, Map) for name in [one.get("name")] if isinstance(name, str)
    )


def _stands_for(other: str, kind: str, attribute: str) -> bool:
    return other in KINDS and KINDS[other].stands_for.get(kind) == attribute


def _may_take(option: Node, value: Any) -> bool:
    match option["type"]:
        case "object" | "union":
            return isinstance(value, Map)
        case "array":
            return isinstance(value, Seq)
    return option["type"] == "string" and isinstance(value, str)


def _as_secret_as(outer: Node, inner: Node) -> Node:
    return {**inner, "secret": True} if outer.get("secret") else inner


def _hide_headers(headers: Map) -> Map:
    result = Map()
    for key, item in headers.items():
        hide = isinstance(item, str) and item and _SENSITIVE_HEADER.search(key)
        result.put(key, Secret((), (item,)) if hide else item, headers.marks[key])
    return result


def _prefixed(value: Any, owner: str) -> Any:
    """A part's value with marks that say whose they are: `Voice/warm:spec.speed`."""
    if isinstance(value, Map):
        result = Map()
        for key, item in value.items():
            mark = value.marks[key]
            path = mark.path if ":" in mark.path else f"{owner}:{mark.path}"
            result.put(key, _prefixed(item, owner), mark._replace(path=path))
        return result
    if isinstance(value, Seq):
        items = Seq()
        for item, mark in zip(value, value.marks, strict=True):
            path = mark.path if ":" in mark.path else f"{owner}:{mark.path}"
            items.put(_prefixed(item, owner), mark._replace(path=path))
        return items
    return value
