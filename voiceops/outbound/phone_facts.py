"""What a number tells by itself: where its phone may be, and whether it may be called at all.

By the package phonenumbers (the extra of that name), which has what every country's authority publishes; without it a
few facts that hold for long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

from voiceops.model.phone_numbers import E164

EXTRA = 'pip install "voiceops-iac[phonenumbers]"'
_BETWEEN = re.compile(r"[\s().\-/\u2010-\u2015\u00a0\u202f]+")
_SPREADSHEET = re.compile(r"\d[.,]?\d*E[+-]?\d+\Z", re.IGNORECASE)
_UNKNOWN = "Etc/Unknown"

# The best known of those that cost the caller extra, for who has no better source.
_DEAR = re.compile(
    r"\+(1900|1976|979|87[08]|88[123]|449|4484|4487|49900|49137|338[19]|3489|3480[367]|3989|4190[016]|439[03]|3190|61190)"
)
_EMERGENCY = re.compile(r"\+1[29]11")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneFacts:
    """`zones`: where the phone may be; empty where nothing tells. `refused`: why it is not called, in a few words."""

    zones: tuple[str, ...] = ()
    refused: str = ""


def as_e164(text: str) -> tuple[str, str]:
    """A number as people write it in the form +14155550123; or an empty text, and what is wrong with it."""
    number = text.strip()
    if number.startswith("'+"):  # so that no spreadsheet takes it for a formula
        number = number[1:]
    if number[:4].lower() == "tel:":
        number = number[4:]
    if _SPREADSHEET.match(number):
        return "", "a spreadsheet has rounded it: set the column's format to text, and fill it again"
    bare = _BETWEEN.sub("", number.replace("(0)", ""))
    if bare.isascii() and E164.match(bare):
        return bare, ""
    if bare.startswith("00") and bare[2:].isdecimal():
        return "", "begins with 00: write the plus and the country's code, as in +14155550123"
    if bare.isdecimal():
        return "", "has no plus and country code: write it as +14155550123"
    if bare.startswith("+") and bare[1:].isdecimal():
        return "", "has too few or too many digits, or begins with +0"
    return "", "is no phone number: write it as +14155550123"


def has_extra() -> bool:
    """Is the package phonenumbers installed?"""
    return find_spec("phonenumbers") is not None


@lru_cache(maxsize=200_000)
def facts_of(number: str) -> PhoneFacts:
    """What is known of a number in the form +14155550123."""
    if _EMERGENCY.match(number):
        return PhoneFacts(refused="an emergency number")
    try:
        import phonenumbers
        from phonenumbers import PhoneNumberType as Type
        from phonenumbers import timezone
    except ImportError:
        return PhoneFacts(refused="a number that costs extra" if _DEAR.match(number) else "")
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return PhoneFacts(refused="a number of no country")
    kinds = {
        Type.PREMIUM_RATE: "a premium number",
        Type.SHARED_COST: "a number that costs extra",
        Type.PAGER: "a pager",
        Type.VOICEMAIL: "a voicemail's number",
    }
    refused = kinds.get(phonenumbers.number_type(parsed), "")
    if not refused and _DEAR.match(number) and number.startswith("+8"):
        refused = "a satellite phone or a network of its own: it costs extra"
    if not refused and not phonenumbers.is_valid_number(parsed):
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        national = phonenumbers.national_significant_number(parsed)
        emergency = phonenumbers.connects_to_emergency_number(national, region)
        refused = "an emergency number" if emergency else "a number that nobody can have"
    zones = tuple(str(zone) for zone in timezone.time_zones_for_number(parsed) if zone != _UNKNOWN)
    return PhoneFacts(zones=zones, refused=refused)
