"""Models that are going to be retired, read from the account; their replacements written into manifests if asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceops.engine.lines.traffic_split import day
from voiceops.errors import VoiceopsError
from voiceops.kinds.registry import KINDS
from voiceops.manifest.files import FileProblem
from voiceops.manifest.files import load as load_text
from voiceops.manifest.yaml_edit import CannotEdit, find, raw, replaced
from voiceops.model.values import get_path
from voiceops.providers.snapshot_reader import read_live
from voiceops.upgrade.model_proposals import RETIRING_KINDS, proposals
from voiceops.upgrade.retiring_model import ModelProposal
from voiceops.use.load_project import Loaded, load
from voiceops.use.open_job import open_job
from voiceops.use.scope_and_terms import Scope, options_of
from voiceops.use.upgrade_manifests import replace_files


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsReplaced:
    """What retires in the account; `written` are those whose replacement stands in the manifests now, `left` says of
    the others why not."""

    proposals: tuple[ModelProposal, ...]
    today: str
    currency: str
    written: tuple[ModelProposal, ...] = ()
    left: tuple[tuple[ModelProposal, str], ...] = ()

    def to_data(self) -> dict[str, Any]:
        """As `upgrade --models --format json` has it."""
        return {
            "written": bool(self.written),
            "today": self.today,
            "currency": self.currency,
            "models": [
                one.to_data()
                | {"written": one in self.written, "reason": next((why for p, why in self.left if p == one), None)}
                for one in self.proposals
            ],
        }


async def replace_models(loaded: Loaded, *, write: bool = False) -> ModelsReplaced:
    """The models that Vapi retires, of every agent and squad in the account, and what stands for each.

    With `write` the manifests get the replacements; nothing live is changed. Raises ProviderError, Refused, StateError,
    and VoiceopsError where the files can't be written or more than the models would change: then they are as they were.
    """
    types = {KINDS[kind].type: kind for kind in RETIRING_KINDS}
    async with open_job(loaded, options_of(loaded.project, Scope())) as job:
        snapshot = await read_live(job.accounts, types)
        addresses = {entry.id: entry.address for entry in job.ledger.state.entries.values()}
    table = loaded.checks.table
    live = {kind: snapshot.all(type_) for type_, kind in types.items()}
    found = tuple(proposals(live, addresses, loaded.graph, table))
    result = ModelsReplaced(
        proposals=found, today=day(snapshot.date), currency=str(table.data.get("currency") or "USD")
    )
    return _written(loaded, result) if write and found else result


def _written(loaded: Loaded, result: ModelsReplaced) -> ModelsReplaced:
    root = loaded.project.root
    texts: dict[str, str] = {}
    before: dict[str, str] = {}
    done, left = [], []
    # From the end of each file: a replacement moves what stands behind it in its line.
    for one in sorted(result.proposals, key=lambda p: (p.mark.line, p.mark.column) if p.mark else (0, 0), reverse=True):
        try:
            _edit(root, one, texts, before)
            done.append(one)
        except (CannotEdit, FileProblem) as error:
            left.append((one, str(error)))
    changed = [(file, before[file], text) for file, text in texts.items() if text != before[file]]
    if changed:
        replace_files(root, changed)
        try:
            _check(loaded, done)
        except BaseException:
            replace_files(root, [(file, new, old) for file, old, new in changed])
            raise
    order = list(result.proposals)
    return ModelsReplaced(
        proposals=result.proposals,
        today=result.today,
        currency=result.currency,
        written=tuple(sorted(done, key=order.index)),
        left=tuple(sorted(left, key=lambda pair: order.index(pair[0]))),
    )


def _edit(root: Path, one: ModelProposal, texts: dict[str, str], before: dict[str, str]) -> None:
    """Raises CannotEdit, FileProblem."""
    wanted = one.retirement.replacement
    if not wanted:
        raise CannotEdit("Vapi names no replacement: choose a model")
    if not one.address:
        raise CannotEdit("no manifest manages it")
    if one.mark is None or not one.mark.file:
        raise CannotEdit("no line of the manifests sets the model by itself")
    file = one.mark.file
    if file not in texts:
        texts[file] = before[file] = load_text(root, root / file)
    last = one.path[-1]
    keys = () if isinstance(last, int) else (last,)
    written = raw(find(texts[file], one.mark, keys))
    if written == wanted:
        return  # a part that another agent has, too
    if written != one.retirement.model:
        raise CannotEdit(f"the manifest says {written!r} there")
    texts[file] = replaced(texts[file], one.mark, keys, wanted)


def _check(loaded: Loaded, done: Sequence[ModelProposal]) -> None:
    """Raises VoiceopsError where a replacement did not arrive, or something else changed."""
    graph = load(loaded.project.root, loaded.project.environment, loaded.context).graph
    wanted = {(one.address, one.path): one.retirement.replacement for one in done}
    for (address, path), model in wanted.items():
        if get_path(graph.resources[address].body, path) != model:
            raise VoiceopsError(f"nothing was written: {address} would not get {model}")
    for address, resource in graph.resources.items():
        old = loaded.graph.resources.get(address)
        if old is not None and old.body != resource.body and address not in {one for one, _ in wanted}:
            raise VoiceopsError(
                f"nothing was written: {address} has its model from the same place, and keeps it",
                hint="Give it a model of its own first.",
            )
