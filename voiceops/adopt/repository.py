"""From what was found to a repository: manifests, prompts and parts as text, and what a person has to know or do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.adopt.conveniences import eased
from voiceops.adopt.defaults import over_defaults
from voiceops.adopt.found import Found, Numbers, Written
from voiceops.adopt.layout import Files, beside, enveloped, in_order
from voiceops.adopt.leaves import Hidden, Name, PartHere, Prompt
from voiceops.adopt.lenience import refused, twins
from voiceops.adopt.links import Links
from voiceops.adopt.manifest_body import Cleaned, cleaned
from voiceops.adopt.naming import GivenName, listed, live_name, names_for, slug
from voiceops.adopt.phone_lines import TwilioAccount, as_line, outside, runtime_name
from voiceops.adopt.secret_names import NeededSecret, SecretNames
from voiceops.adopt.shared_parts import SharedPart, SharedParts
from voiceops.adopt.spare_numbers import spare_text
from voiceops.adopt.yaml_writer import document_text, documents_text
from voiceops.kinds.base import is_stock
from voiceops.kinds.registry import KINDS
from voiceops.model.address import address, kind_of, name_of
from voiceops.model.values import JSON, get_path

_STOCK_IDS = "a0000000-0000-4000-8000-"
_LONGEST_TEXT = 8_000  # characters that still stand in a manifest
_BY_NAME = ("assistantName", "entryAssistantName")  # keys that hold agents' live names
_MOST_FILE = 1_048_576  # bytes of a file that the manifest layer reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is there already, and must stay: nothing of it is changed or written a second time."""

    folder: str = "agents"  # where manifests are written, from the project's folder
    ids: Mapping[str, str] = field(default_factory=dict)  # live id → address, of what is managed or `external:`
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by kind: of every manifest, parts included
    agents: Mapping[str, str] = field(default_factory=dict)  # live names of agents that are managed → address
    attributes: Mapping[tuple[str, str], str] = field(default_factory=dict)  # ("resourceId", value) → address
    parts: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)  # address → the spec as it is written
    files: Sequence[str] = ()  # paths that are taken, from the project's folder
    others: Mapping[str, str] = field(default_factory=dict)  # live ids that get no manifest this time → live name
    bodies: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)  # live id → body, of what is managed
    secrets: Mapping[str, str | None] = field(default_factory=dict)
    """Every secret that the project or its environment has, by name; None where the value is not at hand."""
    defaults: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)  # `defaults:` of voiceops.yaml, by kind
    prefix: str = ""
    suffix: str = ""
    runtime_url: str = ""
    runtime_credential: str = ""  # the live id of Credential/runtime, where it is managed
    twilio: TwilioAccount = field(default_factory=TwilioAccount)
    spare: Sequence[str] = ()  # Twilio numbers that Vapi does not know, and that are to be told of
    numbers: Numbers | None = None  # the Twilio account's numbers; None: they were not read


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """What is to be written, and what was learned on the way."""

    files: Mapping[str, str]  # path from the project's folder → text
    places: Mapping[str, str]  # the path of a manifest → its address
    ids: Mapping[str, str]  # address → live id, of what is to be managed
    externals: Mapping[str, str]  # address → live id, of what stands as `external:`
    secrets: tuple[NeededSecret, ...]
    shared: tuple[SharedPart, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Draft:
    """One manifest in the making."""

    one: Found
    address: str
    spec: dict[str, Any] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    ignored: tuple[str, ...] = ()
    lenient: bool = False
    by_runtime: bool = False  # a line that the project's runtime answers
    file: str = ""
    why_outside: str = ""


def repository_of(found: Sequence[Found], known: Known) -> Repository:
    """The manifests for what was found, so that a plan of them has nothing to do. Stock objects get none."""
    return _Writer(found, known).repository()


class _Writer:
    def __init__(self, found: Sequence[Found], known: Known) -> None:
        self.known = known
        self.notes: list[str] = []
        read = [replace(one, body=KINDS[one.kind].read(one.body)) for one in found]
        objects = [one for one in read if not _is_nobodys(one) and (not one.id or one.id not in known.ids)]
        tools = _tools_of_bases(objects)
        self.beside = _stand_ins(known)
        mine = [one for one in objects if one.kind != "Tool" or one.id not in {*tools, *self.beside}]
        self.found = [self._with_runtimes_name(one) for one in mine]
        self.bodies = {**known.bodies, **{one.id: one.body for one in self.found if one.id}}
        self.lines: dict[str, str] = {}
        taken = {kind: list(names) for kind, names in known.names.items()}
        taken["Credential"] = [*taken.get("Credential", ()), "runtime"]
        taken["Agent"] = [*taken.get("Agent", ()), *_meant_elsewhere(self.found)]
        names = names_for(self.found, taken, known.prefix, known.suffix)
        self.drafts = [self._draft(one, names[index]) for index, one in enumerate(self.found)]
        self.drafts.sort(key=lambda draft: (list(KINDS).index(draft.one.kind), draft.address))
        self.links = self._links(tools)
        self.secrets = SecretNames(known.secrets)
        self.files = Files(known.folder, known.files)
        self.texts: dict[str, str] = {}

    def _draft(self, one: Found, named: GivenName) -> _Draft:
        draft = _Draft(one, address(one.kind, named.name), comments=list(one.comments))
        if named.twins:
            draft.comments.append(_same_name(named.twins, one.id))
        draft.why_outside = one.outside
        if one.kind == "Phone" and not draft.why_outside:
            draft.why_outside = self._rival(one)
        if one.kind == "Phone" and one.id and not draft.why_outside:
            draft.by_runtime = self._runtime_name(one) == named.name
            if not draft.by_runtime:
                draft.why_outside = outside(one.body, self.known.numbers, self.known.twilio)
        if one.kind == "File" and not draft.why_outside:
            draft.why_outside = "Vapi does not give its content back: the file stays as it is"
        if one.kind == "Phone" and one.body.get("provider") == "vapi" and isinstance(one.body.get("number"), str):
            draft.comments.append(f"Vapi gave it the number {one.body['number']}.")
        return draft

    def _runtime_name(self, one: Found) -> str:
        number = (self.known.numbers or {}).get(str(one.body.get("number")))
        return runtime_name(one.body, number, self.known.runtime_url) if one.body.get("provider") == "twilio" else ""

    def _with_runtimes_name(self, one: Found) -> Found:
        """A line that the project's runtime answers has the name that the runtime knows it by."""
        name = self._runtime_name(one) if one.kind == "Phone" else ""
        return replace(one, wanted=name) if name else one

    def _rival(self, one: Found) -> str:
        """Why a second line of one number, or of one SIP address, is left alone."""
        for key in ("number", "sipUri"):
            value = one.body.get(key)
            if not isinstance(value, str):
                continue
            told = value.strip().lower() if key == "sipUri" or value.lower().startswith("sip") else value.strip()
            if (other := self.lines.setdefault(told, one.id)) != one.id:
                return f"{other} has {value}, too, and a manifest stands for one of them"
        return ""

    def _links(self, tools: Mapping[str, str]) -> Links:
        """What every id means; of equal live names the agent that comes first."""
        ids = {**self.known.ids, **self.beside, **{d.one.id: d.address for d in self.drafts if d.one.id}}
        ids |= {tool: ids[base] for tool, base in tools.items() if base in ids}
        agents = {live_name(d.one): d.address for d in reversed(self.drafts) if d.one.kind == "Agent"}
        own = [name_of(d.address) for d in self.drafts if d.one.kind == "Agent"]
        attributes = dict(self.known.attributes)
        for draft in self.drafts:
            kind = KINDS[draft.one.kind]
            for key, value in kind.attributes_of(kind.read(dict(draft.one.body))).items():
                attributes[(key, value)] = draft.address
        return Links(
            ids=ids,
            aliases={(d.one.kind, d.one.alias): d.address for d in self.drafts if d.one.alias},
            attributes=attributes,
            agents={**{k: v for k, v in agents.items() if k}, **self.known.agents},
            agent_names=frozenset({*self.known.names.get("Agent", ()), *own}),
            others=self.known.others,
        )

    def repository(self) -> Repository:
        """Everything, in the order in which it depends on each other."""
        managed = [draft for draft in self.drafts if not draft.why_outside or not draft.one.id]
        for draft in managed:
            self._clean(draft)
        for draft in managed:
            _look(self.secrets, draft.address, draft.spec)
        for draft in managed:
            spec = self._rendered(draft.address, eased(draft.spec, top=True))
            merged = self.known.defaults.get(draft.one.kind, {})  # a part by name would not take what they add
            draft.spec = {k: _in_full(v) if isinstance(merged.get(k), Mapping) else v for k, v in spec.items()}
        parts = SharedParts(
            {draft.address: list(_parts_in(draft.spec)) for draft in managed}, self.known.parts, self.known.names
        )
        for draft in self.drafts:
            draft.file = self.files.manifest(draft.one.kind, name_of(draft.address))
            self._write(draft, parts)
        self._write_parts(parts)
        self._write_spare_numbers()
        return Repository(
            files=self.texts,
            places={draft.file: draft.address for draft in managed},
            ids={d.address: d.one.id for d in managed if d.one.id},
            externals={d.address: d.one.id for d in self.drafts if d.why_outside and d.one.id},
            secrets=tuple(self.secrets.needed),
            shared=tuple(parts.shared),
            notes=tuple(self.notes),
        )

    def _clean(self, draft: _Draft) -> None:
        kind = KINDS[draft.one.kind]
        whole = draft.one.body if draft.one.authored else self.known.defaults.get(draft.one.kind, {})
        result = cleaned(kind, draft.one.body, self.links, whole)
        problems = refused(kind, result.body)
        body = result.body
        if kind.agent_list and draft.one.id:  # agents say it: said here, it would be sent to those that don't
            body.pop("assistantIds", None)
            draft.comments += self._one_sided(draft.one, kind.agent_list)
        if draft.one.kind == "Phone":
            number = (self.known.numbers or {}).get(str(draft.one.body.get("number")))
            token = self.known.secrets.get("TWILIO_AUTH_TOKEN") or ""
            body, draft.ignored = as_line(
                body, draft.one.body, number, self.known.twilio, token, by_runtime=draft.by_runtime
            )
            if draft.by_runtime:
                draft.comments.append("The project's runtime answers it; nothing live says for which agent: name it.")
        self._name(draft, body)
        draft.spec = body
        problems += [*twins(kind, draft.one.body, self.bodies.get), *draft.one.refused]
        draft.lenient = bool(problems or result.unknown_names)
        self._comment(draft, result, problems)

    def _one_sided(self, one: Found, key: str) -> list[str]:
        """What is said here of agents that don't say it themselves."""
        ids = one.body.get("assistantIds")
        found = []
        for id_ in map(str, ids if isinstance(ids, list) else ()):
            if id_ not in self.bodies or id_ not in self.links.ids:
                continue
            linked = get_path(self.bodies[id_], ("artifactPlan", key))
            if not (isinstance(linked, list) and one.id in linked):
                found.append(f"assistantIds names {self.links.ids[id_]}, whose own {key} does not name this one.")
        return found

    def _name(self, draft: _Draft, body: dict[str, Any]) -> None:
        """`spec.name` only where the manifest's own name does not say it."""
        if not KINDS[draft.one.kind].named:
            return
        name = draft.one.body.get("name")
        if name is None:
            body["name"] = None
        elif name == f"{self.known.prefix}{name_of(draft.address)}{self.known.suffix}":
            body.pop("name", None)

    def _comment(self, draft: _Draft, result: Cleaned, problems: Sequence[str]) -> None:
        say = draft.comments.append
        for path, id_ in result.dangling:
            other = self.known.others.get(id_)
            if other is None:
                say(f"{path}: nothing live has the id {id_}.")
            else:
                say(f"{path}: {id_} is {other or 'an object without a name'}, which no manifest has yet.")
        if result.left_out:
            lost = listed(dict.fromkeys(result.left_out))
            say(f"Left as it is live, for a manifest can't say it: {lost}.")
            self.notes.append(f"{draft.address}: a manifest can't say {lost}; it stays as it is")
        for problem in problems:
            say(problem)

    def _rendered(self, where: str, value: Any) -> Any:
        """Names, secrets and escapes as the manifest's texts; prompts and parts stay what they are."""
        if isinstance(value, str):
            return (
                self._rendered(where, Prompt(value))
                if len(value) > _LONGEST_TEXT
                else self.secrets.text(where, value)[0]
            )
        if isinstance(value, (Name, Written)):
            return value.text
        if isinstance(value, Hidden):
            return self.secrets.field(where, value)
        if isinstance(value, Prompt):
            text, hides = self.secrets.text(where, value.text)
            return text if hides or not _fits_file(value.text) else value
        if isinstance(value, PartHere):
            kept = {key: self._rendered(where, item) for key, item in value.own.items()}
            part = PartHere(value.kind, in_order(self._rendered(where, value.value), value.kind), kept)
            return self._as_runtime(part) or part
        if isinstance(value, dict):
            return {key: self._rendered(where, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._rendered(where, item) for item in value]
        return value

    def _write(self, draft: _Draft, parts: SharedParts) -> None:
        document: dict[str, Any] = {"kind": draft.one.kind, "name": name_of(draft.address)}
        if draft.one.environments:
            document["environments"] = list(draft.one.environments)
        if draft.why_outside and draft.one.id:
            draft.comments += self._told_outside(draft)
            number = draft.one.body.get("number") if draft.one.kind == "Phone" else None
            alone = isinstance(number, str) and self._is_alone(number)
            document["external"] = {"number": number} if alone else {"id": draft.one.id}
        else:
            defaults = self.known.defaults.get(draft.one.kind, {})
            spec = over_defaults(self._placed(draft.address, draft.file, draft.spec, parts), defaults)
            document["spec"] = in_order(spec, draft.one.kind)
            if draft.lenient:
                document["allowUnknown"] = True
            if draft.ignored:
                document["lifecycle"] = {"ignoreChanges": list(draft.ignored)}
        self.texts[draft.file] = document_text(enveloped(document), tuple(draft.comments))

    def _is_alone(self, number: str) -> bool:
        """Does one live line have the number, so that it tells which one is meant?"""
        return [body.get("number") for body in self.bodies.values()].count(number) == 1

    def _told_outside(self, draft: _Draft) -> list[str]:
        """Why an object is only named here, what Vapi has of it, and how it is taken over."""
        said = [f"{draft.why_outside}."]
        if draft.one.kind == "Phone":
            body = draft.one.body
            ids = [str(body[key]) for key in ("assistantId", "squadId") if body.get(key)]
            bound = [self.links.ids.get(id_, id_) for id_ in ids]
            who = f"In Vapi it is bound to {listed(bound)}; it" if bound else "It"
            said.append(f"{who} stays as it is. To manage it, write its spec instead of external, and apply --adopt.")
        return said

    def _placed(self, where: str, file: str, value: Any, parts: SharedParts) -> Any:
        """Parts by name where they have one, prompts by their file."""
        if isinstance(value, PartHere):
            written = parts.written(value)
            if isinstance(written, dict):
                return in_order({k: self._placed(where, file, v, parts) for k, v in written.items()}, value.kind)
            return written
        if isinstance(value, Prompt):
            whose = name_of(where).replace("[", "-").rstrip("]")
            path = self.files.prompt(f"{whose}-{called}" if (called := slug(value.called)) else whose)
            self.texts[path] = value.text
            return f"${{file:{beside(file, path)}}}"
        if isinstance(value, dict):
            return {key: self._placed(where, file, item, parts) for key, item in value.items()}
        if isinstance(value, list):
            return [self._placed(where, file, item, parts) for item in value]
        return value

    def _as_runtime(self, part: PartHere) -> Any:
        """`runtime` for the project's own server, with what differs from it; None for any other."""
        known = self.known
        if part.kind != "Server" or not (known.runtime_url and known.runtime_credential):
            return None
        rest = dict(part.value)
        if rest.pop("url", None) != f"{known.runtime_url}/vapi/events" or rest.pop("credentialId", None) != "runtime":
            return None
        return {"from": "runtime", **rest} if rest else "runtime"

    def _write_spare_numbers(self) -> None:
        """Numbers that only Twilio has: nothing says who should answer them, so that they are only told of."""
        numbers = self.known.numbers or {}
        spare = sorted(number for number in self.known.spare if number in numbers)
        path = self.files.spare_numbers()
        if not spare or path is None:
            return
        self.texts[path] = spare_text(numbers, spare, self.known.twilio)
        self.notes.append(f"{path} names {len(spare)} of Twilio's numbers that Vapi does not know")

    def _write_parts(self, parts: SharedParts) -> None:
        if not parts.shared:
            return
        file, documents = self.files.parts(), []
        for part in parts.shared:
            kind = kind_of(part.address)
            spec = {key: self._placed(part.address, file, item, parts) for key, item in part.value.items()}
            documents.append(({"kind": kind, "name": name_of(part.address), "spec": in_order(spec, kind)}, ()))
        self.texts[file] = documents_text(documents)


def _in_full(value: Any) -> Any:
    return {**value.value, **value.own} if isinstance(value, PartHere) else value


def _same_name(twins: Sequence[str], id_: str) -> str:
    which = f"; this one is {id_}" if id_ else ""
    return f"{listed(twins)} {'has' if len(twins) == 1 else 'have'} the same live name{which}."


def _is_nobodys(one: Found) -> bool:
    """Is it one of Vapi's own objects, the same for everybody?"""
    return is_stock(one.body) or one.body.get("_platformDefault") is True or one.id.startswith(_STOCK_IDS)


def _stand_ins(known: Known) -> dict[str, str]:
    """What the objects that are managed brought along, by its id: a knowledge base's tool."""
    return {
        value: where
        for (attribute, value), where in known.attributes.items()
        if kind_of(where) in KINDS and attribute in KINDS[kind_of(where)].stands_for.values()
    }


def _meant_elsewhere(objects: Sequence[Found]) -> set[str]:
    """Live names of agents that are nowhere: a manifest of such a name would be taken for the one that is meant."""
    named: set[str] = set()
    waiting: list[Any] = [one.body for one in objects]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            named |= {value[key] for key in _BY_NAME if isinstance(value.get(key), str)}
            waiting += [item for item in value.values() if isinstance(item, (dict, list))]
        elif isinstance(value, list):
            waiting += value
    return named - {live_name(one) for one in objects if one.kind == "Agent"}


def _tools_of_bases(objects: Sequence[Found]) -> dict[str, str]:
    """The tools that Vapi made for knowledge bases, with the base's id: they come and go with it."""
    bases = [one for one in objects if one.kind == "KnowledgeBase"]
    return {str(one.body["toolId"]): one.id for one in bases if one.body.get("toolId")}


def _look(secrets: SecretNames, where: str, value: Any) -> None:
    """Note every secret of a body before any text is written."""
    if isinstance(value, Hidden):
        secrets.note(where, value)
    elif isinstance(value, str):
        secrets.look(where, value)
    elif isinstance(value, PartHere):
        _look(secrets, where, {**value.value, **value.own})
    elif isinstance(value, dict):
        for item in value.values():
            _look(secrets, where, item)
    elif isinstance(value, list):
        for item in value:
            _look(secrets, where, item)


def _parts_in(value: Any) -> Iterator[PartHere]:
    if isinstance(value, PartHere):
        yield value
        for item in (*value.value.values(), *value.own.values()):
            yield from _parts_in(item)
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _parts_in(item)


def _fits_file(text: str) -> bool:
    """Does `${file:}` bring this very text? It drops a leading byte order mark, and knows UTF-8 alone."""
    try:
        return len(text.encode()) <= _MOST_FILE and not text.startswith("\ufeff")
    except UnicodeEncodeError:
        return False


__all__ = ["Known", "NeededSecret", "Repository", "SharedPart", "TwilioAccount", "repository_of"]
