"""Tool: what an assistant can call (`/tool`), of every type; the type itself can't change.

A tool has no name of its own in the dashboard's sense: people know it by the function's name.
"""

from voiceops.kinds.base import Kind

KIND = Kind(
    name="Tool",
    waits=0,  # a handoff tool without destinations hands nobody over
    type="vapi_tool",
    path="/tool",
    title="tool",
    after=("Credential", "Dictionary", "File", "KnowledgeBase", "Scorecard", "StructuredOutput"),
    named=False,
    identity=(("function", "name"), ("name",)),
    immutable=frozenset({"type"}),
    patch_omits=frozenset({"type"}),
)
