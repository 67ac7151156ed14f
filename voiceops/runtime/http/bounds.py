"""Every limit on what a stranger may send before it is known who they are, each with its reason.

One place, for the short way and for uvicorn's own: what is not here is not limited. Vendors' requests stay far below.
"""

from __future__ import annotations

URL_BYTES = 8_192  # a line's URL has some hundred
HEAD_BYTES = 32_768  # names, values and URL together; Vapi and Twilio send 1 KB, proxies add one or two
HEADER_BYTES = 16_384  # one value; the longest that proxies add are cookies and certificates
HEADERS = 100  # Twilio sends 15
FORM_BYTES = 100_000  # a webhook of Twilio; Vapi's own largest is VOICEOPS_MAX_BODY
HELD_BYTES = 64_000_000  # of all bodies that are still on their way; a dozen of the largest reports at once
PIPELINED = 32  # requests on one connection that wait for the answer to an earlier one; vendors send none

SILENT_SECONDS = (
    10.0  # from the connection to the first byte, at most, and 7 at least; clients that connect ahead use it sooner
)
HEAD_SECONDS = 10.0  # from a head's first byte to its last; it is a packet or two
BODY_SECONDS = 20.0  # from a head to the end of its body: 5 MB at 2 Mbit/s; Vapi gives up after 20 s, Twilio after 15
IDLE_SECONDS = 75.0  # between two requests: longer than clients keep one, so that none meets a connection that closes
SEND_SECONDS = 30.0  # for a peer that doesn't read to take what is waiting for it
LINGER_SECONDS = 2.0  # to read on after an answer that came before the body's end, so that the answer arrives

CONNECTIONS = 4_000  # in all, or what the system allows less RESERVED; a vendor has some hundred at a thousand calls
RESERVED = 200  # file descriptors for the store, handlers and everything else


def most_connections() -> int:
    """How many connections may be open at once: CONNECTIONS, or what the system lets a process have."""
    try:
        import resource
    except ImportError:  # Windows
        return min(CONNECTIONS, 400)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if soft == resource.RLIM_INFINITY else min(CONNECTIONS, max(50, soft - RESERVED))


def allow_files() -> None:
    """Let this process have as many files as CONNECTIONS need, where the system permits it."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + RESERVED
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if most > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
