"""What a conversation without a model might have cost with one: by the length of its texts."""

from __future__ import annotations

from collections.abc import Sequence

from voiceops.sandbox.stand_in import StandIn
from voiceops.sandbox.store import Body

_LETTERS = 4  # a token
_PROMPT, _COMPLETION = 2.5e-6, 1e-5


def model_cost(cast: Sequence[StandIn], texts: Sequence[str]) -> Body:
    """One component of a cost, of the type `model`: the prompt and the texts are read, the texts are written."""
    prompt = sum(len(who.prompt) for who in cast) // _LETTERS
    written = sum(map(len, texts)) // _LETTERS
    return {
        "type": "model",
        "model": dict(cast[0].model) if cast else {},
        "promptTokens": prompt + written,
        "completionTokens": written,
        "cost": round((prompt + written) * _PROMPT + written * _COMPLETION, 6),
    }
