"""A handler's first version from a tool's JSON Schema: typed arguments and a docstring. Writes no file.

Names and types are found here; how it is laid out stands in `templates/handlers/`.
"""

from __future__ import annotations

import json
import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from voiceops.runtime.spec import RuntimeSpec, ToolSpec
from voiceops.templating import render_file

_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_WIDTH = 110
_CALL = "call"
# A schema put together of others: its properties may stand anywhere.
_COMPOSED = frozenset({"$ref", "allOf", "anyOf", "oneOf", "patternProperties"})


def stub_of(tool: ToolSpec) -> str:
    """The function of one tool: it can be served as it stands, whatever the arguments are called."""
    function = (tool.handler or "").rpartition(":")[2]
    properties = tool.parameters.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    named = _parameters(known)
    others = [name for name in known if name not in named]
    listed = tool.parameters.get("required")
    required = set(map(str, listed)) if isinstance(listed, (list, tuple)) else set()
    needed = [f"{own}: {type_of(known[name])}" for name, own in named.items() if name in required]
    optional = [f"{own}: {_or_none(known[name])} = None" for name, own in named.items() if name not in required]
    rest = _free("rest", named.values()) if others or not _COMPOSED.isdisjoint(tool.parameters) else ""
    # The slash leaves the name `call` to an argument of the tool; only **rest can take it then.
    first = ["call: Call", "/"] if _CALL in known else ["call: Call"]
    parts = [*first, *needed, *optional, *([f"**{rest}: Any"] if rest else [])]
    told = {**named, **{name: f"{rest}[{_quoted(name)}]" for name in others}}
    return render_file(
        "handlers/function.py.j2",
        function=function,
        parameters=parts,
        wrapped=len(f"async def {function}({', '.join(parts)}) -> str:") > _WIDTH,
        summary=_text(tool.description) or f"Answers the tool {_text(tool.name)}.",
        arguments=_arguments(known, told),
    )


def _parameters(known: Mapping[str, Any]) -> dict[str, str]:
    """Property → the parameter that takes it. One that no parameter can take is left out, and comes with **rest."""
    found: dict[str, str] = {}
    for name in known:
        own = f"{name}_" if keyword.iskeyword(name) else name
        plain = own.isidentifier() and unicodedata.normalize("NFKC", own) == own
        # `from` comes as `from_`: where the tool has a `from_`, too, no parameter could tell them apart.
        shared = own in known if own != name else keyword.iskeyword(name[:-1]) and name[:-1] in known
        if plain and not shared and name not in (_CALL, "__debug__"):
            found[name] = own
    return found


def _free(name: str, taken: Iterable[str]) -> str:
    names = set(taken)
    while name in names:
        name += "_"
    return name


def _arguments(known: Mapping[str, Any], told: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the docstring says of arguments: by the name that each has there."""
    found = []
    for name, schema in known.items():
        said = schema.get("description") if isinstance(schema, Mapping) else None
        said = said if isinstance(said, str) else f"the argument {name}" if told[name] != name else ""
        if said:
            found.append((_text(told[name]), _text(said)))
    return found


def _text(text: str) -> str:
    """One line of a docstring, which nothing in it can end."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(shown.split()).replace("\\", "\\\\").replace('"""', "'''").rstrip('"')


def _quoted(text: str) -> str:
    """A text as Python reads it."""
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else repr(text)


def type_of(schema: Any) -> str:
    """A JSON Schema's Python type, as an annotation."""
    return _union(_types(schema))


def _or_none(schema: Any) -> str:
    return _union([*_types(schema), "None"])


def _union(types: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(types))


def _types(schema: Any) -> list[str]:
    if not isinstance(schema, Mapping):
        return ["Any"]
    values = schema.get("enum")
    if isinstance(values, (list, tuple)) and values and all(isinstance(value, str) for value in values):
        return [f"Literal[{', '.join(map(_quoted, values))}]"]
    kind = schema.get("type")
    if isinstance(kind, (list, tuple)):
        found = [one for each in kind for one in _types({**schema, "type": each, "enum": None})]
        return found or ["Any"]
    if kind == "array":
        return [f"list[{type_of(schema.get('items'))}]"]
    if kind == "object":
        return ["dict[str, Any]"]
    return [_PLAIN.get(str(kind), "Any")]


def module_of(tools: list[ToolSpec]) -> str:
    """A whole handler module with the stubs of these tools."""
    stubs = [stub_of(tool).removesuffix("\n") for tool in tools]
    signatures = " ".join(stub.partition('\n    """')[0] for stub in stubs)
    names = [name for name in ("Any", "Literal") if re.search(rf"\b{name}\b", signatures)]
    return render_file("handlers/module.py.j2", typing=names, functions=stubs)


def tools_by_module(spec: RuntimeSpec) -> dict[str, list[ToolSpec]]:
    """The tools with a handler, by the module that holds it; of several that share a function, the first."""
    found: dict[str, dict[str, ToolSpec]] = {}
    for tool in spec.tools:
        if tool.handler:
            module, _, function = tool.handler.partition(":")
            found.setdefault(module, {}).setdefault(function, tool)
    return {module: list(tools.values()) for module, tools in sorted(found.items())}
