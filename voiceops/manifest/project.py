"""`voiceops.yaml` and `environments/NAME.yaml`: which manifests, which accounts, which state.

Reads those files and the environment variables it is given; opens nothing else.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.kinds.own_facts import FILE, MAX_BYTES, NoFacts, is_older, own_facts
from voiceops.kinds.schema import Facts, Node
from voiceops.manifest.calling_settings import calling_of
from voiceops.manifest.files import FileProblem, load_bytes, read_text
from voiceops.manifest.interpolate import Interpolator
from voiceops.manifest.plain_secrets import KnownSecrets
from voiceops.manifest.problems import Problems, did_you_mean
from voiceops.manifest.schema_check import Checker
from voiceops.manifest.strict_yaml import read_documents
from voiceops.model.address import NAME
from voiceops.model.calling import Calling
from voiceops.model.env_values import url_problem
from voiceops.model.hosts import place_of
from voiceops.model.located import Map, Seq, merged, plain
from voiceops.model.phone_numbers import E164
from voiceops.model.privacy import Privacy
from voiceops.model.time_spans import LONGEST, seconds_of
from voiceops.model.values import Secret, secret
from voiceops.preview.preview_names import name_in, name_problem

PROJECT_FILE = "voiceops.yaml"
SANDBOX_ACCOUNT = "AC" + "1".zfill(32)

# Here the vendors' own variables may stand as `${env:}`: what they bring is a key, or names one.
_VENDORS_OWN = frozenset(
    f"providers.{path}"
    for path in ("vapi.apiKey", "twilio.accountSid", "twilio.authToken", "twilio.apiKey", "twilio.apiSecret")
)
_ANEW = "Run `voiceops schema update FILE` again, or take the file out: then voiceops's own facts count."
_BUILT_IN = "voiceops's defaults"
_DEFAULTS = """
manifests: [agents]
state: .voiceops/state
environments: [dev]
providers:
  vapi: {apiKey: "${secret:VAPI_API_KEY}", baseUrl: "${env:VAPI_BASE_URL:-https://api.vapi.ai}"}
  twilio: {accountSid: "${env:TWILIO_ACCOUNT_SID:-}", authToken: "${secret:TWILIO_AUTH_TOKEN:-}",
           apiKey: "${env:TWILIO_API_KEY:-}", apiSecret: "${secret:TWILIO_API_SECRET:-}",
           baseUrl: "${env:TWILIO_BASE_URL:-https://api.twilio.com}"}
