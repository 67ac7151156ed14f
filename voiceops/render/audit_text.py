"""What an audit found, as text for a terminal and as markdown for an issue or a pull request. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voiceops.audit.finding import CODES, AuditFinding
from voiceops.model.safe_text import flowed, markdown_code, markdown_prose, one_line
from voiceops.model.wording import cut, many
from voiceops.render.fitting import WIDTH, wrapped
from voiceops.render.style import PLAIN, Style
from voiceops.render.textdiff import shortened

_MARKDOWN_ROWS = 200  # a comment has a limit; JSON has them all

_TITLES = {
    "unanswered": "Numbers that nobody answers",
    "dangling": "References to nothing",
    "external-missing": "External objects that are not there",
    "external-ambiguous": "External objects that could be several",
    "retiring": "Models that Vapi retires",
    "traffic-split": "Split traffic",
    "double": "Equal live names",
    "unmanaged": "Not managed",
    "unused": "Nothing refers to them",
}


def render_audit(head: str, findings: Sequence[AuditFinding], notes: Iterable[str] = (), style: Style = PLAIN) -> str:
    """Findings by what is wrong, then what is good to know, then what could not be looked at."""
    wrong = [finding for finding in findings if finding.grade == "finding"]
    known = [finding for finding in findings if finding.grade == "note"]
    rows = [style(f"{one_line(head)}: {_count(wrong, known)}", "bold")]
    for code in CODES:
        group = [finding for finding in wrong if finding.code == code]
        if group:
            rows += ["", style(f"{_TITLES[code]} ({len(group)})", "bold"), *_group(group, style)]
    if known:
        rows += ["", style(f"Good to know ({len(known)})", "bold"), *_group(known, style)]
    rows += [line for note in notes for line in ("", *wrapped(f"not looked at: {one_line(note)}", "  "))]
    return "\n".join(rows)


def _count(wrong: Sequence[AuditFinding], known: Sequence[AuditFinding]) -> str:
    if not wrong:
        return "nothing is wrong" + (f", {many(len(known), 'note')}" if known else "")
    return many(len(wrong), "finding") + (f", {many(len(known), 'note')}" if known else "")


def _group(group: Sequence[AuditFinding], style: Style) -> list[str]:
    """An entry a finding. What is the same of several, but for an id, is said once, below them."""
    alike: dict[tuple[str, str], list[AuditFinding]] = {}
    for finding in group:
        alike.setdefault((_in_general(finding.what, finding), _in_general(finding.next, finding)), []).append(finding)
    rows: list[str] = []
    for (what, next_), same in alike.items():
        for finding in same:
            rows.append(f"  {_subject(finding, style)}")
            if finding.mark is not None:
                rows.append(f"    at {one_line(finding.mark.file)}:{finding.mark.line}")
        if same[0].code == "unmanaged" and len(same) > 1:
            what, next_ = "", f"{next_}, or `voiceops pull` for all of them"
        elif len(same) == 1:
            what, next_ = same[0].what, same[0].next
        rows += wrapped(one_line(what), "    ") if what else []
        rows += wrapped(f"→ {one_line(next_)}", "    ", "      ") if next_ else []
    return rows


def _in_general(text: str, finding: AuditFinding) -> str:
    return text.replace(finding.id, "ID") if finding.id else text


def _subject(finding: AuditFinding, style: Style) -> str:
    """Which object: its manifest where it has one, else kind, name and id."""
    if finding.address:
        name = cut(one_line(finding.name), 40)
        where = f" of {finding.environment}" if finding.environment else ""
        same = finding.name in ("", finding.address.partition("/")[2])
        return style(one_line(finding.address), "bold") + one_line(where) + ("" if same else f" · {name}")
    room = max(12, WIDTH - len(f"  {finding.kind} ·  · {finding.id}"))
    name = cut(one_line(finding.name), room)
    return " · ".join(part for part in (style(finding.kind, "bold"), name, one_line(finding.id)) if part)


def render_audit_markdown(head: str, findings: Sequence[AuditFinding], notes: Iterable[str] = ()) -> str:
    """The same as tables. Live names stand in code spans that they can't leave."""
    wrong = [finding for finding in findings if finding.grade == "finding"]
    known = [finding for finding in findings if finding.grade == "note"]
    rows = [f"### Audit of {markdown_prose(head)}: {_count(wrong, known)}", ""]
    room = _MARKDOWN_ROWS
    for title, group in [
        *((_TITLES[code], [f for f in wrong if f.code == code]) for code in CODES),
        ("Good to know", known),
    ]:
        if not group:
            continue
        rows += [f"**{title}** ({len(group)})", "", "| object | what | next |", "|---|---|---|"]
        rows += [_row(finding) for finding in group[:room]]
        if len(group) > room:
            rows += ["", f"… and {len(group) - room} more: `voiceops audit` lists them."]
        room = max(0, room - len(group))
        rows.append("")
    rows += [f"- not looked at: {markdown_prose(note)}" for note in notes]
    return "\n".join(rows).rstrip() + "\n"


def _row(finding: AuditFinding) -> str:
    named = [finding.address or finding.kind, shortened(flowed(finding.name), 60)]
    if not finding.address:
        named.append(finding.id)
    else:
        named[1:] = [] if finding.name == finding.address.partition("/")[2] else named[1:]
    where = f" of {_cell(finding.environment)}" if finding.environment else ""
    subject = f"{_code(named[0])}{where}" + "".join(f" · {_code(part)}" for part in named[1:] if part)
    at = f" ({_code(finding.mark.place)})" if finding.mark is not None else ""
    return f"| {subject}{at} | {_cell(finding.what)} | {_next(finding.next)} |"


def _code(text: str) -> str:
    return markdown_code(shortened(text, 120)).replace("|", "\\|")


def _cell(text: str) -> str:
    return markdown_prose(shortened(text, 400))


def _next(text: str) -> str:
    """Commands stay code; all around them is prose."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _cell(text)
    shown = (_code(part) if index % 2 else _cell(part) for index, part in enumerate(parts) if part)
    return " ".join(shown).replace("` ,", "`,").replace("` .", "`.")
