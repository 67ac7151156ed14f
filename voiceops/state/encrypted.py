"""A store whose content only the holders of an age identity can read: state, journal, revisions, notes and blobs.

Wraps any back end. What the back end needs to do its work (serial, lineage, numbers, lock) stays in clear.
https://age-encryption.org/v1
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from voiceops.errors import StateError
from voiceops.model.json_in import parsed
from voiceops.state.store import Store
from voiceops.state.wrapper import StoreWrapper

ENCRYPTED = "encrypted"
IDENTITY = "VOICEOPS_STATE_IDENTITY"
_IN_CLEAR = ("version", "lineage", "serial", "project", "environment")


class Cipher:
    """Encrypts to recipients, decrypts with an identity. Raises StateError for what is none."""

    def __init__(self, recipients: Iterable[str], identity: str) -> None:
        try:
            from pyrage import x25519
        except ImportError:
            raise StateError("an encrypted state needs pyrage", hint="pip install 'voiceops-iac[age]'") from None
        try:
            self._identity = x25519.Identity.from_str(identity.strip()) if identity else None
            self._recipients = [x25519.Recipient.from_str(text) for text in recipients]
        except Exception:  # pyrage's own error type differs between its versions
            raise StateError(
                "the recipients in voiceops.yaml, or the identity, are not age's",
                hint=f"A recipient starts with age1, {IDENTITY} with AGE-SECRET-KEY-1.",
            ) from None
        if self._identity is not None and not self._recipients:
            self._recipients = [self._identity.to_public()]

    def seal(self, content: bytes) -> bytes:
        """Bytes that only the recipients can read."""
        import pyrage

        return bytes(pyrage.encrypt(content, self._recipients))

    def open(self, content: bytes) -> bytes:
        """The bytes again. Raises StateError: no identity is at hand, or it is not one of the recipients."""
        import pyrage

        if self._identity is None:
            raise StateError("the state is encrypted, and no identity is at hand", hint=f"Set {IDENTITY}.")
        try:
            return bytes(pyrage.decrypt(content, [self._identity]))
        except pyrage.DecryptError:
            raise StateError(
                "this identity can't read the state", hint=f"Set {IDENTITY} to one of its recipients'."
            ) from None

    def text(self, data: Any) -> str:
        """JSON, encrypted, as base64: what fits into a field of JSON."""
        return base64.b64encode(self.seal(json.dumps(data).encode())).decode("ascii")

    def data(self, text: Any) -> Any:
        """The JSON again. Raises StateError: it is damaged, or this identity can't read it."""
        try:
            return parsed(self.open(base64.b64decode(text, validate=True)))
        except (TypeError, ValueError):
            raise StateError("what is encrypted in the state is damaged", hint="Bring it back from a copy.") from None


