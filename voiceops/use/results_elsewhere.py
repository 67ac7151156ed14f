"""Results of tests that other environments of the project keep: content that passed there has passed.

A preview's results are kept with the environment that it was made of.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from voiceops.errors import VoiceopsError
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import environments_of
from voiceops.testing.kept import KeptResult, kept_in
from voiceops.use.load_project import open_project
from voiceops.use.open_state import store_of
from voiceops.use.opened import Opened

_MOST = 20  # environments that are looked into: a fleet's members have content of their own


@dataclass(frozen=True, slots=True)
class KnownResults:
    """Results by digest, and whose could not be read."""

    results: dict[str, KeptResult] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


async def results_elsewhere(opened: Opened, wanted: Collection[str], min_pass: float) -> KnownResults:
    """What the other environments keep of these digests, in the order of `environments:`, until each has passed.

    What ran on the local sandbox counts for the sandbox only, but for call scripts: those run nowhere else.
    """
    project = opened.project
    missing, found, unread = set(wanted) - {""}, dict[str, KeptResult](), list[str]()
    names = [name for name in environments_of(project.root, Problems()) if name != project.environment]
    for name in names[:_MOST]:
        if not missing:
            break
        try:
            other = open_project(project.root, name, opened.context)
            async with store_of(other) as store:
                kept = kept_in(await store.notes())
        except VoiceopsError as error:
            unread.append(f"the results of {name}: {error.summary}")
            continue
        only_scripts = other.project.providers.sandbox and not project.providers.sandbox
        for digest in missing & kept.keys():
            one = kept[digest]
            known = found.get(digest)
            if (one.kind == "script" or not only_scripts) and (
                known is None or one.counts(min_pass) or known.at < one.at
            ):
                found[digest] = one
        missing -= {digest for digest, one in found.items() if one.counts(min_pass)}
    if missing and len(names) > _MOST:
        unread.append(f"the results of {len(names) - _MOST} more environments")
    return KnownResults(found, tuple(unread))
