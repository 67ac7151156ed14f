"""The order in which a manifest's keys are read."""

from __future__ import annotations

import pytest

from voiceops.adopt.layout import in_order


@pytest.mark.parametrize(
    "keys",
    [
        "on filters options do",
        "structuredOutput comparator value required",
        "type comparator value points",
        "ip port netmask inboundEnabled outboundEnabled",
        "username password",
        "stringToReplace type alias",
        "targetType targetId",
        "toolName enabled result",
        "type regex value options",
        "mode message summaryPlan",
    ],
)
def test_what_a_thing_is_comes_first(keys: str) -> None:
    wanted = keys.split()
    assert list(in_order(dict.fromkeys(sorted(wanted), 1), "")) == wanted
