"""What a project and its account have already, for whoever writes manifests beside it: nothing of it is made twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from voiceops.adopt.phone_lines import TwilioAccount
from voiceops.adopt.repository import Known
from voiceops.adopt.wanted import Wanted
from voiceops.apply.job import Job
from voiceops.engine.planning.externals import externals_of
from voiceops.kinds.registry import ALL, KINDS, PARTS
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.manifest.documents import Document, read_manifests
from voiceops.manifest.problems import Problems
from voiceops.manifest.resolve import RUNTIME_CREDENTIAL
from voiceops.model.address import owner_of
from voiceops.model.live import Snapshot
from voiceops.model.located import plain
from voiceops.model.redactor import KEYS
from voiceops.use.opened import Opened


def known_there(opened: Opened, job: Job, snapshot: Snapshot, wanted: Wanted, folder: str) -> Known:
    """Everything in the manifests, the state and the account. `folder`: where new manifests go, from the project's.

    Raises InvalidProject where a manifest can't be read.
    """
    project, state, graph = opened.project, job.ledger.state, job.graph
    documents = read_manifests(project.root, project.manifests, ALL, Problems(), project.manifest_marks)
    outside = externals_of(graph, snapshot).found
    entries = [entry for entry in state.entries.values() if owner_of(entry.address) == entry.address]
    ids = {entry.id: entry.address for entry in entries}
    ids |= {str(live["id"]): address for address, live in outside.items() if live.get("id")}
    bodies = {entry.id: live for entry in entries if (live := snapshot.get(entry.type, entry.id)) is not None}
    numbers = _numbers(job, snapshot)
    own = state.entries.get(RUNTIME_CREDENTIAL)
    return Known(
        folder=folder,
        ids=ids,
        names=_names(documents),
        agents={entry.name: entry.address for entry in entries if entry.kind == "Agent" and entry.name},
        attributes={(k, str(v)): e.address for e in entries for k, v in e.attributes.items()},
        parts={d.family: plain(d.spec, {}) for d in documents if d.kind in PARTS},
        files=_files_below(project.root, folder),
        others=_others(snapshot, wanted, ids),
        bodies=bodies,
        secrets=_secrets(opened),
        defaults={kind: plain(spec, {}) for kind, spec in project.defaults.items()},
        prefix=project.prefix,
        suffix=project.suffix,
        runtime_url=project.runtime_url or "",
        runtime_credential=own.id if own is not None else "",
        twilio=TwilioAccount(project.providers.account_sid, project.providers.api_key, job.accounts.vapi.api.base_url),
        numbers=numbers,
        spare=_spare(snapshot, wanted, numbers or {}),
    )


def _numbers(job: Job, snapshot: Snapshot) -> dict[str, dict[str, Any]] | None:
    if job.accounts.twilio is None:
        return None
    return {str(live["phone_number"]): live for live in snapshot.all(TWILIO_TYPE).values()}


def _spare(snapshot: Snapshot, wanted: Wanted, numbers: Mapping[str, Any]) -> list[str]:
    """Numbers that Vapi does not know, where all of the account is looked at."""
    if not wanted.everything and wanted != Wanted(kinds=("Phone",)):
        return []
    known = {live.get("number") for live in snapshot.all(KINDS["Phone"].type).values()}
    return [number for number in numbers if number not in known]


def _others(snapshot: Snapshot, wanted: Wanted, ids: Mapping[str, str]) -> dict[str, str]:
    """Live ids that get no manifest this time, with their names."""
    return {
        id_: str(kind.name_of(live) or "")
        for kind in KINDS.values()
        for id_, live in snapshot.all(kind.type).items()
        if id_ not in ids and not wanted.means(kind.name, live)
    }


def _secrets(opened: Opened) -> dict[str, str | None]:
    """Names of secrets that are in use, with the values of those that are this project's."""
    dotenv = set(opened.environ) - set(opened.context.environ)
    ours = {*dotenv, *KEYS}
    return {name: value if name in ours else None for name, value in opened.environ.items()}


def _names(documents: Sequence[Document]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for document in documents:
        names.setdefault(document.kind, []).append(document.name)
    return names


def _files_below(root: Path, folder: str) -> list[str]:
    return [path.relative_to(root).as_posix() for path in (root / folder).rglob("*") if not path.is_dir()]
