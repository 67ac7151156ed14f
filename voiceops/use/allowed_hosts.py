"""Before a key is sent: is the place one of the vendor's, this machine, or one that the person at the keyboard allowed?

A folder names places: base URLs, a state, the runtime's address, also in its `.env`. It may be a stranger's pull
request, so none of them gets a credential by the folder's word. What counts is the process's own environment
(VOICEOPS_ALLOWED_HOSTS, VOICEOPS_STATE), and the binding of a state whose place that environment named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from voiceops.apply.account_binding import check_urls
from voiceops.errors import Refused
from voiceops.manifest.project import Origin, Project
from voiceops.model.hosts import ALLOWED_HOSTS, Hosts, is_loopback, is_vendors_own, place_of
from voiceops.model.state import Binding
from voiceops.model.values import Secret
from voiceops.use.opened import Opened

_POSTGRES = 5432


def allowed_hosts(process: Mapping[str, str]) -> Hosts:
    """Of the process's environment; a file of the folder has no say in it."""
    return Hosts.of(process.get(ALLOWED_HOSTS, ""))


def check_accounts(opened: Opened, binding: Binding, *, with_twilio: bool) -> None:
    """May the accounts' keys go where the project says? Compared with the state's binding, too. Raises Refused."""
    project, process = opened.project, opened.context.environ
    providers = project.providers
    account = providers.account_sid if with_twilio else ""
    check_urls(binding, providers.vapi_url, account, providers.twilio_url if with_twilio else "")
    if providers.sandbox:
        return
    vouched = _vouched_for(project, process)
    chosen: list[tuple[str, str, str, str, tuple[tuple[str, Secret | str], ...]]]
    chosen = [("Vapi", "vapi", providers.vapi_url, binding.vapi_url, (("apiKey", providers.vapi_key),))]
    if with_twilio:
        keys = (("authToken", providers.auth_token), ("apiSecret", providers.api_secret))
        chosen.append(("Twilio", "twilio", providers.twilio_url, binding.twilio_url, keys))
    for vendor, name, url, bound, secrets in chosen:
        if not (vouched and bound == url):
            check_vendor(vendor, url, project.origins.get(f"{name}.baseUrl"), process)
        _check_names(opened, vendor, url, {f"{name}.{key}": value for key, value in secrets})


def check_vendor(vendor: str, url: str, origin: Origin | None, process: Mapping[str, str]) -> None:
    """Is this a host that may have the vendor's key? Raises Refused."""
    place = place_of(url)
    if place is None:
        raise Refused(f"{vendor}'s base URL {url} leads nowhere that can be told{_from(origin, process)}")
    if place.is_loopback or is_vendors_own(vendor, place) or allowed_hosts(process).allow(place):
        return
    own = (
        "https://api.vapi.ai, https://api.eu.vapi.ai" if vendor == "Vapi" else "https://api.twilio.com and its regions"
    )
    raise Refused(
        f"the {vendor} key is not sent to {place.scheme}://{place}{_from(origin, process)}",
        hint=f"Keys go to {own}, to this machine, and to hosts in {ALLOWED_HOSTS}. Where it is yours, allow it in the "
        f"environment of the process (no file of the folder can): {ALLOWED_HOSTS}={_entry(url)}.",
    )


def _check_names(opened: Opened, vendor: str, url: str, secrets: Mapping[str, Secret | str]) -> None:
    """A folder says which secret is the key: not one that is somebody else's. Raises Refused."""
    place = place_of(url)
    if place is None or place.is_loopback:
        return
    origins, process = opened.project.origins, opened.context.environ
    for where, value in secrets.items():
        for name in value.names if isinstance(value, Secret) else ():
            if vendor.upper() not in name.upper():
                raise Refused(
                    f"${{secret:{name}}} is not sent to {vendor} as its key{_from(origins.get(where), process)}",
                    hint=f"Give the secret a name with {vendor.upper()} in it, as {vendor.upper()}_API_KEY_ACME.",
                )


def may_have_token(url: str, process: Mapping[str, str]) -> bool:
    """May the runtime at this address be sent the dashboard's token?"""
    place = place_of(url)
    return place is not None and (place.is_loopback or allowed_hosts(process).allow(place))


def check_state(opened: Opened, location: str = "") -> None:
    """May the state's credentials go where the state is? `location`: a place of the command line. Raises Refused."""
    project, environ, process = opened.project, opened.environ, opened.context.environ
    place = location.replace("{environment}", project.environment) or project.state
    scheme, separator, _ = place.partition("://")
    if not separator:
        return
    named = bool(location) or bool(process.get("VOICEOPS_STATE"))
    match scheme.lower():
        case "http" | "https":
            found = _http(place, project.environment, environ)
        case "s3":
            found = _s3(place, environ)
        case _:
            found = _postgres(place)
    for target in found:
        if not (target.variable in process if target.variable else named):
            _check_target("the state's credentials are", target, project.origins.get("state"), process)