runtime: {auth: hmac, handlers: agents/handlers, toolSeconds: 10}
drift: revert
safety: {maxDestroyPercent: 20, maxDestroyMinimum: 3}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """The two accounts. Secrets stay markers; they are revealed where a request is made.

    Vapi: https://docs.vapi.ai/api-reference; Twilio: basic auth by account SID and auth token, or an API key.
    """

    sandbox: bool
    vapi_key: Secret | str
    vapi_url: str
    account_sid: str
    auth_token: Secret | str
    api_key: str
    api_secret: Secret | str
    twilio_url: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a setting comes from: its text as written, and its line (None: voiceops's own default)."""

    text: str
    mark: Mark | None

    @property
    def variable(self) -> str:
        """The environment variable that it takes its value from, where it is one."""
        match = re.match(r"\$\{(?:env|secret):([A-Za-z_][A-Za-z0-9_]*)", self.text)
        return match[1] if match else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """`safety:`; percent of the managed objects."""

    max_destroy_percent: float = 20
    max_destroy_minimum: int = 3
    confirm: bool = False
    max_turn_latency_ms: float | None = None
    max_cost_per_minute: float | None = None
    require_tests: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Previews:
    """`previews:`; `ttl` in seconds, `lines` are numbers that stand ready for them. Empty `source`: the default."""

    source: str = ""
    ttl: float = 86_400.0
    most: int = 10
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """`tests:`, how tests are run: the share of attempts that has to pass, how many there are, seconds for each."""

    min_pass: float = 1.0
    repeat: int = 1
    timeout: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project in one environment."""

    root: Path
    name: str
    environment: str
    manifests: tuple[str, ...]
    manifest_marks: tuple[Mark, ...] = ()  # where each of them stands
    state: str
    providers: Providers
    variables: Map
    defaults: Map
    patches: Seq
    runtime_url: str | None
    runtime_auth: str
    handlers: str
    tool_seconds: float  # that a tool's caller waits at most where its server has no timeoutSeconds
    drift: str
    drift_fields: Mapping[str, str]
    safety: Safety
    history_keep: int = 200
    history_days: int = 400
    prefix: str = ""
    suffix: str = ""
    environments: tuple[str, ...] = ()
    default_environment: str = ""
    base: str = ""  # of a preview: the environment that it is made of
    preview: str = ""  # and its name
    previews: Previews = Previews()
    state_as_written: str = ""  # with {environment} in it
    recipients: tuple[str, ...] = ()  # of the encrypted state
    policies: tuple[str, ...] | None = None  # None: the folder policies/, where there is one
    estimates: Mapping[str, Any] = field(default_factory=dict)
    allow_unknown: bool = False  # of every manifest
    privacy: Privacy = field(default_factory=Privacy)
    calling: Calling = field(default_factory=Calling)
    trials: Trials = field(default_factory=Trials)
    facts: Facts | None = None  # of the project's own file; None: voiceops's
    mark: Mark = field(default_factory=lambda: Mark(PROJECT_FILE, 1, 1))
    origins: Mapping[str, Origin] = field(default_factory=dict)  # of places and keys, by `vapi.baseUrl`, `state`, …

    @property
    def made_of(self) -> str:
        """The environment whose files these are: of a preview the one that it is made of."""
        return self.base or self.environment


def _is_named(root: Path, names: list[str], environment: str) -> bool:
    """Does the project itself have this environment: by its name, or by a glob and a file?"""
    return environment in names or (root / "environments" / f"{environment}.yaml").is_file()


def read_facts(root: Path, problems: Problems) -> Facts | None:
    """The facts about Vapi's API that the project has of its own (None: it has none). Raises InvalidProject."""
    path = root / FILE
    if not path.exists() and not path.is_symlink():
        return None
    at = Mark(FILE, 1, 1)
    try:
        content = load_bytes(root, path, MAX_BYTES)
        found = own_facts(content)
    except FileProblem as problem:
        raise InvalidProject([Diagnostic(code="facts-file", summary=str(problem), mark=at, hint=_ANEW)]) from None
    except NoFacts as problem:
        summary = f"the project's own facts can't be used: {problem}"
        raise InvalidProject([Diagnostic(code="facts-file", summary=summary, mark=at, hint=_ANEW)]) from None
    if is_older(content):
        summary = "the project's own facts were made with the repairs of another voiceops than this one"
        problems.warning("facts-older", summary, at, "Run `voiceops schema update FILE` again.")
    return found


def find_root(start: Path) -> Path:
    """The folder with voiceops.yaml: here, or the nearest one above. Raises InvalidProject."""
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    raise InvalidProject(
        [
            Diagnostic(
                code="project-missing",
                summary=f"no {PROJECT_FILE} in {start} or above it",
                hint="Run `voiceops init` to make a project here, or point at one with -C DIR.",
            )
        ]
    )


def load_project(root: Path, environment: str | None, variables: Mapping[str, str], problems: Problems) -> Project:
    """Read the project for one environment (None: its default). Raises InvalidProject when it can't be used."""
    base = _read_map(root, PROJECT_FILE, "Project", problems)
    for key in [key for key, value in base.items() if value is None]:
        del base[key]  # a section whose lines were all taken out means what it means when it is absent
    problems.raise_errors()
    names = [str(name) for name in base.get("environments", ["dev"])]
    chosen = environment or base.get("defaultEnvironment") or _only(names)
    if (preview := name_in(chosen)) is not None and not _is_named(root, names, chosen):
        problems.error(
            "preview-unknown",
            f"there is no preview {preview!r}",
            base.marks.get("previews", Mark(PROJECT_FILE, 1, 1)),
            (
                f"It can't be: {problem}. "
                if (problem := name_problem(preview))
                else f"`voiceops preview up {preview}` makes it. "
            )
            + "`voiceops preview list` shows those that there are.",
        )
    else:
        _check_environment(base, names, chosen, given=environment is not None, problems=problems)
    problems.raise_errors()
    overlay_file = f"environments/{chosen}.yaml"
    patches: Seq = Seq()
    if (root / overlay_file).is_file():
        overlay = _read_map(root, overlay_file, "Environment", problems)
        problems.raise_errors()
        if "patches" in overlay:
            patches = overlay.take("patches")[0]
        base = merged(base, overlay)
    settings = _with_defaults(base)
    project = _project(root, chosen, names, settings, patches, variables, problems)
    return replace(project, facts=read_facts(root, problems))


def environments_of(root: Path, problems: Problems) -> list[str]:
    """The environments that the project names, globs replaced by the files that match them."""
    base = _read_map(root, PROJECT_FILE, "Project", problems)
    found: list[str] = []
    for name in base.get("environments", ["dev"]):
        if any(c in str(name) for c in "*?["):
            found += sorted(
                f.stem for f in (root / "environments").glob("*.yaml") if fnmatch.fnmatch(f.stem, str(name))
            )
        else:
            found.append(str(name))
    return list(dict.fromkeys(found))


def _only(names: list[str]) -> str:
    return next((name for name in names if not any(c in name for c in "*?[")), "dev")


def _check_environment(base: Map, names: list[str], chosen: str, *, given: bool, problems: Problems) -> None:
    at = base.marks.get("defaultEnvironment") if not given else None
    if not NAME.match(chosen):
        known = f"It has: {', '.join(names)}."
        problems.error("environment-name", f"{chosen!r} is no environment's name (a-z, 0-9, -)", at, known)
    elif not any(fnmatch.fnmatch(chosen, name) for name in names):
        problems.error(
            "environment-unknown",
            f"the project has no environment {chosen!r}",
            at or Mark(PROJECT_FILE, 1, 1),
            did_you_mean(chosen, names) or f"It has: {', '.join(names)}.",
        )


def _read_map(root: Path, file: str, type_name: str, problems: Problems) -> Map:
    text = read_text(root, root / file, file)
    documents = read_documents(text, file)
    if len(documents) > 1:
        problems.error("project-documents", "one document is allowed here", documents[1][1])
    value, mark = documents[0] if documents else (Map(), Mark(file, 1, 1))
    if not isinstance(value, Map):
        raise InvalidProject([Diagnostic(code="schema-type", summary="must be a map", mark=mark)])
    node: Node = {"type": "object", "of": type_name}
    Checker(problems, source="project").check(node, value, mark)
    return value


def _with_defaults(settings: Map) -> Map:
    base = read_documents(_DEFAULTS, _BUILT_IN)[0][0]
    if settings.get("providers") == "sandbox":
        base.take("providers")
    result: Map = merged(base, settings)
    for key in ("variables", "defaults"):  # a null in them is a value
        if key in settings:
            result.put(key, settings[key], settings.marks[key])
    return result


# one idea: each setting from the files to its field, in the order of the page about them
def _project(
    root: Path,
    environment: str,
    names: list[str],
    settings: Map,
    patches: Seq,
    variables: Mapping[str, str],
    problems: Problems,
) -> Project:
    # A map in `drift` and manifests' own ${…} in defaults and patches are resolved later, with each manifest.
    now = settings.clone()
    now.pop("defaults", None)
    interpolator = Interpolator(
        root=root,
        variables=Map(),
        environ=variables,
        problems=problems,
        known=KnownSecrets(variables),
        vendors_own=_VENDORS_OWN,
    )
    now = interpolator.apply(now)
    drift = now["drift"]
    runtime = now["runtime"]
    url = runtime.get("url")
    if url is not None:
        url = _check_url(url, runtime.marks["url"], "runtime.url", problems)
    if isinstance(now["state"], Secret):
        problems.error(
            "project-url",
            "a secret can't stand in the state's address",
            now.marks["state"],
            "Keep it in the variables of the back end: PGPASSWORD, TF_HTTP_PASSWORD, AWS_SECRET_ACCESS_KEY.",
        )
        now.take("state")
        now.put("state", "", Mark(PROJECT_FILE, 1, 1))
    safety = now["safety"]
    naming = now.get("naming") or Map()
    history = now.get("history") or Map()
    project = Project(
        root=root,
        name=now["project"],
        environment=environment,
        manifests=tuple(now["manifests"]),
        manifest_marks=tuple(mark for mark in now["manifests"].marks if mark.file != _BUILT_IN),
        state=variables.get("VOICEOPS_STATE") or now["state"],
        providers=_providers(now, problems),
        variables=now.get("variables") or Map(),
        defaults=settings.get("defaults") or Map(),
        patches=patches,
        runtime_url=url,
        runtime_auth=runtime.get("auth") or "hmac",
        handlers=runtime.get("handlers") or "agents/handlers",
        tool_seconds=float(runtime.get("toolSeconds") or 10),
        drift=(drift.get("default") or "revert") if isinstance(drift, Map) else drift,
        drift_fields=dict(drift.get("fields") or {}) if isinstance(drift, Map) else {},
        safety=Safety(
            max_destroy_percent=safety.get("maxDestroyPercent", 20),
            max_destroy_minimum=safety.get("maxDestroyMinimum", 3),
            confirm=bool(safety.get("confirm")),
            max_turn_latency_ms=safety.get("maxTurnLatencyMs"),
            max_cost_per_minute=safety.get("maxCostPerMinute"),
            require_tests=safety.get("requireTests") is True,
        ),
        history_keep=history.get("keep", 200),
        history_days=history.get("days", 400),
        prefix=naming.get("prefix") or "",
        suffix=naming.get("suffix") or "",
        environments=tuple(names),
        default_environment=settings.get("defaultEnvironment") or _only(names),
        previews=_previews(now.get("previews"), names, problems),
        recipients=tuple((now.get("encryption") or Map()).get("recipients") or ()),
        policies=tuple(now["policies"]) if "policies" in now else None,
        estimates=plain(now.get("estimates") or Map(), {}),
        allow_unknown=now.get("allowUnknown") is True,
        privacy=Privacy(**plain(now.get("privacy") or Map(), {})),
        calling=calling_of(now.get("calling") or Map(), problems),
        trials=_trials(now.get("tests") or Map()),
        mark=settings.marks.get("project", Mark(PROJECT_FILE, 1, 1)),
        origins=_origins(settings),
    )
    return replace(project, state=project.state.replace("{environment}", environment), state_as_written=project.state)


def _previews(given: Any, names: list[str], problems: Problems) -> Previews:
    if not isinstance(given, Map):
        return Previews()
    source, ttl, lines = given.get("from") or "", Previews().ttl, given.get("lines") or Seq()
    if source and not any(fnmatch.fnmatch(source, name) for name in names):
        hint = did_you_mean(source, names) or f"It has: {', '.join(names)}."
        problems.error("environment-unknown", f"the project has no environment {source!r}", given.marks["from"], hint)
    if "ttl" in given:
        ttl = seconds_of(str(given["ttl"])) or 0.0
        if not 60 <= ttl <= LONGEST:
            summary = f"{given['ttl']!r} is no length of time from a minute to a year"
            problems.error("preview-ttl", summary, given.marks["ttl"], "Write it like 24h or 7d.")
    for line, mark in zip(lines, lines.marks, strict=True):
        if not E164.match(str(line)):
            problems.error("preview-line", f"{line!r} is no number", mark, "Write it like +14155550100.")
        elif list(lines).count(line) > 1:
            problems.error("preview-line", f"{line} stands here more than once", mark, "Write it once.")
    return Previews(source=source, ttl=ttl, most=given.get("max") or Previews().most, lines=tuple(map(str, lines)))


def _trials(given: Map) -> Trials:
    return Trials(
        min_pass=float(given.get("minPass") or 1),
        repeat=given.get("repeat") or 1,
        timeout=float(given.get("timeoutSeconds") or 900),
    )


def _origins(settings: Map) -> dict[str, Origin]:
    """Where the places and the keys come from, by what the checks of them call them."""
    found = {}
    providers = settings.get("providers")
    for name, group, key in (
        ("state", settings, "state"),
        ("runtime.url", settings.get("runtime"), "url"),
        *(
            (f"{vendor}.{key}", providers.get(vendor) if isinstance(providers, Map) else None, key)
            for vendor in ("vapi", "twilio")
            for key in ("baseUrl", "apiKey", "authToken", "apiSecret")
        ),
    ):
        if isinstance(group, Map) and key in group:
            mark = group.marks[key]
            found[name] = Origin(str(group[key]), None if mark.file == _BUILT_IN else mark)
    return found


def _check_url(url: Any, mark: Mark, what: str, problems: Problems) -> str:
    problem = "it is a secret" if isinstance(url, Secret) else url_problem(str(url))
    if not problem and place_of(str(url)) is None:
        problem = "it holds a user, or a host that can be read in two ways"
    if problem:
        problems.error(
            "project-url",
            f"{what} must be an http(s) address without query: {problem}",
            mark,
            "Write it like https://voice.example.com.",
        )
    return str(url).rstrip("/")


def _providers(settings: Map, problems: Problems) -> Providers:
    given = settings["providers"]
    if given == "sandbox":
        return Providers(
            sandbox=True,
            vapi_key=secret("VAPI_API_KEY"),
            vapi_url="sandbox",
            account_sid=SANDBOX_ACCOUNT,
            auth_token=secret("TWILIO_AUTH_TOKEN"),
            api_key="",
            api_secret="",
            twilio_url="sandbox",
        )
    vapi, twilio = given["vapi"], given["twilio"]
    return Providers(
        sandbox=False,
        vapi_key=vapi["apiKey"],
        vapi_url=_check_url(vapi["baseUrl"], vapi.marks["baseUrl"], "providers.vapi.baseUrl", problems),
        account_sid=twilio["accountSid"],
        auth_token=twilio["authToken"],
        api_key=twilio["apiKey"],
        api_secret=twilio["apiSecret"],
        twilio_url=_check_url(twilio["baseUrl"], twilio.marks["baseUrl"], "providers.twilio.baseUrl", problems),
    )
