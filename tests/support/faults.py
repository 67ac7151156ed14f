"""What an answer can be beside the right one: each as a rule of the sandbox, for whoever sends requests."""

from __future__ import annotations

from tests.support.quick import HANGS

FAULTS: dict[str, dict[str, object]] = {
    "429": {"kind": "status", "status": 429},
    "429 with Retry-After": {"kind": "status", "status": 429, "headers": {"retry-after": "1"}},
    "500": {"kind": "status", "status": 500},
    "500 after": {"kind": "status", "status": 500, "when": "after"},
    "502 with HTML": {"kind": "text", "status": 502},
    "502 with HTML after": {"kind": "text", "status": 502, "when": "after"},
    "503": {"kind": "status", "status": 503, "headers": {"retry-after": "1"}},
    "reset before": {"kind": "reset", "when": "before"},
    "reset after": {"kind": "reset", "when": "after"},
    "time-out before": {"kind": "hang", "when": "before", "seconds": HANGS},
    "time-out after": {"kind": "hang", "when": "after", "seconds": HANGS},
    "half an answer": {"kind": "half"},
    "not JSON": {"kind": "text", "status": 200, "when": "after"},
    "another object's answer": {"kind": "other"},
}
