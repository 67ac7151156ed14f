"""`python -m voiceops.packaging DIR`: write the wheel of this voiceops into DIR. Needs nothing but Python."""

from __future__ import annotations

import sys
from pathlib import Path

from voiceops.errors import VoiceopsError
from voiceops.packaging.wheel import build_wheel


def main(folder: Path) -> int:
    """Write the wheel into a folder, and print its path and its hash; the exit code.

    Raises SystemExit: it can't be made, or not written there.
    """
    try:
        wheel = build_wheel()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / wheel.name).write_bytes(wheel.content)
    except VoiceopsError as error:
        raise SystemExit(f"error: {error.summary}\n    {error.hint}".rstrip()) from None
    except OSError as error:
        raise SystemExit(f"error: {error.filename or folder} can't be written: {error.strerror or error}") from None
    sys.stdout.write(f"{folder / wheel.name} sha256={wheel.sha256}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))
