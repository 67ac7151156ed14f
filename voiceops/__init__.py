"""voiceops: voice agents on Vapi and Twilio as code."""

from voiceops._version import __version__

__all__ = ["__version__"]
