"""System prompts: habits of written text that hurt on the phone, pasted blocks, tools that aren't there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from voiceops.lints.context import Assistant, Attached, Context, tool_names
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding, Spot, walk

_LONG_ENOUGH = 200  # characters from which a prompt should say how to speak
_SHARE = 0.15  # of a text's words that are common ones of its language
_PARAGRAPH = 80
# camelCase or snake_case: a word with a dash may be an ordinary one, such as sign-up.
_IDENTIFIER = re.compile(r"(?<![\w{.$/-])[A-Za-z][a-z0-9]*(?:(?:_[A-Za-z0-9]+)+|(?:[A-Z][a-z0-9]*)+)(?![\w}/-])")
_BUILT_IN = {"endCall": "endCallFunctionEnabled", "transferCall": "forwardingPhoneNumber"}
_ALMOST = 0.9

# Common words by which a text shows that it is in one of these languages; a prompt in another is not judged.
_COMMON = tuple(
    frozenset(words.split())
    for words in (
        "the you and to of is are for with your if when not that this",  # en
        "der die das und du sie ist nicht mit wenn für ein eine den dem",  # de
        "le la les et vous de des est pas avec pour une si que dans",  # fr
        "el la los las y de que con para una si no en del por",  # es
        "il la gli e di che con per una se non del sono in le",  # it
        "o a os as e de que com para uma se não em do por",  # pt
        "de het een en je van is niet met voor als dat op u te",  # nl
    )
)
_BRIEF = re.compile(
    r"short|brief|concise|succinct|terse|to the point|few words|sentence|\d+ words|one thing|one question"
    r"|kurz|knapp|bündig|prägnant|\bsatz|sätze|wenig"
    r"|court|bref|brève|brièv|concis|phrase|cort[oa]s?\b|breve|frase|oraci|brev|frasi|curt[oa]"
    r"|\bkort|bondig|\bzin",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:use|using|with|in|as|format\w*|provide|give|write|add|include)\b[^.!?\n]{0,40}?"
    r"\b(?P<what>markdown|bullet(?:ed)? ?(?:points?|lists?)|bullets|numbered lists?|emojis?)\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:no|not|never|avoid|without|don'?t|don’t|instead|rather|nor|free of|neither|strip)\b", re.IGNORECASE
)


def _prompts(context: Context, *, on_a_line: bool) -> Iterator[tuple[Assistant, Spot, str]]:
    for assistant in context.assistants:
        if not on_a_line or context.on_a_line(assistant.spot):
            for spot, text in assistant.system_prompts:
                yield assistant, spot, text


@lint("VO204", "prompt-unbounded", "A phone agent's prompt does not say how long to speak")
def prompt_unbounded(context: Context) -> Iterator[Finding]:
    for _, spot, text in _prompts(context, on_a_line=True):
        if len(text) >= _LONG_ENOUGH and not _BRIEF.search(text) and _known_language(text):
            yield context.text_finding(
                spot,
                0,
                "the prompt does not ask for short answers, and models write long ones",
                "Say how to speak: short sentences, one question at a time, then wait.",
            )


def _known_language(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text.lower())
    return max(sum(word in common for word in words) for common in _COMMON) > _SHARE * len(words)


@lint("VO205", "prompt-asks-for-markup", "A phone agent's prompt asks for markdown, bullets or emojis")
def prompt_asks_for_markup(context: Context) -> Iterator[Finding]:
    for _, spot, text in _prompts(context, on_a_line=True):
        for match in _ASKS.finditer(text):
            start = max(text.rfind(mark, 0, match.start()) for mark in ".!?\n:") + 1
            end = min((at for mark in ".!?\n" if (at := text.find(mark, match.end())) >= 0), default=len(text))
            if not _NOT.search(text, start, end):
                yield context.text_finding(
                    spot,
                    match.start("what"),
                    f"the prompt asks for {match['what'].lower()}, which a voice reads out as signs",
                    "Ask for spoken language: whole sentences, no markup.",
                )
                break


@lint("VO206", "prompt-repeated", "A heading or a paragraph stands twice in a prompt")
def prompt_repeated(context: Context) -> Iterator[Finding]:
    keys: dict[str, str] = {}  # of lines that many prompts share
    for _, spot, text in _prompts(context, on_a_line=False):
        seen: dict[str, int] = {}
        if not _repeats(text, keys):
            continue
        for offset, block in _blocks(text):
            key = _key(block)
            if key in seen:
                shown = " ".join(block.split())[:50]
                row = text.count("\n", 0, seen[key]) + 1
                yield context.text_finding(
                    spot,
                    offset,
                    f"{shown!r} stands in the prompt already, in its line {row}",
                    "Keep one: a block that was pasted twice is soon changed in one place only.",
                )
                break
            seen[key] = offset


def _repeats(text: str, keys: dict[str, str]) -> bool:
    """Whether a line that might count stands twice, code or not: a quick look before the close one."""
    seen: set[str] = set()
    for line in text.split("\n"):
        key = keys.get(line)
        if key is None:
            counts = line.startswith("# ") or len(line) >= _PARAGRAPH
            key = keys[line] = _key(line) if counts else ""
        if key in seen:
            return True
        if key:
            seen.add(key)
    return False


def _key(block: str) -> str:
    return " ".join(block.split()).lower()


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Main headings and long paragraphs with their places; code is left out."""
    fenced = False
    offset = 0
    for block in re.split(r"(\n[ \t]*\n|\n)", text):
        if block.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and (re.match(r"# \S", block) or len(block.strip()) >= _PARAGRAPH):
            yield offset, block
        offset += len(block)


