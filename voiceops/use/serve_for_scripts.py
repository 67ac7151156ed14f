"""The process that serves call scripts: it prints where it listens, and ends with whoever started it.

    python -m voiceops.use.serve_for_scripts

What it serves stands in VOICEOPS_SERVE, see script_runtime.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

from voiceops.errors import VoiceopsError
from voiceops.preview.preview_names import name_in
from voiceops.preview.registered import Preview
from voiceops.runtime.start.workers import address_of, bind, serve
from voiceops.use.load_project import load
from voiceops.use.process_context import ProcessContext
from voiceops.use.serve_runtime import application, reached_at


def main() -> int:
    """Serve until SIGTERM, or until nothing can come from standard input any more."""
    place = json.loads(os.environ["VOICEOPS_SERVE"])
    try:
        previews = {
            environment: Preview.from_data(str(name_in(environment)), data)
            for environment, data in place["previews"].items()
        }
        project = load(Path(place["root"]), place["environment"], ProcessContext(previews=previews))
        loaded = reached_at(project, place["url"], place["state"])
        app = application(loaded, place["vapi"])
        with bind("127.0.0.1", 0) as bound:
            threading.Thread(target=_until_left, daemon=True).start()
            sys.stdout.write(f"{address_of(bound)}\n")
            sys.stdout.flush()
            serve(app, bound)
    except VoiceopsError as error:
        for line in (f"{error}", *(str(diagnostic) for diagnostic in error.diagnostics)):
            sys.stderr.write(f"{line}\n")
        return 1
    return 0


def _until_left() -> None:
    # Not by sys.stdin: Python aborts when it ends while a thread reads from there.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    raise SystemExit(main())
