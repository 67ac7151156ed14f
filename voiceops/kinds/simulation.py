"""Simulation: a scenario played by a personality (`/eval/simulation`)."""

from voiceops.kinds.base import Kind

KIND = Kind(
    name="Simulation",
    type="vapi_simulation",
    path="/eval/simulation",
    title="simulation",
    after=("Personality", "Scenario"),
)
