"""The composition root: from a folder and an environment to a project, a graph, accounts and a store."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voiceops.cli.allowed_hosts import check_accounts, check_state
from voiceops.cli.terminal.console import Console
from voiceops.engine.options import Options, Safety
from voiceops.engine.review.estimate import Table
from voiceops.engine.review.plan_checks import Budgets, Checks
from voiceops.errors import Diagnostic, InvalidProject, VoiceopsError
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.manifest.compose import load_graph
from voiceops.manifest.plain_secrets import KnownSecrets
from voiceops.manifest.policies import read_policies
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import Project, find_root, load_project
from voiceops.manifest.resolve import RUNTIME_CREDENTIAL
from voiceops.manifest.vendor_bodies import WEBHOOK_SECRET
from voiceops.model.env_values import checked, trimmed
from voiceops.model.graph import Graph

if TYPE_CHECKING:
    from voiceops.apply.job import Job
    from voiceops.state.store import Store

SANDBOX_KEYS = ("VAPI_API_KEY", "TWILIO_AUTH_TOKEN", WEBHOOK_SECRET)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A project in one environment with its graph and its warnings."""

    project: Project
    graph: Graph
    warnings: tuple[Diagnostic, ...]
    environ: Mapping[str, str]
    checks: Checks = field(default_factory=Checks)


def environment_variables(root: Path) -> dict[str, str]:
    """The process's variables over those of `.env` beside voiceops.yaml; what of them is secret is printed no more."""
    path = root / ".env"
    if not path.is_file():
        return _learnt(trimmed(os.environ))
    from dotenv import dotenv_values

    try:
        found = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidProject([Diagnostic(code="file", summary=f".env can't be read: {error}")]) from None
    return _learnt(trimmed({key: value for key, value in found.items() if value is not None} | dict(os.environ)))


def _learnt(environ: dict[str, str]) -> dict[str, str]:
    Console.redactor.learn(environ)
    return environ


def root_of(console: Console) -> Path:
    """The project's folder. Raises InvalidProject."""
    if not console.folder.is_dir():
        raise InvalidProject([Diagnostic(code="project-missing", summary=f"there is no folder {console.folder}")])
    return find_root(console.folder.resolve())


def load(console: Console, environment: str | None = None) -> Loaded:
    """Read and check everything; raises InvalidProject with every problem."""
    root = root_of(console)
    environ = environment_variables(root)
    problems = Problems()
    project = load_project(root, environment or console.environment or environ.get("VOICEOPS_ENV"), environ, problems)
    checks = checks_of(project, problems)
    graph = load_graph(project, environ, problems, KnownSecrets(environ, Console.redactor))
    return Loaded(project, graph, tuple(d for d in problems.all if d.severity == "warning"), environ, checks)


def check_lints(loaded: Loaded) -> None:
    """What `validate` would not pass is not planned either. Raises InvalidProject."""
    from voiceops.lints.run_lints import errors

    if found := errors(loaded.project, loaded.graph):
        raise InvalidProject(found)


_RULES_SECONDS = 60.0  # that a team's own rules may take with one plan


def _rules_timer() -> Callable[[], bool]:
    until = time.monotonic() + _RULES_SECONDS
    return lambda: time.monotonic() > until


def checks_of(project: Project, problems: Problems) -> Checks:
    """What every plan of the project is held against; problems of its rules are collected."""
    budgets = Budgets(project.safety.max_turn_latency_ms, project.safety.max_cost_per_minute)
    return Checks(
        table=Table.of(project.estimates),
        budgets=budgets,
        policies=read_policies(project, problems),
        timer=_rules_timer,
    )


def load_settings(console: Console) -> Project:
    """The project alone, for commands that don't need its manifests."""
    root = root_of(console)
    environ = environment_variables(root)
    problems = Problems()
    project = load_project(root, console.environment or environ.get("VOICEOPS_ENV"), environ, problems)
    problems.raise_errors()
    return project


def store_of(
    project: Project, environ: Mapping[str, str] | None = None, location: str = "", *, plain: bool = False
) -> Store:
    """The environment's state, or another place for it (`{environment}` in it is replaced).

    `plain`: what is in clear there is read although it should be encrypted.
    """
    from voiceops.state.checked import CheckedStore
    from voiceops.state.encrypted import IDENTITY, Cipher, EncryptedStore
    from voiceops.state.masked import MaskedStore
    from voiceops.state.open import open_store

    environ = environment_variables(project.root) if environ is None else environ
    store = open_store(
        location.replace("{environment}", project.environment) or project.state,
        project.root,
        project.environment,
        project=project.name,
        environ=environ,
    )
    check_state(project, environ, location)  # nothing is connected yet
    identity = environ.get(IDENTITY, "")
    if project.recipients or identity:
        store = EncryptedStore(store, Cipher(project.recipients, identity), plain=plain)
    return MaskedStore(CheckedStore(store), Console.redactor)


def options_of(project: Project, **given: Any) -> Options:
    """Planning options from the project and a command's flags."""
    base = Options(
        drift=project.drift,
        drift_fields=project.drift_fields,
        account=project.providers.account_sid,
        safety=Safety(project.safety.max_destroy_percent, project.safety.max_destroy_minimum),
    )
    return replace(base, **given)


def labels_of(graph: Graph) -> dict[str, Mapping[str, str]]:
    """What `-l` chooses from."""
    return {address: resource.labels for address, resource in graph.resources.items()}


