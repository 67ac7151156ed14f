"""Take over what another tool's folder describes: a project of its own beside it, with the live ids that it knows.

The folder is data: nothing in it is run, and nothing is written into it. The new folder is there as a whole, or not.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from voiceops.adopt.env_lines import env_text
from voiceops.apply.adopting import adopt_all
from voiceops.apply.revisions import Request
from voiceops.errors import Diagnostic, InvalidProject, VoiceopsError
from voiceops.kinds.registry import KINDS
from voiceops.migrate.folder_imported import Arrived, FolderImported
from voiceops.migrate.gitops import read_gitops
from voiceops.migrate.migration import Migration, MovedAccount
from voiceops.migrate.new_project import NewProject, new_project
from voiceops.migrate.outsiders import unknown_names, with_outsiders
from voiceops.migrate.payloads import read_payloads
from voiceops.scaffold.editor_schemas import write_schemas
from voiceops.use.blamed_manifests import as_comments, blamed
from voiceops.use.load_project import Loaded, check_lints, load
from voiceops.use.open_job import open_job
from voiceops.use.origin import origin
from voiceops.use.process_context import ProcessContext
from voiceops.use.scope_and_terms import Scope, options_of

# Of the process's own variables: they would lead the new project to the state of another one.
_OF_OTHERS = ("VOICEOPS_STATE", "VOICEOPS_ENV")


async def import_folder(
    form: Literal["gitops", "json"],
    folder: Path,
    out: Path | None = None,
    context: ProcessContext | None = None,
    *,
    org: str | None = None,
    skip_dangling: bool = False,
    offline: bool = False,
    dry_run: bool = False,
) -> FolderImported:
    """Write a project for everything that the folder describes, and adopt what is live of it; nothing live is changed.

    `out`: None takes FOLDER-voiceops beside it. `org` chooses one of a checkout's organizations. `offline` asks no
    account: then a file of ids is written for `import --from`. `dry_run` leaves nothing behind. Raises InvalidProject:
    the folder can't be read; VoiceopsError: something is in the way; Refused, ProviderError.
    """
    folder, target = _places(folder, out)
    read = read_payloads(folder) if form == "json" else read_gitops(folder, org, skip_dangling=skip_dangling)
    context = context or ProcessContext()
    own = {name: value for name, value in context.environ.items() if name not in _OF_OTHERS}
    context = replace(context, environ=own)
    project = new_project(_project_name(folder), read)
    if (names := unknown_names(read)) and not offline:
        read = with_outsiders(read, await _agents_called(names, target, read, project, context))
        project = new_project(_project_name(folder), read)
    environments, warnings, kept = [], list[Diagnostic](), False
    while True:
        with _staged(target, project) as staged:
            loaded = [load(staged, account.name, context) for account in read.accounts]
            if not kept and (refused := _refused(loaded, project)):
                kept, read = True, read.keeping(refused, project.repository.ids)
                project = new_project(_project_name(folder), read)
                continue
            for one, account in zip(loaded, read.accounts, strict=True):
                warnings += [said for said in one.warnings if said not in warnings]
                environments.append(await _arrived(one, account, project, form, offline=offline))
            _write_ids(staged, environments)
            if not dry_run:
                _move(staged, target)
        break
    return FolderImported(
        folder=target,
        files=tuple(project.files),
        objects=project.objects,
        migration=read,
        environments=tuple(environments),
        secrets=tuple(project.variables),
        unseen=tuple(one.name for one in project.secrets if one.value is None),
        notes=project.repository.notes,
        warnings=tuple(warnings),
        written=not dry_run,
    )


@contextmanager
def _staged(target: Path, project: NewProject) -> Iterator[Path]:
    """The project in a folder of its own beside its place; gone at the end where it was not moved there."""
    staged = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=_nearest(target)))
    try:
        _write(staged, project)
        write_schemas(staged)
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _refused(loaded: list[Loaded], project: NewProject) -> dict[str, tuple[str, ...]]:
    """What lints refuse of objects that are live in some account: it is kept all the same, as `pull` keeps it."""
    live = {where for ids in project.ids.values() for where in ids}
    found: dict[str, tuple[str, ...]] = {}
    for one in loaded:
        try:
            check_lints(one)
        except InvalidProject as error:
            said = blamed(error, project.repository)
            found |= {where: as_comments(sentences) for where, sentences in said.items() if where in live}
    return found


async def _agents_called(
    names: set[str], target: Path, read: Migration, project: NewProject, context: ProcessContext
) -> dict[str, dict[str, list[str]]]:
    """The ids of the live agents that bear these names, for each environment whose key is there."""
    found: dict[str, dict[str, list[str]]] = {}
    with _staged(target, project) as staged:
        for account in read.accounts:
            loaded = load(staged, account.name, context)
            if not loaded.environ.get(project.keys[account.name]):
                continue
            here = found.setdefault(account.name, {})
            async with open_job(loaded, options_of(loaded.project, Scope())) as job:
                for one in await job.accounts.vapi.all(KINDS["Agent"]):
                    if one.get("name") in names:
                        here.setdefault(one["name"], []).append(one["id"])
    return found


async def _arrived(loaded: Loaded, account: MovedAccount, project: NewProject, form: str, *, offline: bool) -> Arrived:
    """One environment, with what its account has of it adopted."""
    ids, key = project.ids[account.name], project.keys[account.name]
    if offline or not loaded.environ.get(key):
        why = "it was not looked at (--offline)" if offline else f"{key} is not set"
        return Arrived(account=account, ids=ids, waits=why, ids_file=f"ids.{account.name}.txt" if ids else "")
    who = origin(loaded.project.root, loaded.environ)
    async with open_job(loaded, options_of(loaded.project, Scope())) as job:
        taken = await adopt_all(job, ids, Request(operation=f"import {form}", origin=who))
    if ids and not taken.adopted:
        raise VoiceopsError(
            f"{account.name}: none of the {len(ids)} ids is live in the account that {key} leads to",
            hint="Nothing was written. Check the key and its region, or leave the account alone with --offline.",
        )
    return Arrived(account=account, ids=ids, adopted=taken.adopted, missing=taken.missing, plan=taken.plan)


def _places(folder: Path, out: Path | None) -> tuple[Path, Path]:
    """The folder that is read, and the one that is written. Raises VoiceopsError."""
    folder = folder.resolve()
    target = out.absolute() if out is not None else folder.with_name(f"{folder.name}-voiceops")
    _check_target(folder, target)
    return folder, target


def _nearest(target: Path) -> Path:
    """The nearest folder above it that is there: a move from it stays on one disk."""
    return next(folder for folder in target.parents if folder.is_dir())


def _check_target(folder: Path, target: Path) -> None:
    """The new project gets a folder of its own, outside of the one that is read. Raises VoiceopsError."""
    if not folder.is_dir():
        raise VoiceopsError(f"there is no folder {folder}")
    real = target.resolve()
    if real == folder or folder in real.parents:
        raise VoiceopsError(
            f"{target} lies in {folder}, in which nothing is written", hint="Name another place with --out DIR."
        )
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise VoiceopsError(
            f"{target} is there already",
            hint="Nothing was written. Name another place with --out DIR, or move it away.",
        )


def _project_name(folder: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:63].strip("-") or "phone-agents"


def _write(root: Path, project: NewProject) -> None:
    for name, text in project.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    if project.variables:
        with open(os.open(root / ".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(env_text(project.variables))


def _write_ids(root: Path, environments: list[Arrived]) -> None:
    """For `import --from`: the ids of environments whose account was not looked at."""
    for one in environments:
        if one.ids_file:
            lines = "".join(f"{where} {id_}\n" for where, id_ in sorted(one.ids.items()))
            (root / one.ids_file).write_text(lines, encoding="utf-8")


def _move(staged: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rmdir()
    staged.chmod(0o755 & ~_umask())
    staged.rename(target)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
