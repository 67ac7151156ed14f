"""Agent: Vapi's assistant (`/assistant`)."""

from voiceops.kinds.base import Kind

KIND = Kind(name="Agent", type="vapi_assistant", path="/assistant", title="assistant", after=("Tool",), waits=4)
