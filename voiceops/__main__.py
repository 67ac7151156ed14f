"""The command line's door: answers `--version` at once, and loads the rest only when it is needed."""

from __future__ import annotations

import sys


def main() -> None:
    """The program: runs the command of `sys.argv` and ends the process with its exit code.

    Raises SystemExit: when the command has ended; `--version` alone just returns.
    """
    if sys.argv[1:] == ["--version"]:
        from voiceops._version import __version__

        sys.stdout.write(f"voiceops {__version__}\n")
        return
    import gc

    from voiceops.cli.main import run

    # Manifests and plans stay until the end: looking at all of them for every 700 new objects finds nothing to free,
    # and looking again at those that were found in use, for every million of a large project, finds as little.
    gc.set_threshold(50_000, 200, 50)
    sys.exit(run())


if __name__ == "__main__":
    main()
