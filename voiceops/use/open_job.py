"""The accounts and the state that a plan or an apply works on, open for as long as it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from voiceops.apply.job import Job, Retention
from voiceops.engine.options import Options
from voiceops.errors import VoiceopsError
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.manifest.project import Providers
from voiceops.manifest.resolve import RUNTIME_CREDENTIAL
from voiceops.manifest.vendor_bodies import WEBHOOK_SECRET
from voiceops.model.env_values import checked
from voiceops.model.graph import Graph
from voiceops.model.values import Secret
from voiceops.providers import twilio as at_twilio
from voiceops.providers import vapi as at_vapi
from voiceops.providers.http import Api, Limiter
from voiceops.providers.secret_values import Secrets
from voiceops.providers.snapshot_reader import Accounts
from voiceops.state.ledger import Ledger
from voiceops.use.allowed_hosts import check_accounts
from voiceops.use.load_project import Loaded
from voiceops.use.local_sandbox import sandbox_keys, sandbox_of
from voiceops.use.open_state import open_ledger
from voiceops.use.process_context import ProcessContext


@asynccontextmanager
async def open_job(
    loaded: Loaded,
    options: Options,
    *,
    graph: Graph | None = None,
    parallelism: int = 10,
    every_account: bool = False,
) -> AsyncIterator[Job]:
    """State and accounts, closed at the end. `graph` is what is asked for, where it is not the manifests' own;
    `every_account`: also those that nothing here needs, where their keys are set.

    Raises Refused where a key may not go where the project says, StateError, and VoiceopsError where a key is missing.
    """
    async with (
        open_ledger(loaded) as ledger,
        job_on(ledger, loaded, options, graph=graph, parallelism=parallelism, every_account=every_account) as job,
    ):
        yield job


@asynccontextmanager
async def job_on(
    ledger: Ledger,
    loaded: Loaded,
    options: Options,
    *,
    graph: Graph | None = None,
    parallelism: int = 10,
    every_account: bool = False,
) -> AsyncIterator[Job]:
    """The same on a state that is open already; the sandbox runs for as long, where the environment is one."""
    project, providers = loaded.project, loaded.project.providers
    async with AsyncExitStack() as stack:
        secrets = Secrets(
            sandbox_keys(project, loaded.environ) if providers.sandbox else loaded.environ,
            loaded.context.redactor,
        )
        types = {r.type for r in loaded.graph.resources.values()} | {e.type for e in ledger.state.entries.values()}
        with_twilio = TWILIO_TYPE in types or (every_account and _has_twilio(providers))
        check_accounts(loaded, ledger.state.binding, with_twilio=with_twilio)
        if providers.sandbox:
            server = stack.enter_context(sandbox_of(loaded))
            providers = replace(providers, vapi_url=server.vapi_url, twilio_url=server.twilio_url)
        if RUNTIME_CREDENTIAL in loaded.graph.resources and (webhook := loaded.environ.get(WEBHOOK_SECRET)):
            checked(WEBHOOK_SECRET, webhook)  # the runtime refuses the same
        accounts = await _accounts(stack, providers, secrets, loaded.context, parallelism, with_twilio=with_twilio)
        settle = loaded.context.settle
        yield Job(
            graph=loaded.graph if graph is None else graph,
            ledger=ledger,
            accounts=accounts,
            secrets=secrets,
            options=options if settle is None else replace(options, settle=settle),
            state_key=loaded.environ.get("VOICEOPS_STATE_KEY", ""),
            parallelism=parallelism,
            urls=(project.providers.vapi_url, project.providers.twilio_url),
            checks=loaded.checks,
            retention=Retention(keep=project.history_keep, days=project.history_days),
        )


async def _accounts(
    stack: AsyncExitStack,
    providers: Providers,
    secrets: Secrets,
    context: ProcessContext,
    parallelism: int,
    *,
    with_twilio: bool,
) -> Accounts:
    """Both vendors' APIs, or Vapi's alone. Raises VoiceopsError where a key is missing or is none."""
    key = _key(secrets, providers.vapi_key, "the Vapi API key")
    vapi = Api(
        "Vapi",
        providers.vapi_url,
        Limiter(parallelism),
        secrets.redact,
        headers={"authorization": f"Bearer {key}"},
        promises=at_vapi.PROMISES,
        transport=context.transport and context.transport(),
        pace=context.pace,
        timeout=context.timeout,
    )
    twilio = None
    if with_twilio:
        api = Api(
            "Twilio",
            providers.twilio_url,
            Limiter(min(parallelism, at_twilio.PROMISES.most_at_once or parallelism)),
            secrets.redact,
            auth=_twilio_auth(providers, secrets),
            promises=at_twilio.PROMISES,
            transport=context.transport and context.transport(),
            pace=context.pace,
            timeout=context.timeout,
        )
        twilio = at_twilio.Twilio(await stack.enter_async_context(api), providers.account_sid)
    accounts = Accounts(at_vapi.Vapi(await stack.enter_async_context(vapi)), twilio)
    accounts.on_wait(context.on_wait)
    return accounts


def _has_twilio(providers: Providers) -> bool:
    """Are the keys of a Twilio account set?"""
    return bool(providers.account_sid and (providers.auth_token or (providers.api_key and providers.api_secret)))


def _twilio_auth(providers: Providers, secrets: Secrets) -> tuple[str, str]:
    if not providers.account_sid:
        raise VoiceopsError(
            "the Twilio account is missing: TWILIO_ACCOUNT_SID is not set",
            hint="Set it, with TWILIO_AUTH_TOKEN, or TWILIO_API_KEY and TWILIO_API_SECRET.",
        )
    checked("TWILIO_ACCOUNT_SID", providers.account_sid, plain=True)
    if providers.api_key and providers.api_secret:
        key = checked("TWILIO_API_KEY", providers.api_key)
        return key, _key(secrets, providers.api_secret, "the Twilio API secret")
    if not providers.auth_token:
        raise VoiceopsError(
            "the Twilio key is missing: TWILIO_AUTH_TOKEN is not set",
            hint="Set it, or TWILIO_API_KEY and TWILIO_API_SECRET.",
        )
    return providers.account_sid, _key(secrets, providers.auth_token, "the Twilio auth token")


def _key(secrets: Secrets, value: Secret | str, what: str) -> str:
    """A key as it goes into a header. Raises VoiceopsError where it is missing, or holds what no key holds."""
    names = value.names if isinstance(value, Secret) else ()
    return checked(" or ".join(names) or what, secrets.require(value, what))