def uses_of(graph: Graph) -> dict[str, tuple[str, ...]]:
    """What the manifests refer to."""
    return {address: graph.dependencies(address) for address in graph.resources}


def without_resources(graph: Graph) -> Graph:
    """What `destroy` asks for."""
    return Graph(graph.project, graph.environment, {})


@asynccontextmanager
async def open_job(
    loaded: Loaded,
    graph: Graph,
    options: Options,
    parallelism: int = 10,
    transport: Any = None,
    pace: float = 1.0,
    timeout: float = 30.0,
) -> AsyncIterator[Job]:
    """Accounts and store for one command, closed at its end; the sandbox runs for as long.

    `transport` replaces httpx's own; `pace` is a factor on the waits between tries; `timeout` is a request's, in
    seconds.
    """
    from contextlib import AsyncExitStack

    from voiceops.apply.job import Job, Retention
    from voiceops.providers import twilio as at_twilio
    from voiceops.providers import vapi as at_vapi
    from voiceops.providers.http import Api, Limiter
    from voiceops.providers.secret_values import Secrets
    from voiceops.providers.snapshot_reader import Accounts
    from voiceops.state.ledger import Ledger

    project = loaded.project
    store = store_of(project, loaded.environ)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(store)
        ledger = await Ledger.open(store, project.name, project.environment)
        environ = _sandbox_secrets(project, loaded.environ) if project.providers.sandbox else loaded.environ
        secrets = Secrets(environ, Console.redactor)
        types = {r.type for r in loaded.graph.resources.values()} | {e.type for e in ledger.state.entries.values()}
        with_twilio = TWILIO_TYPE in types
        check_accounts(project, ledger.state.binding, with_twilio=with_twilio)
        providers = project.providers
        urls = (providers.vapi_url, providers.twilio_url)
        if providers.sandbox:
            server = stack.enter_context(_sandbox(loaded))
            providers = replace(providers, vapi_url=server.vapi_url, twilio_url=server.twilio_url)
        if RUNTIME_CREDENTIAL in loaded.graph.resources and (webhook := loaded.environ.get(WEBHOOK_SECRET)):
            checked(WEBHOOK_SECRET, webhook)  # the runtime refuses the same
        key = _key(secrets, providers.vapi_key, "the Vapi API key")
        vapi = await stack.enter_async_context(
            Api(
                "Vapi",
                providers.vapi_url,
                Limiter(parallelism),
                secrets.redact,
                headers={"authorization": f"Bearer {key}"},
                promises=at_vapi.PROMISES,
                transport=transport,
                pace=pace,
                timeout=timeout,
            )
        )
        twilio = None
        if with_twilio:
            api = await stack.enter_async_context(
                Api(
                    "Twilio",
                    providers.twilio_url,
                    Limiter(min(parallelism, at_twilio.PROMISES.most_at_once or parallelism)),
                    secrets.redact,
                    auth=_twilio_auth(providers, secrets),
                    promises=at_twilio.PROMISES,
                    transport=transport,
                    pace=pace,
                    timeout=timeout,
                )
            )
            twilio = at_twilio.Twilio(api, providers.account_sid)
        accounts = Accounts(at_vapi.Vapi(vapi), twilio)
        accounts.on_wait(note_wait)
        yield Job(
            graph=graph,
            ledger=ledger,
            accounts=accounts,
            secrets=secrets,
            options=options,
            state_key=loaded.environ.get("VOICEOPS_STATE_KEY", ""),
            parallelism=parallelism,
            urls=urls,
            checks=loaded.checks,
            retention=Retention(keep=project.history_keep, days=project.history_days),
        )


def note_wait(text: str) -> None:
    """A wait for a vendor, said beside the output; an apply says it among its own lines."""
    import click

    context = click.get_current_context(silent=True)
    console = context.obj if context is not None and isinstance(context.obj, Console) else Console()
    console.note(text)


def _twilio_auth(providers: Any, secrets: Any) -> tuple[str, str]:
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


def _key(secrets: Any, value: Any, what: str) -> str:
    """A key as it goes into a header. Raises VoiceopsError where it is missing, or holds what no key holds."""
    names = getattr(value, "names", ())
    return checked(" or ".join(names) or what, secrets.require(value, what))


def sandbox_folder(project: Project) -> Path:
    """Where the embedded sandbox keeps its data; made where it is missing."""
    folder = project.root / ".voiceops" / "sandbox"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sandbox_secrets(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """The sandbox's keys, never the live ones; and a webhook secret where none is set: a newcomer needs no key."""
    import secrets

    keys = dict.fromkeys(SANDBOX_KEYS[:2], "sandbox")
    path = sandbox_folder(project) / "webhook-secret"
    if not environ.get(WEBHOOK_SECRET) and not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    webhook = environ.get(WEBHOOK_SECRET) or path.read_text(encoding="ascii").strip()
    return {**environ, **keys, WEBHOOK_SECRET: webhook}


def _sandbox(loaded: Loaded) -> Any:
    """The embedded sandbox, holding the numbers that the manifests take to be there."""
    from voiceops.sandbox.server import SandboxServer

    numbers = sorted(
        {str(r.name) for r in loaded.graph.resources.values() if r.type == TWILIO_TYPE and r.name and not r.purchase}
    )
    return SandboxServer(data=sandbox_folder(loaded.project) / f"{loaded.project.environment}.db", numbers=numbers)
