"""Scorecard: points for what was extracted from a call (`/observability/scorecard`); the edge to agents is theirs."""

from voiceops.kinds.base import Kind

KIND = Kind(
    name="Scorecard",
    waits=2,
    type="vapi_scorecard",
    path="/observability/scorecard",
    title="scorecard",
    after=("StructuredOutput",),
    listing="page",
    agent_list="scorecardIds",
)
