"""Every finding about an account, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from voiceops.audit.audited_account import AuditedAccount
from voiceops.audit.dangling import dangling
from voiceops.audit.doubles import doubles
from voiceops.audit.finding import CODES, AuditFinding
from voiceops.audit.retiring import retiring, splits
from voiceops.audit.unanswered import unanswered
from voiceops.audit.unmanaged import unmanaged
from voiceops.audit.unused import unused
from voiceops.model.address import kind_of

_CHECKS = (unanswered, dangling, retiring, splits, doubles, unmanaged, unused)


def findings(account: AuditedAccount, kinds: Iterable[str] = ()) -> list[AuditFinding]:
    """All of them, or those about objects of some kinds: by what is found, kind and name."""
    wanted = frozenset(kinds)
    found = [finding for check in _CHECKS for finding in check(account)]
    found += _externals(account)
    found = [finding for finding in found if not wanted or finding.kind in wanted]
    return sorted(found, key=lambda f: (CODES.index(f.code), f.grade, f.kind, f.name.casefold(), f.id, f.path))


def _externals(account: AuditedAccount) -> Iterator[AuditFinding]:
    """`external:` manifests that mean no live object, or several."""
    for said in account.externals:
        yield AuditFinding(
            code=said.code,
            kind=kind_of(said.address),
            what=said.summary,
            next=said.hint,
            address=said.address,
            environment=account.environment,
            mark=said.mark,
        )
