"""What a lint is: a code, a name, how bad it is, and a function from a context to findings.

The table of all lints fills itself as the modules that define them are imported: `all_lints.py` does that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from voiceops.errors import Diagnostic, Severity
from voiceops.lints.context import Context
from voiceops.lints.spot import Finding

_CODE = re.compile(r"VO\d{3}\Z")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


Check: TypeAlias = Callable[[Context], Iterator[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """A lint. `code` and `name` both stay for good: people write them into their files.

    `refused`: it says that Vapi refuses something, or can't do it, which a manifest with `allowUnknown: true` may try,
    or keep as it is live, all the same.
    `instead_of`: the schema's code for the same thing, said in other words at the same place.
    """

    code: str
    name: str
    title: str
    severity: Severity
    check: Check
    refused: bool = False
    instead_of: str = ""

    def diagnostic(self, finding: Finding, *, allowed: bool = False) -> Diagnostic:
        """The finding as a diagnostic; `allowed` where the manifest allows what Vapi is thought to refuse."""
        return Diagnostic(
            code=self.code,
            summary=finding.summary,
            severity="warning" if self.refused and allowed else self.severity,
            mark=finding.mark,
            address=finding.address,
            hint=finding.hint,
        )


DEFINED: dict[str, Lint] = {}


def lint(
    code: str,
    name: str,
    title: str,
    severity: Severity = "warning",
    *,
    refused: bool = False,
    instead_of: str = "",
) -> Callable[[Check], Check]:
    """Put the decorated function into the table. Errors are for what certainly fails live."""

    def define(check: Check) -> Check:
        if not _CODE.match(code) or not _NAME.match(name):
            raise ValueError(f"{code} {name}: a code is VO and three digits, a name kebab-case")
        if code in DEFINED or any(known.name == name for known in DEFINED.values()):
            raise ValueError(f"{code} {name} is defined twice")
        DEFINED[code] = Lint(
            code=code,
            name=name,
            title=title,
            severity=severity,
            check=check,
            refused=refused,
            instead_of=instead_of,
        )
        return check

    return define
