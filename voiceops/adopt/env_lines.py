"""Variables as lines of `.env`."""

from __future__ import annotations

from collections.abc import Mapping


def env_text(variables: Mapping[str, str]) -> str:
    """The text of `.env`: each value in quotes that keep it as it is."""
    lines = []
    for name, value in sorted(variables.items()):
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        lines.append(f"{name}='{quoted}'\n")
    return "".join(lines)
