"""From `module:function` and a folder to functions that can be called; errors name the file, never a traceback.

Runs the user's modules; knows neither messages nor tools.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import keyword
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from voiceops.errors import VoiceopsError
from voiceops.runtime.handlers.decorators import Registry, collecting
from voiceops.runtime.handlers.failure_text import message_of_error

_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)  # *names and **names
_REGISTERS = re.compile(r"^\s*(from|import)\s+voiceops\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Handler:
    """A function with what has to be known to call it."""

    function: Callable[..., Any]
    name: str
    is_async: bool
    takes_call: bool
    names: frozenset[str]  # of the parameters that may be given by name
    everything: bool = False  # also those that have no name (**kwargs)

    def bound(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments that the function takes; `from_` takes `from`, which Python can't name."""
        if arguments.keys() <= self.names:
            return arguments
        found = {name: value for name, value in arguments.items() if self.everything or name in self.names}
        for name, value in arguments.items():
            if keyword.iskeyword(name) and f"{name}_" in self.names:
                found.pop(name, None)
                found[f"{name}_"] = value
        return found


def handler_of(function: Callable[..., Any], name: str = "") -> Handler:
    """Look at a function's parameters once, at the start."""
    shown = name or getattr(function, "__qualname__", repr(function))
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return Handler(function, shown, inspect.iscoroutinefunction(function), False, frozenset(), True)
    takes_call = bool(parameters) and parameters[0].name == "call" and parameters[0].kind not in _MANY
    rest = parameters[1:] if takes_call else parameters
    everything = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in rest)
    names = frozenset(p.name for p in rest if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
    if takes_call and parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        function = _with_call_by_name(function)
    return Handler(function, shown, is_async, takes_call, names, everything)


def _with_call_by_name(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda call, **arguments: function(call=call, **arguments)


class Handlers:
    """The functions that manifests name, and what decorators registered beside them."""

    def __init__(self, folder: Path | None, names: list[str]) -> None:
        """Load every module that is named, and every other one in the folder that imports voiceops."""
        self.registry: Registry = collecting()
        self._folder = folder.resolve() if folder is not None else None
        self._functions: dict[str, Handler] = {}
        if self._folder is not None and str(self._folder) not in sys.path:
            # At the end: a handler module named like one of Python's own must not take its place.
            sys.path.append(str(self._folder))
        for name in names:
            module_name, _, function_name = name.partition(":")
            function = getattr(self._module(module_name, name), function_name, None)
            if not callable(function):
                raise VoiceopsError(
                    f"handler {name}: the module {module_name} has no function {function_name}",
                    hint=f"Write def {function_name}(…) there, or run `voiceops generate runtime --stubs`.",
                )
            self._functions[name] = handler_of(function, name)
        for path in sorted(self._folder.glob("*.py")) if self._folder is not None and self._folder.is_dir() else ():
            if path.stem != "__init__" and _REGISTERS.search(path.read_text(encoding="utf-8", errors="replace")):
                self._module(path.stem, path.stem)

    def get(self, name: str | None) -> Handler | None:
        """The function of a manifest's `handler:`."""
        return self._functions.get(name) if name else None

    def _module(self, name: str, wanted_by: str) -> ModuleType:
        assert self._folder is not None or not name
        folder = self._folder or Path()
        base = folder.joinpath(*name.split("."))
        path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
        if not path.is_file():
            raise VoiceopsError(
                f"handler {wanted_by}: there is no file {path.name} in {folder.name}/",
                hint="Write it, or run `voiceops generate runtime --stubs`.",
            )
        try:
            return _import(name, path)
        except (Exception, SystemExit) as error:
            why = f"{_place(error, path)}{type(error).__name__}: {message_of_error(error)}"
            raise VoiceopsError(
                f"handler {wanted_by}: {path.name} can't be loaded: {why}",
                hint="Correct the file, and start again.",
            ) from error


def _import(name: str, path: Path) -> ModuleType:
    known = sys.modules.get(name)
    if known is not None and Path(getattr(known, "__file__", "") or "").resolve() == path.resolve():
        return known
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if known is None and spec is not None and spec.origin and Path(spec.origin).resolve() == path.resolve():
        return importlib.import_module(name)
    # Another module has the name already: the handlers get one of their own.
    own = f"voiceops_handlers.{path.parent.name}.{name}"
    spec = importlib.util.spec_from_file_location(own, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[own] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(own, None)
        raise
    return module


def _place(error: BaseException, path: Path) -> str:
    """The line of the user's file, where the error came through it."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: "
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).name == path.name
    ]
    return f"line {lines[-1]}: " if lines else ""
