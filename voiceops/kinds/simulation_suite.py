"""SimulationSuite: simulations that run together, and against whom (`/eval/simulation/suite`)."""

from voiceops.kinds.base import Kind

KIND = Kind(
    name="SimulationSuite",
    type="vapi_simulation_suite",
    path="/eval/simulation/suite",
    title="simulation suite",
    after=("Simulation",),
)
