"""Keys that a manifest would give away: by the name of a variable, and by the value, wherever it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from voiceops.manifest.problems import Problems
from voiceops.model.graph import Graph, Resource
from voiceops.model.redactor import Redactor, looks_secret
from voiceops.model.values import Template, format_path, leaves

_TAKE_OUT = "Take it out: a prompt is repeated to whoever asks for it, and git keeps it for good."


class KnownSecrets:
    """The secrets that an environment holds, and those that the project asks for, as they turn up."""

    def __init__(self, environ: Mapping[str, str], redactor: Redactor | None = None) -> None:
        self._environ = environ
        self.redactor = redactor or Redactor()
        self.redactor.learn(environ)

    def asked(self, name: str) -> None:
        """A manifest says `${secret:NAME}`."""
        self.redactor.add(self._environ.get(name, ""), name)

    def why_not(self, name: str, value: str | None) -> str | None:
        """Why a variable can't be written out, or None where it can."""
        if looks_secret(name):
            return f"{name} holds a key, and ${{env:}} would write it out"
        other = self.redactor.found(value) if value else None
        return f"the value of {name} is that of {other}, and ${{env:}} would write it out" if other else None


def check_secrets(graph: Graph, known: KnownSecrets, problems: Problems) -> None:
    """Nothing that is sent holds a secret's value, out of whichever pieces and files it was put together."""
    encoded = {a: _encoded((r.body, r.extra, r.labels)) for a, r in graph.resources.items()}
    if known.redactor.found("\n".join(encoded.values())) is not None:
        for address, text in encoded.items():
            if known.redactor.found(text) is not None:
                _report(graph.resources[address], known, problems)
    for resource in graph.resources.values():
        if resource.upload and (name := _in_file(resource.upload, known)):
            problems.error(
                "secret-shown",
                f"{Path(resource.upload).name} holds the value of {name}, for everybody to read",
                resource.source_of(("sha256",)),
                _TAKE_OUT,
                resource.address,
            )


def _in_file(path: str, known: KnownSecrets) -> str | None:
    try:
        return known.redactor.found(Path(path).read_bytes().decode("utf-8", "replace"))
    except OSError:
        return None  # said already, or where it is sent


def _report(resource: Resource, known: KnownSecrets, problems: Problems) -> None:
    reported = False
    for path, leaf in leaves(resource.body):
        text = leaf if isinstance(leaf, str) else _plain(leaf)
        name = known.redactor.found(text) if isinstance(text, str) else None
        if name is not None:
            reported = True
            what = f"{format_path(path)} holds the value of {name}, for everybody to read"
            hint = f"Where the API takes a secret, write ${{secret:{name}}}. " if name.isidentifier() else ""
            problems.error("secret-shown", what, resource.source_of(path), hint + _TAKE_OUT, resource.address)
    if not reported:  # a key of a map, a label, a sentence of the runtime's
        problems.error(
            "secret-shown",
            "it holds a secret's value, for everybody to read",
            resource.mark,
            _TAKE_OUT,
            resource.address,
        )


def _plain(value: Any) -> Any:
    """What of a marker is written out: the texts around references, nothing of a secret."""
    if isinstance(value, Template):
        return "".join(part if isinstance(part, str) else "\0" for part in value.parts)
    return None


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def _encoded(value: Any) -> str:
    try:
        return _encoder.encode(value).decode()
    except UnicodeEncodeError:  # half a character, out of a variable that is no text
        return json.dumps(value, ensure_ascii=False, default=_plain)
