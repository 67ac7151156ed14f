"""Phone: a Vapi phone number (`/phone-number`). For provider twilio a TwilioNumber stands beside it."""

from voiceops.kinds.base import Kind, Stays
from voiceops.kinds.twilio import IMPORTED

_TARGETS = ("assistantId", "squadId")  # whom a number routes to

KIND = Kind(
    name="Phone",
    type="vapi_phone_number",
    path="/phone-number",
    title="phone number",
    after=("Squad",),
    identity=(("number",), ("sipUri",), ("name",)),
    caseless=frozenset({"sipUri"}),
    named_within=("provider",),
    immutable=frozenset({"provider"}),
    # Another number of a carrier is another line there; a number of one's own is what its trunk says it is.
    fixed_by="provider",
    immutable_by={provider: frozenset({"number"}) for provider in ("twilio", "vapi", "vonage", "telnyx")},
    create_only=frozenset({"numberDesiredAreaCode"}),
    patch_omits=frozenset({"provider"}),
    null_counts=frozenset(_TARGETS),
    targets=_TARGETS,
    replace_order=("delete", "create"),
    dialled="number",
    unique=frozenset({"number", "sipUri"}),
    stays=Stays(where=("provider", "vapi"), bound_by=_TARGETS, called="number"),
    beside=frozenset(IMPORTED),
)
