"""Holds the sandbox against the vendors' own OpenAPI descriptions.

    python scripts/check_fidelity.py OPENAPI.json [--examples 20] [--verbose]

`OPENAPI.json` is `fern/apis/api/openapi.json` of the public repository VapiAI/docs, or
`spec/json/twilio_api_v2010.json` of twilio/twilio-oai. Requests are generated from it and sent to a sandbox; every
answer is checked against it: status, content type, schema, and that nothing breaks. Exit 1 when something differs.

What differs on purpose, and how the check allows for it:

- Keys that the description doesn't name are refused, as by the live API: no request holds any.
- 400 and 404 are answered where they are due, though most operations don't list them.
- Answers leave secrets out, as the description's texts say; its schemas require them all the same. The check lets the
  sandbox answer with them; how many answers differ otherwise is counted besides.
- Patterns that the description writes as `/…/`, in JavaScript's notation, mean what stands between the slashes.
- Ids in generated bodies name nothing, and are let pass.
- Twilio's addresses are relative, as in its samples, though the description calls them URIs; of an empty SID, which its
  samples show as an empty text, the check asks for null.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fidelity import Report, Twilio, Vapi, check, served

from voiceops.sandbox.catalog import COLLECTIONS, FILES

VAPI = [
    path
    for collection in [*(c.path for c in COLLECTIONS), FILES, "/v2/phone-number"]
    for path in (collection, f"{collection}/{{id}}")
] + [
    "/eval/run",
    "/eval/run/{id}",
    "/eval/simulation/concurrency",
    "/eval/simulation/run",
    "/eval/simulation/run/{id}",
    "/eval/simulation/run/{id}/item",
    "/eval/simulation/run/{id}/item/{itemId}",
    "/chat",
    "/chat/{id}",
    "/session",
    "/session/{id}",
]
ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
TWILIO = [
    f"{ACCOUNT}/AvailablePhoneNumbers/{{CountryCode}}/Local.json",
    f"{ACCOUNT}/IncomingPhoneNumbers.json",
    f"{ACCOUNT}/IncomingPhoneNumbers/Local.json",
    f"{ACCOUNT}/IncomingPhoneNumbers/{{Sid}}.json",
]


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """The description with no keys but those it names, and with patterns that are patterns."""
    for schema in document["components"]["schemas"].values():
        if schema.get("type") == "object" and schema.get("properties"):
            schema.setdefault("additionalProperties", False)
    changed: dict[str, Any] = without_slashes(document)
    return changed


def without_slashes(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: value.strip("/") if key == "pattern" and isinstance(value, str) else without_slashes(value)
            for key, value in node.items()
        }
    return [without_slashes(item) for item in node] if isinstance(node, list) else node


def relative(node: Any) -> Any:
    """The description with relative addresses in place of absolute ones."""
    if isinstance(node, dict):
        return {
            key: "uri-reference" if (key, value) == ("format", "uri") else relative(value)
            for key, value in node.items()
        }
    return [relative(item) for item in node] if isinstance(node, list) else node


def show(report: Report, verbose: bool) -> None:
    print(f"{sum(report.cases.values())} requests to {len(report.cases)} operations")
    print("  " + ", ".join(f"{status}: {count}" for status, count in sorted(report.statuses.items())))
    if verbose:
        for text, count in report.refusals.most_common(40):
            print(f"refused: {count} × {text}")
    for failure, count in report.failures.items():
        print(f"DIFFERS {count} × {failure}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Hold the sandbox against a vendor's OpenAPI description.")
    parser.add_argument("openapi", type=Path, help="the vendor's OpenAPI document, as JSON")
    parser.add_argument("--examples", type=int, default=20, help="generated requests an operation (default: 20)")
    parser.add_argument("--verbose", action="store_true", help="also count what was refused, and why")
    options = parser.parse_args(arguments)
    text = options.openapi.read_text(encoding="utf-8")
    document = json.loads(text)
    if any(path.startswith(ACCOUNT) for path in document["paths"]):
        operations = served(document, TWILIO)
        report = check(relative(document), operations, Twilio(), examples=options.examples, clear_to="null")
        show(report, options.verbose)
        return 1 if report.failures else 0
    operations = served(document, VAPI)
    report = check(closed(document), operations, Vapi(), examples=options.examples, credential_secrets="echo")
    show(report, options.verbose)
    usual = check(closed(json.loads(text)), operations, Vapi(), examples=options.examples)
    print(f"{sum(usual.failures.values())} answers differ for want of their secrets")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
