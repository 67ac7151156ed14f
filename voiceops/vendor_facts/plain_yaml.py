"""YAML that a vendor wrote, as plain values: bounded, without aliases, every word that is not JSON's a text.

As strict as voiceops/manifest/strict_yaml.py about what a value means (`off` is a text, and `on` a key), and without
its places: an OpenAPI document is larger than any manifest may be.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from voiceops.model.json_in import DEEPEST

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_VALUES = 2_000_000
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,300})(?:\.\d{1,300})?(?:[eE][+-]?\d{1,2})?\Z")
_WORDS = {"true": True, "false": False, "null": None, "": None}


class NoYaml(ValueError):
    """Content that is no YAML, or YAML that is not to be read; the text says which."""


def plain_yaml(content: bytes) -> Any:
    """The document's data. Raises NoYaml."""
    try:
        return _built(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NoYaml("is not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        raise NoYaml(f"is not valid YAML (line {at.line + 1})" if at else "is not valid YAML") from None
    except yaml.YAMLError:
        raise NoYaml("is not valid YAML") from None


def _built(text: str) -> Any:
    """From the parser's events: a tree of its own making would follow aliases, and Python's stack."""
    stack: list[Any] = [[]]
    keys: list[str | None] = [None]
    values = 0
    for event in yaml.parse(text, Loader=_LOADER):
        match event:
            case yaml.ScalarEvent():
                values += 1
                if isinstance(stack[-1], dict) and keys[-1] is None:
                    keys[-1] = event.value
                    continue
                value = _scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                values += 1
                stack.append({} if isinstance(event, yaml.MappingStartEvent) else [])
                keys.append(None)
                if len(stack) > DEEPEST:
                    raise NoYaml(f"is nested more than {DEEPEST} deep")
                if isinstance(stack[-2], dict) and keys[-2] is None:
                    raise NoYaml(f"has a key that is no text{_line(event)}")
                continue
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                value = stack.pop()
                keys.pop()
            case yaml.AliasEvent():
                raise NoYaml(f"has an alias{_line(event)}")
            case _:
                continue
        if values > _MOST_VALUES:
            raise NoYaml(f"holds more than {_MOST_VALUES:,} values")
        _put(stack[-1], keys, value)
    documents = stack[0]
    return documents[0] if documents else None


def _put(into: Any, keys: list[str | None], value: Any) -> None:
    if isinstance(into, dict):
        into[keys[-1]] = value
        keys[-1] = None
    else:
        into.append(value)


def _line(event: yaml.Event) -> str:
    return f" (line {event.start_mark.line + 1})" if event.start_mark else ""


def _scalar(event: Any) -> Any:
    text = event.value
    if event.style or event.tag:  # libyaml says '' for plain, the Python parser None
        return text
    if text in _WORDS:
        return _WORDS[text]
    return json.loads(text) if _NUMBER.match(text) else text
