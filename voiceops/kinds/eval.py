"""Eval: a written conversation that an agent is held against (`/eval`)."""

from voiceops.kinds.base import Kind

KIND = Kind(
    name="Eval",
    type="vapi_eval",
    path="/eval",
    title="eval",
    listing="page",
    immutable=frozenset({"type"}),
    patch_omits=frozenset({"type"}),
)
