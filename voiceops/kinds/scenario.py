"""Scenario: what a simulated caller wants, and how the call is judged (`/eval/simulation/scenario`)."""

from voiceops.kinds.base import Kind

KIND = Kind(
    name="Scenario",
    type="vapi_scenario",
    path="/eval/simulation/scenario",
    title="simulation scenario",
    after=("Squad",),
)
