"""Jinja2 as it is used here: for pages, and for files that are written for a new owner.

A page shows every value as text: markup in it is escaped, and what hides or acts is spelled out, without a word in the
template. A file has square brackets for its values, `[[ name ]]` and `[% if … %]`, so that GitHub's `${{ }}` and
Vapi's `{{ }}` pass as they are. In both, a name that is not given is an error. Jinja2 is imported when the first
template is: who renders nothing does not wait for it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from voiceops.errors import VoiceopsError
from voiceops.model.safe_text import html

if TYPE_CHECKING:
    from jinja2 import Environment

_ASSETS = "assets"  # the folder beside a package's modules
_PACKAGE = Path(__file__).parent
# In a wheel, or beside the package in a checkout. The first that is there is the one.
_FOLDERS = (_PACKAGE / "_data" / "templates", _PACKAGE.parent / "templates")
_SUFFIX = ".j2"  # of what is filled in; what has it not is copied
_DOT = "dot-"  # stands for the dot of names on which tools would act in this repository
# A text that YAML reads as that text without quotes: no number or date, no word with a meaning, nothing of its grammar.
_PLAIN_YAML = re.compile(
    r"(?!(?:true|false|null|yes|no|on|off|y|n)\Z)(?![0-9_-]+(?:e[0-9-]*)?\Z)(?!0[box])[a-z0-9][a-z0-9_-]*",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


# pages


def render_page(package: str, name: str, **values: object) -> str:
    """A page from the template in that package's `assets/`; every value in it is shown as text, but `Markup`.

    Raises jinja2.UndefinedError where the template has a name that is not given.
    """
    return _pages(package).get_template(name).render(values)


def asset(package: str, name: str) -> str:
    """The text of a file in that package's `assets/`."""
    return (files(package) / _ASSETS / name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Inline:
    """A style sheet or a script of ours that stands in a page, with its hash for the page's security policy."""

    text: Markup
    hash: str


@cache
def inline(package: str, *names: str) -> Inline:
    """Those files of the package's `assets/`, one after the other."""
    text = "".join(asset(package, name) for name in names)
    return Inline(Markup(text), "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())


@cache
def _pages(package: str) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader(package, _ASSETS),
        autoescape=True,
        finalize=_as_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    # Filters and functions that make markup of texts, or join them past `_as_text`, are not there to be used.
    made.filters = {"length": len}
    made.globals = {}
    return made


def _as_text(value: object) -> object:
    return value if isinstance(value, Markup) else Markup(html(str(value)))


# files


def render_files(folder: str, **values: object) -> dict[str, bytes]:
    """Every file that a folder of `templates/` stands for, by its path: those in `.j2` filled in, the others copied.

    Raises VoiceopsError where this installation lacks the folder, and jinja2.UndefinedError where a template has a
    name that is not given.
    """
    root = _root(folder)
    found: dict[str, bytes] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            name = path.relative_to(root)
            content = (
                render_file(f"{folder}/{name.as_posix()}", **values).encode()
                if path.suffix == _SUFFIX
                else path.read_bytes()
            )
            target = "/".join("." + part.removeprefix(_DOT) if part.startswith(_DOT) else part for part in name.parts)
            found[target.removesuffix(_SUFFIX)] = content
    return found


def render_file(name: str, **values: object) -> str:
    """The text of one file that a template under `templates/` stands for.

    Raises VoiceopsError where this installation lacks it, jinja2.UndefinedError where it has a name that is not given,
    and ValueError for a value of several lines that the template has not said it takes.
    """
    from jinja2 import TemplateNotFound

    try:
        return _files().get_template(name).render(values)
    except TemplateNotFound:
        raise _lacking(name) from None


def shipped(name: str) -> str:
    """The text of a file under `templates/`, as it is. Raises VoiceopsError where this installation lacks it."""
    try:
        return _root(name).read_text(encoding="utf-8")
    except OSError:
        raise _lacking(name) from None


@cache
def _files() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_root("")),
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        autoescape=False,
        finalize=_in_its_line,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters = _FILTERS
    made.globals = {}
    return made


def _root(name: str) -> Path:
    """A file or folder under `templates/`. Raises VoiceopsError."""
    for folder in _FOLDERS:
        if folder.is_dir():
            if not (folder / name).exists():
                break
            return folder / name
    raise _lacking(name)


def _lacking(name: str) -> VoiceopsError:
    return VoiceopsError(f"this installation has no template {name}", hint="Install voiceops again.")


class _Lines(str):
    """A text of several lines that a template takes as such."""

    __slots__ = ()


def _in_its_line(value: object) -> object:
    """A value that ends the line which it stands in could say what the template does not."""
    if not isinstance(value, _Lines) and _CONTROL.search(str(value)):
        raise ValueError(f"{value!r} is no text of one line")
    return value


def quoted(text: str) -> str:
    """In double quotes, as JSON, YAML, TOML and the lists of a Dockerfile read it."""
    return json.dumps(text, ensure_ascii=False)


def yaml(text: str) -> str:
    """As YAML reads it: as it stands where it can mean nothing else, in quotes elsewhere."""
    return text if _PLAIN_YAML.fullmatch(text) else quoted(text)


def _joined(texts: Iterable[str], by: str) -> str:
    return by.join(texts)


_FILTERS: dict[str, Callable[..., Any]] = {"quoted": quoted, "yaml": yaml, "lines": _Lines, "join": _joined}
