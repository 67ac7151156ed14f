"""As whom voiceops asks: the same name in every request, so that a server's log tells who it was."""

from __future__ import annotations

from voiceops._version import __version__

USER_AGENT = f"voiceops/{__version__}"
HEADERS = {"user-agent": USER_AGENT}
