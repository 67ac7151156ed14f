"""How a preview is called: the environment that it is, and the live names of what it makes. Pure."""

from __future__ import annotations

import re
from hashlib import sha256

ENVIRONMENT = "preview-"
REGISTRY = "_previews"  # under which the list of them is kept: no environment can be called so
MOST = 20  # characters of a name: with it a live name has to stay one that people know
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_APART = 7  # characters that tell two shortened names apart


def environment_of(name: str) -> str:
    """The environment that the preview `name` is."""
    return ENVIRONMENT + name


def name_in(environment: str | None) -> str | None:
    """The name of the preview that an environment is; None where it is another environment."""
    if environment is None or not environment.startswith(ENVIRONMENT):
        return None
    return environment.removeprefix(ENVIRONMENT)


def name_problem(name: str) -> str:
    """What keeps a text from being a preview's name, in words; nothing where it is one."""
    if len(name) > MOST:
        return f"it has {len(name)} characters, {MOST} at most"
    return "" if _NAME.match(name) else "it takes a-z, 0-9 and -, and begins with a letter or digit"


def suffix_of(name: str) -> str:
    """What every live name in a preview ends with."""
    return f" ({name})"


def live_name(name: str, suffix: str, most: int | None = None) -> str:
    """A live name in a preview: the name as it is elsewhere, and the suffix.

    Where both are longer than the vendor takes, the name is shortened, and keeps a mark by which two that begin alike
    are told apart.
    """
    if most is None or len(name) + len(suffix) <= most:
        return name + suffix
    apart = "~" + sha256(name.encode(errors="surrogatepass")).hexdigest()[: _APART - 1]
    return name[: max(0, most - len(suffix) - _APART)].rstrip() + apart + suffix
