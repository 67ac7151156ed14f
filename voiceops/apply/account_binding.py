"""Whose account it is: a state belongs to the Vapi organization and the Twilio account of its first apply."""

from __future__ import annotations

from dataclasses import replace

from voiceops.apply.job import Job
from voiceops.apply.session import Session
from voiceops.errors import Refused
from voiceops.model.live import Snapshot
from voiceops.model.state import Binding
from voiceops.state.ledger import Ledger


def binding_of(job: Job, snapshot: Snapshot) -> Binding:
    """The accounts that the keys at hand lead to, as far as the snapshot tells."""
    twilio = job.accounts.twilio
    return Binding(
        vapi_org=snapshot.org,
        vapi_url=job.urls[0],
        twilio_account=twilio.account if twilio else "",
        twilio_url=job.urls[1] if twilio else "",
    )


async def check_account(job: Job, bound: Binding, snapshot: Snapshot) -> Binding:
    """Are these the accounts of the state? An organization without objects has to be asked. Raises Refused."""
    met = binding_of(job, snapshot)
    if bound.vapi_org and not met.vapi_org:
        met = replace(met, vapi_org=await job.accounts.vapi.org())
    _check_binding(bound, met)
    return met


def check_urls(bound: Binding, vapi_url: str, twilio_account: str, twilio_url: str) -> None:
    """What is known of the accounts before the first request, against the state's. Raises Refused."""
    _check_binding(bound, Binding(vapi_url=vapi_url, twilio_account=twilio_account, twilio_url=twilio_url))


def _check_binding(bound: Binding, met: Binding) -> None:
    """A state belongs to the accounts of its first apply. Raises Refused."""
    for name, one, other in (
        ("Vapi org", bound.vapi_org, met.vapi_org),
        ("Vapi base URL", bound.vapi_url, met.vapi_url),
        ("Twilio account", bound.twilio_account, met.twilio_account),
        ("Twilio base URL", bound.twilio_url, met.twilio_url),
    ):
        if one and other and one != other:
            raise Refused(
                f"this state belongs to the {name} {one}, but the keys at hand lead to {other}",
                hint="Use the keys of this environment, or another environment for that account.",
            )


async def learn_org(job: Job, ledger: Ledger, session: Session) -> None:
    """The org of an empty account shows with its first object."""
    binding = binding_of(job, session.snapshot)
    org = next((str(live["orgId"]) for live, _ in session.fresh.values() if live.get("orgId")), "")
    bound = ledger.state.binding
    await ledger.bind(
        Binding(
            vapi_org=bound.vapi_org or binding.vapi_org or org,
            vapi_url=binding.vapi_url,
            twilio_account=binding.twilio_account or bound.twilio_account,
            twilio_url=binding.twilio_url or bound.twilio_url,
        )
    )
