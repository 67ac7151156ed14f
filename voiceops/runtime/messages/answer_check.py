"""What Vapi refuses in the answer to one of its questions: keys that it doesn't know, values of another kind.

An answer that Vapi refuses is a call that is lost, so this is asked before one is sent, and `simulate` asks it of
every answer that it gets. Knows Vapi's schema; knows no names of agents (see `questions`).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from voiceops.errors import Mark
from voiceops.kinds.nodes import select
from voiceops.kinds.schema import Node, type_of
from voiceops.manifest.problems import Problems, did_you_mean
from voiceops.manifest.schema_check import Checker
from voiceops.model.located import Map, Seq
from voiceops.runtime.handlers.decorators import ASSISTANT, ENDPOINTING, HANDOFF, KNOWLEDGE, PREDIAL, TRANSFER


def _of(name: str) -> Node:
    return {"type": "object", "of": name}


_TEXT: Node = {"type": "string"}
_ANY: Node = {"type": "any"}
_OVERRIDES = _of("AssistantOverrides")
_ASSISTANT_SIDE = "TransferDestinationAssistant+HandoffDestinationAssistant"
_OUTSIDE = {"number": "TransferDestinationNumber", "sip": "TransferDestinationSip"}


def _destination(**variants: str) -> Node:
    return {"type": "union", "by": "type", "variants": variants}


# https://docs.vapi.ai/server-url/events: the answer of each question, key by key.
_KEYS: Mapping[str, Mapping[str, Node]] = {
    ASSISTANT: {
        "destination": _destination(**_OUTSIDE),
        "assistantId": {"type": "string", "reference": "Agent"},
        "assistant": _of("CreateAssistantDTO"),
        "assistantOverrides": _OVERRIDES,
        "squadId": {"type": "string", "reference": "Squad"},
        "squad": _of("CreateSquadDTO"),
        "squadOverrides": _OVERRIDES,
        "workflowId": _TEXT,
        "workflow": _ANY,
        "workflowOverrides": _ANY,
        "error": _TEXT,
    },
    TRANSFER: {
        "destination": _destination(assistant=_ASSISTANT_SIDE, **_OUTSIDE),
        "message": _ANY,
        "error": _TEXT,
    },
    HANDOFF: {
        "destination": _destination(
            assistant=_ASSISTANT_SIDE, squad="HandoffDestinationSquad", dynamic="HandoffDestinationDynamic"
        ),
        "result": _TEXT,
        "error": _TEXT,
    },
    KNOWLEDGE: {"documents": {"type": "array", "items": _ANY}, "message": _ANY},
    ENDPOINTING: {"timeoutSeconds": {"type": "number", "minimum": 0, "maximum": 15}},
    PREDIAL: {"eligible": {"type": "boolean"}},
}
# One of these has to be there.
_NEEDED: Mapping[str, Sequence[str]] = {
    ASSISTANT: ("assistantId", "assistant", "squadId", "squad", "workflowId", "workflow", "destination", "error"),
    TRANSFER: ("destination", "error"),
    HANDOFF: ("destination", "error", "result"),
    KNOWLEDGE: ("documents", "message"),
    ENDPOINTING: ("timeoutSeconds",),
    PREDIAL: ("eligible",),
}
_DOCUMENT: Mapping[str, Node] = {"content": _TEXT, "similarity": {"type": "number"}, "uuid": _TEXT}
_DEEPEST = 60


def checks(kind: str) -> bool:
    """Is it known what the answer to this type of message has to be?"""
    return kind in _KEYS


def refused(kind: str, answer: Any, *, allow_unknown: bool = False, ids: Container[str] = ()) -> list[str]:
    """What Vapi would refuse in an answer, as `PATH: what is wrong`; empty: it takes it. `ids` are known to be ids."""
    if kind not in _KEYS:
        return []
    if not isinstance(answer, Mapping):
        return [f"the answer must be a map, not {_kind(answer)}"]
    inner = answer.get("messageResponse")
    if len(answer) == 1 and isinstance(inner, Mapping):
        answer = inner  # Vapi takes it wrapped, too
    found = [] if any(answer.get(key) is not None for key in _NEEDED[kind]) else [_missing(kind)]
    known = _KEYS[kind]
    for key, value in answer.items():
        if key not in known:
            if not allow_unknown:
                found.append(f"{key}: unknown key. {did_you_mean(str(key), known)}".rstrip())
        elif value is not None:
            found += _problems(known[key], value, str(key), allow_unknown, ids)
    if kind == KNOWLEDGE and isinstance(answer.get("documents"), (list, tuple)):
        found += _documents(answer["documents"])
    return found


def _missing(kind: str) -> str:
    needed = _NEEDED[kind]
    return f"{needed[0]} is missing" if len(needed) == 1 else f"one of {', '.join(needed)} has to be there"


def _problems(node: Node, value: Any, path: str, allow_unknown: bool = False, ids: Container[str] = ()) -> list[str]:
    problems = Problems()
    try:
        located, mark = _located(value, path)
        Checker(problems, allow_unknown=allow_unknown).check(node, located, mark)
        wrong = [d for d in problems.all if d.severity == "error"]
        found = [f"{d.mark.path if d.mark else path}: {d.summary}. {d.hint}".rstrip(". ") for d in wrong]
        return found + [f"{place}: {text!r} is no id" for place, text in _no_ids(node, value, path) if text not in ids]
    except (RecursionError, ValueError) as error:
        return [f"{path}: can't be read ({error or 'nested too deeply'})"]


def _documents(documents: Sequence[Any]) -> list[str]:
    found = []
    for index, document in enumerate(documents):
        place = f"documents[{index}]"
        if not isinstance(document, Mapping):
            found.append(f"{place}: must be a map or a text, not {_kind(document)}")
            continue
        found += [f"{place}.{key}: unknown key" for key in document if key not in _DOCUMENT]
        for key in ("content", "similarity"):
            if key not in document:
                found.append(f"{place}: {key} is missing")
        for key, node in _DOCUMENT.items():
            if document.get(key) is not None:
                found += _problems(node, document[key], f"{place}.{key}")
    return found


def _located(value: Any, path: str, depth: int = 0) -> tuple[Any, Mark]:
    """The value as the schema's check reads it: every part with its place. Raises ValueError on what JSON lacks."""
    mark = Mark("", 0, 0, path)
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, Mapping):
        found = Map()
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"the key {key!r} is no text")
            found.put(key, *_located(item, f"{path}.{key}", depth + 1))
        return found, mark
    if isinstance(value, (list, tuple)):
        items = Seq()
        for index, item in enumerate(value):
            items.put(*_located(item, f"{path}[{index}]", depth + 1))
        return items, mark
    return value, mark


def _no_ids(node: Node, value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The places where Vapi wants an id and gets another text."""
    if "reference" in node and node.get("referenceBy") != "name":
        for index, item in enumerate(value if isinstance(value, (list, tuple)) else [value]):
            if isinstance(item, str) and not is_id(item):
                yield (f"{path}[{index}]" if isinstance(value, (list, tuple)) else path), item
        return
    if isinstance(value, Mapping):
        name = select(node, value)
        fields = type_of(name)["fields"] if name else {}
        for key, item in value.items():
            if key in fields and item is not None:
                yield from _no_ids(fields[key], item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)) and "items" in node:
        for index, item in enumerate(value):
            yield from _no_ids(node["items"], item, f"{path}[{index}]")


def is_id(text: str) -> bool:
    """Is it the id of something at Vapi?"""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__
