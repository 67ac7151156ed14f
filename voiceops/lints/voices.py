"""Voices: fields that another provider's voice has, and names that Vapi does not know.

The schema refuses both by itself; these lints are for manifests that say `allowUnknown: true`, where it lets
unknown keys pass, and for names that the schema does not list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from voiceops.kinds.schema import in_force, type_of
from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding

# https://docs.vapi.ai/providers/voice/vapi-voices
_VAPI_VOICES = (
    *("Elliot", "Kylie", "Rohan", "Lily", "Savannah", "Hana", "Neha", "Cole", "Harry", "Paige", "Spencer"),
    *("Leah", "Tara", "Jess", "Leo", "Dan", "Mia", "Zac", "Zoe", "Emma", "Clara", "Nico", "Kai", "Sagar"),
    *("Godfrey", "Neil"),
)
_WITH_VERSION = re.compile(r"(?P<name>[A-Za-z]+)[-_ .]?[vV]?(?P<version>[12])\Z")
_INSTEAD = {
    ("cartesia", "speed"): "Write generationConfig: {speed: …}, between 0.6 and 1.5.",
    ("cartesia", "enableSsmlParsing"): "Cartesia reads SSML without being told to.",
    ("11labs", "generationConfig"): "Write speed at the voice itself, between 0.7 and 1.2.",
}


@lint(
    "VO111", "voice-foreign-field", "A voice has a field of another provider's voices", instead_of="schema-unknown-key"
)
def voice_foreign_field(context: Context) -> Iterator[Finding]:
    variants: dict[str, str] = in_force().roots["Voice"]["variants"]
    for assistant in context.assistants:
        for voice in assistant.voices:
            provider = voice.get("provider")
            if not isinstance(provider, str) or provider not in variants:
                continue
            own = type_of(variants[provider])["fields"]
            for key in voice.value:
                if key in own:
                    continue
                owners = sorted(name for name, kind in variants.items() if key in type_of(kind)["fields"])
                if not owners:
                    continue
                yield voice.finding(
                    f"{key} is no field of a {provider} voice: Vapi refuses it",
                    key,
                    hint=_INSTEAD.get((provider, key), f"It belongs to {', '.join(owners[:6])}."),
                )


@lint("VO112", "vapi-voice-name", "A Vapi voice's name is spelled in another way than Vapi's", "error", refused=True)
def vapi_voice_name(context: Context) -> Iterator[Finding]:
    known = {name.lower(): name for name in _VAPI_VOICES}
    for assistant in context.assistants:
        for voice in assistant.voices:
            given = voice.get("voiceId")
            if voice.get("provider") != "vapi" or not isinstance(given, str) or given in _VAPI_VOICES:
                continue
            versioned = _WITH_VERSION.match(given)
            if given.lower() in known:
                hint = f"Write {known[given.lower()]}: capitals count."
            elif versioned and versioned["name"].lower() in known:
                hint = f'Write voiceId: {known[versioned["name"].lower()]} and version: "{versioned["version"]}".'
            else:
                continue  # a cloned voice's id, or a voice that is newer than this list
            yield voice.finding(f"Vapi has no voice {given!r}", "voiceId", hint=hint)
