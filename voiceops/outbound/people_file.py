"""The people to call, from a CSV file: one row a person, each mistake at its line. Pure: bytes in, rows out.

Columns `number` and `name`; every other one is a variable of the agent. A file that a batch wrote as its result has
columns of ours beside them, and is one that can be given in again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.outbound.phone_facts import as_e164

_OWN = ("number", "name")
OURS = "voiceops."  # the columns of a result file begin so
RESULT_COLUMNS = ("batch", "result", "call", "at", "reason")
DOUBLE = "the same number as in"  # how the problem of a row begins that repeats another
MAX_BYTES = 64_000_000
MAX_ROWS = 100_000
NAME = 40  # characters that Vapi takes of a customer's name
_CELL = 10_000
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}\Z")
_RESERVED = {"customer"}  # Vapi fills it itself
_LEFT_BY_A_FORMULA = ("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#ERROR!")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One row. `problem`: why it can't be called as it is written; `was`: how it ended, by a result file."""

    place: Mark
    given: str  # the number as it is written
    number: str = ""  # +14155550123; empty where it is none
    name: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    was: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """All rows in their order. `columns`: the names of the variables; `batch`: whose result the file is, if of one."""

    rows: tuple[Person, ...]
    columns: tuple[str, ...]
    batch: str = ""


def read_people(content: bytes, file: str) -> People:
    """The rows of a file. What is wrong with one row stands in it; Raises InvalidProject: the file can't be used."""
    lines = _text(content, file).splitlines(keepends=True)
    skipped = 1 if lines and lines[0].strip().lower() in ("sep=;", "sep=,", "sep=\t") else 0
    head = next((n for n, line in enumerate(lines) if n >= skipped and line.strip()), None)
    if head is None:
        raise _unusable("the file is empty", file, 1, "It needs a line with `number,name` and rows.")
    reader = csv.reader(io.StringIO("".join(lines[head:]), newline=""), delimiter=_delimiter(lines[head]), strict=True)
    rows = _read(reader, file, head)
    at, header = next(rows)
    columns = _columns(header, file, at)
    people = tuple(_without_doubles(_person(columns, cells, Mark(file, line, 1)) for line, cells in rows))
    if not people:
        raise _unusable("there is nobody in the file", file, at, "Each row after the first is a person.")
    batches = sorted({person.was["batch"] for person in people if person.was.get("batch")})
    if len(batches) > 1:
        raise _unusable(
            f"the rows are of several batches: {', '.join(batches[:5])}",
            file,
            at,
            "Give each batch's result in by itself.",
        )
    names = tuple(column for column in columns if column and not column.startswith(OURS) and column not in _OWN)
    return People(rows=people, columns=names, batch="".join(batches))


def _text(content: bytes, file: str) -> str:
    if len(content) > MAX_BYTES:
        raise _unusable(f"the file is larger than {MAX_BYTES // 1_000_000} MB", file, 1, "Give it in parts.")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content[:4]:
        raise _unusable("the file is written in UTF-16", file, 1, "Save it as CSV UTF-8 in the spreadsheet.")
    if content[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise _unusable("the file is a workbook, not CSV", file, 1, "Save it as CSV UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _unusable(
            "the line holds a character that is not UTF-8",
            file,
            line,
            "Save it as CSV UTF-8 in the spreadsheet.",
        ) from None


def _delimiter(header: str) -> str:
    """What stands between the columns, by the first line: spreadsheets write semicolons in half of the world."""
    counts = {sign: header.count(sign) for sign in (",", ";", "\t")}
    return max(counts, key=lambda sign: counts[sign])


def _read(reader: Any, file: str, before: int) -> Iterator[tuple[int, list[str]]]:
    """Each row that holds something, with the line that it begins in."""
    line, count = before + 1, 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _unusable(f"no CSV: {error}", file, line, "Is a quotation mark left open?") from None
        if any(cell.strip() for cell in cells):
            count += 1
            if count > MAX_ROWS + 1:
                raise _unusable(f"more than {MAX_ROWS:,} rows", file, line, "Give it in parts.")
            yield line, cells
        line = before + 1 + reader.line_num


def _columns(header: Sequence[str], file: str, line: int) -> list[str]:
    """The names of the columns as they count; raises InvalidProject for those that can't."""
    found: list[str] = []
    wrong: list[Diagnostic] = []
    for n, cell in enumerate(header, start=1):
        name = cell.strip()
        lowered = name.lower()
        name = lowered if lowered in _OWN or lowered.startswith(OURS) else name
        problem = ""
        if name in found and name:
            problem = f"there are two columns {name!r}"
        elif name in _RESERVED:
            problem = f"a column can't be named {name!r}: Vapi fills it itself"
        elif name and not name.startswith(OURS) and not _VARIABLE.match(name):
            problem = f"{name!r} is no variable's name: letters, digits, _ and -"
        if problem:
            wrong.append(Diagnostic(code="people-column", summary=problem, mark=Mark(file, line, n)))
        found.append(name)
    if "number" not in found:
        listed = ", ".join(name for name in found if name)[:200] or "none"
        wrong.append(
            Diagnostic(
                code="people-column",
                summary=f"there is no column `number`; there is {listed}",
                mark=Mark(file, line, 1),
                hint="Name the column with the phone numbers `number`.",
            )
        )
    if wrong:
        raise InvalidProject(wrong)
    return found


def _person(columns: Sequence[str], cells: Sequence[str], place: Mark) -> Person:
    values: dict[str, str] = {}
    problem = ""
    extra = [cell for n, cell in enumerate(cells) if cell.strip() and (n >= len(columns) or not columns[n])]
    if extra:
        problem = "has a value in a column that has no name"
    for column, cell in zip(columns, cells, strict=False):
        value = cell.strip()
        if value[:1] == "'" and value[1:2] in ("=", "+", "-", "@"):  # as spreadsheets, and we, guard such a cell
            value = value[1:]
        elif value[:1] == "=":
            problem = problem or f"{column or 'a cell'} holds a spreadsheet's formula: save its values"
        if value.upper() in _LEFT_BY_A_FORMULA:
            problem = problem or f"{column or 'a cell'} holds {value}, which a formula left"
        if len(value) > _CELL:
            problem = problem or f"{column} is longer than {_CELL:,} characters"
        if column and value:
            values[column] = value
    given = values.pop("number", "")
    number, wrong = as_e164(given)
    name = values.pop("name", "")
    if not given:
        wrong = "has no number"
    if len(name) > NAME:
        wrong = wrong or f"the name is longer than the {NAME} characters that Vapi takes"
    was = {key.removeprefix(OURS): values.pop(key) for key in list(values) if key.startswith(OURS)}
    return Person(
        place=place, given=given, number=number, name=name, variables=values, problem=wrong or problem, was=was
    )


def _without_doubles(people: Iterator[Person]) -> Iterator[Person]:
    """Who stands there twice is called once: the later row says which one it repeats."""
    seen: dict[str, int] = {}
    for person in people:
        if person.number and not person.problem:
            first = seen.setdefault(person.number, person.place.line)
            if first != person.place.line:
                yield replace(person, problem=f"{DOUBLE} line {first}")
                continue
        yield person


def _unusable(summary: str, file: str, line: int, hint: str) -> InvalidProject:
    return InvalidProject([Diagnostic(code="people-file", summary=summary, mark=Mark(file, line, 1), hint=hint)])
