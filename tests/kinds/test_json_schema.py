"""The schemas for editors agree with `validate` on the example, and name what is wrong."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from voiceops.kinds.json_schema import any_manifest_schema, manifest_schema, project_schema
from voiceops.kinds.registry import ALL
from voiceops.manifest.yaml import read_documents

REPOSITORY = Path(__file__).parent.parent.parent
FILES = [
    *sorted((REPOSITORY / "agents").glob("*.yaml")),
    *sorted((REPOSITORY / "templates" / "init").rglob("agents/*.yaml")),
]


@pytest.mark.parametrize("kind", ALL)
def test_every_kind_has_a_schema_that_is_one(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(manifest_schema(kind))


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_the_example_fits(file: Path) -> None:
    validator = jsonschema.Draft202012Validator(any_manifest_schema())
    for document, _ in read_documents(file.read_text(), file.name):
        assert [error.message for error in validator.iter_errors(document)] == []


def test_the_project_file_fits() -> None:
    validator = jsonschema.Draft202012Validator(project_schema())
    document = read_documents((REPOSITORY / "voiceops.yaml").read_text(), "voiceops.yaml")[0][0]
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"transcriber": {"provider": "deepgram", "endpointing": "quick"}}, "quick"),
        ({"voice": {"provider": "no-such"}}, "no-such"),
        ({"maxDurationSeconds": 1}, "1"),
    ],
)
def test_what_is_wrong_is_found(spec: dict[str, object], named: str) -> None:
    validator = jsonschema.Draft202012Validator(manifest_schema("Agent"))
    errors = list(validator.iter_errors({"kind": "Agent", "name": "a", "spec": spec}))
    assert errors
    assert any(named in str(error.message) + str(error.context) for error in errors)
