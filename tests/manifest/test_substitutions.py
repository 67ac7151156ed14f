"""${…} in manifests: what each form gives, and what is wrong with others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.folder import Folder, body
from voiceops.model.values import Ref, Secret, Template

SUBSTITUTIONS = {
    "env": ("${env:CITY}", "Bern"),
    "env-in-a-text": ("in ${env:CITY}!", "in Bern!"),
    "env-default-unused": ("${env:CITY:-Rome}", "Bern"),
    "env-default": ("${env:NOWHERE:-Rome}", "Rome"),
    "env-default-for-empty": ("${env:EMPTY:-Rome}", "Rome"),
    "env-empty-default": ("${env:NOWHERE:-}", ""),
    "env-empty": ("${env:EMPTY}", ""),
    "env-default-with-colons": ("${env:NOWHERE:-https://x:1/:-y}", "https://x:1/:-y"),
    "env-number-stays-text": ("${env:PORT}", "8080"),
    "var-text": ("${var:shop}", "Fern"),
    "var-in-a-text": ("${var:shop}, ${var:shop}", "Fern, Fern"),
    "var-number": ("${var:limit}", 7),
    "var-number-in-a-text": ("n=${var:limit}", "n=7"),
    "var-true": ("${var:on}", True),
    "var-true-in-a-text": ("${var:on}", True),
    "var-list": ("${var:words}", ["a", "b"]),
    "var-map": ("${var:map}", {"x": 1}),
    "secret": ("${secret:KEY}", Secret(("KEY",), ("", ""))),
    "secret-in-a-text": ("Bearer ${secret:KEY}.", Secret(("KEY",), ("Bearer ", "."))),
    "two-secrets": ("${secret:A}:${secret:B}", Secret(("A", "B"), ("", ":", ""))),
    "secret-and-env": ("${secret:KEY}@${env:CITY}", Secret(("KEY",), ("", "@Bern"))),
    "file": ("${file:texts/hello.md}", "Hello ${var:shop} {{customer.name}}\n"),
    "file-in-a-text": ("<${file:texts/hello.md}>", "<Hello ${var:shop} {{customer.name}}\n>"),
    "template": ("${template:texts/hello.md}", "Hello Fern {{customer.name}}\n"),
    "ref": ("${ref:Agent/b.id}", Ref("Agent/b")),
    "ref-name": ("${ref:Agent/b.name}", Ref("Agent/b", "name")),
    "ref-in-a-text": ("https://x/${ref:Agent/b.id}", Template(("https://x/", Ref("Agent/b")))),
    "runtime": ("${runtime:url}/x", "https://voice.example/x"),
    "literal": ("$${var:shop}", "${var:shop}"),
    "literal-beside": ("$${x} ${var:shop}", "${x} Fern"),
    "dollar": ("$5 and $x", "$5 and $x"),
    "vapis-own": ("{{customer.name}} {{now}}", "{{customer.name}} {{now}}"),
    "what-a-variable-brings-is-final": ("${var:looks}", "${var:shop}"),
}


@pytest.mark.parametrize(("text", "value"), SUBSTITUTIONS.values(), ids=SUBSTITUTIONS)
def test_substitutions(folder: Folder, text: str, value: Any) -> None:
    folder.project(
        """\
        variables:
          shop: Fern
          limit: 7
          on: true
          words: [a, b]
          map: {x: 1}
          looks: $${var:shop}
        """
    )
    folder.write("agents/texts/hello.md", "Hello ${var:shop} {{customer.name}}\n")
    folder.write(
        "agents/a.yaml",
        f"kind: Agent\nname: a\nspec:\n  metadata:\n    here: '{text}'\n---\nkind: Agent\nname: b\nspec: {{}}\n",
    )

    graph = folder.graph(environ={"CITY": "Bern", "EMPTY": "", "PORT": "8080"})

    found = body(graph)["metadata"]["here"]
    assert found == value
    assert type(found) is type(value)


WRONG = {
    "env-missing": ("${env:NOWHERE}", "env-missing"),
    "env-name": ("${env:no-name}", "interpolate-syntax"),
    "var-missing": ("${var:shup}", "var-missing"),
    "file-missing": ("${file:texts/none.md}", "file"),
    "file-outside": ("${file:../../x.md}", "file"),
    "file-absolute": ("${file:/etc/passwd}", "file"),
    "file-a-folder": ("${file:texts}", "file"),
    "file-no-text": ("${file:texts/bytes}", "file"),
    "template-missing": ("${template:none.md}", "file"),
    "template-with-secret": ("${template:texts/secret.md}", "interpolate-form"),
    "ref-form": ("${ref:Agent/b}", "interpolate-syntax"),
    "ref-nowhere": ("${ref:Agent/none.id}", "reference"),
    "ref-and-secret": ("${ref:Agent/b.id}${secret:K}", "interpolate-mixed"),
    "runtime-other": ("${runtime:port}", "interpolate-form"),
    "each-outside": ("${each:key}", "each-outside"),
    "unknown": ("${vault:x}", "interpolate-form"),
    "bare": ("${shop}", "interpolate-form"),
    "open": ("a ${var:shop", "interpolate-syntax"),
    "empty": ("${}", "interpolate-form"),
    "map-in-a-text": ("a ${var:map}", "interpolate-type"),
    "list-in-a-text": ("${var:words} b", "interpolate-type"),
    "nested": ("${var:${env:X}}", "interpolate-"),
}


@pytest.mark.parametrize(("text", "code"), WRONG.values(), ids=WRONG)
def test_wrong_substitutions(folder: Folder, text: str, code: str) -> None:
    folder.project("variables: {shop: Fern, words: [a], map: {x: 1}}\n")
    folder.write("agents/texts/secret.md", "x\n${secret:K}\n")
    (folder.root / "agents" / "texts" / "bytes").write_bytes(b"\xff\xfe\x00")
    folder.write(
        "agents/a.yaml",
        f"kind: Agent\nname: a\nspec:\n  metadata:\n    here: '{text}'\n---\nkind: Agent\nname: b\nspec: {{}}\n",
    )

    found = folder.problems()

    assert found
    assert found[0].code.startswith(code), found
    assert found[0].mark is not None
    if code == "interpolate-form" and "template" in text:
        assert found[0].mark[:2] == ("agents/texts/secret.md", 2)
    else:
        assert found[0].mark[:2] == ("agents/a.yaml", 5)
