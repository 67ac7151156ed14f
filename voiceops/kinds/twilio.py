"""TwilioNumber: what answers a phone number at Twilio, beside the Phone that Vapi knows it by.

No manifest is of this kind: it comes with a Phone of provider twilio, at the address `Phone/NAME/twilio`. The number is
there before and after; its voice settings change hands.
https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
"""

from urllib.parse import urlsplit

from voiceops.kinds.base import Kind

TWILIO_TYPE = "twilio_phone_number"

KIND = Kind(
    name="TwilioNumber",
    type=TWILIO_TYPE,
    path="/IncomingPhoneNumbers",
    title="Twilio number",
    identity=(("phone_number",),),
    id_key="sid",
    comes_with="Phone",
)

# What Vapi writes into a number when it imports it.
IMPORTED = ("voice_url", "voice_method")

# A number's voice settings, as its API answers them, and the form field that writes each.
TWILIO_FIELDS = {
    "friendly_name": "FriendlyName",
    "voice_url": "VoiceUrl",
    "voice_method": "VoiceMethod",
    "voice_fallback_url": "VoiceFallbackUrl",
    "voice_fallback_method": "VoiceFallbackMethod",
    "status_callback": "StatusCallback",
    "status_callback_method": "StatusCallbackMethod",
    "voice_application_sid": "VoiceApplicationSid",
    "trunk_sid": "TrunkSid",
    "voice_receive_mode": "VoiceReceiveMode",
}

# What a manifest's `twilio:` may say.
TWILIO_SETTINGS = {
    "friendlyName": "friendly_name",
    "voiceFallbackUrl": "voice_fallback_url",
    "voiceFallbackMethod": "voice_fallback_method",
    "statusCallback": "status_callback",
    "statusCallbackMethod": "status_callback_method",
}

# Settings that can't be cleared, only replaced; a field that leaves the manifest keeps its last value.
TWILIO_STICKY = frozenset(
    {"friendly_name", "voice_method", "voice_fallback_method", "status_callback_method", "voice_receive_mode"}
)

VOICE = "voice"  # a number's mode unless it takes faxes; accounts without Fax don't show it

# Twilio's own sample answer on a newly bought number: nobody's.
TWILIO_DEMO = ("https://demo.twilio.com/", "http://demo.twilio.com/")

_VAPI = "vapi.ai"


def is_vapis(url: str, api_url: str = "") -> bool:
    """Is this an address of Vapi's own, such as its import writes into a number? `api_url` is where its API is."""
    try:
        split = urlsplit(url)
        host = split.hostname or ""
    except ValueError:
        return False
    own = host == _VAPI or host.endswith("." + _VAPI)
    return own or bool(api_url and split.netloc and split.netloc == urlsplit(api_url).netloc)
