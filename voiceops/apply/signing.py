"""Who made a saved plan: signatures as `ssh-keygen -Y sign` and `-Y verify` know them, with ed25519 keys.

    FILE.sig    the signature of FILE's exact bytes, in the namespace `voiceops-plan`
    signers     who may sign: OpenSSH's allowed signers file, or public keys, one a line

The format is OpenSSH's PROTOCOL.sshsig; the mathematics is the package cryptography's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceops.errors import Refused, VoiceopsError

NAMESPACE = "voiceops-plan"
ALGORITHM = "ssh-ed25519"
SUFFIX = ".sig"

_MAGIC = b"SSHSIG"
_HASHES = {"sha512": hashlib.sha512, "sha256": hashlib.sha256}
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_KEY = re.compile(r"(?:^|\s)(?P<type>(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+)\s+(?P<key>[A-Za-z0-9+/=]+)(?:\s|$)")
_MOST_SIGNATURE = 16_384  # bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """Who may sign: the name that the signers file has for a key, and the key as OpenSSH writes it."""

    name: str
    key: bytes


def sign(content: bytes, key_file: Path) -> str:
    """The armoured signature of the bytes. Raises VoiceopsError."""
    key = _private_key(key_file)
    public = _string(ALGORITHM.encode()) + _string(_raw_public(key))
    signature = _string(ALGORITHM.encode()) + _string(key.sign(_signed(content, "sha512")))
    blob = _MAGIC + struct.pack(">I", 1) + _string(public) + _string(NAMESPACE.encode()) + _string(b"")
    blob += _string(b"sha512") + _string(signature)
    text = base64.b64encode(blob).decode()
    return "\n".join([_BEGIN, *(text[at : at + 70] for at in range(0, len(text), 70)), _END]) + "\n"


def verified(content: bytes, armoured: bytes, signers: list[Signer], what: str) -> Signer:
    """Whose signature this is. Raises Refused where it is nobody's who may sign, or of other bytes."""
    _library()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        public, namespace, algorithm, signature = _parsed(armoured)
    except ValueError as error:
        raise Refused(f"the signature of {what} can't be used: {error}", hint=_HOW) from None
    signer = next((one for one in signers if one.key == public), None)
    if signer is None:
        raise Refused(f"{what} is signed by a key that may not sign plans here ({_named(public)})", hint=_HOW)
    if namespace != NAMESPACE:
        raise Refused(f"the signature of {what} is for {namespace[:40]!r}, not for {NAMESPACE!r}", hint=_HOW)
    try:
        key = Ed25519PublicKey.from_public_bytes(_fields(public)[1])
        key.verify(signature, _signed(content, algorithm))
    except (InvalidSignature, ValueError, IndexError):
        raise Refused(
            f"{what} is not what {signer.name} signed", hint="It was changed since, or the signature is another file's."
        ) from None
    return signer


_HOW = f"Sign it with `plan --out FILE --sign KEY`, or `ssh-keygen -Y sign -f KEY -n {NAMESPACE} FILE`."


