"""Answers in JSON as Node writes them: half a character, which no UTF-8 has, goes out as its escape."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response


class JsonAnswer(Response):
    """One value as JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body's bytes: UTF-8 where it can be."""
        try:
            return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        except UnicodeEncodeError:
            return json.dumps(content, separators=(",", ":")).encode()
