"""A call that there was as manifests: a scenario that is played like it, with the tools' answers, and its simulation.

Pure. The shapes are `CreateScenarioDTO`, `CreateSimulationDTO`, `CreatePersonalityDTO` and `CreateSimulationSuiteDTO`
of Vapi's published schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from voiceops.model.address import kind_of, name_of
from voiceops.model.values import JSON
from voiceops.testing.recording.made_up_values import Replacements
from voiceops.testing.replay.conversation import END_CALL, HANDOFF, TRANSFER, Conversation, Used, plain

PERSONALITY = "recorded-caller"
_LONGEST = 9_000  # characters of instructions; Vapi takes 10,000
_LONGEST_LINE = 2_000  # characters of what a caller says at once
_MOST_TOOLS = 12  # that are named as not used
_GIST = 300  # characters of what an agent told
_BEFORE = (
    "You are on the telephone. This is how the call went: what stands behind `say:` is yours, one line after the",
    "other, each when it is your turn; `hear:` is about what the agent said before it. Where the agent asks for",
    "something else, answer with what stands here. When all is said, hang up.",
)
_BEHAVIOUR = (
    "You are a caller on the telephone, in a test of a voice agent. Follow the instructions of the scenario. Say what "
    "they tell you to say, in your own short sentences, one thing at a time, and wait for the answer. Answer questions "
    "only with what the instructions tell; where they tell nothing, say that you don't know. Hang up when you are done."
)


def scenario(
    name: str,
    conversation: Conversation,
    made_up: Replacements,
    tools: Sequence[str] = (),
    mockable: Callable[[str], bool] = bool,
) -> dict[str, JSON]:
    """What the caller wants, how the call is judged, and what the tools answer. `tools`: what the agent could call;
    `mockable`: may a mock of this name stand in a scenario for it?

    Of a call that is too long its beginning; see `shortened`.
    """
    conversation = shortened(conversation, made_up)
    used = _used(conversation)
    return {
        "kind": "Scenario",
        "name": name,
        "spec": {
            "instructions": _literal(_instructions(conversation, made_up)),
            "evaluations": [_evaluation(conversation, used, tools, made_up)],
            **({"toolMocks": mocks} if (mocks := list(_mocks(used, made_up, mockable))) else {}),
        },
    }


def simulation(name: str) -> dict[str, JSON]:
    """The scenario with the caller that all recorded calls share."""
    return {"kind": "Simulation", "name": name, "spec": {"scenarioId": name, "personalityId": PERSONALITY}}


def personality() -> dict[str, JSON]:
    """Who calls in recorded calls."""
    model: JSON = {"provider": "openai", "model": "gpt-4o", "systemPrompt": _BEHAVIOUR}
    return {"kind": "Personality", "name": PERSONALITY, "spec": {"assistant": {"model": model}}}


def suite(name: str, target: str, simulations: Sequence[str]) -> dict[str, JSON]:
    """All recorded calls of an agent or a squad (its address), to be run against it."""
    kind = "squad" if kind_of(target) == "Squad" else "assistant"
    targets: JSON = [{"targetType": kind, "targetId": name_of(target)}]
    spec: JSON = {"simulationIds": list(simulations), "targetAssignments": targets}
    return {"kind": "SimulationSuite", "name": name, "spec": spec}


def shortened(conversation: Conversation, made_up: Replacements) -> Conversation:
    """As much of the call, from its beginning, as a scenario's instructions can hold."""
    room, kept = _LONGEST - len("\n".join(_BEFORE)), 0
    heard = conversation.opening.said
    for exchange in conversation.exchanges:
        room -= sum(len(line) + 1 for line in _lines(heard, exchange.caller, made_up))
        if room < 0 and kept:
            break
        kept, heard = kept + 1, exchange.answer.said
    return replace(conversation, exchanges=conversation.exchanges[:kept])


def _instructions(conversation: Conversation, made_up: Replacements) -> str:
    """The caller's turns in their order, each behind the agent's words that it answered."""
    lines = [*_BEFORE, ""]
    heard = conversation.opening.said
    for exchange in conversation.exchanges:
        lines += _lines(heard, exchange.caller, made_up)
        heard = exchange.answer.said
    return "\n".join(lines)