@lint("VO207", "prompt-tool-missing", "A prompt names a tool that the agent doesn't have")
def prompt_tool_missing(context: Context) -> Iterator[Finding]:
    everywhere = {name for tool in context.all_tools if (name := tool_names(tool))}
    added = _added_by_squads(context)
    telling: dict[str, bool] = {}  # whether a line holds an identifier, of lines that many prompts share
    fields: dict[int, frozenset[str]] = {}  # of tools by the identity of their bodies, which outlive this
    for assistant, spot, text in _prompts(context, on_a_line=False):
        if not any(_tells(line, telling) for line in text.split("\n")):
            continue
        if assistant.override or not _all_known(context, assistant):
            continue
        attached = [*context.tools(assistant), *added.get(assistant.spot.resource.address, ())]
        tools = [one.tool for one in attached]
        names = {name for tool in tools if (name := tool_names(tool))}
        known = names | {str(tool.get("type")) for tool in tools}
        for tool in tools:
            if id(tool.value) not in fields:
                fields[id(tool.value)] = frozenset(str(inner.path[-1]) for inner in walk(tool) if inner.path)
        told: set[str] = set()
        for match in _IDENTIFIER.finditer(text):
            word = match.group()
            if word in known or word in told or any(word in fields[id(tool.value)] for tool in tools):
                continue
            summary, hint = _judged(word, names, everywhere, assistant)
            if summary:
                told.add(word)
                yield context.text_finding(spot, match.start(), summary, hint)


def _tells(line: str, telling: dict[str, bool]) -> bool:
    found = telling.get(line)
    if found is None:
        found = telling[line] = _IDENTIFIER.search(line) is not None
    return found


def _judged(word: str, names: set[str], everywhere: set[str], assistant: Assistant) -> tuple[str, str]:
    if word in _BUILT_IN:
        if assistant.spot.get(_BUILT_IN[word]):
            return "", ""
        return f"the prompt names {word}, but the agent has no such tool", f"Add {{type: {word}}} to model.tools."
    if word in everywhere:
        return f"the prompt names {word}, but the agent doesn't have this tool", "Add it to model.tools."
    squeezed = re.sub(r"[-_]", "", word).lower()
    for name in sorted(names):
        other = re.sub(r"[-_]", "", name).lower()
        if squeezed == other or difflib.SequenceMatcher(None, squeezed, other).ratio() > _ALMOST:
            return f"the prompt says {word}, but the tool is called {name}", f"Write {name}."
    return "", ""


def _all_known(context: Context, assistant: Assistant) -> bool:
    """Whether the manifests say every tool's name: ids, versions and MCP servers bring tools of unknown names."""
    spot = assistant.spot
    attached = context.tools(assistant)
    return (
        not spot.get("model", "toolRefs")
        and len(spot.items("model", "toolIds")) == sum(a.place.path[-2] == "toolIds" for a in attached)
        and not any(a.tool.get("type") == "mcp" for a in attached)
    )


def _added_by_squads(context: Context) -> dict[str, list[Attached]]:
    """The tools that squads add to their members, by the agents' addresses."""
    found: dict[str, list[Attached]] = {}
    for body in context.bodies:
        for member in body.items("members") if body.resource.kind == "Squad" else ():
            agent = context.agent(member.get("assistantId"))
            if agent is not None:
                for layer in (member.at("assistantOverrides"), body.at("membersOverrides")):
                    tools = context.tools(Assistant(layer, override=True))
                    found.setdefault(agent.spot.resource.address, []).extend(tools)
    return found
