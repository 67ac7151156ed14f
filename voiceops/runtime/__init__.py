"""The webhook runtime: what Twilio and Vapi call while somebody is on the phone.

Handlers import from here: `Call`, and the decorators that say what a function answers. Nothing else is public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voiceops.runtime.handlers.call import Call, Event
from voiceops.runtime.handlers.decorators import (
    answers,
    on,
    on_assistant_request,
    on_end_of_call,
    on_handoff,
    on_knowledge_base_request,
    on_status,
    on_transfer,
    tool,
)

if TYPE_CHECKING:
    from voiceops.runtime.http.app import RuntimeApp

__all__ = [
    "Call",
    "Event",
    "answers",
    "application",
    "main",
    "on",
    "on_assistant_request",
    "on_end_of_call",
    "on_handoff",
    "on_knowledge_base_request",
    "on_status",
    "on_transfer",
    "tool",
]


def application(folder: Any) -> RuntimeApp:
    """The application of a generated project; ends the process with one sentence when it can't start."""
    from voiceops.runtime.start.generated_project import application as make

    return make(folder)


def main(folder: Any, app: RuntimeApp) -> None:
    """Serve a generated project: `python app.py --host … --port … --workers …`."""
    from voiceops.runtime.start.generated_project import main as run

    run(folder, app)
