"""An error of a handler as the log has it: its kind, its place in the handler's file, its message in one line.

The message may hold what a caller said, or a key: arguments, phone numbers and secrets are taken out of it.
"""

from __future__ import annotations

import inspect
import os
import re
import sysconfig
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from voiceops.model.safe_text import flowed
from voiceops.model.wording import cut

_LONGEST = 300
_MASK = "(hidden)"
_SECRET_NAME = re.compile(
    r"SECRET|TOKEN|PASS(WORD|WD|PHRASE)?|KEY|CREDENTIAL|AUTH|DSN|PRIVATE|_PAT\b|HOOK|DATABASE_URL|_DB\b", re.IGNORECASE
)
_LOOKS_SECRET = re.compile(
    r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"
    r"|\b(sk|pk|rk|ghp|gho|xox[abp]|whsec|AKIA)[-_]?[\w-]{12,}"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_PHONE = re.compile(r"\+\d[\d ().-]{5,}\d|\b\d{7,15}\b|\(?\b\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b")
_LIBRARIES = tuple(
    f"{Path(path).resolve()}{os.sep}"
    for path in {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    if path
)
_OURS = f"{Path(__file__).resolve().parent.parent}{os.sep}"


def told(error: BaseException, arguments: Mapping[str, Any] | None = None) -> str:
    """`ValueError at orders.py:12: no such order (orderNumber)`: the deepest place in the handler's own files."""
    said = message_of_error(error, arguments)
    return f"{kind_and_place(error)}{f': {said}' if said else ''}"


def kind_and_place(error: BaseException) -> str:
    """`ValueError at orders.py:12`."""
    if isinstance(error, BaseExceptionGroup) and error.exceptions:
        return f"{type(error).__name__} of {len(error.exceptions)}, the first: {kind_and_place(error.exceptions[0])}"
    place = place_of(error)
    return f"{type(error).__name__}{f' at {place}' if place else ''}"


def message_of_error(error: BaseException, arguments: Mapping[str, Any] | None = None) -> str:
    """The error's own words in one line, without what callers said and without secrets."""
    if isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    try:
        text = str(error)
    except Exception:  # a class whose text can't be made
        return ""
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str):
        text = repr(error.args[0])
    return cut(flowed(without_values(text, arguments or {})), _LONGEST)


def place_of(error: BaseException) -> str:
    """`orders.py:12`: where the error came through the handler's files; where it began, if it never did."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno or 1}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _is_library(frame.filename)]
    frame = own[-1] if own else frames[-1] if frames else None
    return f"{Path(frame.filename).name}:{frame.lineno}" if frame is not None else ""


def place_of_function(function: Callable[..., Any]) -> str:
    """`orders.py:12`: where a function begins."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code is not None else ""


def _is_library(file: str) -> bool:
    """Is it Python's, a package's, or ours? Handlers may well be installed below a package folder's parent."""
    if file.startswith("<"):
        return True
    path = str(Path(file).resolve())
    packages = any(part in ("site-packages", "dist-packages") for part in Path(path).parts)
    return packages or path.startswith(_OURS) or path.startswith(_LIBRARIES)


def without_values(text: str, arguments: Mapping[str, Any]) -> str:
    """The text without arguments (their names stand in for them), phone numbers and secrets."""
    secrets = {value for name, value in os.environ.items() if len(value) >= 6 and _SECRET_NAME.search(name)}
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, _MASK)
    text = _LOOKS_SECRET.sub(_MASK, text)
    for name, value in sorted(_leaves("", arguments), key=lambda pair: -len(pair[1])):
        text = text.replace(value, f"({name})")
    return _PHONE.sub("(number)", text)


def _leaves(name: str, value: Any, depth: int = 0) -> Iterable[tuple[str, str]]:
    """Every value of the arguments that is long enough to tell something, with its name."""
    if depth > 8:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}" if name else str(key), item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(name, item, depth + 1)
    elif not isinstance(value, bool) and len(text := str(value)) >= 3 and value is not None:
        yield name, text
