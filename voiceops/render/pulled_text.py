"""What came of a pull, as text: how much, which files, what they share, what to know, what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from textwrap import wrap

from voiceops.adopt.pulled import Pulled
from voiceops.kinds.registry import KINDS
from voiceops.model.address import kind_of
from voiceops.model.safe_text import one_line
from voiceops.model.wording import many
from voiceops.render.style import PLAIN, Style

_MOST = 20  # lines of a list; JSON has them all
_WIDE = 40
_COLUMNS = 80


def render_pulled(done: Pulled, style: Style = PLAIN) -> list[str]:
    """The whole report."""
    lines = [style(f"{done.project} · {done.environment}", "bold")]
    if done.finished:
        lines.append(f"The pull that was cut off is finished: {many(done.finished, 'object')} of it adopted.")
    if not done.files:
        lines.append("Nothing more is unmanaged." if not done.left_out else "Nothing could be written.")
    elif done.written:
        revision = f" (revision {done.revision})" if done.revision else ""
        said = f"{many(len(done.ids), 'object')} adopted{revision}, in {many(len(done.files), 'file')}."
        lines += [f"{said} Nothing live was changed.", *_objects(done)]
    else:
        said = f"{many(len(done.ids), 'object')}, in {many(len(done.files), 'file')}"
        lines += [f"Nothing was written. A pull would adopt {said}.", *_objects(done)]
    lines += _tree(done)
    width = max((len(one.address) for one in done.shared), default=0)
    lines += _list("Shared:", [f"{one.address:<{width}}  {_users(one.used_by)}" for one in done.shared])
    lines += _list("Only named, as external (their files say why):", done.externals)
    lines += _list("Put into .env:" if done.written else "Would go into .env:", done.shown)
    lines += _list(
        "Secrets that the API does not show, to be set before they are sent:",
        [f"{one.name}  {one.address} {one.path}" for one in done.secrets if one.value is None],
    )
    lines += _list(
        "Left out:", [f"{one.kind} {one_line(one.name) or one.id}: {one_line(one.why)}" for one in done.left_out]
    )
    lines += _list("To know:", map(one_line, done.notes))
    return [*lines, *_next(done)]


def _objects(done: Pulled) -> list[str]:
    counts = Counter(kind_of(address) for address in done.ids)
    said = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind])
    return wrap(said, _COLUMNS, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _tree(done: Pulled) -> list[str]:
    """The folders, each with how many files and the first of them."""
    folders: dict[str, list[str]] = {}
    for file in done.files:
        folder, _, name = file.rpartition("/")
        folders.setdefault(folder, []).append(name)
    if not folders:
        return []
    width = max(len(folder) for folder in folders) + 1
    lines = [""]
    for folder, names in folders.items():
        shown = ""
        for name in names:
            if len(shown) + len(name) > _WIDE:
                break
            shown += f"{name}  "
        rest = len(names) - len(shown.split())
        lines.append(f"  {folder + '/':<{width}}  {shown}{f'and {rest} more' if rest else ''}".rstrip())
    return lines


def _users(addresses: tuple[str, ...]) -> str:
    if len(addresses) > 2:
        return f"used by {addresses[0]} and {len(addresses) - 1} more"
    return f"used by {' and '.join(addresses)}"


def _list(title: str, items: Iterable[str]) -> list[str]:
    found = list(items)
    if not found:
        return []
    lines = ["", title, *(f"  {item}" for item in found[:_MOST])]
    if len(found) > _MOST:
        lines.append(f"  and {len(found) - _MOST} more (--format json lists them)")
    return lines


def _next(done: Pulled) -> list[str]:
    if not done.written:
        return ["", "Next: the same without --dry-run."] if done.files else []
    return ["", "Next: voiceops plan (it is empty), then commit the files."] if done.ids or done.finished else []
