"""What a rollback can't bring back: numbers that the account no longer has, secrets that nobody kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from voiceops.errors import Diagnostic
from voiceops.model.address import owner_of
from voiceops.model.graph import Graph
from voiceops.model.plan import CREATE, NO_OP, Change
from voiceops.model.values import Secret, leaves

LEFT_OUT = "cannot_return"  # the reason of a change that is left as it is


def without_lost(
    changes: Iterable[Change], diagnostics: Iterable[Diagnostic], graph: Graph
) -> tuple[list[Change], list[Diagnostic]]:
    """The changes without lines whose number is gone: one lost number must not hold up all the rest.

    A secret that stood in a manifest itself is in no revision; where it would have to be sent, that is an error before
    anything is changed.
    """
    said = list(diagnostics)
    lost = {owner_of(d.address) for d in said if d.code == "number-missing"}
    kept = [_left(change) if owner_of(change.address) in lost else change for change in changes]
    return kept, [*(_warned(d) if d.code == "number-missing" else d for d in said), *_secrets(kept, graph)]


def _left(change: Change) -> Change:
    return replace(change, actions=NO_OP, reason=LEFT_OUT, before=None, after=None, fields=(), state_only=False)


def _warned(diagnostic: Diagnostic) -> Diagnostic:
    return replace(
        diagnostic,
        severity="warning",
        summary=f"{diagnostic.summary}: the line can't come back, and is left as it is",
        hint="A rollback never buys a number. Put the line into the manifests with another one.",
    )


def _secrets(changes: Iterable[Change], graph: Graph) -> Iterator[Diagnostic]:
    for change in changes:
        resource = graph.resources.get(change.address)
        if resource is None or change.is_no_op:
            continue
        sent = {field.path[0] for field in change.fields}
        whole = change.actions == CREATE or change.is_replacement
        if any(
            isinstance(leaf, Secret) and not leaf.parts and (whole or path[0] in sent)
            for path, leaf in leaves(resource.body)
        ):
            yield Diagnostic(
                code="secret-lost",
                address=change.address,
                mark=resource.mark,
                summary="holds a secret that stood in the manifest itself, and no revision keeps such",
                hint="Roll the rest back with --target, and apply this one from its file; write it as ${secret:NAME}.",
            )
