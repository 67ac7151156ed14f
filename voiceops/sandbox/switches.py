"""What can be different about the simulated vendors: one frozen record, replaced as a whole.

The defaults are what the vendors document, or what was seen of them; docs/sandbox.md says which is which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

Secrecy = Literal["omit", "mask", "echo"]
Payment = Literal[
    "ok",
    "wallet_missing",
    "subscription_frozen",
    "payment_method_missing",
    "insufficient_credits",
    "billing_limit",
    "initial_payment_missing",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """Every switch with its default. Times are in seconds; 0 switches a limit off."""

    # Time
    lag: float = 0.0  # a new object is invisible to reads for so long
    lag_update: float = 0.0  # reads show the object as it was before an update for so long
    lag_delete: float = 0.0  # a deleted object stays visible to reads for so long
    latency: float = 0.0  # added to every request
    clock_skew: float = 0.0  # the vendors' clock is so far ahead of this machine's
    settle: float = 0.0  # activating, processing and indexing take so long
    # Limits
    rate: float = 0.0  # requests a second and vendor; more are answered 429
    concurrency: int = 0  # requests at once and vendor; more are answered 429
    retry_after: str = ""  # the Retry-After of a 429
    # Simulations, evals and chats
    call_slots: int = 10  # a simulated call takes two of them
    run_seconds: float = 0.0  # a simulation or an eval takes so long
    kept_runs: int = 500  # so many runs that ended are remembered, of simulations and of evals
    call_tools: bool = False  # tools without a mock are asked for at their servers, where those are on this machine
    payment: Payment = "ok"  # anything else: runs of simulations, and chats, are refused (402) for this reason
    # Calls
    calls_last: float = 5.0  # a call to a person is over after so long; 0: it stays as it is until somebody edits it
    calls_end: str = "customer-ended-call"  # the reason with which it ends
    phone_slots: int = 0  # calls under way at once; what is more ends with the reason that there is no slot
    call_names: bool = True  # a call's name is in answers
    # Lists
    list_order: Literal["desc", "asc", "random"] = "desc"
    created_at: str = ""  # every new object gets this creation time
    simulation_lists: Literal["array", "data"] = "array"  # what a simulation list with `limit` or `page` looks like
    # What answers hold
    defaults: bool = True  # a few defaults are filled in
    adversarial: bool = False  # everything that an API may do to an answer without breaking its promises
    normalise: bool = False  # stored values are rewritten as documented (implied by adversarial)
    cleared: Literal["null", "omit"] = "null"  # how a field that was cleared comes back
    versions: bool = True  # assistants, tools and squads carry latestVersion
    drafts: bool = False  # an update over the API is kept, and not published: latestVersion stays
    traffic_splitting: bool = False  # the organization may split traffic; without it: 403
    # Secrets
    credential_secrets: Secrecy = "omit"
    phone_secrets: Secrecy = "echo"
    echo_in_errors: bool = False  # a 400 repeats the refused value
    # What is checked
    validate: bool = True  # bodies are checked against the schema
    open_enums: bool = True  # values that an open enum doesn't list are accepted
    references: bool = True  # an id in a body must exist
    patch_required: bool = True  # a PATCH must hold what the schema requires of it: a squad's `members`
    patch_type: Literal["reject", "accept"] = "reject"  # `type` in a PATCH of a tool, a structured output or an eval
    unique_numbers: bool = True  # a number can be imported once
    in_use: bool = True  # a personality or scenario that a simulation uses can't be deleted (409)
    # Imports of Twilio numbers
    inbound_url: str = "https://api.vapi.ai/twilio/inbound_call"
    sms_url: str = "https://api.vapi.ai/twilio/sms"
    rebind_rewrites_urls: bool = False  # a PATCH of an imported number writes its URLs again
    delete_clears_url: bool = False  # deleting an imported number clears its voice URL
    # Twilio
    account_status: Literal["active", "suspended", "closed"] = "active"  # as an account sees its subaccount's
    demo_url: str = "https://demo.twilio.com/welcome/voice/"  # on a new number; empty: none
    clear_to: Literal["mixed", "null", "empty"] = "mixed"  # how an empty field comes back

    def to_data(self) -> dict[str, Any]:
        """The switches as JSON."""
        return asdict(self)

    def changed(self, changes: Mapping[str, Any]) -> Switches:
        """The switches with these changes. Raises ValueError that names the switch."""
        return replace(self, **{name: _checked(name, value) for name, value in changes.items()})


def parse_switches(texts: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` of a command line. Raises ValueError."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise ValueError(f"{text!r} is no NAME=VALUE")
        found[name] = value
    return found


def _checked(name: str, value: Any) -> Any:
    """A value of the switch's type; text is read as that type, for command lines."""
    if name not in {field.name for field in fields(Switches)}:
        raise ValueError(f"there is no switch {name!r}")
    wanted = get_type_hints(Switches)[name]
    if get_origin(wanted) is Literal:
        if value not in get_args(wanted):
            raise ValueError(f"{name} is one of {', '.join(get_args(wanted))}, not {value!r}")
        return value
    if wanted is bool:
        if isinstance(value, str) and value in ("true", "false"):
            return value == "true"
        if isinstance(value, bool):
            return value
    elif wanted is str:
        if isinstance(value, str):
            return value
    elif not isinstance(value, bool):
        try:
            return wanted(value)
        except (TypeError, ValueError):
            pass
    raise ValueError(f"{name} takes a {wanted.__name__}, not {value!r}")
