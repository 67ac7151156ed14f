"""Which tests a change needs: those that test something else than what is live, as far as nobody has run them on it.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from voiceops.testing.cases import Chosen
from voiceops.testing.digest import Content, case_digest
from voiceops.testing.kept import KeptResult


def is_needed(test: Chosen, now: Content, live: Content, kept: Mapping[str, KeptResult], min_pass: float = 1.0) -> bool:
    """Does what the test tests differ between the manifests and what is live? (`handlers` of both are empty: no account
    knows the handlers' files.) What passed on this very content is not needed again; what failed on it is."""
    known = kept.get(test.case.digest) if test.case.digest else None
    if known is not None:
        return not known.counts(min_pass)
    if not test.case.digest or case_digest(now, test) != case_digest(live, test):
        return True
    # All that Vapi holds is the same. Whether the handlers are, only an earlier run of the test can tell; a script
    # tests little else, and costs nothing.
    return test.case.kind == "script" or any(_same(one, test) for one in kept.values())


def _same(one: KeptResult, test: Chosen) -> bool:
    return (one.name, one.kind) == (test.case.name, test.case.kind)
