"""Text as the stand-in for a model reads it: sentences, words that mean something, and what stands in quotes."""

from __future__ import annotations

import re

# Words that tell nothing of what a sentence is about, and those that every description of a call has.
_EMPTY_WORDS = """
    a an the and or but if so as at by for from in into of on onto to with without about over under up down out off
    i me my mine you your yours he him his she her hers it its we us our ours they them their this that these those
    who whom whose which what when where why how is are was were be been being am do does did done have has had having
    can could will would shall should may might must not no nor never only just than then there here also too very
    please thank thanks hello hi hey ok okay yes yeah well let like want need know tell told say says said ask asks
    asked give get got make made go goes any some all each every one ones
    call calls caller called calling agent assistant user customer tool function return returns whether true false pass
    fail something anything nothing everything somebody anybody nobody someone
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_END = re.compile(r"(?<=[.!?])\s+|(?<=[.!?][\"'”’)])\s+")
_MARK = re.compile(r"^\s*(?:[-*+>•]|\d+[.)])\s+")
_QUOTED = re.compile(r"\"([^\"\n]+)\"|“([^”\n]+)”|`([^`\n]+)`")
_NEGATION = re.compile(r"\b(?:not|never|no|without|don['’]t|doesn['’]t|didn['’]t|cannot|can['’]t|won['’]t)\b", re.I)


def stem(word: str) -> str:
    """A word without its commonest endings, so that `opening` is `open` and `orders` is `order`."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    for ending in ("ings", "ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def words(text: str) -> frozenset[str]:
    """The stems of the words that tell what a text is about; names like `lookupOrder` are taken apart."""
    found = (match.group() for match in _WORD.finditer(_CAMEL.sub(" ", text.replace("_", " "))))
    return frozenset(stem(word) for word in found if word.lower() not in _EMPTY and (len(word) > 1 or word.isdigit()))


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, without list marks; headings are none."""
    parts = (part.strip() for line in _unwrapped(text) if not line.startswith("#") for part in _END.split(line))
    return tuple(part for part in parts if len(part) > 1)


def _unwrapped(text: str) -> list[str]:
    """The lines of a text without their marks; one that breaks off before its sentence ends goes on in the next."""
    found: list[str] = []
    open_ended = False
    for line in text.splitlines():
        bare = _MARK.sub("", line).strip()
        goes_on = open_ended and bare == line.strip() and not bare.startswith("#")
        found[-1:] = [f"{found[-1]} {bare}".strip()] if goes_on else [*found[-1:], bare]
        open_ended = bool(bare) and bare[-1] not in ".!?:;" and not bare.startswith("#")
    return found


def quoted(text: str) -> tuple[tuple[str, bool], ...]:
    """What stands in quotes, and whether it is wanted: after a `not` or a `never` it is unwanted."""
    found = []
    before = 0
    for match in _QUOTED.finditer(text):
        inner = next(group for group in match.groups() if group is not None).strip()
        lead = sentences(text[before : match.start()] + ".")
        before = match.end()
        if inner and inner.lower() not in ("true", "false", "pass", "fail"):
            found.append((inner, not (lead and _NEGATION.search(lead[-1]))))
    return tuple(found)


def flat(text: str) -> str:
    """A text for comparing: small letters, single spaces, one kind of quote."""
    return " ".join(text.lower().replace("’", "'").split())
