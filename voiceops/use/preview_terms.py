"""How a preview is made or taken down: who listens, what stops it, and how long others are waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from voiceops.apply.apply_events import Emit
from voiceops.use.apply_plan import unheard


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewTerms:
    """`emit` hears each event; once `stop` is set, requests under way are finished and no new ones started; `begun` is
    called before the first that changes something; `lock_timeout` is in seconds."""

    emit: Emit = unheard
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    begun: Callable[[], None] = _nothing
    lock_timeout: float = 300.0
