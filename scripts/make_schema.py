"""Writes schema/vapi.json, the facts about Vapi's API, from the vendor's OpenAPI document.

    python scripts/make_schema.py OPENAPI.json [--out schema/vapi.json] [--check]

The same as `voiceops schema update`, but for all projects, and stricter: nothing is written while a repair does not
fit. The format of the facts is described in docs/schema-format.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from voiceops.vendor_facts.facts_text import render
from voiceops.vendor_facts.from_openapi import build
from voiceops.vendor_facts.openapi_file import read_openapi
from voiceops.whole_file import write_whole

OUT = Path(__file__).parent.parent / "schema" / "vapi.json"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the facts about Vapi's API from its OpenAPI document.")
    parser.add_argument("openapi", type=Path, help="the vendor's OpenAPI document, as JSON or YAML")
    parser.add_argument("--out", type=Path, default=OUT, help="the file to write (default: schema/vapi.json)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file differs")
    options = parser.parse_args(arguments)
    facts, notes = build(read_openapi(options.openapi))
    for note in notes:
        print(note, file=sys.stderr)
    if notes:
        print("Nothing written: look at voiceops/vendor_facts/repairs.py first.", file=sys.stderr)
        return 1
    text = render(facts)
    if options.check:
        same = options.out.is_file() and options.out.read_text(encoding="utf-8") == text
        print(f"{options.out} {'is up to date' if same else 'differs'}")
        return 0 if same else 1
    write_whole(options.out, text.encode())
    print(f"{options.out}: {len(facts['roots'])} roots, {len(facts['types'])} types, {len(text.encode()) // 1024} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
