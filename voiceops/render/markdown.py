"""A plan as a comment on a pull request, in GitHub's markdown (GitLab reads it, too).

What matters first, every object's diff folded, always below the 65,536 characters that a comment may have.
Values are shown in fences and code spans only, so that nothing in a prompt can become markup, HTML or a mention.
"""

from __future__ import annotations

import json

from voiceops.errors import Diagnostic
from voiceops.model.address import is_twilio_side, kind_of, name_of
from voiceops.model.graph import Graph
from voiceops.model.plan import Plan
from voiceops.model.safe_text import flowed, html, markdown_code, markdown_fence, markdown_prose, visible
from voiceops.model.values import ABSENT, JSON
from voiceops.model.wording import some_of
from voiceops.render.difflines import FULL, SHORT, Level, diff_lines
from voiceops.render.equal_changes import EqualChanges, equal_changes
from voiceops.render.estimate_rows import rent, rows, touched_agents
from voiceops.render.graph_mermaid import mermaid
from voiceops.render.names import unquoted
from voiceops.render.picture import plan_picture
from voiceops.render.review import (
    AWAITS,
    DANGER,
    NOTICE,
    WARNING,
    Flag,
    first,
    flags,
    headline,
    lines,
    readable,
    word_of,
)
from voiceops.render.text import render_diagnostic
from voiceops.render.textdiff import shortened

LIMIT = 64_000  # below the host's 65,536: a pipeline may add a line of its own
_MERMAID_LIMIT = 12_000
_ROWS = 25  # of a table or list
_MARKS = {DANGER: "🔴", WARNING: "🟠", NOTICE: "🔵"}
_ORDER = ("delete", "replace", "unbind", "update", "adopt", "create", "no change")
_FULL_PLAN = "`voiceops plan` or `--format html` shows everything."


def render_markdown(plan: Plan, graph: Graph | None = None) -> str:
    """The comment. With the graph that was planned also a picture of what is touched."""
    picture = _picture(plan, graph) if graph is not None else []
    seen_first = first(plan)
    plan = readable(plan)
    head = [
        f"<!-- voiceops plan {plan.project} {plan.environment} -->",
        f"### {plan.project} · {plan.environment}: {headline(plan)}",
        "",
        *_problems(plan),
        *_flags(flags(plan, seen_first)),
        *_lines(plan),
        *_estimates(plan),
    ]
    tail = [_counts(plan)]
    room = LIMIT - sum(len(line) + 1 for line in (*head, *picture, *tail)) - 300
    changes = sorted(plan.active, key=lambda change: (_ORDER.index(word_of(change)), change.address))
    diffs, cut = _diffs(equal_changes(changes), room)
    return "\n".join([*head, *diffs, *picture, *cut, *tail]) + "\n"


def code(value: str, limit: int = 80, *, table: bool = False) -> str:
    """One line of foreign text as a code span that it can't leave."""
    span = markdown_code(shortened(value, limit))
    return span.replace("|", "\\|") if table else span


def _shown(value: JSON, limit: int = 60) -> str:
    if value is ABSENT or value is None:
        return "*unset*"
    return code(value if isinstance(value, str) else unquoted(json.dumps(value, ensure_ascii=False)), limit)


def _problems(plan: Plan) -> list[str]:
    found = plan.problems
    if not found:
        return []
    says = ["> [!CAUTION]", "> **This plan can't be applied.**", ""] if plan.refused else []
    if plan.awaited and not plan.refused:
        says = ["> [!IMPORTANT]", f"> **{AWAITS}**", ""]
    text = [line for diagnostic in found[:_ROWS] for line in _problem(diagnostic)]
    if len(found) > _ROWS:
        text.append(f"… and {len(found) - _ROWS} more")
    return [*says, *markdown_fence(text, "text"), ""]


def _problem(diagnostic: Diagnostic) -> list[str]:
    return [visible(shortened(line, 400)) for line in render_diagnostic(diagnostic).split("\n")]


def _lines(plan: Plan) -> list[str]:
    found = lines(plan)
    if not found:
        return []
    table = ["**Phone lines that would notice**", "", "| line | number | because of |", "|---|---|---|"]
    for line in found[:_ROWS]:
        because = ["its own settings"] if line.itself else []
        because += [code(address) for address in line.through[:4]]
        because += [f"{len(line.through) - 4} more"] if len(line.through) > 4 else []
        new = " (new)" if line.new else ""
        table.append(f"| {code(line.address)}{new} | {code(line.number, table=True)} | {', '.join(because)} |")
    return [*table, *_more(len(found), "lines"), ""]


def _flags(found: list[Flag]) -> list[str]:
    if not found:
        return []
    rows_ = []
    for flag in found[:_ROWS]:
        bare = flag.after is ABSENT and flag.before is ABSENT
        values = "" if bare else f": {_shown(flag.before)} → {_shown(flag.after)}"
        rows_.append(f"- {_MARKS[flag.level]} {_addresses(flag)} {_prose(flag.text)}{values}")
    return ["**Look twice at**", "", *rows_, *_more(len(found), "points"), ""]


