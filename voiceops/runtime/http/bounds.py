"""Every limit on what a stranger may send before it is known who they are, each with its reason.

One place, for the short way and for uvicorn's own: what is not here is not limited. Vendors' requests stay far below.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Sizes in bytes, times in seconds."""

    url_bytes: int = 8_192  # a line's URL has some hundred
    head_bytes: int = 32_768  # names, values and URL together; Vapi and Twilio send 1 KB, proxies add one or two
    header_bytes: int = 16_384  # one value; the longest that proxies add are cookies and certificates
    headers: int = 100  # Twilio sends 15
    form_bytes: int = 100_000  # a webhook of Twilio; Vapi's own largest is VOICEOPS_MAX_BODY
    held_bytes: int = 64_000_000  # of all bodies that are still on their way; a dozen of the largest reports at once
    pipelined: int = 32  # requests on one connection that wait for the answer to an earlier one; vendors send none

    # From the connection to the first byte, at most, and 7 at least; clients that connect ahead use it sooner.
    silent_seconds: float = 10.0
    head_seconds: float = 10.0  # from a head's first byte to its last; it is a packet or two
    # From a head to the end of its body: 5 MB at 2 Mbit/s; Vapi gives up after 20 s, Twilio after 15.
    body_seconds: float = 20.0
    # Between two requests: longer than clients keep one, so that none meets a connection that closes.
    idle_seconds: float = 75.0
    send_seconds: float = 30.0  # for a peer that doesn't read to take what is waiting for it
    linger_seconds: float = 2.0  # to read on after an answer that came before the body's end, so that it arrives

    connections: int = 4_000  # in all, or what the system allows less RESERVED; a vendor has some hundred


BOUNDS = Bounds()
RESERVED = 200  # file descriptors for the store, handlers and everything else


def most_connections(wanted: int) -> int:
    """How many connections may be open at once: those that are wanted, or what the system lets a process have."""
    try:
        import resource
    except ImportError:  # Windows
        return min(wanted, 400)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else min(wanted, max(50, soft - RESERVED))


def allow_files(connections: int = BOUNDS.connections) -> None:
    """Let this process have as many files as so many connections need, where the system permits it."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + RESERVED
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if most > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