class EncryptedStore(StoreWrapper):
    """The same interface over another store. What is in clear there is refused: somebody else may have written it.

    `plain` takes it as it is: for moving a state into an encrypted one.
    """

    def __init__(self, inner: Store, cipher: Cipher, *, plain: bool = False) -> None:
        super().__init__(inner)
        self._cipher = cipher
        self._plain = plain

    def _sealed(self, data: dict[str, Any], *clear: str) -> dict[str, Any]:
        return {key: data[key] for key in clear if key in data} | {ENCRYPTED: self._cipher.text(data)}

    def _opened(self, data: dict[str, Any]) -> dict[str, Any]:
        if ENCRYPTED not in data:
            self._check_plain("what stands there")
            return data
        found = self._cipher.data(data[ENCRYPTED])
        if not isinstance(found, dict):
            raise self._damaged()
        if "serial" in data:
            found["serial"] = data["serial"]  # a restored state has a serial of its own
        return found

    def _check_plain(self, what: str) -> None:
        if not self._plain:
            raise StateError(
                f"{self.place} should be encrypted, and {what} is in clear",
                hint="Somebody may have put it there. If it is yours, move it: `voiceops state migrate FROM TO` reads "
                "what is in clear, and encrypts it at TO.",
            )

    def _damaged(self) -> StateError:
        return StateError(f"what is encrypted in {self.place} is no state", hint="Bring it back from a copy.")

    async def read(self) -> dict[str, Any] | None:
        data = await self.inner.read()
        return None if data is None else self._opened(data)

    async def write(
        self, data: dict[str, Any], *, if_serial: int | None, keep: list[dict[str, Any]] | None = None
    ) -> None:
        records = None if keep is None else self._records(keep)
        await self.inner.write(self._sealed(data, *_IN_CLEAR), if_serial=if_serial, keep=records)

    def _records(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"record": ENCRYPTED, "data": self._cipher.text(records)}] if records else []

    async def append(self, records: list[dict[str, Any]], *, urgent: bool = True) -> None:
        await self.inner.append(self._records(records), urgent=urgent)

    async def journal(self) -> list[dict[str, Any]]:
        return self._read(await self.inner.journal())

    async def sibling_journals(self) -> list[list[dict[str, Any]]]:
        """The other environments' journals, as far as this identity reads them."""
        found = []
        for records in await self.inner.sibling_journals():
            try:
                found.append(self._read(records))
            except StateError:
                continue
        return found

    def _read(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for record in records:
            if not isinstance(record, dict) or record.get("record") != ENCRYPTED:
                self._check_plain("a record of its journal")
                found.append(record)
                continue
            inner = self._cipher.data(record.get("data"))
            if not isinstance(inner, list):
                raise self._damaged()
            found += inner
        return found

    async def cut_journal(self, keep: list[dict[str, Any]]) -> None:
        await self.inner.cut_journal(self._records(keep))

    async def put_blob(self, content: bytes) -> str:
        """Kept under the digest of its content; the back end keeps it under that of its encrypted form."""
        digest = hashlib.sha256(content).hexdigest()
        if digest not in await self.blobs():
            await self.inner.put_blob(_BLOB + bytes.fromhex(digest) + self._cipher.seal(content))
        return digest

    async def get_blob(self, digest: str) -> bytes:
        inner = (await self._blob_names()).get(digest, digest)
        content = await self.inner.get_blob(inner)
        if not content.startswith(_BLOB):
            self._check_plain("a file's content")
            return content
        return self._cipher.open(content[len(_BLOB) + 32 :])

    async def blobs(self) -> list[str]:
        return sorted(await self._blob_names())

    async def _blob_names(self) -> dict[str, str]:
        """The digests of the contents, and under which the back end keeps them."""
        found = {}
        for inner in await self.inner.blobs():
            content = await self.inner.get_blob(inner)
            found[content[len(_BLOB) :][:32].hex() if content.startswith(_BLOB) else inner] = inner
        return found

    async def add_revision(self, number: int, data: dict[str, Any]) -> None:
        await self.inner.add_revision(number, self._sealed(data, "number"))

    async def revisions(self) -> list[dict[str, Any]]:
        return [self._opened(data) for data in await self.inner.revisions()]

    async def revision(self, number: int) -> dict[str, Any] | None:
        data = await self.inner.revision(number)
        return None if data is None else self._opened(data)

    async def add_note(self, id_: str, data: dict[str, Any]) -> None:
        await self.inner.add_note(id_, self._sealed(data, "id"))

    async def notes(self) -> list[dict[str, Any]]:
        found = []
        for data in await self.inner.notes():
            try:
                found.append(self._opened(data))
            except StateError:
                continue  # one that can't be read is left out
        return found

    async def states(self) -> list[dict[str, Any]]:
        found = []
        for data in await self.inner.states():
            try:
                found.append(self._opened(data))
            except StateError:
                continue  # none that could be brought back
        return found

    async def restore(self, serial: int) -> dict[str, Any]:
        return self._opened(await self.inner.restore(serial))

    async def siblings(self) -> list[dict[str, Any]]:
        """The other environments' states, as far as this identity reads them."""
        found = []
        for data in await self.inner.siblings():
            try:
                found.append(self._opened(data))
            except StateError:
                continue
        return found


_BLOB = b"voiceops-age-blob\0"