def _lines(heard: str, caller: str, made_up: Replacements) -> list[str]:
    said = f"say: {_short(made_up.text(caller), _LONGEST_LINE)}"
    return [f"hear: {_short(made_up.text(heard))}", said] if heard else [said]


def _evaluation(
    conversation: Conversation, used: Sequence[Used], tools: Sequence[str], made_up: Replacements
) -> dict[str, JSON]:
    """One yes-or-no question on what was done, and where nothing was, on what the caller was told."""
    names = list(dict.fromkeys(tool.name for tool in used if _is_called(tool)))
    wanted = [f"the agent used the tool `{name}`" for name in names]
    handed = [tool for tool in used if tool.to or _is(tool, HANDOFF)]
    if not names:
        wanted += [f"the agent did not use the tool `{name}`" for name in tools[:_MOST_TOOLS]]
    if any(_is(tool, TRANSFER) and not tool.to for tool in used):
        wanted.append("the agent handed the caller on to somebody else")
    elif handed and not any(tool.name in names for tool in handed):
        wanted.append("the agent handed the caller on to another agent")
    elif not handed and wanted:
        wanted.append("the agent did not hand the caller on to anybody else")
    gist = "" if names else _gist(conversation, made_up)
    if gist:
        wanted.append(f"the caller was told this, in these or other words: {gist}")
    else:
        wanted.append("the agent told what the tools answered" if names else "the caller got an answer")
    question = f"True if {' and '.join(part for part in (', '.join(wanted[:-1]), wanted[-1]) if part)}"
    question += "" if gist else "; otherwise false."
    return {
        "structuredOutput": {
            "name": "ended as it did",
            "type": "ai",
            "description": "Whether the call went as the one that was recorded.",
            "schema": {"type": "boolean", "description": _literal(question)},
        },
        "comparator": "=",
        "value": True,
    }


def _gist(conversation: Conversation, made_up: Replacements) -> str:
    """What the agent told, short: without quotes, which would be taken word by word."""
    told = " ".join(exchange.answer.said for exchange in conversation.exchanges)
    return _short(re.sub(r'["“”`]', "", made_up.text(told)), _GIST)


def _mocks(used: Iterable[Used], made_up: Replacements, mockable: Callable[[str], bool]) -> Iterator[dict[str, JSON]]:
    """One answer a tool, the first that it gave: Vapi knows no more than one."""
    told: set[str] = set()
    for tool in used:
        if tool.name in told or _is(tool, END_CALL, TRANSFER, HANDOFF) or tool.to or tool.answer is None:
            continue
        if not mockable(tool.name):
            continue
        told.add(tool.name)
        yield {"toolName": _literal(tool.name), "result": _literal(made_up.text(tool.answer))}


def not_mocked(conversation: Conversation, mockable: Callable[[str], bool]) -> list[str]:
    """The tools that were called and are none of the agent's any more."""
    called = [tool for tool in _used(conversation) if _is_called(tool) and not (tool.to or _is(tool, HANDOFF))]
    return sorted({tool.name for tool in called if not mockable(tool.name)})


def several_answers(conversation: Conversation) -> list[str]:
    """The tools that answered more than one thing: of these only the first answer can be written down."""
    answers: dict[str, set[str]] = {}
    for tool in _used(conversation):
        if tool.answer is not None:
            answers.setdefault(tool.name, set()).add(tool.answer)
    return sorted(name for name, said in answers.items() if len(said) > 1)


def _used(conversation: Conversation) -> list[Used]:
    return [*conversation.opening.used, *(tool for e in conversation.exchanges for tool in e.answer.used)]


def _is(tool: Used, *names: str) -> bool:
    return any(plain(tool.name).startswith(plain(name)) for name in names)


def _is_called(tool: Used) -> bool:
    """Is it a tool that an agent calls by this name? A handoff that only the speakers tell of has none."""
    return not (_is(tool, END_CALL, TRANSFER) or (tool.loose and tool.name == HANDOFF))


def _short(text: str, most: int = 120) -> str:
    words = " ".join(text.split())
    return words if len(words) <= most else words[: most - 2].rsplit(" ", 1)[0] + " …"


def _literal(text: str) -> str:
    """A text in which a manifest finds nothing to fill in, and Vapi neither."""
    return text.replace("${", "$${").replace("{{", "{ {").replace("{%", "{ %")