def check_database(url: str, name: str, process: Mapping[str, str]) -> None:
    """The same for a database that a variable names. Raises Refused."""
    if "://" in url and url.startswith("postgres") and name not in process:
        for target in _postgres(url):
            _check_target("a database's credentials are", target, Origin(f"${{env:{name}}}", None), process)


@dataclass(frozen=True, slots=True)
class _Target:
    """A host that would be sent credentials; `variable` names it (empty: the address itself)."""

    host: str
    port: int
    url: str = ""  # for http
    variable: str = ""


def _check_target(what: str, target: _Target, origin: Origin | None, process: Mapping[str, str]) -> None:
    place = place_of(target.url) if target.url else None
    if target.url and place is None:
        raise Refused(f"{what} not sent to an address that can be read in two ways: {target.url}")
    hosts = allowed_hosts(process)
    if is_loopback(target.host) or (hosts.allow(place) if place else hosts.allow_host(target.host, [target.port])):
        return
    if target.host in _named_by(process):
        return
    if target.variable:
        origin = Origin(f"${{env:{target.variable}}}", None)
    raise Refused(
        f"{what} not sent to {target.host}{_from(origin, process)}",
        hint="A file of the folder names it. Where it is yours, say so in the environment of the process: "
        f"VOICEOPS_STATE=…, or {ALLOWED_HOSTS}={_entry(target.url) if target.url else target.host}.",
    )


def _named_by(process: Mapping[str, str]) -> set[str]:
    """Hosts that the process's environment names for the same purpose."""
    found = {process.get("PGHOST", "").lower()}
    for name in ("TF_HTTP_ADDRESS", "CI_API_V4_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        place = place_of(process.get(name, "").partition("?")[0])
        if place is not None:
            found.add(place.host)
    return found - {""}


def _http(location: str, environment: str, environ: Mapping[str, str]) -> Iterator[_Target]:
    from voiceops.state.tf_server import Settings  # ssl comes with it

    settings = Settings.of(location, environment, environ)
    yield _target(settings.address)
    for name, address in (
        ("TF_HTTP_LOCK_ADDRESS", settings.lock_address),
        ("TF_HTTP_UNLOCK_ADDRESS", settings.unlock_address),
    ):
        if environ.get(name):
            yield _target(address, name)


def _target(address: str, variable: str = "") -> _Target:
    url = address.partition("#")[0].partition("?")[0]
    place = place_of(url)
    return _Target(place.host if place else "", place.port if place else 0, url, variable)


def _s3(location: str, environ: Mapping[str, str]) -> Iterator[_Target]:
    """Amazon's own hosts need no leave: a request there is signed, and holds no key."""
    given = parse_qs(urlsplit(location).query).get("endpoint", [])
    if given:
        yield _target(given[-1])
        return
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        if environ.get(name):
            yield _target(environ[name], name)
            return


def _postgres(location: str) -> Iterator[_Target]:
    """Every host that the driver would try; a socket of this machine is none. Raises Refused."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        return  # said where the store is opened
    try:
        parameters = conninfo_to_dict(location)
    except ProgrammingError:
        raise Refused("the database's address can't be read", hint="postgresql://USER@HOST/DATABASE") from None
    if parameters.get("service") or parameters.get("servicefile"):
        raise Refused(
            "an address in the folder can't name a service of pg_service.conf", hint="Set VOICEOPS_STATE, or PGSERVICE."
        )
    ports = str(parameters.get("port") or "").split(",")
    for key in ("host", "hostaddr"):
        for position, host in enumerate(str(parameters.get(key) or "").split(",")):
            port = ports[position] if position < len(ports) else ports[0]
            if host and not host.startswith(("/", "@")):
                yield _Target(host.lower(), int(port) if port.isdigit() else _POSTGRES)


def _vouched_for(project: Project, process: Mapping[str, str]) -> bool:
    """Does the binding tell something? Not where the folder holds the state, or says where it is."""
    if not process.get("VOICEOPS_STATE"):
        return False
    if "://" in project.state:
        return True
    return not (project.root / Path(project.state)).resolve().is_relative_to(project.root.resolve())


def _entry(url: str) -> str:
    """How the host is written in VOICEOPS_ALLOWED_HOSTS."""
    place = place_of(url)
    if place is None:
        return "HOST"
    return str(place) if place.scheme == "https" else f"http://{place}"


def _from(origin: Origin | None, process: Mapping[str, str]) -> str:
    """Where an address comes from: a line, or a variable."""
    if origin is None:
        return ""
    variable = origin.variable
    if variable and origin.mark is None:
        return f", which {variable} says" + ("" if variable in process else " in .env")
    if origin.mark is None:
        return ""
    place = origin.mark.place
    if variable:
        return f", which {place} takes from {variable}" + ("" if variable in process else " in .env")
    return f", which {place} says"
