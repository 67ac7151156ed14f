"""Keys within addresses: known by what their parameter is called, and by their look where the name says little."""

from __future__ import annotations

import pytest

from voiceops.model.key_forms import keys_in


@pytest.mark.parametrize(
    ("parameter", "key"),
    [
        ("api_key", "abcdefghij"),
        ("client_secret", "abcdefghij"),
        ("x-api-key", "abcdefghij"),
        ("accessToken", "abcdefghij"),
        ("X-Amz-Signature", "abcdefghij"),
        ("key", "llm-abcdef1234567890"),
        ("subscription-key", "abcdef1234567890"),
        ("code", "Ab12345678901234567890=="),
    ],
)
def test_a_parameters_name_tells_a_key(parameter: str, key: str) -> None:
    assert list(keys_in(f"https://tools.example/v1?a=b&{parameter}={key}&c=d#e")) == [key]


@pytest.mark.parametrize(
    "query",
    [
        *(
            "key=orders",
            "key={{customer.key}}",
            "api_key={{key}}",
            "code=4711",
            "monkey=abcdefgh1",
            "design=abcdefghij",
        ),
        *("zipcode=abc123456789012345678", "key=all-the-orders-of-today"),
    ],
)
def test_other_parameters_are_none(query: str) -> None:
    assert list(keys_in(f"https://tools.example/v1?{query}")) == []
