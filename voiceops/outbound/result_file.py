"""What came of a batch as a CSV file that can be given in again: its people as given, with columns of ours. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from voiceops.model.instants import to_second
from voiceops.outbound.call_result import CallResult
from voiceops.outbound.people_file import OURS, RESULT_COLUMNS


def result_csv(results: Iterable[CallResult], columns: Sequence[str], batch: str) -> str:
    """One row a person, in the file's order. A cell that a spreadsheet would run gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["number", "name", *columns, *(OURS + column for column in RESULT_COLUMNS)])
    for one in results:
        person = one.plan.person
        ours = {
            "batch": batch,
            "result": one.result,
            "call": one.call,
            "at": _date(one.at),
            "reason": one.ended or one.reason,
        }
        cells = [
            person.number or person.given,
            person.name,
            *(person.variables.get(column, "") for column in columns),
            *(ours[column] for column in RESULT_COLUMNS),
        ]
        writer.writerow([f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for cell in cells])
    return out.getvalue()


def is_result(head: bytes) -> bool:
    """Is this how a result file begins?"""
    return (OURS + RESULT_COLUMNS[0]).encode() in head.split(b"\n", 1)[0]


def _date(at: float | None) -> str:
    return "" if at is None else to_second(at)
