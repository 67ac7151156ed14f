"""The history as text: one line an entry, and one entry in full."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from voiceops.model.address import kind_of
from voiceops.model.plan import Change, FieldChange, Plan
from voiceops.model.safe_text import flowed, indented, one_line
from voiceops.model.values import parse_path
from voiceops.render.fitting import padded
from voiceops.render.style import PLAIN, Style
from voiceops.render.text import render_plan

_KEYS = ("number", "id", "at", "operation", "target", "ref", "message", "origin", "result", "summary")


def history_data(entry: dict[str, Any], in_force: int) -> dict[str, Any]:
    """One entry as JSON, without its manifests and plan; `number` is null for what is no revision."""
    data = {key: entry.get(key) for key in _KEYS}
    if "plan" in entry:
        data["summary"] = entry["plan"]["summary"]
    return data | {"in_force": entry.get("number") == in_force}


def render_history(entries: Iterable[dict[str, Any]], in_force: int, style: Style = PLAIN) -> str:
    """The past applies, a line or more each; the revision in force is marked."""
    found = list(entries)
    cells = padded([(_who(entry), _operation(entry), str(entry["result"])) for entry in found])
    rows = [_row(entry, beside, in_force, style) for entry, beside in zip(found, cells, strict=True)]
    return "\n".join(rows) or "Nothing was applied yet."


def _row(entry: dict[str, Any], beside: tuple[str, ...], in_force: int, style: Style) -> str:
    who, operation, result = beside
    number = entry.get("number")
    mark = "*" if number is not None and number == in_force else " "
    head = f"{mark}{number:>4}" if number is not None else f"{mark}   –"
    what = _counts(entry["plan"]["summary"]) if "plan" in entry else _one_line(entry["summary"])
    colour = {"ok": "green", "failed": "red", "refused": "yellow"}.get(entry["result"], "")
    return (
        f"{style(head, 'bold')}  {entry['at']}  {who}  {operation}  "
        f"{style(result, colour) if colour else result}  {what}"
        + (f"  “{_one_line(entry['message'])}”" if entry.get("message") else "")
        + (f"  [{entry['id']}]" if "id" in entry else "")
    )


def _who(entry: dict[str, Any]) -> str:
    return _one_line(entry.get("origin", {}).get("who", ""))


def _operation(entry: dict[str, Any]) -> str:
    to = entry.get("target") or entry.get("ref")
    return _one_line(f"{entry['operation']} to {to}" if to else str(entry["operation"]))


def _counts(summary: dict[str, int]) -> str:
    return ", ".join(f"{n} {word}" for word, n in summary.items() if n and word != "no_op") or "in the state alone"


def _one_line(text: str) -> str:
    return flowed(text)


def render_entry(entry: dict[str, Any], style: Style = PLAIN, *, verbose: bool = False) -> str:
    """Who, when, why, from where; the plan; what was overwritten; how it ended."""
    name = f"Revision {entry['number']}" if "number" in entry else f"Entry {entry['id']}"
    origin = entry.get("origin", {})
    source = f" (by {origin['source']})" if origin.get("source") not in (None, "", "local") else ""
    rows = [style(f"{name}: {_operation(entry)}, {entry['result']}", "bold")]
    commit = f"{origin.get('commit', '')}{' (dirty: files differed from it)' if origin.get('dirty') else ''}"
    for word, value in (
        ("when", entry["at"]),
        ("who", f"{origin.get('who', '')}{source}"),
        ("why", entry.get("message")),
        ("commit", commit if origin.get("commit") else ""),
        ("signed by", origin.get("planSignedBy")),
        ("pipeline", origin.get("link")),
        ("manifests", entry.get("digest")),
    ):
        if value:
            rows.append(f"  {word:<10} {indented(str(value), 13)}")
    if "summary" in entry:
        rows.append(f"  {'what':<10} {indented(str(entry['summary']), 13)}")
    rows.append("")
    for diagnostic in entry.get("error", {}).get("diagnostics", ()):
        place = f"{diagnostic['file']}:{diagnostic['line']}: " if diagnostic.get("file") else ""
        subject = f"{diagnostic['address']}: " if diagnostic.get("address") else ""
        told = f"{place}{diagnostic['severity']}[{diagnostic['code']}]: {subject}{diagnostic['summary']}"
        rows.append(indented(told))
    rows += _tests(entry.get("tests") or {})
    if "plan" in entry:
        rows += [render_plan(_plan_of(entry["plan"]), style, verbose=verbose).rstrip(), ""]
    rows += _overwritten(entry.get("overwritten") or {}, style)
    rows += [style(indented(f"failed: {key}: {error}"), "red") for key, error in entry.get("failed", {}).items()]
    rows += [f"skipped: {key}, because of {cause}" for key, cause in entry.get("skipped", {}).items()]
    return "\n".join(rows).rstrip() + "\n"


def _tests(kept: dict[str, Any]) -> list[str]:
    """What came of each test, those that did not pass first; of how many attempts, where there were several."""
    rows = []
    for told in sorted(kept.values(), key=lambda one: (one["passed"], one["name"])):
        attempts = told.get("attempts", 0)
        of = f", {told.get('passes', 0)} of {attempts} attempts" if attempts > 1 else ""
        rows.append(f"  {'passed' if told['passed'] else 'failed':<10} {one_line(told['name'])} ({told['kind']}{of})")
    return rows


def _overwritten(found: dict[str, Any], style: Style) -> list[str]:
    """What was live before each write, so that it can be got back."""
    rows = []
    for address, values in found.items():
        rows.append(f"  {style(address, 'cyan')}")
        rows += [
            f"    {one_line(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in (values or {}).items()
        ]
    return [style("Was live before, and was written over:", "bold"), *rows, ""] if rows else []


def _plan_of(data: dict[str, Any]) -> Plan:
    """A kept plan again, as far as it is shown."""
    return Plan(
        project=data["project"],
        environment=data["environment"],
        org=data["org"],
        account=data["account"],
        changes=tuple(_change_of(item) for item in data["resource_changes"]),
        destroy=data.get("destroy", False),
    )


def _change_of(data: dict[str, Any]) -> Change:
    return Change(
        address=data["address"],
        kind=kind_of(data["address"]),
        type=data["type"],
        name=data.get("live_name"),
        id=data["id"],
        actions=tuple(data["change"]["actions"]),
        reason=data["action_reason"],
        file=data.get("file", ""),
        line=data.get("line", 0),
        fields=tuple(
            FieldChange(
                path=parse_path(path["path"]),
                source=path["source"],
                before=path["before"],
                after=path["after"],
                reason=path["reason"],
                file=path["file"],
                line=path["line"],
            )
            for path in data["change"]["paths"]
        ),
        affects=tuple(data.get("affects", ())),
        previous_address=data.get("previous_address"),
        state_only=data.get("state_only", False),
        notes=tuple(data.get("notes", ())),
    )
