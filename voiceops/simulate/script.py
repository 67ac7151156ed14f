"""A call script: what happens in which order, and what the answers must be.

Knows the script's words; reads no file (see `script_file`) and sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.errors import Mark
from voiceops.runtime.spec import LineSpec, RuntimeSpec
from voiceops.simulate.answer_verdict import Verdict
from voiceops.simulate.sample_arguments import sample

CALLER = "+14155550123"
# Expectations that state the answer: who states one has read it, and knows that it refuses.
OF_THE_ANSWER = ("contains", "equals", "matches")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens."""

    verb: str
    value: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    mark: Mark = field(default_factory=lambda: Mark("", 0, 0))


@dataclass(frozen=True, slots=True)
class Script:
    """One call."""

    name: str
    line: LineSpec | None
    agent: str  # its address; empty: whoever the line leads to
    caller: str
    steps: tuple[Step, ...]


def line_of(spec: RuntimeSpec, agent: str = "") -> LineSpec | None:
    """The line that shows most: one that the runtime answers, or else any. With an agent, only one that leads to it."""
    ordered = sorted(spec.lines, key=lambda line: (line.answer != "runtime", line.target is not None))
    return next((line for line in ordered if not agent or line.target == agent), None)


def default_script(spec: RuntimeSpec) -> Script:
    """A call that uses every tool once, with arguments that its schema allows."""
    steps = [Step("ring"), Step("assistant", "Hello, how can I help you?")]
    for tool in spec.tools:
        if tool.type == "function" and tool.handler:
            steps.append(Step("caller", f"Please use {tool.name}."))
            steps.append(Step("tool", tool.name, {"arguments": sample(tool.parameters)}))
    steps += [Step("assistant", "Is there anything else?"), Step("interruption", 0), Step("caller", "No, thank you.")]
    line = line_of(spec)
    # Without a line nobody would be chosen: the first agent is called, as by a page of the agent's own.
    agent = spec.agents[0].address if line is None and spec.agents else ""
    return Script("every tool once", line, agent, CALLER, (*steps, Step("hangup")))


def unmet(expect: Mapping[str, Any], verdict: Verdict, seconds: float, status: int) -> list[str]:
    """Which expectations an answer does not meet, as sentences. A failure is wrong unless it is expected."""
    found = []
    text, fails = verdict.text, expect.get("fails")
    if status and status != 200 and "status" not in expect:
        found.append(f"answered {status}")
    if not status:
        found.append("was not answered")
    elif not fails:
        found += verdict.failures
        if verdict.refusal and (fails is False or not any(key in expect for key in OF_THE_ANSWER)):
            found.append(verdict.refusal)
    elif not verdict.failed and status == 200:
        found.append("should fail")
    elif isinstance(fails, str) and fails not in text:
        found.append(f"should fail with {fails!r}")
    for key, wanted in expect.items():
        if key == "contains" and str(wanted) not in text:
            found.append(f"should contain {wanted!r}")
        elif key == "equals" and str(wanted) != text:
            found.append(f"should be {wanted!r}")
        elif key == "matches" and not re.search(str(wanted), text):
            found.append(f"should match {wanted!r}")
        elif key == "within" and seconds > float(wanted):
            found.append(f"should come within {wanted} s")
        elif key == "status" and int(wanted) != status:
            found.append(f"should have the status {wanted}")
    return found
