"""How long the loop stands still under hostile schemas and a megabyte of arguments.

`python -m benchmarks.runtime_arguments`: every schema of tests/runtime/handlers/test_loop_stays_free.py with each of
its arguments; bound: 50 ms between two turns.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.runtime.handlers.test_loop_stays_free import ARGUMENTS, SCHEMAS, turns
from tests.runtime.runtime_bench import serving, spec_of, tool


def main() -> int:
    tools = [tool(name, "h:take", parameters=schema, timeout=8.0) for name, schema in SCHEMAS.items()]
    longest: list[tuple[float, float, str]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), spec_of(*tools), "def take(**given): return 'taken'") as server,
    ):
        for name in SCHEMAS:
            for what, raw in ARGUMENTS.items():
                listed = b'[{"id":"%s-%s","name":"%s","arguments":%s}]' % (
                    name.encode(),
                    what.encode(),
                    name.encode(),
                    raw,
                )
                body = b'{"message":{"type":"tool-calls","toolCallList":%s}}' % listed
                began = time.perf_counter()
                with turns(server) as worst:
                    assert len(server.raw(body).results) == 1
                longest.append((worst[0] * 1000, (time.perf_counter() - began) * 1000, f"{name}, {what}"))
    longest.sort(reverse=True)
    print("stands still   answered after   schema, arguments")
    for still, took, what in longest[:10]:
        print(f"{still:9.1f} ms {took:13.1f} ms   {what}")
    ok = longest[0][0] < 50
    print(f"{'ok  ' if ok else 'MISS'}  the loop never stands still for 50 ms ({len(longest)} combinations)")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
