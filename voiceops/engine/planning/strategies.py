"""Which strategy plans which type of object."""

from __future__ import annotations

from collections.abc import Mapping

from voiceops.engine.planning.number_settings import NumberSettings
from voiceops.engine.planning.objects import WholeObjects
from voiceops.engine.planning.strategy import Strategy
from voiceops.kinds.twilio import TWILIO_TYPE

_WHOLE = WholeObjects()
_STRATEGIES: Mapping[str, Strategy] = {TWILIO_TYPE: NumberSettings()}


def strategy_of(type_: str) -> Strategy:
    """The strategy of a type: whole objects, unless the table has another."""
    return _STRATEGIES.get(type_, _WHOLE)
