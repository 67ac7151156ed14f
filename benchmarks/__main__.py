"""Print every figure with its bound; exit 1 when one is missed."""

from __future__ import annotations

import os
import platform
import sys
from itertools import chain

from benchmarks.core import core
from benchmarks.creating import creating
from benchmarks.journal import journal
from benchmarks.speed import speed

if __name__ == "__main__":
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}\n")
    missed = 0
    for row in chain(core(), journal(), creating(), speed()):
        missed += not row.kept
        print(
            f"{'ok  ' if row.kept else 'MISS'}  {row.value:>9.2f} {row.unit:<9} (at most {row.bound:g})  {row.name}",
            flush=True,
        )
    sys.exit(1 if missed else 0)
