"""A bucket of S3-compatible object storage: read, list, delete, and the conditional writes that make it safe.

Knows keys, bytes, ETags and the server's clock; nothing of states. boto3 does the talking: it finds credentials as
every AWS tool does, and shows the headers of an answer. It is synchronous, so that each call runs in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, TypeVar

from voiceops.errors import StateError

T = TypeVar("T")

_CONFLICT = {409, 412}


@dataclass(frozen=True, slots=True)
class Target:
    """Which bucket, where, and as whom. Empty: what the AWS SDKs take by themselves."""

    bucket: str
    endpoint: str = ""
    region: str = ""
    profile: str = ""
    credentials: tuple[str, str, str] = ("", "", "")  # key id, secret, session token

    @classmethod
    def of(cls, bucket: str, parameters: Mapping[str, str], environ: Mapping[str, str]) -> Target:
        """From an address's parameters and the variables that the AWS tools read."""

        def first(*names: str) -> str:
            return next((environ[name] for name in names if environ.get(name)), "")

        return cls(
            bucket=bucket,
            endpoint=parameters.get("endpoint") or first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
            region=parameters.get("region") or first("AWS_REGION", "AWS_DEFAULT_REGION"),
            profile=parameters.get("profile") or first("AWS_PROFILE"),
            credentials=(first("AWS_ACCESS_KEY_ID"), first("AWS_SECRET_ACCESS_KEY"), first("AWS_SESSION_TOKEN")),
        )

    def __repr__(self) -> str:
        return f"Target({self.bucket!r}, {self.endpoint!r})"


@dataclass(frozen=True, slots=True)
class Object:
    """An object as it was read; `age` is in seconds by the server's own clock."""

    content: bytes
    etag: str
    age: float


class Bucket:
    """The objects under a target's bucket."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @property
    def endpoint(self) -> str:
        """Where the bucket is, for messages."""
        return self._target.endpoint or "Amazon S3"

    async def get(self, key: str) -> Object | None:
        """An object, or None where there is none. Raises StateError."""

        def call(client: Any) -> Object | None:
            try:
                answer = client.get_object(Bucket=self._target.bucket, Key=key)
            except client.exceptions.NoSuchKey:
                return None
            with answer["Body"] as body:
                content = body.read()
            return Object(content, answer["ETag"], _age(answer["ResponseMetadata"]["HTTPHeaders"]))

        return await self._run(call)

    async def put(self, key: str, content: bytes) -> None:
        """Write an object, whatever was there. Raises StateError."""
        await self._put(key, content)

    async def create(self, key: str, content: bytes) -> str | None:
        """Write an object that must not be there yet. Returns its ETag, or None when it is."""
        return await self._put(key, content, IfNoneMatch="*")

    async def replace(self, key: str, content: bytes, etag: str) -> str | None:
        """Write over the version that was read. Returns the new ETag, or None when somebody else wrote."""
        return await self._put(key, content, IfMatch=etag)

    async def _put(self, key: str, content: bytes, **condition: str) -> str | None:
        def call(client: Any) -> str | None:
            from botocore.exceptions import ClientError

            try:
                answer = client.put_object(Bucket=self._target.bucket, Key=key, Body=content, **condition)
            except ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                gone = error.response.get("Error", {}).get("Code") == "NoSuchKey"
                if not condition or (status not in _CONFLICT and not gone):
                    raise
                return None
            return str(answer["ETag"])

        etag = await self._run(call)
        if etag is None and (found := await self.get(key)) is not None and found.content == content:
            return found.etag  # an earlier try whose answer was lost
        return etag

    async def keys(self, prefix: str) -> list[str]:
        """Every key under a prefix, in order."""

        def call(client: Any) -> list[str]:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self._target.bucket, Prefix=prefix)
            return sorted(item["Key"] for page in pages for item in page.get("Contents", ()))

        return await self._run(call)

    async def folders(self, prefix: str) -> list[str]:
        """The names right under a prefix that have more below them."""

        def call(client: Any) -> list[str]:
            pages = client.get_paginator("list_objects_v2").paginate(
                Bucket=self._target.bucket, Prefix=prefix, Delimiter="/"
            )
            found = (item["Prefix"] for page in pages for item in page.get("CommonPrefixes", ()))
            return sorted(name.removeprefix(prefix).rstrip("/") for name in found)

        return await self._run(call)

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are not there are fine. Raises StateError."""

        def call(client: Any) -> None:
            for key in keys:
                client.delete_object(Bucket=self._target.bucket, Key=key)

        await self._run(call)

    async def _run(self, call: Callable[[Any], T]) -> T:
        return await asyncio.to_thread(self._said, call)

    def _said(self, call: Callable[[Any], T]) -> T:
        """What boto3 raises, as errors that a user can act on."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        where = f"s3://{self._target.bucket} ({self.endpoint})"
        try:
            return call(_client(self._target))
        except NoCredentialsError:
            raise StateError(
                f"there are no credentials for {where}",
                hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine a role.",
            ) from None
        except ClientError as error:
            problem = error.response.get("Error", {})
            raise StateError(
                f"{where} refused: {problem.get('Code', 'error')}: {problem.get('Message') or error}",
                hint=_HINTS.get(str(problem.get("Code")), ""),
            ) from None
        except (BotoCoreError, Boto3Error, ValueError) as error:
            raise StateError(f"{where} can't be reached: {error}", hint="Check the endpoint and the network.") from None


_HINTS = {
    "NotImplemented": "This store knows no conditional writes: use another, or a newer version of it.",
    "NoSuchBucket": "Make the bucket first; voiceops does not.",
    "AccessDenied": "It takes s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on the prefix.",
    "PermanentRedirect": "The bucket is in another region: set AWS_REGION, or `?region=` in `state:`.",
}


@lru_cache(maxsize=8)
def _client(target: Target) -> Any:
    """One client for all stores of a process: making one costs as much as ten requests, and it is safe to share."""
    import boto3
    from botocore.config import Config

    key, secret, token = target.credentials
    session = boto3.Session(
        aws_access_key_id=key or None,
        aws_secret_access_key=secret or None,
        aws_session_token=token or None,
        profile_name=None if key else target.profile or None,
    )
    return session.client(
        "s3",
        endpoint_url=target.endpoint or None,
        region_name=target.region or session.region_name or "us-east-1",
        config=Config(
            connect_timeout=5,
            read_timeout=15,
            retries={"mode": "standard", "max_attempts": 4},
            s3={"addressing_style": "path" if target.endpoint else "auto"},
            request_checksum_calculation="when_required",  # which not every compatible store knows
            response_checksum_validation="when_required",
        ),
    )


def _age(headers: Mapping[str, str]) -> float:
    """By the server's clock alone; 0 where it does not say, so that nothing is ever taken for old by mistake."""
    try:
        now, then = parsedate_to_datetime(headers["date"]), parsedate_to_datetime(headers["last-modified"])
    except (KeyError, ValueError):
        return 0.0
    return (now - then).total_seconds()
