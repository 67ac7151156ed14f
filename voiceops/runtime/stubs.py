"""A handler's first version from a tool's JSON Schema: typed arguments and a docstring. Pure: data to text."""

from __future__ import annotations

import json
import keyword
from collections.abc import Mapping
from typing import Any

from voiceops.runtime.spec import RuntimeSpec, ToolSpec

_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_HEAD = '"""Tool handlers. Each is a plain function, async or not; what it returns is what the agent is told."""\n'


def stub_of(tool: ToolSpec) -> str:
    """The function of one tool."""
    function = (tool.handler or "").rpartition(":")[2]
    properties = tool.parameters.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    required = set(tool.parameters.get("required") or ())
    names = [name for name in known if name.isidentifier() and not keyword.iskeyword(name)]
    needed = [f"{name}: {type_of(known[name])}" for name in names if name in required]
    optional = [f"{name}: {type_of(known[name])} | None = None" for name in names if name not in required]
    rest = ["**rest: Any"] if len(names) < len(known) else []
    signature = f"async def {function}({', '.join(['call: Call', *needed, *optional, *rest])}) -> str:"
    if len(signature) > 110:
        lines = "".join(f"    {part},\n" for part in ("call: Call", *needed, *optional, *rest))
        signature = f"async def {function}(\n{lines}) -> str:"
    return f'{signature}\n{_docstring(tool, known)}    raise NotImplementedError("write {function}")\n'


def _docstring(tool: ToolSpec, known: Mapping[str, Any]) -> str:
    first = _text(tool.description) or f"Answers the tool {tool.name}."
    lines = [
        f"    {name}: {_text(schema['description'])}"
        for name, schema in known.items()
        if isinstance(schema, Mapping) and isinstance(schema.get("description"), str)
    ]
    if not lines:
        return f'    """{first}"""\n'
    return f'    """{first}\n\n' + "\n".join(lines) + '\n    """\n'


def _text(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''").rstrip('"')


def type_of(schema: Any) -> str:
    """A JSON Schema's Python type, as an annotation."""
    if not isinstance(schema, Mapping):
        return "Any"
    values = schema.get("enum")
    if isinstance(values, (list, tuple)) and values and all(isinstance(value, str) for value in values):
        return f"Literal[{', '.join(json.dumps(value, ensure_ascii=False) for value in values)}]"
    kind = schema.get("type")
    if isinstance(kind, (list, tuple)):
        return " | ".join(type_of({**schema, "type": one, "enum": None}) for one in kind)
    if kind == "array":
        return f"list[{type_of(schema.get('items'))}]"
    if kind == "object":
        return "dict[str, Any]"
    return _PLAIN.get(str(kind), "Any")


def module_of(tools: list[ToolSpec]) -> str:
    """A whole handler module with the stubs of these tools."""
    stubs = [stub_of(tool) for tool in tools]
    body = "\n\n".join(stubs)
    names = [name for name in ("Any", "Literal") if f"{name}[" in body or f": {name}" in body or f", {name}]" in body]
    typing = f"from typing import {', '.join(names)}\n\n" if names else ""
    return f"{_HEAD}\n{typing}from voiceops.runtime import Call\n\n\n{body}"


def tools_by_module(spec: RuntimeSpec) -> dict[str, list[ToolSpec]]:
    """The tools with a handler, by the module that holds it; of several that share a function, the first."""
    found: dict[str, dict[str, ToolSpec]] = {}
    for tool in spec.tools:
        if tool.handler:
            module, _, function = tool.handler.partition(":")
            found.setdefault(module, {}).setdefault(function, tool)
    return {module: list(tools.values()) for module, tools in sorted(found.items())}
