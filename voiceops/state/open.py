"""From `state:` (or VOICEOPS_STATE) to a store; what a back end needs is imported when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

from voiceops.errors import StateError
from voiceops.model.env_values import url_problem
from voiceops.state.folder import FolderStore
from voiceops.state.store import Store

_KNOWN = "a folder, s3://bucket/prefix, postgresql://… or https://…"


def open_store(
    location: str,
    root: Path,
    environment: str,
    *,
    project: str = "",
    environ: Mapping[str, str] = os.environ,
) -> Store:
    """The store of one environment; a folder is taken from the project's folder. Nothing is connected yet.

    `project` keeps projects apart that share a database. Raises StateError.
    """
    scheme, separator, _ = location.partition("://")
    if not separator:
        return FolderStore(root / location, environment)
    match scheme.lower():
        case "s3":
            return _s3(location, environment, environ)
        case "postgresql" | "postgres":
            return _postgres(location, project, environment)
        case "https" | "http":
            return _http(location, environment, environ)
    raise StateError(f"state in {scheme}:// is not supported by this version", hint=f"`state:` takes {_KNOWN}.")


def _s3(location: str, environment: str, environ: Mapping[str, str]) -> Store:
    _require("boto3", "s3", location)
    from voiceops.state.bucket import Bucket, Target
    from voiceops.state.s3 import S3Store

    parts = _split(location)
    if not parts.netloc:
        raise StateError(f"{location} names no bucket", hint="state: s3://bucket/prefix")
    parameters = dict(parse_qsl(parts.query))
    if unknown := set(parameters) - {"endpoint", "region", "profile"}:
        raise StateError(
            f"{redacted(location)}: nothing is known of {', '.join(sorted(unknown))}",
            hint="After the `?` go endpoint, region and profile.",
        )
    bucket = Bucket(Target.of(parts.netloc, parameters, environ))
    place = f"s3://{parts.netloc}/{f'{parts.path}/{environment}'.strip('/')}"
    return S3Store(bucket, place, parts.path, environment)


def _postgres(location: str, project: str, environment: str) -> Store:
    _require("psycopg", "postgres", location)
    from voiceops.state.postgres import PostgresStore

    return PostgresStore(location, f"{redacted(location)} ({environment})", project, environment)


def _http(location: str, environment: str, environ: Mapping[str, str]) -> Store:
    if problem := url_problem(_split(location)._replace(query="", fragment="").geturl()):
        raise StateError(f"`state:` is no address: {problem}", hint="state: https://host/path")
    from voiceops.state.http_store import HttpStore
    from voiceops.state.tf_server import Server, Settings

    return HttpStore(Server(Settings.of(location, environment, environ)), redacted(location))


def _require(module: str, extra: str, location: str) -> None:
    if find_spec(module) is None:
        raise StateError(
            f"state in {redacted(location)} needs {module}, which is not installed",
            hint=f"pip install 'voiceops-iac[{extra}]'",
        )


def redacted(location: str) -> str:
    """An address without user, password and parameters: for messages."""
    if "://" not in location:
        return location
    parts = _split(location)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _split(location: str) -> SplitResult:
    try:
        return urlsplit(location)
    except ValueError as error:
        raise StateError(f"`state:` is no address: {error}", hint=f"`state:` takes {_KNOWN}.") from None