def _addresses(flag: Flag) -> str:
    return some_of([code(address) for address in flag.addresses], 4) + ":" * (len(flag.addresses) > 1)


def _prose(text: str) -> str:
    """Our own sentence, which may hold a path or a name: nothing in it is markup."""
    return markdown_prose(shortened(text, 300))


def _more(count: int, what: str) -> list[str]:
    return ["", f"… and {count - _ROWS} more {what}. {_FULL_PLAN}"] if count > _ROWS else []


def _estimates(plan: Plan) -> list[str]:
    if plan.estimates is None:
        return []
    found = list(rows(plan.estimates, touched_agents(plan)))
    numbers = rent(plan.estimates)
    if not found and not numbers:
        return []
    table = []
    if found:
        table = ["| agent | answers a turn in about | a minute costs about |", "|---|---|---|"]
        table += [f"| {code(address)} | {ms} | {_money(cost)} |" for address, ms, cost, _ in found[:_ROWS]]
        table += _more(len(found), "agents")
    return [*table, *(["", f"About {_money(numbers)}."] if numbers else []), ""]


def _money(text: str) -> str:
    return text.replace("$", "\\$")  # two of them would be mathematics


def _picture(plan: Plan, graph: Graph) -> list[str]:
    for limit in (60, 30, 12):
        picture = plan_picture(plan, graph, limit)
        text = mermaid(picture)
        if len(picture.arrows) <= 200 and len(text) <= _MERMAID_LIMIT:
            break
    else:
        return []
    if not picture.boxes:
        return []
    left_out = [f"{picture.left_out} objects are not drawn.", ""] if picture.left_out else []
    body = ["", *markdown_fence(text.split("\n"), "mermaid"), "", *left_out]
    return ["<details><summary>What is touched, and which lines lead to it</summary>", *body, "</details>", ""]


def _diffs(groups: list[EqualChanges], room: int) -> tuple[list[str], list[str]]:
    """Every change's diff as far as there is room: in full, shortened, or as one line of a list."""
    done: list[str] = []
    listed: list[str] = []
    short = whole = 0
    changes = [change for group in groups for change in (group.change, *group.others)]
    reserve = sum(min(len(change.address), 200) + 30 for change in changes)
    for group in groups:
        change, number = group.change, len(group.addresses)
        reserve -= sum(min(len(address), 200) + 30 for address in group.addresses)
        for attempt in (FULL, SHORT):
            section = _section(group, attempt)
            size = sum(len(line) + 1 for line in section)
            if size <= room - min(reserve, room // 2):
                done += section
                room -= size
                short += number * (attempt is SHORT)
                whole += number * (attempt is FULL)
                break
        else:
            rows_ = [f"- {code(address)} {word_of(change)}" for address in group.addresses]
            if sum(len(row) + 1 for row in rows_) > room:
                break
            room -= sum(len(row) + 1 for row in rows_)
            listed += rows_
    said = []
    hidden = len(changes) - len(listed) - short - whole
    if listed:
        said += [f"**{len(listed)} more, without their diffs**", "", *listed, ""]
    if short or listed or hidden:
        cut = [f"{short} diffs are shortened" * bool(short), f"{len(listed)} are left out" * bool(listed)]
        cut.append(f"{hidden} changes are not listed" * bool(hidden))
        said += [f"Cut to fit into a comment: {', '.join(c for c in cut if c)}. {_FULL_PLAN}", ""]
    return done, said


def _section(group: EqualChanges, level: Level) -> list[str]:
    change = group.change
    if group.others:
        side = " (Twilio)" if is_twilio_side(change.address) else ""
        count = f"<code>{len(group.addresses)} × {html(kind_of(change.address))}</code>{side}"
        summary = f"{count} · {word_of(change)}, the same for each"
        listed = ", ".join(code(address) for address in group.addresses)
        body = [listed, "", *markdown_fence(diff_lines(change, level), "diff")]
        return [f"<details><summary>{summary}</summary>", "", *body, "", "</details>", ""]
    name = ""
    if change.name and not is_twilio_side(change.address):
        name = flowed(shortened(change.name, 60))
    # No mention, link or line break comes out of a name: it stands escaped, in <code>, in one line.
    live = f" <code>{html(name)}</code>" if name and name != name_of(change.address) else ""
    summary = f"<code>{html(change.address)}</code>{live} · {word_of(change)}"
    body = markdown_fence(diff_lines(change, level), "diff")
    return [f"<details><summary>{summary}</summary>", "", *body, "", "</details>", ""]


def _counts(plan: Plan) -> str:
    counts = plan.summary
    unchanged = sum(not change.matters for change in plan.changes)
    words = [f"{counts[key]} to {key}" for key in ("create", "update", "replace", "delete") if counts[key]]
    where = f"Vapi org {code(plan.org_in_words)}" + (f" · Twilio {code(plan.account)}" if plan.account else "")
    return f"<sub>{', '.join([*words, f'{unchanged} unchanged'])} · {where}</sub>"
