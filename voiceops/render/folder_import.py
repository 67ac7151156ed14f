"""What came of taking over a folder, as text: what is managed now, what was left out and why, what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from voiceops.migrate.folder_imported import Arrived, FolderImported
from voiceops.model.safe_text import one_line
from voiceops.model.wording import many
from voiceops.render.grouped import render_diagnostics
from voiceops.render.style import PLAIN, Style

_MOST = 12  # lines of a list; JSON has them all
_MOST_NAMES = 100


def render_folder_import(done: FolderImported, style: Style = PLAIN, here: Path | None = None) -> list[str]:
    """The whole report. `here`: from where paths are shown."""
    place = _shown(done.folder, here)
    said = "A project is ready in" if done.written else "Nothing was written. There would be a project in"
    lines = [f"{said} {place}: {many(done.objects, 'object')}, {many(len(done.files), 'file')}."]
    for one in done.environments:
        lines += ["", *_environment(one, style)]
    read = done.migration
    width = max((len(one.kind) for one in read.renamed), default=0)
    old = min(max((len(one.old) for one in read.renamed), default=0), 40)
    lines += _list(
        f"{many(len(read.renamed), 'name')} became another; the live names stay:",
        [f"{one.kind:<{width}}  {one_line(one.old):<{old}}  {one.name}" for one in read.renamed],
        most=_MOST_NAMES,
    )
    lines += _list("Left out:", [f"{one_line(one.file)}: {one_line(one.why)}" for one in read.skipped])
    lines += _list(
        "Equal live names (never matched by name):",
        [f"{one_line(name)}: {', '.join(found)}" for name, found in read.equal_names.items()],
    )
    lines += _list("Put into .env, which git ignores:", done.secrets)
    lines += _list("Secrets that nobody shows, to be set before they are sent:", done.unseen)
    lines += _list("To know:", map(one_line, done.notes))
    if diagnostics := (*read.notes, *done.warnings):
        lines += ["", *render_diagnostics(diagnostics, style)]
    return [*lines, "", *_next(done, place)]


def _environment(one: Arrived, style: Style) -> list[str]:
    if one.plan is None:
        found = f"{many(len(one.ids), 'id')} known, none adopted yet: {one.waits}."
    else:
        found = f"{many(len(one.adopted), 'object')} adopted, nothing live was changed; "
        differs = len(one.differing)
        found += "live is what the folder says." if not differs else f"{differs} of them differ from live."
    lines = [f"{style(one.account.name, 'bold')}  {found}"]
    lines += _list("Live otherwise (voiceops plan shows how):", one.differing, top=False)
    lines += _list(
        "In the state file, and not live any more:", [f"{a}  {id_}" for a, id_ in one.missing.items()], top=False
    )
    lines += _list("Files that no live object is known for: apply creates them:", one.creates, top=False)
    lines += _list(
        "Objects of the state file that are left alone:",
        [f"{f.kind}  {one_line(f.id)}  {f.uuid}  {one_line(f.why)}" for f in one.account.fileless],
        top=False,
    )
    lines += _list(
        "Phone numbers of the env file (voiceops pull --kind Phone takes them over):",
        [f"{one_line(name)}  {id_}" for name, id_ in one.account.connection.phones.items()],
        top=False,
    )
    return lines


def _list(title: str, items: Iterable[str], *, top: bool = True, most: int = _MOST) -> list[str]:
    found = list(items)
    if not found:
        return []
    indent = "  " if top else "    "
    lines = ["", title] if top else [f"  {title}"]
    lines += [indent + item for item in found[:most]]
    if len(found) > most:
        lines.append(f"{indent}and {len(found) - most} more (--format json lists them)")
    return lines


def _next(done: FolderImported, place: str) -> list[str]:
    if not done.written:
        return ["Next: the same without --dry-run."]
    waiting = [one for one in done.environments if one.plan is None]
    if not waiting:
        return [f"Next: cd {place} && voiceops plan"]
    lines = [f"Next: cd {place}, set the keys in .env, then:"]
    for one in waiting:
        step = f"import --from {one.ids_file}" if one.ids_file else "plan"
        lines.append(f"  voiceops -e {one.account.name} {step}")
    return lines


def _shown(path: Path, here: Path | None) -> str:
    if here is not None and path.is_relative_to(here):
        return one_line(f"{path.relative_to(here)}/")
    return one_line(str(path))
