"""Handlers beside their tools: the parameters of the Python function against the tool's JSON Schema.

Functions are read, never run. What a decorator or another module made of one is not known here, and left alone.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from voiceops.errors import Mark
from voiceops.lints.context import Context, tool_names
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding, Spot
from voiceops.manifest.handlers import read_module

_CALL = "call"
# A schema put together of others: its properties may stand anywhere.
_COMPOSED = frozenset({"$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties"})


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    line: int
    column: int
    required: bool
    by_name: bool  # positional-only parameters never get an argument


@dataclass(frozen=True, slots=True)
class _Function:
    parameters: tuple[_Parameter, ...]
    rest: bool  # **rest: takes everything


@dataclass(frozen=True, slots=True)
class _Pair:
    """A tool with the function that answers it."""

    tool: Spot
    file: str
    handler: str
    function: _Function

    @property
    def name(self) -> str:
        return tool_names(self.tool) or self.tool.resource.address

    @property
    def schema(self) -> Mapping[str, Any]:
        found = self.tool.get("function", "parameters")
        return found if isinstance(found, dict) else {}

    @property
    def properties(self) -> set[str]:
        """What the model may give, as a function names it: `from` arrives as `from_`."""
        found = self.schema.get("properties")
        return {_python_name(name) for name in found} if isinstance(found, dict) else set()

    @property
    def required(self) -> list[str]:
        found = self.schema.get("required")
        return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []

    def finding(self, parameter: _Parameter, summary: str, hint: str) -> Finding:
        mark = Mark(self.file, parameter.line, parameter.column)
        return Finding(mark=mark, summary=summary, hint=hint, address=self.tool.resource.address)


@lint("VO307", "handler-parameter-missing", "A handler needs a parameter that its tool's schema doesn't have", "error")
def handler_parameter_missing(context: Context) -> Iterator[Finding]:
    for pair in _pairs(context):
        for parameter in pair.function.parameters:
            if not parameter.required or (parameter.by_name and parameter.name in pair.properties):
                continue
            if not parameter.by_name:
                hint = "Arguments come by name: take the / out."
            elif parameter.name == _CALL:
                hint = "The call comes as the first parameter: put call there."
            else:
                hint = f"Add {parameter.name} to function.parameters.properties, or give it a default."
            yield pair.finding(
                parameter, f"every call of {pair.name} fails: nothing is passed for {parameter.name}", hint
            )


@lint("VO308", "handler-parameter-differs", "A handler and its tool's schema disagree on what has to be there")
def handler_parameter_differs(context: Context) -> Iterator[Finding]:
    for pair in _pairs(context):
        required = {_python_name(name) for name in pair.required}
        for parameter in pair.function.parameters:
            name = parameter.name
            if parameter.required and parameter.by_name and name in pair.properties and name not in required:
                yield pair.finding(
                    parameter,
                    f"a call of {pair.name} without {name} is allowed, and fails",
                    f"Give {name} a default, or add it to function.parameters.required.",
                )
        if pair.function.rest:
            continue
        taken = {parameter.name for parameter in pair.function.parameters if parameter.by_name}
        for index, name in enumerate(pair.required):
            if _python_name(name) not in taken and name not in taken:
                yield pair.tool.finding(
                    f"the model has to ask for {name}, and {pair.handler} doesn't take it",
                    "function",
                    "parameters",
                    "required",
                    index,
                    hint=f"Add a parameter {_python_name(name)} to the function, or take {name} out of required.",
                )


def _pairs(context: Context) -> Iterator[_Pair]:
    for tool in context.bodies:
        handler = tool.resource.handler
        if tool.resource.kind != "Tool" or handler is None or tool.get("type") != "function":
            continue
        schema = tool.get("function", "parameters")
        if isinstance(schema, dict) and not _COMPOSED.isdisjoint(schema):
            continue
        file = context.handler_file(handler)
        if file is None:
            continue
        function = _functions("\n".join(context.texts.lines(file))).get(handler.rpartition(":")[2])
        if function is not None:
            yield _Pair(tool, file, handler, function)


def _python_name(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


@lru_cache(maxsize=256)
def _functions(text: str) -> dict[str, _Function]:
    """The functions that a module's top level defines once, and that nothing wraps."""
    try:
        body = read_module(text).body
    except SyntaxError:
        return {}  # said already, by the check of handlers
    lines = text.split("\n")
    found: dict[str, _Function] = {}
    bound: list[str] = []
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            bound.append(node.name)
            if not node.decorator_list:
                found[node.name] = _function(node.args, lines)
        else:
            bound += [name.id for name in ast.walk(node) if isinstance(name, ast.Name) and _stored(name)]
    return {name: function for name, function in found.items() if bound.count(name) == 1}


def _stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _function(arguments: ast.arguments, lines: list[str]) -> _Function:
    positional = [*arguments.posonlyargs, *arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    found = [
        _parameter(argument, lines, index < first_default, by_name=index >= len(arguments.posonlyargs))
        for index, argument in enumerate(positional)
    ]
    if found and found[0].name == _CALL:
        found = found[1:]
    found += [
        _parameter(argument, lines, default is None, by_name=True)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return _Function(tuple(found), arguments.kwarg is not None)


def _parameter(argument: ast.arg, lines: list[str], required: bool, *, by_name: bool) -> _Parameter:
    # Python counts bytes, marks count characters.
    line = lines[argument.lineno - 1] if argument.lineno <= len(lines) else ""
    column = len(line.encode()[: argument.col_offset].decode(errors="replace")) + 1
    return _Parameter(argument.arg, argument.lineno, column, required, by_name)
