"""Signatures of saved plans: those that OpenSSH makes are taken, and ours pass with OpenSSH; nobody else's do."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from voiceops.apply.signing import NAMESPACE, Signer, read_signers, sign, verified
from voiceops.errors import Refused, VoiceopsError

PLAN = b'{"plan_id": "1"}\n'
pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no OpenSSH here")


def key(folder: Path, name: str = "key", kind: str = "ed25519", passphrase: str = "") -> Path:
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", f"{name}@shop", "-f", str(path)], check=True
    )
    return path


def signers(*keys: Path) -> list[Signer]:
    return read_signers("".join(Path(f"{one}.pub").read_text() for one in keys), "signers")


def openssh_sign(private: Path, content: bytes, namespace: str = NAMESPACE) -> bytes:
    ran = subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", str(private), "-n", namespace], input=content, capture_output=True
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_our_signature_passes_with_openssh(tmp_path: Path) -> None:
    private = key(tmp_path)
    (tmp_path / "plan.sig").write_text(sign(PLAN, private))
    (tmp_path / "signers").write_text(f"anna {Path(f'{private}.pub').read_text()}")

    ran = subprocess.run(
        [
            *("ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", "anna"),
            *("-n", NAMESPACE, "-s", str(tmp_path / "plan.sig")),
        ],
        input=PLAN,
        capture_output=True,
    )

    assert ran.returncode == 0, ran.stderr + ran.stdout


def test_openssh_s_signature_and_our_own_are_taken(tmp_path: Path) -> None:
    private = key(tmp_path)

    for armoured in (openssh_sign(private, PLAN), sign(PLAN, private).encode()):
        assert verified(PLAN, armoured, signers(private), "plan.json").name == "key@shop"


def test_a_key_in_pem_form_signs_too(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made = Ed25519PrivateKey.generate()
    path = tmp_path / "key.pem"
    path.write_bytes(
        made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public = made.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)

    assert verified(PLAN, sign(PLAN, path).encode(), read_signers(public.decode(), "x"), "plan.json").name


def bent(armoured: bytes) -> bytes:
    """The same with one bit of the signature itself turned."""
    begin, *body, end = armoured.decode().strip().splitlines()
    raw = bytearray(base64.b64decode("".join(body)))
    raw[-1] ^= 1
    return "\n".join([begin, base64.b64encode(raw).decode(), end]).encode()


BAD: dict[str, tuple[Callable[[Path], tuple[bytes, bytes, list[Signer]]], str]] = {
    "another-content": (lambda at: (PLAN + b" ", sign(PLAN, key(at)).encode(), signers(at / "key")), "is not what"),
    "one-byte": (
        lambda at: (PLAN.replace(b"1", b"2"), sign(PLAN, key(at)).encode(), signers(at / "key")),
        "is not what",
    ),
    "another-file-s": (lambda at: (PLAN, sign(b"{}", key(at)).encode(), signers(at / "key")), "is not what"),
    "another-key": (lambda at: (PLAN, sign(PLAN, key(at)).encode(), signers(key(at, "other"))), "may not sign"),
    "another-namespace": (
        lambda at: (PLAN, openssh_sign(key(at), PLAN, "file"), signers(at / "key")),
        "is for 'file'",
    ),
    "another-algorithm": (
        lambda at: (PLAN, openssh_sign(key(at, "rsa", "rsa"), PLAN), signers(key(at))),
        "only ssh-ed25519",
    ),
    "ecdsa": (
        lambda at: (PLAN, openssh_sign(key(at, "ec", "ecdsa"), PLAN), signers(key(at))),
        "only ssh-ed25519",
    ),
    "a-bent-bit": (lambda at: (PLAN, bent(sign(PLAN, key(at)).encode()), signers(at / "key")), "is not what"),
    "cut-off": (lambda at: (PLAN, sign(PLAN, key(at)).encode()[:100], signers(at / "key")), "no SSH signature"),
    "empty": (lambda at: (PLAN, b"", signers(key(at))), "no SSH signature"),
    "too-long": (lambda at: (PLAN, b"-----BEGIN SSH SIGNATURE-----" * 5000, signers(key(at))), "no SSH signature"),
    "not-base64": (
        lambda at: (PLAN, b"-----BEGIN SSH SIGNATURE-----\n%%%%\n-----END SSH SIGNATURE-----\n", signers(key(at))),
        "damaged",
    ),
    "nothing-in-it": (
        lambda at: (
            PLAN,
            b"-----BEGIN SSH SIGNATURE-----\n" + base64.b64encode(b"SSHSIG\0\0\0\1") + b"\n-----END SSH SIGNATURE-----",
            signers(key(at)),
        ),
        "damaged",
    ),
    "another-format": (lambda at: (PLAN, b"untrusted comment: minisign\nRWQ=\n", signers(key(at))), "no SSH signature"),
}


@pytest.mark.parametrize("case", BAD)
def test_no_other_signature_is_taken(tmp_path: Path, case: str) -> None:
    make, said = BAD[case]
    content, armoured, allowed = make(tmp_path)

    with pytest.raises(Refused) as refused:
        verified(content, armoured, allowed, "plan.json")

    assert said in refused.value.summary


def test_a_key_that_can_t_sign_is_said(tmp_path: Path) -> None:
    locked = key(tmp_path, "locked", passphrase="not empty")
    (tmp_path / "none").write_text("hello")
    for path, said in (
        (locked, "is protected by a passphrase"),
        (key(tmp_path, "rsa", "rsa"), "not of type ed25519"),
        (tmp_path / "none", "holds no private key"),
        (Path(f"{locked}.pub"), "holds no private key"),
        (tmp_path / "missing", "can't be read"),
    ):
        with pytest.raises(VoiceopsError) as refused:
            sign(PLAN, path)
        assert said in refused.value.summary
        assert refused.value.hint or said == "can't be read"


PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJQ+3FcLZDGRfj0nnTZyHQ9hAq2IEUvvKSYfKsKZE2pL"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (PUBLIC, None),
        (f"{PUBLIC} anna@shop", ["anna@shop"]),
        (f"anna@shop {PUBLIC}", ["anna@shop"]),
        (f'anna namespaces="voiceops-plan" {PUBLIC} her laptop', ["anna"]),
        (f"# who may\n\nanna {PUBLIC}\nben {PUBLIC}\n", ["anna", "ben"]),
    ],
)
def test_who_may_sign(text: str, names: list[str] | None) -> None:
    found = [one.name for one in read_signers(text, "signers")]

    assert found == names if names else found[0].startswith("SHA256:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names nobody"),
        ("# nobody", "names nobody"),
        ("anna", "holds no public key"),
        ("anna ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7", "type ssh-rsa"),
        (f"anna cert-authority {PUBLIC}", "cert-authority"),
        (f'anna namespaces="file" {PUBLIC}', "namespaces"),
        (f'anna valid-before="20200101" {PUBLIC}', "valid-before"),
        ("anna ssh-ed25519 AAAA", "damaged"),
        ("anna ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAABGFiY2Q=", "damaged"),
    ],
)
def test_signers_that_are_not_understood_let_nobody_pass(text: str, said: str) -> None:
    with pytest.raises(VoiceopsError) as refused:
        read_signers(text, "signers")
    assert said in refused.value.summary
