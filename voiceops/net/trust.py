"""Whom a connection trusts. Reading the certificates takes longer than a request: it is done once a process."""

from __future__ import annotations

import os
import ssl
from functools import cache


def trust(url: str) -> ssl.SSLContext:
    """What to give httpx as `verify` for requests to an address; redirects are not followed.

    Of `https`: the certificates that `SSL_CERT_FILE` or `SSL_CERT_DIR` name, else those that come with httpx. An
    address of plain http needs none, and its context trusts nobody.
    """
    if url.lower().startswith("http:"):
        return _nobody()
    return _known(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def _known(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The arguments are only what tells one from another: httpx reads the variables itself."""
    import httpx

    return httpx.create_ssl_context()
