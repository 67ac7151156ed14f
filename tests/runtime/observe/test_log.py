"""Lines of the log: JSON that hides nothing, whoever wrote the texts in it."""

from __future__ import annotations

import json
import logging

import pytest

from voiceops.runtime.observe.log import Log

WILD = [
    "turned \u202e around \u2066 and \u2069",
    "blank \u3164 and \u200b",
    "\x7f\x1b[2J\x9b",
    "half \ud83d of one",
    "a \U000e0041 tag",
    "##vso[task.complete]",
    "::error::x",
    "line\nend\u2028",
]


def lines(capfd: pytest.CaptureFixture[str], *texts: str) -> tuple[list[str], list[dict[str, str]]]:
    log = Log()
    log.level = logging.INFO
    for text in texts:
        log.add("x", logging.INFO, {"detail": text})
        log.add_tool(logging.WARNING, "t", "failed", text, 1.0, "c", "i")
    log.flush()
    raw = capfd.readouterr().err.splitlines()
    return raw, [json.loads(line) for line in raw]


@pytest.mark.parametrize("text", WILD, ids=range(len(WILD)))
def test_what_hides_is_written_out_and_is_the_same_json(capfd: pytest.CaptureFixture[str], text: str) -> None:
    raw, found = lines(capfd, text)
    assert len(raw) == 2, "a text ends no line"
    for line in raw:
        assert not set(line) & set("\u202e\u2066\u2069\u3164\u200b\x7f\x1b\x9b\ud83d\U000e0041\u2028")
        assert "##vso[" not in line
        assert "::error::" not in line or not line.lstrip().startswith("::")
    assert [line["detail"] for line in found] == [text, text]


def test_a_plain_line_is_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    raw, _ = lines(capfd, 'Größe "8"', "order 12")
    assert '"detail":"Größe \\"8\\""' in raw[0]
    assert '"detail":"order 12"' in raw[2]
