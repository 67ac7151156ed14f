"""Where generated projects get voiceops from: what `--from` takes, and the lines that are written."""

from __future__ import annotations

import pytest

from voiceops.errors import VoiceopsError
from voiceops.packaging.release import Release, release_from
from voiceops.packaging.wheel import Wheel

HASH = "0123456789abcdef" * 4
FILE = "voiceops_iac-0.1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (f"https://files.example.com/{FILE}#sha256={HASH}", f"https://files.example.com/{FILE}"),
        (
            f"https://files.example.com:8443/a/b/{FILE}#sha256={HASH.upper()}",
            f"https://files.example.com:8443/a/b/{FILE}",
        ),
        (
            f"https://x.example/voiceops_iac-0.2.0rc1+local.1-py3-none-any.whl#sha256={HASH}",
            "https://x.example/voiceops_iac-0.2.0rc1+local.1-py3-none-any.whl",
        ),
        (f"https://x.example/{FILE}?download=1#sha256={HASH}", f"https://x.example/{FILE}?download=1"),
    ],
)
def test_an_address_with_its_hash_is_what_is_written(given: str, url: str) -> None:
    release = release_from(given)
    assert release.wheel is None
    assert release.requirement(("otel",)) == f"voiceops-iac[otel] @ {url}#sha256={HASH}"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (f"https://x.example/{FILE}", "has no hash"),
        (f"https://x.example/{FILE}#", "has no hash"),
        (f"https://x.example/{FILE}#sha256={HASH[:-1]}", "64 hex digits"),
        (f"https://x.example/{FILE}#sha256={HASH}0", "64 hex digits"),
        (f"https://x.example/{FILE}#sha256={HASH[:-1]}g", "64 hex digits"),
        (f"https://x.example/{FILE}#sha256={HASH}\n", "64 hex digits"),
        (f"https://x.example/{FILE}#md5={HASH}", "64 hex digits"),
        (f"https://x.example/{FILE}#sha256={HASH}&sha256={HASH}", "64 hex digits"),
        (f"http://x.example/{FILE}#sha256={HASH}", "no https address"),
        (f"file:///tmp/{FILE}#sha256={HASH}", "no https address"),
        (f"git+https://x.example/{FILE}#sha256={HASH}", "no https address"),
        (f"//x.example/{FILE}#sha256={HASH}", "no https address"),
        (f"{FILE}#sha256={HASH}", "no https address"),
        (f"https:///{FILE}#sha256={HASH}", "no https address"),
        (f"https://x.example:port/{FILE}#sha256={HASH}", "no address"),
        (f"https://[x/{FILE}#sha256={HASH}", "no address"),
        (f"https://x.example/#sha256={HASH}", "no wheel"),
        (f"https://x.example/voiceops-0.1.8-py3-none-any.whl#sha256={HASH}", "no wheel"),
        (f"https://x.example/voiceops_iac-0.1.0.tar.gz#sha256={HASH}", "no wheel"),
        (f"https://x.example/?{FILE}#sha256={HASH}", "no wheel"),
        (f"https://x.example/a b/{FILE}#sha256={HASH}", "characters"),
        (f"https://x.example/$HOME/{FILE}#sha256={HASH}", "characters"),
        (f"https://x.example/${{TOKEN}}/{FILE}#sha256={HASH}", "characters"),
        (f"https://x.example/\n{FILE}#sha256={HASH}", "characters"),
        (f"https://x.example/'{FILE}#sha256={HASH}", "characters"),
        (f'https://x.example/"{FILE}#sha256={HASH}', "characters"),
        (f"https://x.example/`id`/{FILE}#sha256={HASH}", "characters"),
        (f"https://x.example/;id/{FILE}#sha256={HASH}", "characters"),
        (f"https://x.exämple/{FILE}#sha256={HASH}", "characters"),
        ("", "has no hash"),
        ("voiceops-iac", "has no hash"),
    ],
)
def test_anything_else_is_refused_with_the_form(given: str, why: str) -> None:
    with pytest.raises(VoiceopsError) as caught:
        release_from(given)
    assert why in caught.value.summary
    assert "\n" not in caught.value.summary
    assert "#sha256=64 hex digits" in caught.value.hint


@pytest.mark.parametrize("user", ["ann:s3cr3t@", "s3cr3t@", ":s3cr3t@", "ann:s3cr3t@evil@"])
def test_a_password_in_the_address_is_refused_and_not_repeated(user: str) -> None:
    with pytest.raises(VoiceopsError) as caught:
        release_from(f"https://{user}x.example/{FILE}#sha256={HASH}")
    assert "s3cr3t" not in caught.value.summary + caught.value.hint


def test_a_password_is_not_repeated_whatever_else_is_wrong() -> None:
    for given in (f"http://ann:s3cr3t@x.example/{FILE}#sha256={HASH}", "https://ann:s3cr3t@x.example/x", "s3cr3t@#x=y"):
        with pytest.raises(VoiceopsError) as caught:
            release_from(given)
        assert "s3cr3t" not in caught.value.summary + caught.value.hint


def test_a_wheel_is_named_by_its_path_and_hash() -> None:
    wheel = Wheel(FILE, b"x")
    release = Release(wheel.sha256, wheel)
    assert release.requirement(("a", "b"), "ci/") == f"./ci/{FILE}[a,b] --hash=sha256:{wheel.sha256}"
    assert release.requirement(()) == f"./{FILE} --hash=sha256:{wheel.sha256}"
    assert release.requirement((), hashed=False) == f"./{FILE}"
