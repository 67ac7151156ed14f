"""The list of numbers that are never called: one a line, `#` begins a comment. Pure: bytes in, numbers out."""

from __future__ import annotations

from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.outbound.phone_facts import as_e164

MAX_BYTES = 256_000_000
_SHOWN = 20


def read_do_not_call(content: bytes, file: str) -> frozenset[str]:
    """The numbers, as +14155550123. Raises InvalidProject: a line is none; a list that is half read would let through
    whom it should keep."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        at = content[: error.start].count(b"\n") + 1
        raise InvalidProject([_wrong(file, at, "the line is not UTF-8")]) from None
    found: set[str] = set()
    wrong: list[Diagnostic] = []
    for n, line in enumerate(lines, start=1):
        text = line.split("#", 1)[0].strip().strip(",;\"'")
        if not text or (n == 1 and text.lower() == "number"):
            continue
        number, problem = as_e164(text)
        if problem:
            wrong.append(_wrong(file, n, problem))
            if len(wrong) >= _SHOWN:
                break
        found.add(number)
    if wrong:
        raise InvalidProject(wrong)
    return frozenset(found)


def _wrong(file: str, line: int, summary: str) -> Diagnostic:
    return Diagnostic(
        code="do-not-call",
        summary=f"do-not-call list: {summary}",
        mark=Mark(file, line, 1),
        hint="One number a line, as +14155550123. Nobody is called until the whole list can be read.",
    )
