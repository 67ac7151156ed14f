"""Personality: who calls in a simulation (`/eval/simulation/personality`); every org has some of Vapi's own."""

from voiceops.kinds.base import Kind

KIND = Kind(
    name="Personality",
    type="vapi_personality",
    path="/eval/simulation/personality",
    title="simulation personality",
    after=("Squad",),
)
