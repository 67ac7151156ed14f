"""Do the handlers exist that manifests name? Reads Python files as text; runs none of them."""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache
from pathlib import Path

from voiceops.errors import Mark
from voiceops.manifest.files import FileProblem, load
from voiceops.manifest.problems import Problems, did_you_mean
from voiceops.manifest.project import Project

_HANDLER = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):(?P<function>[A-Za-z_]\w*)\Z")


def check_handler(project: Project, handler: str, mark: Mark, address: str, problems: Problems) -> None:
    """Report a handler that is no `module:function`, or whose file or function is not there."""
    match = _HANDLER.match(handler)
    if match is None:
        problems.error("handler", f"{handler!r} is no handler", mark, "Write module:function.", address)
        return
    base = project.root / project.handlers / Path(*match["module"].split("."))
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    shown = f"{project.handlers}/{match['module'].replace('.', '/')}.py"
    try:
        names = _functions(load(project.root, path))
    except FileProblem as problem:
        hint = f"Write def {match['function']}(…) in {shown}, or let `voiceops generate runtime --stubs` write it."
        problems.error("handler", str(problem), mark, hint, address)
    except SyntaxError as error:
        line = f"line {error.lineno}: " if error.lineno else ""
        problems.error("handler", f"{shown} is not valid Python: {line}{error.msg}", mark, address=address)
    else:
        if match["function"] not in names:
            problems.error(
                "handler",
                f"{shown} has no function {match['function']}",
                mark,
                did_you_mean(match["function"], names)
                or "Write it; `voiceops generate runtime --stubs` prints one that fits the tool.",
                address,
            )


def read_module(text: str) -> ast.Module:
    """A module as a tree, which runs nothing. Raises SyntaxError, also for what Python itself gives up on."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that are none: said by Python when the runtime starts
            return ast.parse(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(
            "it holds a null byte" if isinstance(error, ValueError) else "it is nested too deep"
        ) from None


@lru_cache(maxsize=256)
def _functions(text: str) -> tuple[str, ...]:
    """Names defined or imported at a module's top level."""
    names: list[str] = []
    for node in read_module(text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names += [alias.asname or alias.name for alias in node.names]
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return tuple(names)
