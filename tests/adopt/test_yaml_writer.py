"""Manifests as texts: they read back equal, and no comment is more than a comment."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.adopt.yaml_writer import document_text, documents_text
from voiceops.manifest.strict_yaml import read_documents
from voiceops.model.located import plain
from voiceops.model.values import canonical

MANIFEST = {"kind": "Agent", "name": "a", "spec": {"firstMessage": "Hi", "silenceTimeoutSeconds": 30.0}}


def read(text: str) -> list[Any]:
    return [plain(value, {}) for value, _ in read_documents(text, "a.yaml")]


def test_a_manifest_as_a_person_would_write_it() -> None:
    assert document_text(MANIFEST, ["Live as support, 3fa8.", ""]) == (
        "# Live as support, 3fa8.\nkind: Agent\nname: a\nspec:\n  firstMessage: Hi\n  silenceTimeoutSeconds: 30\n"
    )


def test_several_manifests_stand_in_one_file() -> None:
    text = documents_text([(MANIFEST, ["One."]), (MANIFEST, ["Two."])])
    assert text.count("\n---\n# Two.\nkind: Agent\n") == 1
    assert read(text) == [MANIFEST, MANIFEST]


@given(st.lists(st.text() | st.sampled_from(["a\nkind: Tool", "a\r---\r", "\x85spec: {}", "\u2028x: 1", "x" * 300])))
def test_no_text_gets_out_of_a_comment(comments: list[str]) -> None:
    assert read(document_text(MANIFEST, comments)) == [MANIFEST]


def test_whole_numbers_are_written_without_a_fraction() -> None:
    spec = {"a": 1.0, "b": [2.0, -0.0, 0.5], "c": 1e15, "d": 1e300, "e": 2.0**53, "f": True}
    found = read(document_text({"spec": spec}))[0]["spec"]
    assert canonical(found) == canonical(spec)
    assert repr(found["b"]) == "[2, 0, 0.5]"
    assert found["d"] == 1e300


@pytest.mark.parametrize("spec", [{"a": ["x\ud83d"]}, {"\ude00": 1}])
def test_half_a_character_stands_in_no_file(spec: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        document_text({"spec": spec})
