"""Certificates are read once a process, and again where the environment names others."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest

from voiceops.net.trust import trust


def test_https_trusts_the_known_authorities_and_http_nobody() -> None:
    assert trust("https://api.vapi.ai").cert_store_stats()["x509_ca"] > 50
    assert trust("HTTP://localhost:1").cert_store_stats()["x509_ca"] == 0


def test_who_trusts_nobody_still_checks_names_and_certificates() -> None:
    context = trust("http://localhost:1")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_read_once_until_the_environment_names_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    first = trust("https://api.vapi.ai")
    assert trust("https://api.twilio.com") is first
    one = next(iter(first.get_ca_certs(binary_form=True)))
    own = tmp_path / "own.pem"
    own.write_text(ssl.DER_cert_to_PEM_cert(one))
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    assert trust("https://api.vapi.ai").get_ca_certs(binary_form=True) == [one]


def test_a_client_takes_it() -> None:
    with httpx.Client(verify=trust("https://api.vapi.ai")) as client:
        assert not client.is_closed
