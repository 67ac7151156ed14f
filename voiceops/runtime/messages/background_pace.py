"""How much a thread beside the server takes: the more the server has to do, the longer it rests.

One thread of Python runs at a time. What a background thread computes delays every answer that is due meanwhile, so
that its share of the time has to be small where there are answers to give, and may be all of it where there are none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

_REST = 12.0  # seconds of rest for each second of work, beside a server that is always at work
_LONGEST = 0.5  # seconds of rest at once: a clock that jumps stops nobody
_WINDOW = 0.25  # seconds over which it is seen how much the server does


@dataclass(slots=True)
class BackgroundPace:
    """Used by one thread: `rest` after each piece of its work."""

    busy: float = 0.0  # the share of a core that the other threads took lately
    _at: float = field(default_factory=time.monotonic)
    _others: float = field(default_factory=lambda: _cpu_of_others())
    _worked: float = field(default_factory=time.thread_time)  # of the thread that makes it: the one that works

    def rest(self) -> None:
        """Sleep in proportion to the work since the last rest, and to what the server does meanwhile."""
        now = time.monotonic()
        if now - self._at >= _WINDOW:
            others = _cpu_of_others()
            self.busy = min(1.0, max(0.0, (others - self._others) / (now - self._at)))
            self._at, self._others = now, others
        worked = time.thread_time()
        pause = (worked - self._worked) * _REST * self.busy
        self._worked = worked
        time.sleep(min(pause, _LONGEST))


def _cpu_of_others() -> float:
    """CPU seconds that this process took, the calling thread left out."""
    return time.process_time() - time.thread_time()
