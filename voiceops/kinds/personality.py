"""Personality: who calls in a simulation (`/eval/simulation/personality`); Vapi's own stock is the same in every org."""

from voiceops.kinds.base import Kind

KIND = Kind(
    name="Personality", type="vapi_personality", path="/eval/simulation/personality", title="simulation personality"
)
