"""A thread beside the server: it rests in proportion to its work and to what the server does."""

from __future__ import annotations

import threading
import time

from voiceops.runtime.messages.background_pace import BackgroundPace


def work(seconds: float) -> None:
    """Take so much of this thread's CPU time."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def rested(pace: BackgroundPace) -> float:
    began = time.monotonic()
    pace.rest()
    return time.monotonic() - began


def test_beside_a_busy_server_it_rests_longer_than_it_worked() -> None:
    pace = BackgroundPace()
    server = threading.Thread(target=work, args=(0.6,))
    server.start()
    server.join()
    work(0.02)
    seconds = rested(pace)
    assert pace.busy > 0.1
    assert seconds >= min(0.5, 0.02 * 12 * pace.busy)


def test_beside_an_idle_server_it_goes_on_at_once() -> None:
    pace = BackgroundPace()
    time.sleep(0.3)
    work(0.02)
    pace.rest()
    assert pace.busy < 0.05


def test_work_is_counted_once() -> None:
    pace = BackgroundPace(busy=1.0)
    work(0.02)
    assert rested(pace) >= 0.02 * 12
    assert rested(pace) < 0.02 * 12
