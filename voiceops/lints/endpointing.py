"""When the caller's turn ends: pauses that are too short, and settings that do nothing.

https://docs.vapi.ai/customization/speech-configuration
"""

from __future__ import annotations

from collections.abc import Iterator

from voiceops.lints.context import Context, number
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding, Spot

# Which field is a pause, and how many of its units are a second.
_PAUSES = {"deepgram": ("endpointing", 1000), "gladia": ("endpointing", 1)}
_SHORTEST_MS = 200
_FLUX_ONLY = ("eotThreshold", "eotTimeoutMs", "eagerEotThreshold")


def _is_flux(transcriber: Spot) -> bool:
    model = transcriber.get("model")
    return transcriber.get("provider") == "deepgram" and isinstance(model, str) and model.startswith("flux")


@lint("VO101", "endpointing-short", "A pause that ends the caller's turn is shorter than 200 ms on a phone line")
def endpointing_short(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        if not context.on_a_line(assistant.spot):
            continue
        for transcriber in assistant.transcribers:
            field, second = _PAUSES.get(str(transcriber.get("provider")), ("", 1))
            value = number(transcriber.get(field)) if field else None
            # Flux models have a threshold of their own, and ignore this one.
            if value is not None and value * 1000 / second < _SHORTEST_MS and not _is_flux(transcriber):
                milliseconds = f"{value * 1000 / second:g} ms"
                yield transcriber.finding(
                    f"a pause of {milliseconds} ends the caller's turn, on a phone line",
                    field,
                    hint=f"Write {_SHORTEST_MS * second / 1000:g}: between words a telephone is silent for longer.",
                )


@lint("VO102", "endpointing-elsewhere", "endpointing on a transcriber that has none", instead_of="schema-unknown-key")
def endpointing_elsewhere(context: Context) -> Iterator[Finding]:
    own = {
        "assembly-ai": "minEndOfTurnSilenceWhenConfident",
        "azure": "segmentationSilenceTimeoutMs",
        "soniox": "maxEndpointDelayMs",
        "11labs": "minSilenceDurationMs",
        "speechmatics": "endOfTurnSensitivity",
    }
    for assistant in context.assistants:
        for transcriber in assistant.transcribers:
            provider = transcriber.get("provider")
            if transcriber.get("endpointing") is None or not isinstance(provider, str) or provider in _PAUSES:
                continue
            yield transcriber.finding(
                f"{provider} has no endpointing: Vapi refuses it",
                "endpointing",
                hint=f"Its own field is {own[provider]}." if provider in own else "Take it out.",
            )


@lint("VO103", "flux-endpointing", "A setting of the other family of Deepgram's models")
def flux_endpointing(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        for transcriber in assistant.transcribers:
            if transcriber.get("provider") != "deepgram" or not isinstance(transcriber.get("model"), str):
                continue
            if _is_flux(transcriber):
                if transcriber.get("endpointing") is not None:
                    yield transcriber.finding(
                        "a Flux model ignores endpointing", "endpointing", hint="Use eotThreshold and eotTimeoutMs."
                    )
                continue
            for field in _FLUX_ONLY:
                if transcriber.get(field) is not None:
                    yield transcriber.finding(
                        f"{transcriber.get('model')} ignores {field}: only Flux models have it",
                        field,
                        hint="Use endpointing, or a Flux model.",
                    )


@lint("VO104", "flux-overruled", "A smart endpointing plan switches off what a Flux model hears")
def flux_overruled(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        main = assistant.transcribers[:1]
        plan = assistant.spot.get("startSpeakingPlan", "smartEndpointingPlan")
        if main and _is_flux(main[0]) and isinstance(plan, dict):
            yield assistant.spot.finding(
                "smartEndpointingPlan decides when the caller is done, so the Flux model's own judgement is unused",
                "startSpeakingPlan",
                "smartEndpointingPlan",
                hint="Take the plan out, or use another model.",
            )


@lint("VO105", "keywords-unheard", "keywords on a model that takes keyterm, or the reverse")
def keywords_unheard(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        for transcriber in assistant.transcribers:
            model = transcriber.get("model")
            if transcriber.get("provider") != "deepgram" or not isinstance(model, str):
                continue
            newer = model.startswith(("nova-3", "flux"))
            older = model.startswith(("nova-2", "nova-general", "enhanced", "base")) or model == "nova"
            wrong, right = ("keywords", "keyterm") if newer else ("keyterm", "keywords")
            if (newer or older) and transcriber.get(wrong):
                yield transcriber.finding(f"{model} does not hear {wrong}", wrong, hint=f"It takes {right}.")
