"""The source of voiceops as data: its modules, who imports whom, its functions. Read from the files, never imported."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = "voiceops"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One of our modules imported by another; `inside` a function, or only for `types`."""

    by: str
    of: str
    line: int
    inside: bool
    types: bool


@dataclass(frozen=True)
class Source:
    """One file."""

    path: Path
    module: str
    text: str = field(repr=False)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def package(self) -> str:
        """The folder below voiceops/ that it stands in; "" for a file of voiceops/ itself."""
        parts = self.path.relative_to(ROOT).parts
        return parts[1] if len(parts) > 2 else ""

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    def comments(self) -> Iterator[tuple[int, str]]:
        """Every comment with its line."""
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string

    def functions(self) -> Iterator[tuple[str, Function, bool]]:
        """Every function with its dotted name, and whether others may call it: none of its names has an underscore."""
        yield from _functions(self.tree, "", True)


@cache
def sources(folder: str = PACKAGE) -> dict[str, Source]:
    """Every Python file below a folder of the repository, by module."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[module] = Source(path, module, path.read_text(encoding="utf-8"))
    return found


@cache
def imports() -> tuple[Import, ...]:
    """Every import of one of our modules by another."""
    known = sources()
    return tuple(found for source in known.values() for found in _imports(source, source.tree, known, False, False))


def circles() -> list[list[str]]:
    """The groups of modules that reach each other by imports, whatever the imports are for."""
    edges: dict[str, set[str]] = defaultdict(set)
    for one in imports():
        edges[one.by].add(one.of)
    reach = {module: _reached(module, edges) for module in sources()}
    groups = {
        frozenset(other for other in reach[module] if module in reach[other])
        for module in reach
        if module in reach[module]
    }
    return sorted(sorted(group) for group in groups)


def _reached(module: str, edges: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        fresh = edges.get(waiting.pop(), set()) - seen
        seen |= fresh
        waiting += fresh
    return seen


def _imports(source: Source, node: ast.AST, known: Mapping[str, Source], inside: bool, types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        names: list[str] = []
        if isinstance(child, ast.Import):
            names = [alias.name for alias in child.names]
        elif isinstance(child, ast.ImportFrom) and child.module:
            names = [f"{child.module}.{alias.name}" for alias in child.names]
        targets = {target for name in names if (target := _nearest(name, known)) and target != source.module}
        for target in sorted(targets):
            yield Import(source.module, target, child.lineno, inside, types)
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for statement in child.body:
                yield from _imports(source, ast.Module([statement], []), known, inside, True)
            for statement in child.orelse:
                yield from _imports(source, ast.Module([statement], []), known, inside, types)
            continue
        yield from _imports(source, child, known, inside or isinstance(child, Function), types)


def _nearest(name: str, known: Mapping[str, Source]) -> str:
    """The module that a dotted name stands in; "" where it is none of ours. A package alone holds nothing."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return "" if name == PACKAGE else name


def _functions(node: ast.AST, within: str, public: bool) -> Iterator[tuple[str, Function, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            named = f"{within}{child.name}"
            yield named, child, public and not child.name.startswith("_")
            yield from _functions(child, f"{named}.", False)
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{within}{child.name}.", public and not child.name.startswith("_"))
        else:
            yield from _functions(child, within, public)
