"""Every lint by its code, in order. Every file of this folder is looked through for lints: none is listed."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from voiceops import lints as _folder
from voiceops.lints.context import Context
from voiceops.lints.rule import DEFINED, Lint, lint
from voiceops.lints.spot import Finding

UNUSED = "VO001"
DOCS_URL = "https://github.com/voiceops/voiceops/blob/main/docs/lints"  # where a lint's page is read from afar


@lint(UNUSED, "ignore-unused", "An ignore comment silences nothing")
def unused(context: Context) -> Iterator[Finding]:
    """Found by the comments themselves, once everything else has run."""
    yield from ()


# A lint is in the table once its module is imported: every module here is, but for those that read the table.
for _module in pkgutil.iter_modules(_folder.__path__):
    if _module.name not in ("all_lints", "run_lints"):
        import_module(f"{_folder.__name__}.{_module.name}")

LINTS: dict[str, Lint] = dict(sorted(DEFINED.items()))


def find(text: str) -> Lint | None:
    """A lint by its code or its name."""
    return LINTS.get(text) or next((known for known in LINTS.values() if known.name == text), None)
