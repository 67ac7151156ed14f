"""Holds the sandbox against the vendor's own OpenAPI description.

    python scripts/check_fidelity.py OPENAPI.json [--examples 20] [--verbose]

`OPENAPI.json` is `fern/apis/api/openapi.json` of the public repository VapiAI/docs. Requests are generated from it and
sent to a sandbox; every answer is checked against it: status, content type, schema, and that nothing breaks. What is
known to differ is listed below with its reason, and counted. Exit 1 when something else does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fidelity import METHODS, Report, check

# Where the sandbox and the description differ on purpose: a pattern of `METHOD /path Title: message`, and why.
DEVIATIONS_OFF = {
    r"is a required property|required property|required properties": (
        "secrets are required in answers by the description, and said there not to be returned"
    ),
}

DEVIATIONS: dict[str, str] = {}

# Paths of the description under what the sandbox calls them.
SERVED = (
    "/assistant",
    "/tool",
    "/squad",
    "/structured-output",
    "/v2/knowledge-base",
    "/eval/simulation/personality",
    "/eval/simulation/scenario",
    "/eval/simulation/suite",
    "/eval/simulation",
    "/eval",
    "/observability/scorecard",
    "/file",
    "/phone-number",
    "/v2/phone-number",
)


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """The description with no keys but those it names: the API refuses others, though it doesn't say so there."""
    for schema in document["components"]["schemas"].values():
        if schema.get("type") == "object" and schema.get("properties"):
            schema.setdefault("additionalProperties", False)
    return document


def operations(document: dict[str, Any]) -> list[tuple[str, str]]:
    """What both know, objects before what is done to them."""
    found = []
    for collection in SERVED:
        for path in (collection, f"{collection}/{{id}}"):
            found += [(path, method) for method in METHODS if method in document["paths"].get(path, {})]
    return found


def show(report: Report, verbose: bool) -> None:
    print(f"{sum(report.cases.values())} requests to {len(report.cases)} operations")
    print("  " + ", ".join(f"{status}: {count}" for status, count in sorted(report.statuses.items())))
    for reason, count in report.deviations.most_common():
        print(f"known: {count} × {reason}")
    if verbose:
        for text, count in report.refusals.most_common(40):
            print(f"refused: {count} × {text}")
    for failure in report.failures:
        print(f"DIFFERS {failure}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Hold the sandbox against the vendor's OpenAPI description.")
    parser.add_argument("openapi", type=Path, help="the vendor's OpenAPI document, as JSON")
    parser.add_argument("--examples", type=int, default=20, help="generated requests an operation (default: 20)")
    parser.add_argument("--verbose", action="store_true", help="also count what was refused, and why")
    options = parser.parse_args(arguments)
    document = closed(json.loads(options.openapi.read_text(encoding="utf-8")))
    report = check(document, operations(document), examples=options.examples, deviations=DEVIATIONS)
    show(report, options.verbose)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
