"""What `voiceops.use` offers: the same names to whoever runs it and to type checkers, and each of them there."""

from __future__ import annotations

import ast
from pathlib import Path

from voiceops import use


def test_type_checkers_are_told_the_same_names() -> None:
    told = ast.parse((Path(use.__file__).parent / "__init__.pyi").read_text(encoding="utf-8"))
    offered = {
        (name.asname, f"{node.module}.{name.name}")
        for node in told.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert offered == {(name, f"voiceops.{module}.{name}") for name, module in use._MODULE_OF.items()}


def test_every_name_is_there() -> None:
    assert [name for name in dir(use) if getattr(use, name) is None] == []


def test_no_name_is_a_modules() -> None:
    """A module that is imported would stand in the place of the function."""
    assert {path.stem for path in Path(use.__file__).parent.glob("*.py")}.isdisjoint(dir(use))
