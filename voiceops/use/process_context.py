"""What a use case knows of the process around it: a value that travels, so that two of them share nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.model.redactor import Redactor
from voiceops.preview.registered import Preview

SIGNERS = "VOICEOPS_PLAN_SIGNERS"  # of the process alone: no file of a folder says whose saved plans are taken


def _silent(_: str) -> None:
    return None


def _same(store: Any) -> Any:
    return store


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessContext:
    """The variables that count, the secrets among them, and who is told what happens beside the work.

    `environ` is the process's own environment unless another is given: what no file of a project's folder can say.
    `pace` is a factor on the waits between tries; `timeout` is a request's, in seconds; `settle` is for how many
    seconds a vendor's lists may lag (None: as is known of them). `transport` makes what replaces httpx's own, and
    `around` may put a layer around a state's back end.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    redactor: Redactor = field(default_factory=Redactor)  # what it knows is never written, printed or kept
    on_wait: Callable[[str], None] = _silent  # a sentence on what is waited for
    on_detail: Callable[[str], None] = _silent  # a sentence for those who want to know more
    transport: Callable[[], Any] | None = None
    pace: float = 1.0
    timeout: float = 30.0
    settle: float | None = None
    around: Callable[[Any], Any] = _same
    previews: Mapping[str, Preview] = field(default_factory=dict)  # by the environments that they are, as looked up

    def __post_init__(self) -> None:
        self.redactor.learn(self.environ)
