"""Known vulnerabilities of everything that is locked, as pip-audit finds them.

    python scripts/audit.py LOCKFILE…

Exit 0: every package was looked up, and nothing is known. 1: something is known. 2: the data could not be had, so that
nothing can be said; what was not looked up is named.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(files: Sequence[str]) -> int:
    found, skipped, asked = [], [], 0
    for file in files:
        for package in audit(file):
            asked += 1
            if "skip_reason" in package:
                skipped.append((file, package))
            found += [(file, package, known) for known in package.get("vulns", [])]
    for file, package, known in found:
        mended = ", ".join(known.get("fix_versions") or []) or "no version yet"
        print(f"{file}: {package['name']} {package['version']}: {known['id']}, mended in {mended}")
    if skipped:
        names = ", ".join(sorted({package["name"] for _, package in skipped}))
        print(f"{len(skipped)} of {asked} packages could not be looked up: {names}.")
        print(f"The first reason: {skipped[0][1]['skip_reason']}")
        print("Nothing is known of them, good or bad. pip-audit asks https://pypi.org/pypi: it has to be reachable.")
    elif not found:
        print(f"Nothing is known against {asked} packages of {', '.join(files)}.")
    return 1 if found else 2 if skipped else 0


def audit(file: str) -> list[dict[str, Any]]:
    """pip-audit's word on each package of a lock file; ends the process where there is none."""
    tool = Path(sys.executable).with_name("pip-audit")
    arguments = ["--requirement", file, "--require-hashes", "--disable-pip", "--format", "json"]
    ran = subprocess.run([tool, *arguments, "--progress-spinner", "off"], capture_output=True, text=True)
    try:
        packages: list[dict[str, Any]] = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"{file} could not be audited: {last}")
        print("The data of known vulnerabilities comes from https://pypi.org/pypi: it has to be reachable.")
        raise SystemExit(2) from None
    return packages


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
