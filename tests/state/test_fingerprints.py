"""Fingerprints of secrets, and of what an API shows in their place."""

from __future__ import annotations

from functools import partial

import pytest

from voiceops.engine.options import Options, live_differs
from voiceops.model.values import ABSENT, Fingerprint, Secret, secret
from voiceops.state.fingerprints import fingerprint, fingerprint_live

SALT, OTHER = "00" * 16, "11" * 16
BEARER = Secret(("TOKEN",), ("Bearer ", ""))


def test_a_live_text_has_the_fingerprint_of_the_secret_that_was_sent() -> None:
    sent = fingerprint(BEARER, "Bearer abc", SALT)

    assert sent.digest == fingerprint_live("Bearer abc", SALT).digest
    assert sent.digest != fingerprint_live("Bearer abd", SALT).digest
    assert sent.digest != fingerprint_live("Bearer abc", OTHER).digest


@pytest.mark.parametrize(
    ("applied", "live", "differs"),
    [
        (fingerprint(BEARER, "Bearer abc", SALT), "Bearer abc", False),
        (fingerprint(BEARER, "Bearer abc", SALT), "Bearer edited", True),
        (fingerprint(BEARER, "Bearer abc", SALT), "", True),
        (fingerprint(BEARER, "Bearer abc", SALT), None, None),
        (fingerprint(BEARER, "Bearer abc", SALT), ABSENT, None),
        (fingerprint(BEARER, "Bearer abc", SALT), {"a": 1}, None),
        (fingerprint(secret("TOKEN"), None, SALT), "Bearer abc", None),
        (fingerprint(BEARER, "Bearer abc", SALT, "a key"), "Bearer abc", None),
    ],
    ids=["same", "edited", "emptied", "not-shown", "absent", "no-text", "never-at-hand", "another-key"],
)
def test_whether_a_live_text_is_another(applied: Fingerprint, live: object, differs: bool | None) -> None:
    options = Options(fingerprint_live=partial(fingerprint_live, salt=SALT))

    assert live_differs(options, applied, live) is differs
    assert live_differs(Options(), applied, live) is None
