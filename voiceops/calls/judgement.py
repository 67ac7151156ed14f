"""Was a call good? Vapi's success evaluation as yes or no, whatever its rubric. Pure.

`analysis.successEvaluation` is a text; which texts there are depends on the assistant's
`analysisPlan.successEvaluationPlan.rubric`. https://docs.vapi.ai/assistants/call-analysis
"""

from __future__ import annotations

import re
from typing import Any

_GOOD = frozenset({"true", "pass", "passed", "success", "successful", "yes", "excellent", "good", "agree"})
_BAD = frozenset({"false", "fail", "failed", "failure", "unsuccessful", "no", "fair", "poor", "disagree", "neutral"})
_NUMBER = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*(%?|/\s*10|/\s*100)\Z")


def judged(evaluation: Any) -> bool | None:
    """True: good. False: not. None: there is no judgement, or it is none that can be read as one.

    PassFail says it itself; of ten points (NumericScale) 7 are good, of 100 per cent 70, of the words the upper half.
    """
    if isinstance(evaluation, bool):
        return evaluation
    if isinstance(evaluation, (int, float)):
        return _enough(float(evaluation), "")
    if not isinstance(evaluation, str):
        return None
    said = evaluation.strip().strip("\"'.").casefold()
    word = said.removeprefix("strongly ")
    if word in _GOOD:
        return True
    if word in _BAD:
        return False
    found = _NUMBER.match(said)
    return _enough(float(found[1]), found[2].replace(" ", "")) if found else None


def _enough(points: float, unit: str) -> bool | None:
    of = 100 if unit in ("%", "/100") else 10 if unit == "/10" or points <= 10 else 100
    return None if points > of else points >= 0.7 * of
