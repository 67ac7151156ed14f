"""The schemas for editors agree with `validate` on the example, and name what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest

from voiceops.kinds.json_schema import any_manifest_schema, manifest_schema, project_schema
from voiceops.kinds.registry import ALL
from voiceops.manifest.strict_yaml import read_documents
from voiceops.templating import render_files

REPOSITORY = Path(__file__).parent.parent.parent
WRITTEN = render_files("init/base", project="shop", with_runtime=True) | render_files("init/runtime")
FILES = {
    **{path.stem: path.read_text() for path in sorted((REPOSITORY / "agents").glob("*.yaml"))},
    **{f"init's {name}": text.decode() for name, text in WRITTEN.items() if re.fullmatch(r"agents/.*\.yaml", name)},
}


@pytest.mark.parametrize("kind", ALL)
def test_every_kind_has_a_schema_that_is_one(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(manifest_schema(kind))


@pytest.mark.parametrize("name", FILES)
def test_the_example_fits(name: str) -> None:
    validator = jsonschema.Draft202012Validator(any_manifest_schema())
    for document, _ in read_documents(FILES[name], name):
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


@pytest.mark.parametrize(
    ("on", "fine"),
    [
        ("customer.speech.timeout", True),
        ("customer.speech.timeout[timeout=5]", True),
        ("customer.speech.timeout[]", False),
        ("customer.shouting", False),
    ],
)
def test_a_key_that_matches_a_pattern_chooses_its_variant(on: str, fine: bool) -> None:
    validator = jsonschema.Draft202012Validator(manifest_schema("Agent"))
    hook = {"on": on, "do": [{"type": "say", "exact": "Still there?"}]}
    assert validator.is_valid({"kind": "Agent", "name": "a", "spec": {"hooks": [hook]}}) is fine
    # And the variant's own fields are checked.
    wrong = hook | {"do": "nothing"}
    assert not validator.is_valid({"kind": "Agent", "name": "a", "spec": {"hooks": [wrong]}})


def test_known_values_of_a_text_are_offered_and_others_taken() -> None:
    schema = manifest_schema("Agent")
    assert schema["$defs"]["CreateAssistantDTO"]["properties"]["backgroundSound"]["examples"] == ["off", "office"]
    validator = jsonschema.Draft202012Validator(schema)
    spec = {"backgroundSound": "https://x.example/rain.mp3"}
    assert validator.is_valid({"kind": "Agent", "name": "a", "spec": spec})


def test_a_file_is_written_as_its_path() -> None:
    validator = jsonschema.Draft202012Validator(manifest_schema("File"))
    assert validator.is_valid({"kind": "File", "name": "a", "spec": {"path": "menu.pdf", "metadata": {"pages": 2}}})
    assert not validator.is_valid({"kind": "File", "name": "a", "spec": {"path": 7}})


def test_an_editor_takes_the_old_names_of_values_too() -> None:
    modes = manifest_schema("Tool")["$defs"]["TransferPlan"]["properties"]["mode"]
    listed = [value for option in modes["anyOf"] for value in option.get("enum", ())]
    assert {"warm-transfer-with-summary", "warm-transfer-say-summary"} <= set(listed)
