"""StructuredOutput: what is extracted from a call (`/structured-output`); the edge to agents is sent on the agent."""

from voiceops.kinds.base import Kind

KIND = Kind(
    name="StructuredOutput",
    waits=1,
    type="vapi_structured_output",
    path="/structured-output",
    title="structured output",
    listing="page",
    patch_omits=frozenset({"type"}),
    patch_query=(("schema", "schemaOverride", "true"),),
    agent_list="structuredOutputIds",
)
