"""Tools: what a model needs to call them, how long a caller waits for them, and what the API makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from voiceops.lints.context import Context, number, tool_names
from voiceops.lints.rule import lint
from voiceops.lints.settings import setting
from voiceops.lints.spot import Finding, Spot

_DEFAULT_MAX_TOKENS = 250
_CALL_TOKENS = 60  # a call's frame and a few words said beside it
_VALUE_TOKENS = 20  # a property's name and an ordinary value
_PATIENCE = 10  # seconds of silence that callers bear
_PATIENCE_TOLD = 45  # the same, where they are told that it takes longer
_TELLS = ("request-start", "request-response-delayed")
_LONGEST_DESCRIPTION = 1000
_LOST_STRICT = ("apiRequest", "code", "transferCall", "endCall", "handoff")
_COMMENTS = re.compile(r"/\*.*?\*/|(?m:(?<!:)//[^\n]*)", re.DOTALL)
_USED = re.compile(r"""(?<![\w.$])(?P<what>args|env)(?:\.(?P<dotted>[A-Za-z_$][\w$]*)|\[(['"])(?P<quoted>\w+)\3\])""")


def parameters(tool: Spot) -> Spot:
    """The JSON Schema of what a model fills in."""
    return tool.at("body") if tool.get("type") == "apiRequest" else tool.at("function", "parameters")


@lint("VO301", "max-tokens-low", "maxTokens is too low for a call of one of the agent's tools")
def max_tokens_low(context: Context) -> Iterator[Finding]:
    tokens: dict[int, int] = {}  # of schemas by their identity: bodies outlive this
    for assistant in context.assistants:
        if assistant.spot.get("model") is None:
            continue
        given = number(assistant.spot.get("model", "maxTokens"))
        if given is None and assistant.override:
            continue
        limit = _DEFAULT_MAX_TOKENS if given is None else given
        needed = {}
        for attached in context.tools(assistant):
            schema = parameters(attached.tool).value
            if isinstance(schema, dict) and schema.get("properties"):
                if id(schema) not in tokens:
                    tokens[id(schema)] = _CALL_TOKENS + _tokens(schema)
                needed[tool_names(attached.tool) or "a tool"] = tokens[id(schema)]
        if needed and (most := max(needed.values())) > limit:
            name = max(needed, key=lambda key: needed[key])
            default = "" if given is not None else "the default of "
            yield assistant.spot.finding(
                f"{default}{limit:g} tokens cut off a call of {name}, which takes about {most}",
                "model",
                "maxTokens",
                hint=f"Set model.maxTokens to {-(-most // 50) * 50} or more.",
            )


def _tokens(schema: Any, depth: int = 0) -> int:
    """About what a value of this schema takes."""
    if not isinstance(schema, dict) or depth > 8:
        return _VALUE_TOKENS
    inner = schema.get("properties")
    if isinstance(inner, dict) and inner:
        return sum(_tokens(item, depth + 1) for item in inner.values())
    if schema.get("type") == "array":
        return 2 * _tokens(schema.get("items"), depth + 1)
    return _VALUE_TOKENS


@lint("VO302", "tool-unused", "A tool that nothing uses")
def tool_unused(context: Context) -> Iterator[Finding]:
    used = {name for names in context.graph.edges.values() for name in names}
    for body in context.bodies:
        if body.resource.kind == "Tool" and body.resource.address not in used:
            yield Finding(
                mark=body.resource.mark,
                summary="no agent, squad or hook uses this tool",
                hint="Add it to an agent's model.tools, or take the manifest out.",
                address=body.resource.address,
            )


@lint("VO303", "tool-slow", "A tool may keep a caller waiting in silence")
def tool_slow(context: Context) -> Iterator[Finding]:
    for tool in context.all_tools:
        if tool.get("async") is True or not context.on_a_line(tool):
            continue
        told = any(_tells(message) for message in tool.items("messages"))
        limit = _PATIENCE_TOLD if told else _PATIENCE
        own = [path for path in (("server", "timeoutSeconds"), ("timeoutSeconds",)) if tool.get(*path) is not None]
        for path in own:
            seconds = number(tool.get(*path))
            if seconds is not None and seconds > limit:
                yield tool.finding(
                    f"a caller may wait for {seconds:g} s{'' if told else ', told nothing'}", *path, hint=_sooner(told)
                )
        if not own and tool.resource.handler is not None:
            yield from _by_runtime(context, tool, limit, told=told)


def _tells(message: Spot) -> bool:
    """Whether a tool's message tells the caller to wait."""
    text = message.get("content") or message.items("contents")
    return message.get("type") in _TELLS and bool(text)


def _sooner(told: bool) -> str:
    if told:
        return "Answer sooner and finish later (async: true)."
    return "Answer sooner, or tell the caller to wait: a request-start or request-response-delayed message."


def _by_runtime(context: Context, tool: Spot, limit: float, *, told: bool) -> Iterator[Finding]:
    """The runtime's own deadline, which holds for handlers whose tools have none."""
    given = setting(context, "runtime", "toolSeconds")
    seconds = number(given[0]) if given else None
    if given is not None and seconds is not None and seconds > limit:
        yield Finding(
            mark=given[1],
            summary=f"a caller of {tool.resource.address} may wait for {seconds:g} s{'' if told else ', told nothing'}",
            hint=_sooner(told),
            address=tool.resource.address,
        )


@lint("VO304", "tool-description", "A tool's description is missing, or longer than models read well")
def tool_description(context: Context) -> Iterator[Finding]:
    for tool in context.all_tools:
        kind = tool.get("type")
        path = ("description",) if kind == "apiRequest" else ("function", "description")
        text = tool.get(*path)
        if text is None and kind == "apiRequest":
            path, text = ("function", "description"), tool.get("function", "description")
        if isinstance(text, str) and len(text) >= _LONGEST_DESCRIPTION:
            yield tool.finding(
                f"the description has {len(text)} characters; models choose worse from {_LONGEST_DESCRIPTION} on",
                *path,
                hint="Say in two sentences when to call it; the rest belongs into the parameters and the prompt.",
            )
        elif kind in ("function", "code", "apiRequest") and not text:
            yield tool.finding(
                "the tool has no description: the model has to guess when to call it",
                *(("function", "name") if kind != "apiRequest" else ("type",)),
                hint="Say what it does and when to call it.",
            )


@lint(
    "VO305",
    "code-undeclared",
    "A code tool uses an argument or a variable that it doesn't declare",
    "error",
    refused=True,
)
def code_undeclared(context: Context) -> Iterator[Finding]:
    for tool in context.all_tools:
        code = tool.get("code")
        if tool.get("type") != "code" or not isinstance(code, str):
            continue
        properties = tool.get("function", "parameters", "properties")
        declared = {
            "args": set(properties) if isinstance(properties, dict) else set(),
            "env": {str(variable.get("name")) for variable in tool.items("environmentVariables")},
        }
        # Comments become spaces, so that places stay what they are.
        visible = _COMMENTS.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), code)
        told = set()
        for match in _USED.finditer(visible):
            what, name = match["what"], match["dotted"] or match["quoted"]
            if name in declared[what] or (what, name) in told:
                continue
            told.add((what, name))
            where = "function.parameters.properties" if what == "args" else "environmentVariables"
            yield context.text_finding(
                tool.at("code"),
                match.start(),
                f"{what}.{name} is not declared: Vapi refuses the tool",
                f"Declare {name} in {where}.",
            )


@lint("VO306", "tool-field-overwritten", "A tool has a field that the API takes and ignores")
def tool_field_overwritten(context: Context) -> Iterator[Finding]:
    for tool in context.all_tools:
        kind = tool.get("type")
        if kind in _LOST_STRICT and tool.get("function", "strict") is True:
            yield tool.finding(
                f"strict has no effect on a tool of type {kind}", "function", "strict", hint="Take it out."
            )
        if kind == "apiRequest":
            if tool.get("function", "parameters") is not None:
                yield tool.finding(
                    "the API replaces function.parameters by body",
                    "function",
                    "parameters",
                    hint="Describe what the model fills in under body.",
                )
            if tool.get("async") is not None:
                yield tool.finding(
                    "async has no effect on a tool of type apiRequest", "async", hint="Take it out: it always waits."
                )
