"""Reading a call script from YAML: every value is checked before anything is sent, and named by its place.

Knows the script's words and what the manifests have; plays nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.manifest.problems import did_you_mean
from voiceops.manifest.strict_yaml import read_documents
from voiceops.model.located import Map, Seq
from voiceops.runtime.spec import AgentSpec, LineSpec, RuntimeSpec
from voiceops.simulate.script import CALLER, Script, Step, line_of

_WORDS = ("yes", "no", "on", "off", "y", "n", "true", "false", "null")
_LONGEST = 86_400  # seconds; a call that waits longer is a slip
_SHOWN = 12  # names in a hint

# What a value has to be: a sentence for the one that is not, or nothing.
Check = Callable[[Any], str]


def _text(value: Any) -> str:
    # YAML's whole numbers are texts to whoever wrote them; 1.50 and true would come out as something else.
    fits = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    return "" if fits else "must be a text (true, null and fractions in quotes)"


def _seconds(value: Any) -> str:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "" if number and 0 <= value <= _LONGEST else f"must be a number of seconds, from 0 to {_LONGEST:,}"


def _map(value: Any) -> str:
    return "" if isinstance(value, Map) else "must be a map"


def _nothing(value: Any) -> str:
    return "" if value is None or value == {} else "takes no value: write {}"


def _optional(check: Check) -> Check:
    return lambda value: "" if value is None or value == {} else check(value)


def _message(value: Any) -> str:
    typed = isinstance(value, Map) and isinstance(value.get("type"), str) and value["type"]
    return "" if typed else "must be a map with a type, as {type: hang}"


def _pattern(value: Any) -> str:
    if wrong := _text(value):
        return wrong
    try:
        re.compile(str(value))
    except (re.error, OverflowError, RecursionError) as error:
        return f"is no regular expression: {error}"
    return ""


def _failure(value: Any) -> str:
    # YAML's yes is a text here, and surely not what a sentence is to contain.
    text = isinstance(value, str) and value.strip() and value.strip().lower() not in _WORDS
    return "" if text or isinstance(value, bool) else "must be true or false, or a text of the failure's sentence"


def _status(value: Any) -> str:
    fits = isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599
    return "" if fits else "must be an HTTP status, a number from 100 to 599"


class _Verb(NamedTuple):
    value: Check
    options: Mapping[str, Check] = {}
    bare: bool = False  # may stand alone, without a value
    answered: bool = True  # sends something whose answer can be expected


_VERBS: Mapping[str, _Verb] = {
    "ring": _Verb(_nothing, bare=True),
    "assistant": _Verb(_text),
    "caller": _Verb(_text),
    "interruption": _Verb(_optional(_seconds), bare=True),
    "tool": _Verb(_text, {"arguments": _optional(_map), "id": _text}),
    "transfer": _Verb(_nothing, bare=True),
    "message": _Verb(_message),
    "wait": _Verb(_seconds, answered=False),
    "hangup": _Verb(_nothing, {"report": _optional(_map)}, bare=True),
}
_EXPECTATIONS: Mapping[str, Check] = {
    "contains": _text,
    "equals": _text,
    "matches": _pattern,
    "fails": _failure,
    "within": _seconds,
    "status": _status,
}
_KEYS = ("name", "line", "agent", "from", "steps")


def read_script(text: str, file: str, spec: RuntimeSpec) -> Script:
    """The script in a file. Raises InvalidProject with every problem."""
    return _Reader(spec).read(text, file)


class _Reader:
    def __init__(self, spec: RuntimeSpec) -> None:
        self._spec = spec
        self._wrong: list[Diagnostic] = []
        self._line: LineSpec | None = None
        self._agent: AgentSpec | None = None

    def read(self, text: str, file: str) -> Script:
        documents = read_documents(text, file)
        value, mark = documents[0] if documents else (Map(), Mark(file, 1, 1))
        for _, second in documents[1:]:
            self._problem("a file holds one script", second, "Move the others into files of their own.")
        if not isinstance(value, Map):
            self._problem("a script is a map with steps", mark, f"It takes {', '.join(_KEYS)}.")
            raise InvalidProject(self._wrong)
        self._unknown(value, _KEYS)
        for key in ("name", "line", "agent", "from"):
            self._check(value, key, _text)
        self._agent = self._named_agent(value)
        agent = self._agent.address if self._agent is not None else ""
        self._line = self._named_line(value) if "line" in value else line_of(self._spec, agent)
        steps = self._steps(value, mark)
        if self._wrong:
            raise InvalidProject(self._wrong)
        return Script(
            name=str(value.get("name") or file),
            line=self._line,
            agent=agent,
            caller=str(value.get("from") or CALLER),
            steps=tuple(steps),
        )

    def _problem(self, summary: str, mark: Mark, hint: str = "") -> None:
        self._wrong.append(Diagnostic(code="script", summary=summary, mark=mark, hint=hint))

    def _unknown(self, value: Map, known: Iterable[str]) -> None:
        for key in value:
            if key not in known:
                self._problem("is not known here", value.marks[key], _nearest(key, known, "It takes"))

    def _check(self, value: Map, key: str, check: Check, hint: str = "") -> bool:
        if key in value and (wrong := check(value[key])):
            self._problem(wrong, value.marks[key], hint)
            return False
        return key in value

    def _named_line(self, value: Map) -> LineSpec | None:
        named = str(value["line"])
        lines = self._spec.lines
        found = next((line for line in lines if named in _names(line)), None)
        if found is None and not _text(value["line"]):
            hint = _nearest(named, [line.path for line in lines], "Known:")
            self._problem(f"there is no line {named}", value.marks["line"], hint or "The project has no lines.")
        return found

    def _named_agent(self, value: Map) -> AgentSpec | None:
        if "agent" not in value or _text(value["agent"]):
            return None
        named = str(value["agent"])
        agents = self._spec.agents
        found = next((a for a in agents if named in (a.address, a.name, a.address.partition("/")[2])), None)
        if found is None:
            hint = _nearest(named, [a.address.partition("/")[2] for a in agents], "Known:")
            self._problem(f"there is no agent {named}", value.marks["agent"], hint or "The project has no agents.")
        return found

    def _steps(self, value: Map, mark: Mark) -> list[Step]:
        steps = value.get("steps")
        if not isinstance(steps, Seq) or not steps:
            self._problem("a script needs a list of steps", value.marks.get("steps", mark), _one_of(_VERBS))
            return []
        found = (self._step(item, here) for item, here in zip(steps, steps.marks, strict=True))
        return [step for step in found if step is not None]

    def _step(self, item: Any, mark: Mark) -> Step | None:
        if isinstance(item, str):
            if item in _VERBS and not _VERBS[item].bare:
                self._problem(f"{item} needs a value", mark, f"Write it like `{item}: …`.")
            elif item not in _VERBS:
                self._problem(f"unknown step {item}", mark, _nearest(item, _VERBS, "A step is one of"))
            return Step(item, mark=mark)
        verbs = [key for key in item if key in _VERBS] if isinstance(item, Map) else []
        if not isinstance(item, Map) or len(verbs) != 1:
            meant = str(next(iter(item), "")) if isinstance(item, Map) and not verbs else ""
            self._problem("a step is a map with one verb", mark, _nearest(meant, _VERBS, "A step is one of"))
            return None
        name = verbs[0]
        verb = _VERBS[name]
        self._unknown(item, (name, *verb.options, "expect", "fails") if verb.answered else (name,))
        self._check(item, name, verb.value)
        for key, check in verb.options.items():
            self._check(item, key, check)
        expect = self._expect(item) if verb.answered else {}
        if name == "tool":
            self._tool(item)
        if name == "ring" and expect and self._settled():
            hint = "Vapi knows who answers, and asks the runtime nothing: take the expectation out."
            self._problem("has no answer", item.marks["expect" if "expect" in item else "fails"], hint)
        return Step(name, item[name], {key: item[key] for key in verb.options if item.get(key)}, expect, mark)

    def _settled(self) -> bool:
        """Is it known who answers, so that a ring asks the runtime nothing?"""
        if self._line is None:
            return self._agent is not None
        return self._line.answer != "runtime" and self._line.target is not None

    def _tool(self, item: Map) -> None:
        """A tool that nobody has is an error, unless the script says that it fails."""
        expect = item.get("expect")
        if "fails" in item or (isinstance(expect, Map) and "fails" in expect):
            return
        tools = [tool.name for tool in self._spec.tools]
        if not _text(item["tool"]) and str(item["tool"]) not in tools:
            hint = _nearest(str(item["tool"]), tools, "Known:")
            self._problem(f"there is no tool {item['tool']}", item.marks["tool"], hint or "The project has no tools.")

    def _expect(self, item: Map) -> Mapping[str, Any]:
        """What the answer has to be; `fails:` may stand in the step or in its `expect:`."""
        stated = self._stated(item)
        if "fails" not in item:
            return stated
        if "fails" in stated and isinstance(item["expect"], Map):
            self._problem("stands in expect, too", item.marks["fails"], "Write it once.")
        self._check(item, "fails", _failure)
        return {**stated, "fails": item["fails"]}

    def _stated(self, item: Map) -> Mapping[str, Any]:
        if "expect" not in item:
            return {}
        expect = item["expect"]
        if not isinstance(expect, Map):
            self._check(item, "expect", _text, f"Or a map of {', '.join(_EXPECTATIONS)}.")
            return {"contains": expect}
        self._unknown(expect, _EXPECTATIONS)
        for key, check in _EXPECTATIONS.items():
            self._check(expect, key, check)
        return expect


def _names(line: LineSpec) -> list[str]:
    names = (line.path, line.address, line.address.removeprefix("Phone/"), line.number)
    return [name for name in names if name]


def _one_of(names: Iterable[str], lead: str = "A step is one of") -> str:
    listed = list(names)
    more = ", …" if len(listed) > _SHOWN else ""
    return f"{lead} {', '.join(listed[:_SHOWN])}{more}." if listed else ""


def _nearest(text: str, known: Iterable[str], lead: str) -> str:
    """The word that was meant, and those that there are."""
    listed = list(known)
    return " ".join(part for part in (did_you_mean(text, listed), _one_of(listed, lead)) if part)