def read_signers(text: str, where: str) -> list[Signer]:
    """The keys of an allowed signers file, or of public keys one a line. Raises VoiceopsError."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            found.append(_signer(line.strip(), f"{where}:{number}"))
    if not found:
        raise VoiceopsError(f"{where} names nobody who may sign", hint="Write a public key into it, one a line.")
    return found


def _signer(line: str, where: str) -> Signer:
    match = _KEY.search(line)
    if match is None:
        raise VoiceopsError(f"{where} holds no public key", hint=f"A line ends with: {ALGORITHM} AAAA…")
    if match["type"] != ALGORITHM:
        raise VoiceopsError(f"{where}: keys of type {match['type']} are not taken", hint=f"Take one of {ALGORITHM}.")
    before = line[: match.start()].split(None, 1)
    options = before[1] if len(before) > 1 else ""
    if options and options.replace('"', "") != f"namespaces={NAMESPACE}":
        raise VoiceopsError(
            f"{where}: the option {options[:60]} is not known here",
            hint=f'Only namespaces="{NAMESPACE}" is: a key with other limits must not pass without them.',
        )
    try:
        key = base64.b64decode(match["key"], validate=True)
        named, raw = _fields(key)
    except ValueError:
        raise VoiceopsError(f"{where} holds a damaged public key", hint="Copy it again.") from None
    if named != ALGORITHM.encode() or len(raw) != 32:
        raise VoiceopsError(f"{where} holds a damaged public key", hint="Copy it again.")
    comment = line[match.end() :].strip()
    return Signer(before[0] if before else comment or _named(key), key)


def _parsed(armoured: bytes) -> tuple[bytes, str, str, bytes]:
    """Public key, namespace, hash and signature. Raises ValueError in words."""
    text = armoured[:_MOST_SIGNATURE].decode("ascii", "replace").strip()
    if not text.startswith(_BEGIN) or not text.endswith(_END) or len(armoured) > _MOST_SIGNATURE:
        raise ValueError("it is no SSH signature")
    try:
        blob = base64.b64decode("".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
    except binascii.Error:
        raise ValueError("it is damaged") from None
    if not blob.startswith(_MAGIC + struct.pack(">I", 1)):
        raise ValueError("it is no SSH signature of version 1")
    fields = _fields(blob[len(_MAGIC) + 4 :])
    if len(fields) != 5:
        raise ValueError("it is damaged")
    public, namespace, _, algorithm, signature = fields
    kinds = [_first(public), _first(signature)]
    if kinds != [ALGORITHM, ALGORITHM]:
        raise ValueError(f"it is of type {kinds[0]}, and only {ALGORITHM} is taken")
    name = algorithm.decode("ascii", "replace")
    if name not in _HASHES:
        raise ValueError(f"its hash {name[:20]!r} is not known")
    parts = _fields(signature)
    if len(parts) != 2:
        raise ValueError("it is damaged")
    return public, namespace.decode("utf-8", "replace"), name, parts[1]


def _first(blob: bytes) -> str:
    return _fields(blob)[0].decode("ascii", "replace")[:40]


def _fields(blob: bytes) -> list[bytes]:
    """SSH strings, each with its length before it; at least one. Raises ValueError."""
    found: list[bytes] = []
    at = 0
    while at < len(blob):
        if at + 4 > len(blob):
            raise ValueError("it is damaged")
        (length,) = struct.unpack_from(">I", blob, at)
        if at + 4 + length > len(blob):
            raise ValueError("it is damaged")
        found.append(blob[at + 4 : at + 4 + length])
        at += 4 + length
    if not found:
        raise ValueError("it is damaged")
    return found


def _string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _signed(content: bytes, algorithm: str) -> bytes:
    """What is really signed: the content's hash with what it is for."""
    digest = _HASHES[algorithm](content).digest()
    parts = (NAMESPACE.encode(), b"", algorithm.encode(), digest)
    return _MAGIC + b"".join(_string(part) for part in parts)


def _named(key: bytes) -> str:
    """A key as `ssh-keygen -l` names it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def _private_key(path: Path) -> Any:
    _library()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        content = path.read_bytes()
    except OSError as error:
        raise VoiceopsError(f"the key {path} can't be read: {error.strerror}") from None
    locked = VoiceopsError(
        f"the key {path} is protected by a passphrase",
        hint=f"Sign the plan with what asks for it: ssh-keygen -Y sign -f {path} -n {NAMESPACE} FILE",
    )
    load = serialization.load_ssh_private_key if b"OPENSSH" in content[:100] else serialization.load_pem_private_key
    try:
        key = load(content, password=None)
    except TypeError:  # the library's word for a passphrase that was not given
        raise locked from None
    except (ValueError, UnsupportedAlgorithm) as error:
        if "password" in str(error).lower() or "bcrypt" in str(error).lower():
            raise locked from None
        raise VoiceopsError(
            f"{path} holds no private key", hint="Make one: ssh-keygen -t ed25519 -f plan-key -N ''"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise VoiceopsError(
            f"the key {path} is not of type ed25519", hint="Make one: ssh-keygen -t ed25519 -f plan-key -N ''"
        )
    return key


def _raw_public(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    raw: bytes = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return raw


def _library() -> None:
    from importlib.util import find_spec

    if find_spec("cryptography") is None:
        raise VoiceopsError(
            "signatures need the package cryptography, which is not installed", hint="pip install 'voiceops-iac[sign]'"
        )
