"""Squad: assistants that hand a call to each other (`/squad`)."""

from voiceops.kinds.base import Kind

KIND = Kind(name="Squad", type="vapi_squad", path="/squad", title="squad", after=("Agent",), waits=5)
